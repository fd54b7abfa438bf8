"""The mail as the studio's frame shows it: in one light, with images or without. Pure.

The message itself is never changed; this is a copy for the eye. A frame cannot be told which
colour scheme its document shall prefer, so the question is answered in the style sheet.
"""

import re
from html import escape

from digest.studio.state import Light, Scheme

_ASKS = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = r"\b{}\s*=\s*(?:\"([^\"]*)\"|'([^']*)')"
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"

_IMAGE_OFF = (
    "display:inline-block;box-sizing:border-box;max-width:100%;padding:2px 6px;"
    "border:1px dashed #8b949e;font:14px/20px sans-serif;color:inherit"
)


def shown(html: str, light: Light) -> str:
    """The HTML to put into the frame."""
    html = _ASKS.sub(lambda asked: _answer(asked[1].lower(), light.scheme), html)
    html = _IMAGE.sub(lambda image: _image(image[0], light.images), html)
    scheme = "dark" if light.scheme is Scheme.DARK else "light"
    style = f"<style>:root{{color-scheme:only {scheme}!important}}</style>"
    head, end, rest = html.partition("</head>")
    return f"{head}{style}{end}{rest}" if end else style + html


def _answer(asked: str, scheme: Scheme) -> str:
    preferred = "dark" if scheme is Scheme.DARK else "light"
    return _ALWAYS if asked == preferred else _NEVER


def _image(tag: str, images: bool) -> str:
    """An image, if it needs no request; else its words in a box, as a client without images."""
    source = _attribute(tag, "src")
    if images and source.lower().startswith("data:image/"):
        return tag
    words = _attribute(tag, "alt") or ("" if images else "image without words")
    if images:
        words = f"{words or 'image'} — not fetched: {source[:80]}"
    return f'<span style="{_IMAGE_OFF}" title="{escape(source[:200])}">{words}</span>'


def _attribute(tag: str, name: str) -> str:
    """An attribute's value, escaped as it stands in the tag."""
    found = re.search(_ATTRIBUTE.format(name), tag, re.IGNORECASE)
    value = (found[1] if found[1] is not None else found[2]) if found else ""
    return value.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
