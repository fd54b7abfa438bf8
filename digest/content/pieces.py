"""Which lines of a body belong to which story, and the texts of each. Pure.

A heading opens a story when labels follow it; labels before any heading belong to a story that
has the post's title. Which of several rules applies is told in `docs/content.md`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from digest.content.doubts import Problem, not_bold, passed_over
from digest.content.passages import (
    all_paragraphs,
    first_link,
    first_paragraph,
    items,
    joined,
    paragraphs,
    whole_link,
)
from digest.content.plain import heading_slug, one_line, plain
from digest.content.scanner import NO_STORY, RULE, Labels, Mark, scan
from digest.content.site_syntax import without_site_syntax
from digest.models import Severity


class Piece(NamedTuple):
    """One story of a post, before the post's own facts are added. Kept in the cache as a list."""

    slug: str  # of its heading, unique in the post; empty for the only story of a post
    title: str
    tldr: str
    takeaways: Sequence[str]
    tradeoffs: Sequence[str]
    why: str
    link: str
    words: int
    line: int  # 1-based, in the file


class Body(NamedTuple):
    """Everything a body says."""

    pieces: list[Piece]
    disclaimer: str
    problems: list[Problem]


@dataclass(slots=True, eq=False)
class _Section:
    """A story while its labels are collected."""

    title: str
    line: int  # 0-based
    level: int
    intro_end: int = 0  # where what stands before its first label ends
    listed: bool = False  # among the stories already
    blocks: dict[str, list[str]] = field(default_factory=dict)  # role -> its lines
    link_line: int = 0


def read_body(
    text: str, labels: Labels, *, title: str, excerpt: str, link: str, first: int
) -> Body:
    """The stories of a body whose first line is line `first` of the file.

    `excerpt` and `link` of the post stand in where it has one story.
    """
    lines = text.split("\n")
    marks, bare = scan(lines, labels)
    disclaimer, end = _disclaimer(lines, marks)
    if any(mark.role and mark.role != RULE for mark in marks):
        sections, notes = _sections(lines, marks, end)
    else:
        sections, notes = [], []
    disclaimer = plain(" ".join(notes)) or disclaimer
    opened = {section.line: section.level for section in sections if section.level}
    doubts = list(passed_over(lines, marks, opened, end, first))
    filled = {section.line: frozenset(section.blocks) for section in sections}
    filled |= {doubt.line - first: frozenset() for doubt in doubts}
    doubts += not_bold(bare, filled, first)
    if not sections:
        tldr = excerpt or _prose(lines[:end], marks)
        piece = Piece("", title, tldr, (), (), "", link, _words(lines[:end]), first)
        return Body([_counted(piece)], disclaimer, doubts)
    ends = [section.line for section in sections[1:]] + [end]
    drafts = [
        _piece(section, lines, until, title, first, doubts)
        for section, until in zip(sections, ends, strict=True)
    ]
    if len(drafts) == 1:
        only = drafts[0]
        labelled = "tldr" in sections[0].blocks and only.tldr
        tldr = only.tldr if labelled else excerpt or only.tldr
        drafts = [_counted(only._replace(tldr=tldr, link=only.link or link))]
        return Body(drafts, disclaimer, doubts)
    return Body(_distinct(drafts), disclaimer, doubts)


def first_heading(text: str, labels: Labels) -> str:
    """The title of a post whose front matter has none: its first `#` heading, or its first."""
    marks = scan(text.split("\n"), labels).marks
    headings = [mark for mark in marks if not mark.role and mark.text]
    headings.sort(key=lambda mark: mark.level != 1)
    return whole_link(one_line(headings[0].text))[0] if headings else ""


def _prose(lines: list[str], marks: list[Mark]) -> str:
    """The first paragraph of a post without labels. Rules stay: one may underline a heading."""
    drop = {mark.line for mark in marks if not mark.role or lines[mark.line].strip("- \t")}
    return first_paragraph("" if at in drop else line for at, line in enumerate(lines))


def _counted(piece: Piece) -> Piece:
    """The excerpt may be all that there is to read."""
    return piece._replace(words=max(piece.words, _words([piece.tldr])))


def _words(lines: list[str]) -> int:
    """About how many words there are: counting spaces takes a third of cutting at them."""
    return sum([line.strip().count(" ") + 1 for line in lines if line])


def _sections(lines: list[str], marks: list[Mark], end: int) -> tuple[list[_Section], list[str]]:
    """Stories in the order of their first line, and the paragraphs labelled as disclaimer."""
    opening = _openers(marks)
    top = _Section("", 0, 0)
    stack, sections, notes = [top], [], []
    for number, mark in enumerate(marks):
        if mark.role == RULE:
            continue
        closed = _close(stack, mark.level)
        if not mark.role:
            if number in opening:
                intro_end = _until(marks, number, end)
                stack.append(_Section(mark.text, mark.line, mark.level, intro_end, listed=True))
                sections.append(stack[-1])
            continue
        block = [mark.text, *lines[mark.line + 1 : _until(marks, number, end)]]
        if mark.role == "disclaimer":
            notes.append(all_paragraphs(block))
            continue
        section = _receiver(stack, closed, mark)
        if not section.listed:
            section.listed, section.line = True, mark.line
            sections.append(section)
        if mark.role not in section.blocks:
            section.blocks[mark.role] = block
            section.link_line = mark.line if mark.role == "link" else section.link_line
    return sections, notes


