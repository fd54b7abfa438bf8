"""Lines of a body to the texts of a story: a paragraph, the items of a list, a link."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from digest.content.plain import LIMIT, one_line, plain

_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)", re.DOTALL)
_TITLED = re.compile(
    r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*(<[^<>]*>|[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)"
)
_HREF = re.compile(r"""<a\s[^<>]*?href\s*=\s*["']?([^"'\s<>]+)""", re.IGNORECASE)
_BARE = re.compile(r"https?://[^\s<>\"`]+", re.IGNORECASE)
_USUAL = re.compile(r"\s*\[[^\[\]\n]*\]\((https?://[^\s()<>]+)\)")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?:[/?#]\S*)?")
_WHOLE_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])+)\]\(([^\s()<>]+)\)")
_NOT_PROSE = ("|", "<", "!", "{{", "{%", "import ", "export ", "#")


def paragraphs(lines: Iterable[str]) -> Iterator[list[str]]:
    """Runs of lines between blank ones, fenced code left out."""
    group: list[str] = []
    fence = ""
    for line in lines:
        text = line.strip()
        if fence:
            fence = "" if text.startswith(fence) else fence
        elif text.startswith(("```", "~~~")):
            fence = text[:3]
        elif text:
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def joined(lines: Iterable[str]) -> str:
    """Lines as one text, without quote and list markers; items are set apart by a semicolon."""
    text = ""
    for line in lines:
        line = line.strip().removeprefix(">")  # noqa: PLW2901
        item = _ITEM.match(line)
        apart = "; " if item and text and text[-1] not in ".!?;:,…" else " "
        text += apart + (item[1] if item else line)
    return one_line(text)


def first_paragraph(lines: Iterable[str]) -> str:
    """The first paragraph that is prose, as inline Markdown; empty when there is none."""
    for group in paragraphs(lines):
        text = joined(group)
        if not text.startswith(_NOT_PROSE) and plain(text):
            return text
    return ""


def all_paragraphs(lines: Iterable[str]) -> str:
    """Every paragraph as one text."""
    return one_line(" ".join(joined(group) for group in paragraphs(lines)))


def items(lines: Iterable[str]) -> tuple[str, ...]:
    """The items of a list, nested ones flattened; without a list, each paragraph is an item.

    The list ends at a paragraph after a blank line. A sentence that leads in (`…:`) is no item.
    """
    found: list[str] = []
    loose: list[str] = []
    for group in paragraphs(lines):
        starts = _ITEM.match(group[0])
        if found and not starts and group[0][0] not in " \t":
            break
        for line in group:
            item = _ITEM.match(line)
            if item:
                found.append(item[1])
            elif found:
                found[-1] += f" {line}"
            elif line is group[0]:
                loose.append(line)
            else:
                loose[-1] += f" {line}"
    if found and loose and loose[-1].rstrip().endswith(":"):
        loose.pop()
    return tuple(text for text in map(one_line, loose + found) if text)


def first_link(text: str) -> tuple[str, str]:
    """The first web address in `text`, and what is wrong when there is none."""
    refused = ""
    if (match := _USUAL.match(text)) and is_web_address(match[1]):
        return match[1], ""
    for address in _addresses(text[:LIMIT]):
        if is_web_address(address):
            return address.replace(" ", "%20"), ""
        refused = refused or address
    if refused:
        return "", f"`{refused[:80]}` is not a web address"
    return "", "there is no address in it"


def is_web_address(text: str) -> bool:
    """True for an absolute http or https URL with a host."""
    if _ADDRESS.fullmatch(text):
        return True
    try:
        parts = urlsplit(text)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def whole_link(title: str) -> tuple[str, str]:
    """Words and address of a heading that is a link; otherwise the title and nothing."""
    match = _WHOLE_LINK.fullmatch(title[:LIMIT]) if title.startswith("[") else None
    return (match[1], match[2]) if match and is_web_address(match[2]) else (title, "")


def _addresses(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        found = [m for p in (_TITLED, _HREF, _BARE) if (m := p.search(text, position))]
        if not found:
            return
        match = min(found, key=lambda one: one.start())
        if match.re is _BARE:
            yield _trimmed(match.group())
        elif address := match[1].strip("<>").strip():
            yield address
        position = match.end()


def _trimmed(address: str) -> str:
    """A bare address without the punctuation of the sentence round it."""
    while address:
        last = address[-1]
        if last in ".,;:!?'*_]" or (last == ")" and address.count(")") > address.count("(")):
            address = address[:-1]
        else:
            break
    return address
