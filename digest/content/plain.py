"""Inline Markdown and HTML to plain text, and texts to one line. Nothing here raises."""

import html
import re
import unicodedata

from digest.content.decoding import CONTROL

LIMIT = 4_000  # characters looked at: unclosed emphasis is quadratic, and nobody reads on

_SPECIAL = re.compile(r"[\[\]*_`<>&\\~]")
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\([^()]*\)")
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?:[^()]|\([^()]*\))*\)")
_AUTOLINK = re.compile(r"<(https?://[^\s<>]+)>")
_MARKUP = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.DOTALL)
_EMPHASIS = re.compile(r"(\*{1,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_UNDERLINE = re.compile(r"(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)", re.DOTALL)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
# Zero-width space, byte order mark and bidi controls. Joiners stay: Persian and emoji need them.
_INVISIBLE = "\u200b\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def one_line(text: str) -> str:
    """`text` with every run of white space, line ends included, as one space."""
    if text.isprintable() and "  " not in text:  # nothing but single spaces: the usual case
        return text.strip(" ")
    return " ".join(text.split())


def title_text(text: str) -> str:
    """A front matter title for people: one line, entities unescaped once, clean at both ends."""
    if "&" in text:
        text = CONTROL.sub("", html.unescape(text))
    return one_line(text).strip(_INVISIBLE).strip()


def plain(text: str) -> str:
    """`text` without Markdown and HTML, on one line; a link keeps its words."""
    text = text[:LIMIT]
    if _SPECIAL.search(text):
        text = _IMAGE.sub(r"\1", text)
        text = _LINK.sub(r"\1", text)
        text = _AUTOLINK.sub(r"\1", text)
        text = _MARKUP.sub("", text)
        text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text))
        text = _UNDERLINE.sub(r"\2", text)
        text = html.unescape(_ESCAPE.sub(r"\1", text))
    return one_line(text)


def heading_slug(title: str) -> str:
    """The part of a story's id that names its heading: words joined by hyphens, at most 80 long."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", plain(title)).casefold())
    return "-".join(words).replace("_", "-")[:80].strip("-") or "story"
