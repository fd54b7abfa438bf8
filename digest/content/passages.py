"""Lines of a body to the texts of a story: a paragraph, the items of a list, a link."""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from digest.content.plain import LIMIT, one_line, plain
from digest.content.site_syntax import without_images, without_site_syntax

_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)", re.DOTALL)
_TITLED = re.compile(
    r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*(<[^<>]*>|[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)"
)
_HREF = re.compile(r"""<a\s[^<>]*?href\s*=\s*["']?([^"'\s<>]+)""", re.IGNORECASE)
_BARE = re.compile(r"https?://[^\s<>\"`]+", re.IGNORECASE)
_USUAL = re.compile(r"\s*\[[^\[\]\n]*\]\((https?://[^\s()<>]+)\)")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?:[/?#]\S*)?")
_WHOLE_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])+)\]\(([^\s()<>]+)\)")
_NOT_PROSE = (
    *("|", "!!!", ":::", "{:", "import ", "export ", "#"),
    *("<details", "<figure", "<form", "<nav"),
)
_DEFINITION = re.compile(r"\[[^\[\]]+\]:|\[?\[toc\]\]?$", re.IGNORECASE)
_COLUMNS = re.compile(r"[\s:|-]*-\s*\|[\s:|-]*")  # under the head of a table
_UNDERLINE = re.compile(r"\s{0,3}(?:=+|-{2,})\s*")
_FENCES = ("```", "~~~")
# What begins a run of lines that is no prose, blank ones included -> what ends it.
_RUNS = {
    **{fence: fence for fence in _FENCES},
    **{f"<{name}": f"</{name}>" for name in ("script", "style", "pre", "svg", "table")},
    "<!--": "-->",
    "{/*": "*/}",
    **{f"{{% {name}": f"{{% end{name}" for name in ("highlight", "comment")},
    "{{< highlight": "{{< /highlight",
}
_BEGINNINGS = tuple(_RUNS)


def paragraphs(lines: Iterable[str]) -> Iterator[list[str]]:
    """Runs of lines between blank ones; fenced code, scripts and comments left out."""
    lines = list(lines)
    group: list[str] = []
    until = ""
    for at, line in enumerate(lines):
        text = line.strip()
        if until:
            until = "" if _ends(text, until) else until
        elif text.startswith(_BEGINNINGS) and (until := _end_of_run(text, lines[at + 1 :])):
            continue
        elif text:
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _end_of_run(text: str, later: Sequence[str]) -> str:
    """What ends the run that `text` begins; empty when it is a line like any other."""
    until = next(end for begin, end in _RUNS.items() if text.startswith(begin))
    if until in _FENCES:
        return until
    elsewhere = until not in text and any(until in line for line in later)
    return until if elsewhere else ""


def _ends(text: str, until: str) -> bool:
    return text.startswith(until) if until in _FENCES else until in text


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
    """The first paragraph that is prose, as inline Markdown; empty when there is none.

    Without what is for the site alone: a paragraph of nothing but shortcodes or pictures is none.
    """
    for group in paragraphs(lines):
        prose = _prose(group)
        raw = joined(prose)
        if raw.startswith(_NOT_PROSE) or _DEFINITION.match(raw):
            continue
        text = summary(raw)
        if plain(text):
            return text
    return ""


def summary(text: str) -> str:
    """A text that stands in for a TLDR: one line, without site syntax and pictures."""
    return without_images(without_site_syntax(one_line(text)))


def _prose(group: list[str]) -> list[str]:
    """The lines of a paragraph after an underlined heading; none of a table or indented code."""
    if all(line.startswith(("    ", "\t")) and not _ITEM.match(line) for line in group):
        return []
    if len(group) > 1 and _COLUMNS.fullmatch(group[1]):
        return []
    under = next((at for at, line in enumerate(group) if _UNDERLINE.fullmatch(line)), None)
    if under is None:
        return group
    # A paragraph with a rule right under it is a heading to Markdown and prose to its author.
    heading = under == 1 and group[0].rstrip()[-1:] not in tuple(".!?:…")
    return group[under + 1 :] if heading or not under else group[:under]


def all_paragraphs(lines: Iterable[str]) -> str:
    """Every paragraph as one text."""
    return without_site_syntax(one_line(" ".join(joined(group) for group in paragraphs(lines))))


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
    texts = [without_site_syntax(one_line(text)) for text in loose + found]
    return tuple(text for text in texts if text)


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
