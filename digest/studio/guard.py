"""Who may talk to the studio: this machine's browser, on a page of the studio, and nobody else.

A web page elsewhere can make a browser ask 127.0.0.1, directly or under a name of its own (DNS
rebinding). The name is in `Host`, where the question comes from in `Sec-Fetch-Site`.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost"})

PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# The mail may be looked into by the page around it, and can do nothing: no script, no request.
MAIL = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Refuses what does not come from the studio's own page, and says what a page may do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reason = refusal(scope["method"], Headers(scope=scope))
        if reason:
            await PlainTextResponse(f"{reason}\n", 403)(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", PAGE)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


def refusal(method: str, headers: Headers) -> str:
    """Why a request is refused; empty when it is not. Only a page of ours may POST."""
    host = headers.get("host", "")
    if host.partition(":")[0] not in HOSTS:
        return "the studio answers to 127.0.0.1 and localhost only"
    site = headers.get("sec-fetch-site")
    if site not in (None, "none", "same-origin"):
        return "the studio answers to no other site; type its address yourself"
    if method not in ("GET", "HEAD") and headers.get("origin") != f"http://{host}":
        return "only the studio's own page may do that"
    return ""
