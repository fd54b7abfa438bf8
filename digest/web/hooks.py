"""`POST /webhooks/sendgrid`: what the provider tells, believed only when it signed it.

Answers when everything is written down: SendGrid tells again for a day what was not answered.
"""

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from digest import logs
from digest.errors import DigestError
from digest.providers.sendgrid import parse, public_keys, verify
from digest.store.ledger.hearing import Heard
from digest.web.site import Site

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

MOST = 16 * 1024 * 1024  # bytes: twice what 10,000 events take
EVENTS = 10_000  # of one transaction


def routes(site: Site) -> list[BaseRoute]:
    """None without a key: an address that nobody can sign for does not exist."""
    if not (texts := site.config.sendgrid.webhook_keys):
        return []
    endpoint = Webhook(site, public_keys(texts))
    limit = Middleware(RequestBodyLimitMiddleware, max_body_size=MOST)
    return [Route("/webhooks/sendgrid", endpoint.serve, methods=["POST"], middleware=[limit])]


class Webhook:
    """SendGrid's Event Webhook."""

    def __init__(self, site: Site, keys: "tuple[EllipticCurvePublicKey, ...]") -> None:
        self._site, self._keys = site, keys

    async def serve(self, request: Request) -> Response:
        body = await request.body()
        async with self._site.writing:
            return await run_in_threadpool(self._hear, request, body)

    def _hear(self, request: Request, body: bytes) -> Response:
        now = self._site.now()
        if not verify(request.headers, body, self._keys, now):
            raise HTTPException(403)
        try:
            events = list(parse(body))
        except DigestError:
            # signed, and no list of events: the same again would be no better
            logs.get("web").warning("webhook.unreadable", bytes=len(body))
            raise HTTPException(400) from None
        heard = Heard()
        for start in range(0, len(events), EVENTS):
            heard += self._site.store.hearing.hear(events[start : start + EVENTS], now, "sendgrid")
        logs.get("web").info(
            "webhook.heard",
            events=heard.events,
            known=heard.known,
            suppressed=heard.suppressed,
            strange=heard.strange,
            faults=len(heard.faults),
        )
        return Response(status_code=204)
