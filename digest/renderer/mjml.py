"""MJML → HTML through MRML, which must be kept from crashing and made to say what is wrong.

MRML ends the process on markup nested thousands deep, copies tags it does not know, and gives
byte offsets, when it gives any; `docs/templates.md` says what that means for templates.
"""

import re

from digest.errors import TemplateError
from digest.renderer.vocabulary import VOID

DEPTH = 200  # 20,000 crash, 5,000 do not; a real message has about 20
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)([^<>]*)>")
_POSITION = re.compile(r"at position (\d+):\d+")


def compile_mjml(source: str, path: str) -> str:
    """The HTML of a whole MJML document; `path` is the file that a mistake is blamed on."""
    from mjml import mjml2html

    _check_depth(source, path)
    try:
        html = str(mjml2html(source))
    except ValueError as error:
        raise _mistake(error, source, path) from error
    _check_result(html, path)
    return html


def _check_depth(source: str, path: str) -> None:
    depth = 0
    for tag in _TAG.finditer(source):
        closes, name, rest = tag.groups()
        if closes:
            depth -= 1
        elif not rest.endswith("/") and name.lower() not in VOID:
            depth += 1
            if depth > DEPTH:
                raise TemplateError(
                    f"tags are nested more than {DEPTH} deep",
                    path=path,
                    hint="a loop opens a tag that it does not close",
                )


def _mistake(error: ValueError, source: str, path: str) -> TemplateError:
    """What MRML said, with the text at its position, which is a byte offset into the rendering."""
    message = str(error).replace(" in root template", "")
    position = _POSITION.search(message)
    near = ""
    if position:
        message = message[: position.start()].strip()
        near = source.encode()[int(position[1]) :][:60].decode(errors="ignore")
    return TemplateError(
        f"MJML: {message}" + (f" at `{near.splitlines()[0]}`" if near.strip() else ""),
        path=path,
        hint="look for a tag that is not closed, a bare `<`, or an attribute without quotes",
    )


def _check_result(html: str, path: str) -> None:
    """Refuse what compiles but is not fit to be mailed."""
    head = html[: html.find("<body")]
    if "<link" in head or "@import" in head:
        raise TemplateError(
            "the message would load a font from the network",
            path=path,
            hint="set font-family on <mj-all> in <mj-attributes>, without Roboto, Ubuntu, "
            "Open Sans, Lato or Droid Sans",
        )
