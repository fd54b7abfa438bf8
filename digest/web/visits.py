"""One request, read: its form, its token, who asks. Handlers run in threads, the store blocks."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.models import Preferences
from digest.tokens import Purpose, verify
from digest.translations import Translations, translations
from digest.web.looks import language, page
from digest.web.site import Site

FIELDS = 2000  # of a form: every tag there is, followed or muted


@dataclass(frozen=True, slots=True)
class Visit:
    """A request whose body has been read."""

    request: Request
    form: FormData
    site: Site

    @property
    def token(self) -> str:
        """The token of the address."""
        return str(self.request.path_params["token"])

    @property
    def asker(self) -> str:
        """The address that the request came from."""
        return str(self.request.scope.get("digest.asker", ""))

    def translations(self, reader: Preferences | None = None) -> Translations:
        """The words in the language that the page is shown in."""
        return translations(language(self.request, self.site, reader))

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        reader: Preferences | None = None,
        headers: dict[str, str] | None = None,
        **values: object,
    ) -> Response:
        """The page in the language of its reader."""
        own = {"status": status, "reader": reader, "headers": headers}
        return page(self.request, template, **own, **values)  # type: ignore[arg-type]

    def told(
        self,
        title: str,
        *paragraphs: str,
        status: int = 200,
        reader: Preferences | None = None,
        button: tuple[str, str] | None = None,
    ) -> Response:
        """A page that says one thing; `button` is the words and the path of a next step."""
        return self.page(
            "told.html",
            status=status,
            reader=reader,
            title=title,
            paragraphs=paragraphs,
            button=button,
        )

    def subject(self, purpose: Purpose, context: str = "") -> int:
        """Whom the token of the address is for. TokenError, always the same one, for a bad one."""
        return verify(self.site.keys, purpose, self.token, now=self.site.now(), context=context)

    def text(self, name: str, longest: int = 320) -> str:
        """A field of the form; empty when it is missing, a file or longer than any honest one."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) and len(value) <= longest else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of a field that may come several times."""
        return tuple(value for value in self.form.getlist(name) if isinstance(value, str))


Handler = Callable[[Visit], Response]


def route(site: Site, path: str, get: Handler | None = None, post: Handler | None = None) -> Route:
    """A route of GET (with HEAD), which changes nothing, of POST, or of both."""
    handlers = {"GET": get, "HEAD": get, "POST": post}

    async def serve(request: Request) -> Response:
        form = FormData()
        if request.method == "POST":
            form = await request.form(max_files=0, max_fields=FIELDS)
        handler = handlers[request.method]
        assert handler is not None
        visit = Visit(request, form, site)
        if request.method != "POST":
            return await run_in_threadpool(handler, visit)
        async with site.writing:
            return await run_in_threadpool(handler, visit)

    return Route(path, serve, methods=[name for name, handler in handlers.items() if handler])
