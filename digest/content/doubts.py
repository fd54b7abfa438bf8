"""What a body says that no reader will see, though its author may think so. Pure."""

from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from digest.content.passages import first_paragraph
from digest.content.plain import plain
from digest.content.scanner import NO_STORY, Bare, Mark
from digest.models import Severity

_PLAIN = NO_STORY | {""}  # marks that say nothing about a story


class Problem(NamedTuple):
    """A doubt about one line. The body is read all the same."""

    line: int  # 1-based, in the file
    check: str
    severity: Severity
    message: str
    fix: str


def not_bold(
    bare: Sequence[Bare], headings: Mapping[int, Container[str]], first: int
) -> Iterator[Problem]:
    """Labels that the author forgot to make bold: their story lacks what they would fill.

    `headings` are the first lines of stories, and of what was passed over, with the roles of the
    labels that each has.
    """
    starts = sorted(headings)
    for line, role, name in bare:
        number = bisect_right(starts, line) - 1
        # Without a story round it only a TLDR is surely meant: `Link:` is a word like any other.
        if number >= 0:
            missing = role not in headings[starts[number]]
        else:
            missing = not headings and role == "tldr"
        if missing:
            message = f"`{name}:` is not bold, so it is no label"
            at, fix = line + first, f"write **{name}:**"
            yield Problem(at, "story/label", Severity.WARNING, message, fix)


def passed_over(
    lines: Sequence[str], marks: Sequence[Mark], opened: Mapping[int, int], end: int, first: int
) -> Iterator[Problem]:
    """Headings beside those of stories, with prose and without any label: no reader sees them.

    `opened` are the lines of the headings that open a story, with their levels.
    """
    depth = max(opened.values(), default=0)
    for number, mark in enumerate(marks):
        if mark.role or mark.line in opened or not 0 < mark.level <= depth or mark.line >= end:
            continue
        until = _end_of_prose(marks, number, opened, end)
        if until and first_paragraph(lines[mark.line + 1 : until]):
            message = f"“{plain(mark.text)}” has no label, so it is no story"
            fix = "begin it with **TLDR:** if it is one"
            yield Problem(mark.line + first, "story/unlabelled", Severity.INFO, message, fix)


def _end_of_prose(
    marks: Sequence[Mark], number: int, opened: Mapping[int, int], end: int
) -> int | None:
    """Where what a heading is over ends; None when a label or a story is in it."""
    for at in range(number + 1, len(marks)):
        mark = marks[at]
        if not mark.role and mark.level <= marks[number].level:
            return mark.line
        if mark.role not in _PLAIN or mark.line in opened:
            return None
    return end
