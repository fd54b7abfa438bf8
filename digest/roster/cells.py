"""Values in the cells of a CSV file, there and back without loss. Pure.

A spreadsheet runs a cell that begins with `=` or its like as a formula, and what a reader typed
as their name must not run on the publisher's machine. Such cells get an apostrophe in front (what
spreadsheets themselves use to mark text), and lose it again on the way in.
"""

import csv
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from io import StringIO

STAR = "*"  # how all tags are written
EVERYTHING = frozenset({"", STAR, "everything"})  # what is read as all tags, in lower case
NOTHING = "-"

# OWASP, CSV injection; with the full-width forms that some spreadsheets take for the same
_FORMULA = re.compile(r"'*[=+\-@\t\r\n|%＝＋－＠]")
_MARKED = re.compile(r"''*[=+\-@\t\r\n|%＝＋－＠]")
_TRUE = frozenset({"true", "yes", "y", "1", "t"})
_FALSE = frozenset({"false", "no", "n", "0", "f", ""})


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if cell.startswith("'") and _MARKED.match(cell) else cell


def tags_cell(tags: Iterable[str]) -> str:
    """Tags in one cell: a CSV row of its own, so that a tag may hold a comma."""
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(tags)
    return line.getvalue()


def split_tags(text: str) -> tuple[str, ...]:
    """Tags cut at commas or semicolons, else at spaces; `#` is optional."""
    parts = re.split(r"[,;]", text) if re.search(r"[,;]", text) else text.split()
    return tuple(filter(None, (part.strip().removeprefix("#") for part in parts)))


@lru_cache(maxsize=4096)
def read_tags(cell: str) -> tuple[str, ...]:
    """The tags of a cell: ours and Mailchimp's (`"a","b"`), or any simple list."""
    if '"' not in cell:
        return split_tags(cell)
    try:
        (tags,) = csv.reader([cell], skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise ValueError(f"{cell[:40]!r} is no list of tags: {error}") from None
    return tuple(filter(None, (tag.strip() for tag in tags)))


def moment_cell(moment: datetime | None) -> str:
    """ISO 8601 in UTC; empty for none."""
    return moment.astimezone(UTC).isoformat() if moment else ""


def read_moment(cell: str) -> datetime | None:
    """A date or time as exports write it, UTC where it names no zone. ValueError for none."""
    if not cell:
        return None
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"{cell[:40]!r} is no date or time") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_flag(cell: str) -> bool:
    """Yes or no. ValueError when it is neither."""
    text = cell.strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError(f"{cell[:40]!r} is neither yes nor no")
    return text in _TRUE