def _until(marks: list[Mark], number: int, end: int) -> int:
    return marks[number + 1].line if number + 1 < len(marks) else end


def _close(stack: list[_Section], level: int) -> _Section | None:
    """Leave the sections that a heading of `level` ends; the outermost of them."""
    closed = None
    while level and len(stack) > 1 and stack[-1].level >= level:
        closed = stack.pop()
    return closed


def _receiver(stack: list[_Section], closed: _Section | None, mark: Mark) -> _Section:
    """The section that a label fills.

    A label that is a heading of the story's own level still fills that story, when there is none
    round it. A second TLDR without a heading of its own begins another story.
    """
    if closed and not stack[-1].blocks:
        stack.append(closed)
    section = stack[-1]
    if mark.role == "tldr" and "tldr" in section.blocks:
        section = _Section("", mark.line, section.level)
        stack[-1] = section
    return section


def _openers(marks: list[Mark]) -> frozenset[int]:
    """Numbers of the headings that open a story.

    Labels must stand under the heading itself. Under a story that has labels already, a deeper
    heading opens one only with a TLDR, or with a label that the story or a sibling has as well:
    `### Detail` before the story's takeaways does not.
    """
    own = _own_roles(marks)
    around_all = own.pop(-1)
    levels = {marks[number].level for number in own}
    if not around_all and len(levels) == 1:  # nothing is nested: the usual post
        return frozenset(number for number, roles in own.items() if roles)
    shared = _siblings(marks, own)
    opening: set[int] = set()
    above: list[tuple[int, set[str]]] = [(0, around_all)]
    for number, roles in own.items():
        level = marks[number].level
        while len(above) > 1 and above[-1][0] >= level:
            above.pop()
        around = above[-1][1]
        repeats = roles & around or any(shared[number][role] > 1 for role in roles)
        if roles and (not around or "tldr" in roles or repeats):
            opening.add(number)
            above.append((level, roles))
    return frozenset(opening)


def _own_roles(marks: list[Mark]) -> dict[int, set[str]]:
    """For each heading the roles of the labels under it, up to the next one; for -1 the top's."""
    roles: set[str] = set()
    own, level = {-1: roles}, 0
    for number, mark in enumerate(marks):
        if not mark.role:
            roles, level = set(), mark.level
            own[number] = roles
        elif mark.role not in NO_STORY:
            if mark.level and mark.level <= level:  # belongs to a story further up
                roles = set()
            roles.add(mark.role)
    return own


def _siblings(marks: list[Mark], own: dict[int, set[str]]) -> dict[int, Counter[str]]:
    """For each heading, how often each role stands under it and its siblings."""
    counts: dict[int, Counter[str]] = {}
    groups: dict[int, Counter[str]] = {}
    for number, roles in own.items():
        level = marks[number].level
        for deeper in [known for known in groups if known > level]:
            del groups[deeper]
        group = groups.setdefault(level, Counter())
        group.update(roles)
        counts[number] = group
    return counts


def _piece(
    section: _Section,
    lines: list[str],
    end: int,
    post_title: str,
    first: int,
    problems: list[Problem],
) -> Piece:
    title, link = whole_link(one_line(section.title)) if section.title else (post_title, "")
    blocks = section.blocks
    if "link" in blocks:
        found, problem = first_link("\n".join(blocks["link"]))
        link = found or link
        if problem and not link:
            at, fix = section.link_line + first, "write [title](https://…)"
            problems.append(Problem(at, "story/link", Severity.WARNING, problem, fix))
    return Piece(
        "",
        title,
        _tldr(section, lines),
        items(blocks["takeaways"]) if "takeaways" in blocks else (),
        items(blocks["tradeoffs"]) if "tradeoffs" in blocks else (),
        all_paragraphs(blocks["why"]) if "why" in blocks else "",
        link,
        _words(lines[section.line : end]),
        section.line + first,
    )


def _tldr(section: _Section, lines: list[str]) -> str:
    """The TLDR's first paragraph; else the summary's; else the first one under the heading."""
    labelled = map(joined, paragraphs(section.blocks.get("tldr", ())))
    if text := next(filter(None, map(without_site_syntax, labelled)), ""):
        return text
    if text := first_paragraph(section.blocks.get("summary", ())):
        return text
    intro = lines[section.line + 1 : section.intro_end]
    return first_paragraph(intro) or first_paragraph(section.blocks.get("why", ()))


def _distinct(pieces: list[Piece]) -> list[Piece]:
    """Pieces with slugs that differ: a repeated heading gets `-2`, `-3` and so on."""
    taken: set[str] = set()
    last: Counter[str] = Counter()
    found = []
    for piece in pieces:
        slug = wanted = heading_slug(piece.title)
        while slug in taken:
            last[wanted] += 1
            slug = f"{wanted}-{last[wanted] + 1}"
        taken.add(slug)
        found.append(piece._replace(slug=slug))
    return found


def _disclaimer(lines: list[str], marks: list[Mark]) -> tuple[str, int]:
    """The emphasised note after the last rule, and the line where the stories end."""
    rule = next((mark.line for mark in reversed(marks) if mark.role == RULE), None)
    if rule is None or any(mark.line > rule for mark in marks):
        return "", len(lines)
    notes = [one_line(" ".join(group)) for group in paragraphs(lines[rule + 1 :])]
    if notes and all(note[0] in "*_" and note[-1] in "*_" for note in notes):
        return plain(" ".join(notes)), rule
    return "", len(lines)
