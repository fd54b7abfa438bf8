"""Inline Markdown as authors write it → safe HTML, plain text, and links that may be followed.

Everything a story says passes here before it reaches MJML, which copies what it gets and escapes
nothing. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.token import Token
from markupsafe import Markup, escape

SCHEMES = frozenset({"http", "https", "mailto"})
TAGS = frozenset({"em", "strong", "s", "code", "a"})  # all that `inline` ever writes

# No program shows them, MRML refuses U+FFFE and U+FFFF, and UTF-8 has no surrogates. Embeddings,
# overrides and isolates that an author leaves open would turn round what stands after the text.
_INVALID = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
# Letters that run from right to left: Hebrew to Arabic Extended, their presentation forms, and
# the historic and newer scripts of the supplementary plane.
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_ISOLATE, _POP = "\u2068", "\u2069"  # first strong isolate, and its end

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False})
_MARKDOWN.enable("strikethrough")
# The allow-list below decides about links; the library's own answer would leave `[a](b)` in print.
_MARKDOWN.validateLink = lambda url: True  # type: ignore[method-assign]


# Not `str.split()`: a no-break space is a letter here, an author put it there on purpose.
_SPACES = re.compile("[ \t\n\v\f\r\u2028\u2029]+")


def clean(text: str) -> str:
    """The text without characters that cannot be sent, and with single spaces."""
    return _INVALID.sub("", _SPACES.sub(" ", text)).strip(" ")


@lru_cache(maxsize=20_000)
def safe_link(url: str) -> str:
    """The address when it is http, https or mailto, else empty.

    It is ASCII without quote, backslash and space, so that MJML leaves it as it is.
    """
    address = clean(url)
    if " " in address or "\\" in address:
        return ""
    try:
        parts = urlsplit(address)
        address = normalizeLink(parts.geturl())  # which has the scheme in lower case
    except ValueError:
        return ""
    whole = parts.path if parts.scheme == "mailto" else parts.hostname
    return address if parts.scheme in SCHEMES and whole and address.isascii() else ""


def host(url: str) -> str:
    """`example.com` of `https://www.example.com/path`; empty when there is no host."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return name.removeprefix("www.")


@lru_cache(maxsize=20_000)
def inline(text: str, links: bool = True) -> Markup:
    """Safe HTML of one line of Markdown: `TAGS` only; pictures become their alternative text.

    `links=False` keeps the words of a link and drops the link, for text inside another one.
    """
    return Markup("".join(_html(_tokens(text), links)))  # noqa: S704 - every piece is escaped


@lru_cache(maxsize=20_000)
def plain(text: str, links: bool = False) -> str:
    """The words of one line of Markdown. `links=True` adds each target: `words (address)`."""
    return clean("".join(_text(_tokens(text), links)))


def links(text: str) -> Iterator[tuple[str, str]]:
    """Words and target of each link, as its author wrote it: also of those that are not shown."""
    address, words = "", ""
    for token in _tokens(text) if "](" in text or "<" in text else ():
        if token.type == "link_open":
            address, words = str(token.attrs.get("href", "")), ""
        elif token.type == "link_close":
            yield words.strip(), address
        else:
            words += _words(token)


def bdi(text: str, before: str = "") -> Markup:
    """HTML of `before` and `text` that does not reorder what stands beside it.

    A `span` with `dir`, which mail programs know better than the element `bdi`.
    """
    shown = escape(before) + escape(text)
    return Markup('<span dir="auto">{}</span>').format(shown) if runs_left(text) else shown


def isolate(text: str, before: str = "") -> str:
    """`before` and `text` in plain text, likewise, between invisible characters."""
    shown = before + text
    return f"{_ISOLATE}{shown}{_POP}" if runs_left(text) else shown


def runs_left(text: str) -> bool:
    """Whether a letter in it runs from right to left."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def _tokens(text: str) -> Sequence[Token]:
    return _MARKDOWN.parseInline(clean(text))[0].children or []


def _html(tokens: Sequence[Token], links: bool) -> Iterator[str]:
    address = ""  # of the open link; empty when it is not allowed, and then it is not written
    for token in tokens:
        if token.type == "link_open":
            address = _target(token) if links else ""
            yield f'<a href="{escape(address)}">' if address else ""
        elif token.type == "link_close":
            yield "</a>" if address else ""
        elif token.type == "code_inline":
            # A size, because programs that drop <style> show code at 13 px.
            yield f'<code style="font-size:.94em">{escape(token.content)}</code>'
        elif token.tag in TAGS:
            yield f"<{'/' if token.nesting < 0 else ''}{token.tag}>"
        else:
            # Again, because an entity such as `&#x202e;` has become the character by now.
            yield str(escape(_INVALID.sub("", _words(token))))


def _text(tokens: Sequence[Token], links: bool) -> Iterator[str]:
    address, shown = "", ""
    for token in tokens:
        if token.type == "link_open":
            address, shown = _target(token) if links else "", ""
        elif token.type == "link_close":
            yield f" ({address})" if address and address != shown else ""
        else:
            shown += (words := _words(token))
            yield words


def _target(link: Token) -> str:
    return safe_link(str(link.attrs.get("href", "")))


def _words(token: Token) -> str:
    """What a token says: its text, a space for a line break, the alternative text of a picture."""
    if token.type in ("softbreak", "hardbreak"):
        return " "
    if token.type == "image":
        return "".join(_text(token.children or [], links=False))
    return token.content if token.type in ("text", "text_special", "code_inline") else ""
