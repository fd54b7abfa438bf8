"""What stands around every page: headers, the cap of bodies, the Host, the log, the last resort.

Pure ASGI, so that a streamed answer streams. Nothing here writes an address, a token or a query.
"""

import time
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest import logs
from digest.config.web import Network
from digest.web.failures import failed
from digest.web.site import Site

# Bytes of a body: a form with every tag there is. A route that takes more has a
# RequestBodyLimitMiddleware of its own, which counts instead of this one.
MOST = 64 * 1024

# Asked every few seconds by machines: only what is wrong is worth a line.
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# What a page does not set itself. Pages that may be kept or indexed say so themselves.
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
INDEX = {"X-Robots-Tag": "all"}  # for a page that search engines may show


def middleware(site: Site) -> list[Middleware]:
    """Outermost first."""
    return [
        Middleware(Guard, site=site),
        Middleware(KnownHost, site=site),
        Middleware(SamePlace, site=site),
        Middleware(LastResort),
        Middleware(TooLarge),
        Middleware(RequestBodyLimitMiddleware, max_body_size=MOST),
    ]


class Guard:
    """The security headers on every answer, who asks, and one line of log."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._proxies = app, site.config.web.trusted_proxies
        secure = urlsplit(site.config.newsletter.base_url).scheme == "https"
        own = {"Strict-Transport-Security": "max-age=31536000"} if secure else {}
        self._headers = {**_HEADERS, **own}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["digest.asker"] = asker(scope, self._proxies)
        status, started = 500, time.perf_counter()

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_guarded)
        took = round((time.perf_counter() - started) * 1000, 1)
        route = _route(scope)
        if status >= 400 or route not in QUIET:
            logs.get("web").info(
                "web.answered", method=scope["method"], route=route, status=status, ms=took
            )


class KnownHost:
    """Answers to the names of the site alone, and to this machine's own."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        local = ("localhost", "127.0.0.1", "[::1]")
        self._names = frozenset((site.host, *site.config.web.hosts, *local))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _host_name(Headers(scope=scope)) not in self._names:
            await failed(Request(scope), 421)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class SamePlace:
    """An address with a slash at its end is the same one, and that of the site has one.

    A redirect would name the scheme that the proxy speaks to us, `http`, with the token in it; and
    a mail provider's one click follows none.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._root = app, f"{site.path}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].rstrip("/")
            scope["path"] = self._root if f"{path}/" == self._root else path
        await self._app(scope, receive, send)


class LastResort:
    """What nobody expected: a page that says so, and in the log where it happened."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def send_noted(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:
            logs.get("web").error("web.failed", failure=error)
            if scope["type"] != "http" or began:
                raise
            await failed(Request(scope), 500)(scope, receive, send)


class TooLarge:
    """A body beyond the cap is told on a page: the cap itself answers in three bare words."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bare = False

        async def send_but_bare(message: Message) -> None:
            nonlocal bare
            if message["type"] == "http.response.start" and message["status"] == 413:
                kind = Headers(raw=message["headers"]).get("content-type", "")
                bare = kind.startswith("text/plain")
            if not bare:
                await send(message)

        await self._app(scope, receive, send_but_bare)
        if bare:
            await failed(Request(scope), 413)(scope, receive, send)


def asker(scope: Scope, proxies: Iterable[Network]) -> str:
    """The address that the request came from; a proxy of ours is believed, and nobody else."""
    client = scope.get("client")
    at = client[0] if client else ""
    trusted = tuple(proxies)
    told = Headers(scope=scope).getlist("x-forwarded-for")
    hops = [hop.strip() for line in told for hop in line.split(",")]
    while _within(at, trusted) and hops:
        at = _portless(hops.pop())
    return at


def _portless(hop: str) -> str:
    """The address alone: some proxies add the port, and each connection has another one."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, _, port = hop.partition(":")
    return host if "." in host and port.isdecimal() else hop


def _within(address: str, networks: Iterable[Network]) -> bool:
    try:
        place = ip_address(address)
    except ValueError:
        return False
    return any(place in network for network in networks)


def _route(scope: Scope) -> str:
    """`/u/{token}`, and never what was asked for; empty where there is none."""
    known = scope["app"].state.paths
    return str(known.get(id(scope.get("endpoint")), ""))


def _host_name(headers: Headers) -> str:
    host = headers.get("host", "").lower()
    name, _, port = host.rpartition(":")
    return name if name and port.isdecimal() else host
