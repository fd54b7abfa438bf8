"""How pages look: templates of `pages/`, one style sheet, the reader's language.

    return page(visit, "subscribe.html", status=422, tags=tags)

A template is given `site`, `newsletter`, `tr` and `lang` besides what the page passes, and `_` and
`ngettext` in the reader's language. Everything is escaped.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from digest.inline import bdi, inline, plain
from digest.translations import Translations, languages, translations
from digest.web.site import Site

if TYPE_CHECKING:
    from digest.models import Preferences, Subscriber

_DAY = 24 * 3600
_YEAR = 365 * _DAY
# A sheet of paper with the mark that stands above every page and mail.
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" '
    'rx="6" fill="{0}"/><path d="M8 9h9M8 16h16M8 23h12" stroke="#fff" stroke-width="3" '
    'stroke-linecap="round"/></svg>'
)
_COLOURS = ("accent", "text", "muted", "page", "sheet", "line")
_STYLE = re.compile(r' style="[^"]*"')
_VALUE = re.compile(r"[\w#%,.()' -]+")
# What a mail never needs: controls, and words that tell good from bad.
_LIGHT = {"control": "#6e7781", "error": "#cf222e", "success": "#1a7f37"}
_DARK = {"control": "#8b949e", "error": "#ff7b72", "success": "#56d364"}


def routes(sheet: "Sheet") -> list[BaseRoute]:
    """The style sheet, under a name that changes with it, and the icon of the browser's tab."""
    return [Route(f"/{sheet.name}", _style), Route("/icon.svg", _icon)]


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    reader: "Preferences | None" = None,
    headers: dict[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """The page in the language of its reader."""
    site: Site = request.app.state.site
    tr = translations(language(request, site, reader))
    html = (
        environment(tr.code)
        .get_template(template)
        .render(
            site=site,
            newsletter=site.config.newsletter,
            path=site.path,
            tr=tr,
            style=request.app.state.sheet.name,
            **values,
        )
    )
    own = {"Content-Language": tr.code, "Vary": "Accept-Language", **(headers or {})}
    return HTMLResponse(html, status, own)


def language(request: Request, site: Site, reader: "Preferences | None" = None) -> str:
    """What was asked for in the address, else the reader's own, the browser's, the newsletter's."""
    asked = request.query_params.get("lang", "")
    own = reader.languages if reader is not None else ()
    wanted = (asked, *own, *accepted(request.headers.get("accept-language", "")))
    return next((code for code in wanted if code in languages()), site.config.newsletter.language)


def spoken(site: Site, reader: "Subscriber") -> Translations:
    """The words in a subscriber's own language, as in their digest."""
    known = (code for code in reader.preferences.languages if code in languages())
    return translations(next(known, site.config.newsletter.language))


def accepted(header: str) -> tuple[str, ...]:
    """The primary subtags of an Accept-Language, most wanted first; nothing that is not well put.

    A browser that wants anything else more than what we have gets its second choice.
    """
    return tuple(code for _, code in sorted(_weighed(header[:200]), key=lambda pair: -pair[0]))


def _weighed(header: str) -> Iterator[tuple[float, str]]:
    for part in header.split(","):
        code, _, weight = part.partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if 0 < quality <= 1:
            yield quality, code.strip().split("-")[0].lower()


@lru_cache
def environment(code: str) -> Environment:
    """The templates in one language."""
    tr: Translations = translations(code)
    made = Environment(
        loader=PackageLoader("digest", "web/pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.filters |= {"words": words, "plain": plain, "bdi": bdi}
    made.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        tr.gettext, tr.ngettext, newstyle=True
    )
    return made


def words(text: str, links: bool = True) -> Markup:
    """Inline Markdown as safe HTML. What `inline` styles for mail programs, a page's sheet does."""
    return Markup(_STYLE.sub("", inline(text, links)))  # noqa: S704 - only takes away


@dataclass(frozen=True, slots=True)
class Sheet:
    """The style sheet in the newsletter's own colours; another sheet has another name."""

    css: bytes
    icon: bytes

    @property
    def name(self) -> str:
        """`style.1a2b3c4d.css`: browsers may keep it for a year."""
        return f"style.{blake2b(self.css, digest_size=4).hexdigest()}.css"


def sheet(theme: Mapping[str, str]) -> Sheet:
    """The sheet with what `theme.jinja` sets; what is no plain CSS value there is left out."""
    own = {name: text for name, text in theme.items() if _VALUE.fullmatch(text)}
    light = {name: own[name] for name in ("fonts", *_COLOURS) if name in own}
    dark = {name: own[f"dark_{name}"] for name in _COLOURS if f"dark_{name}" in own}
    rules = (
        f":root {{ {_variables(light | _LIGHT)} }}",
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(dark | _DARK)} }} }}",
    )
    fixed = files("digest").joinpath("web/pages/style.css").read_text()
    icon = _ICON.format(own.get("accent", "#0a52c4"))
    return Sheet("\n".join((*rules, fixed)).encode(), icon.encode())


def _variables(values: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {text};" for name, text in values.items())


def _style(request: Request) -> Response:
    headers = {"Cache-Control": f"public, max-age={_YEAR}, immutable"}
    return Response(request.app.state.sheet.css, media_type="text/css", headers=headers)


def _icon(request: Request) -> Response:
    headers = {"Cache-Control": f"public, max-age={_DAY}"}
    return Response(request.app.state.sheet.icon, media_type="image/svg+xml", headers=headers)
