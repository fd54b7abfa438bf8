"""The studio's pages: one page, its style and script, the mail in a frame, and JSON beside it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from digest.errors import ConfigError, DigestError
from digest.providers import Receipt
from digest.sender.trial import hand_over_test
from digest.studio import mail
from digest.studio.bell import Bell
from digest.studio.guard import MAIL, Guard
from digest.studio.panels.changes import changes
from digest.studio.panels.checks import checks
from digest.studio.panels.editions import editions
from digest.studio.panels.view import view
from digest.studio.state import Look, light, look
from digest.studio.watching import watch
from digest.studio.workshop import Shot, Workshop

_PAGES = Path(__file__).parent / "pages"
_Answer = Callable[[Request, bytes], Response]


def application(workshop: Workshop, bell: Bell) -> Starlette:
    """The studio of one newsletter. Closing the bell ends its event streams."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        stop = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(watch, workshop, bell, stop)
            yield
            stop.set()

    studio = _Studio(workshop, bell)
    pages = {"/": "studio.html", "/studio.css": "studio.css", "/studio.js": "studio.js"}
    return Starlette(
        routes=[
            *(Route(path, _page(name)) for path, name in pages.items()),
            Route("/view", _told(studio.view)),
            Route("/changes", _told(studio.changes)),
            Route("/checks", _told(studio.checks)),
            Route("/editions", _told(studio.editions)),
            Route("/mail", _told(studio.mail)),
            Route("/source", _told(studio.source)),
            Route("/events", studio.events),
            Route("/test-send", _told(studio.send), methods=["POST"]),
        ],
        middleware=[Middleware(Guard)],
        lifespan=lifespan,
    )


class _Studio:
    """Answers for one workshop. Its methods run in threads, but for the stream of events."""

    def __init__(self, workshop: Workshop, bell: Bell) -> None:
        self._workshop, self._bell = workshop, bell

    def view(self, request: Request, body: bytes) -> Response:
        """Everything the panels show."""
        return JSONResponse(view(self._workshop, self._look(request)))

    def changes(self, request: Request, body: bytes) -> Response:
        """What is different from before; the page asks when somebody looks."""
        look, shot = self._look(request), self._shot(request)
        last, before = self._workshop.previous(shot), self._workshop.before(look)
        return JSONResponse(changes(shot, last, before))

    def checks(self, request: Request, body: bytes) -> Response:
        """What is wrong; the page asks when it has shown the mail."""
        return JSONResponse(checks(self._workshop, self._shot(request)))

    def editions(self, request: Request, body: bytes) -> Response:
        """Every edition with its readers; slow where there are many readers."""
        return JSONResponse(editions(self._workshop.editions(self._look(request))))

    def mail(self, request: Request, body: bytes) -> Response:
        """The mail, for the frame."""
        html = mail.shown(self._shot(request).shown, light(request.query_params))
        return HTMLResponse(html, headers={"Content-Security-Policy": MAIL})

    def source(self, request: Request, body: bytes) -> Response:
        """The mail as text, MJML, HTML or whole message, to read."""
        text = _source(self._shot(request), request.query_params.get("format", ""))
        return PlainTextResponse(text)

    def send(self, request: Request, body: bytes) -> Response:
        """Mail what is shown to the address that was typed."""
        try:
            address = str(json.loads(body)["to"])
        except (ValueError, KeyError, TypeError):
            raise DigestError("name the address that gets the test") from None
        shot = self._shot(request)
        provider, answer = hand_over_test(shot.draft, shot.subscriber, address)
        if not isinstance(answer, Receipt):
            raise DigestError(f"{provider} did not take it: {answer.reason}")
        return JSONResponse({"said": f"handed to {provider}: {answer.id}"})

    async def events(self, request: Request) -> Response:
        """A line for every save."""
        first = json.dumps({"version": self._workshop.version, "saved": []})
        return StreamingResponse(self._bell.stream(first), media_type="text/event-stream")

    def _look(self, request: Request) -> Look:
        return look(request.query_params, self._workshop.opening.default)

    def _shot(self, request: Request) -> Shot:
        return self._workshop.shot(self._look(request))


def _source(shot: Shot, kind: str) -> str:
    """The sources of what would be sent."""
    message, reader = shot.message, shot.draft.reader(shot.subscriber)
    match kind:
        case "text":
            return message.text(reader)
        case "eml":
            return message.message(reader).decode("utf-8", "replace")
        case "mjml":
            return shot.draft.mjml(shot.subscriber)
    return message.html(reader)


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return FileResponse(_PAGES / name)

    return page


def _told(answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint whose failures are JSON that says what is wrong, where, and what to do."""

    async def endpoint(request: Request) -> Response:
        body = await request.body() if request.method == "POST" else b""
        try:
            return await run_in_threadpool(answer, request, body)
        except (ConfigError, DigestError) as error:
            return JSONResponse({"error": _problem(error)}, 422)

    return endpoint


def _problem(error: ConfigError | DigestError) -> dict[str, object]:
    return {
        "message": str(error),
        "path": getattr(error, "path", ""),
        "line": getattr(error, "line", 0),
        "hint": getattr(error, "hint", ""),
    }
