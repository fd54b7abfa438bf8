"""A CSV or NDJSON stream, one row at a time, whatever is wrong with it.

A row that cannot be read is a `Broken` with its line and column, and reading goes on with the next
line: also when a quote is opened and never closed, which a CSV parser takes for one long cell.
"""

import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO, NamedTuple

from digest.errors import SubscribersError
from digest.roster.cells import NOTHING, STAR, guarded, tags_cell, unguarded
from digest.roster.lines import LONGEST_LINE, MOST_LINES, EndlessRowError, Lines
from digest.roster.vendors import FIELDS

_SHOWN = 1000  # characters of a bad row that are kept for the list of rejects

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_AS_UTF8 = "save it as UTF-8 (in a spreadsheet: CSV UTF-8)"
_UNSAID = {"receives": True}  # of a field that an object does not have
_DOUBLED = "a quote inside a quoted cell is doubled"


class Row(NamedTuple):
    """The cells of one row, by the header's order; `line` is where it begins, from 1."""

    line: int
    cells: list[str]
    given: frozenset[str] | None = None  # the columns that it has; None for all


class Broken(NamedTuple):
    """A row that cannot be read: where, why, and how it begins.

    `cells` are those of a row whose only fault is that the header has more or fewer.
    """

    line: int
    column: str  # name of the column; empty when the row as a whole is wrong
    reason: str
    text: str
    cells: tuple[str, ...] = ()


class CsvSource:
    """Rows of a CSV stream with a header.

    `strict`: nothing between the quotes of a cell that cannot be read is ever taken for a row.
    """

    def __init__(self, lines: Lines, name: str, *, strict: bool = False) -> None:
        self._lines = lines
        self._strict = strict
        self._doubtful = 0  # up to this line, what looks like rows may be the text of a cell
        head = lines.opening.decode("utf-8", "replace")
        self._delimiter = max(",;\t|", key=head.count)
        self._reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        lines.begin_row()
        try:
            self.header = [unguarded(cell.strip()) for cell in next(self._reader, [])]
        except (csv.Error, EndlessRowError) as error:
            reason = f"the header cannot be read: it {_in_words(error, lines.in_row)}"
            hint = "the first line names the columns, like: email,name,tags"
            raise SubscribersError(reason, path=name, line=1, hint=hint) from error
        if lines.fault is not None:
            reason = f"the header {lines.fault.reason}"
            raise SubscribersError(reason, path=name, line=1, hint=_AS_UTF8)
        _require_any(self.header, name)
        self.named = len(self.header)

    @property
    def bytes_read(self) -> int:
        """How much of the stream was taken so far."""
        return self._lines.bytes_read

    def rows(self) -> Iterator[Row | Broken]:
        """Every row that holds anything."""
        lines, reader, width = self._lines, self._reader, len(self.header)
        while True:
            line = lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, EndlessRowError) as error:
                yield self._misread(line, error)
                continue
            if lines.fault is not None:
                place, _ = _last_cell(lines.fault.before, self._delimiter)
                text, reason = lines.text(), lines.fault.reason
                yield self._broken(line, place, reason + self._skipped(), text)
            elif not any(cells):
                continue
            elif len(cells) == width or (len(cells) > width and not any(cells[width:])):
                yield Row(line, cells[:width])
            else:
                yield self._ragged(line, cells)

    def _misread(self, line: int, error: Exception) -> Broken:
        """A row with a wrong or open quote. What follows the quote's line is read again."""
        lines = self._lines
        reason = _in_words(error, lines.in_row)
        if not _is_endless(error):
            self._doubtful = lines.number
        text = lines.text()
        place, position = _last_cell(text, self._delimiter)
        above = text.count("\n", 0, position)
        if self._strict:
            return self._broken(line + above, place, reason + self._skipped(), text)
        return self._broken(line + above, place, reason, lines.give_back(above + 1))

    def _ragged(self, line: int, cells: list[str]) -> Broken:
        """A row of too many or too few cells. One of several lines may be due to an open quote."""
        lines = self._lines
        if lines.in_row > 1:
            self._doubtful = lines.number
        reason = f"has {len(cells)} cells where the header has {len(self.header)}"
        if self._strict and lines.in_row > 1:
            return self._broken(line, len(self.header), reason, lines.text())
        known = () if line <= self._doubtful else tuple(cells)
        return Broken(line, "", reason, lines.give_back(1)[:_SHOWN].rstrip("\r\n"), known)

    def _skipped(self) -> str:
        """Leave the cell that the row left open, and say how far that goes."""
        skipped = self._lines.skip_open_cell() if self._strict else 0
        if skipped < 0:
            return "; nothing after it was read, as no later quote closes it"
        return f"; the {skipped:,} lines up to its end are no rows" if skipped else ""

    def _broken(self, line: int, place: int, reason: str, text: str) -> Broken:
        column = self.header[place] if place < len(self.header) else ""
        return Broken(line, column, reason, text[:_SHOWN].rstrip("\r\n"))


class JsonSource:
    """Rows of an NDJSON stream as `export --format ndjson` writes them: one object a line.

    The columns are those of the first object, then our fields, which any later one may have.
    """

    def __init__(self, lines: Lines, name: str) -> None:
        self._lines = lines
        try:
            first = list(_object(lines.opening.decode("utf-8", "replace")))
        except ValueError as error:
            raise SubscribersError(str(error), path=name, line=1) from error
        _require_any(first, name)
        named = {key.strip().lower() for key in first}
        self.named = len(first)
        self.header = [*first, *(field for field in FIELDS if field not in named)]

    @property
    def bytes_read(self) -> int:
        """How much of the stream was taken so far."""
        return self._lines.bytes_read

    def rows(self) -> Iterator[Row | Broken]:
        """Every object, its values as the cells that a CSV file would have."""
        number = self._lines.begin_row()
        for line in self._lines:
            try:
                if self._lines.fault is not None:
                    raise ValueError(self._lines.fault.reason)
                if line.strip():
                    value = _object(line)
                    cells = [
                        _cell(value.get(name, _UNSAID.get(name)), name) for name in self.header
                    ]
                    yield Row(number, cells, frozenset(value))
            except ValueError as error:
                yield Broken(number, "", str(error), line[:_SHOWN].rstrip())
            number = self._lines.begin_row()


def open_source(stream: BinaryIO, name: str, *, strict: bool = False) -> CsvSource | JsonSource:
    """The rows of a stream. SubscribersError when it is empty or no text at all."""
    lines = Lines(stream)
    if lines.opening.startswith(_UTF16):
        raise SubscribersError("this is UTF-16, not UTF-8", path=name, line=1, hint=_AS_UTF8)
    if lines.opening.startswith(b"{"):
        return JsonSource(lines, name)
    return CsvSource(lines, name, strict=strict)


def _require_any(header: list[str], name: str) -> None:
    if not any(header):
        hint = "the first line names the columns, like: email,name,tags"
        raise SubscribersError("is empty, or its first line is", path=name, hint=hint)


@cache
def _whole_cell(delimiter: str) -> re.Pattern[str]:
    """A cell as the strict parser takes it: quoted to its end, or without a quote in front."""
    end = rf"{re.escape(delimiter)}\r\n"
    return re.compile(rf'"(?:[^"]++|"")*+"(?=[{end}]|\Z)|(?!")[^{end}]*+')


def _last_cell(text: str, delimiter: str) -> tuple[int, int]:
    """The 0-based number and the position of the cell where reading the row stops."""
    number = position = 0
    cell = _whole_cell(delimiter)
    while found := cell.match(text, position):
        end = found.end()
        if text[end : end + 1] != delimiter or end - position > csv.field_size_limit():
            break
        number, position = number + 1, end + 1
    return number, position


def _is_endless(error: Exception) -> bool:
    """Whether a quote stays open for longer than cells are: no cell was meant."""
    return isinstance(error, EndlessRowError) or str(error).startswith(("unexp", "field"))


def _in_words(error: Exception, lines: int) -> str:
    """What is wrong with a row of so many lines."""
    text = str(error)
    if isinstance(error, EndlessRowError):
        return (
            f"opens a quote that is not closed within {MOST_LINES} lines and {LONGEST_LINE:,} bytes"
        )
    if text.startswith("unexpected end"):
        return "opens a quote that is never closed"
    if text.startswith("field larger"):
        limit = f"{csv.field_size_limit():,} characters"
        return (
            f"holds a cell that is longer than {limit}"
            if lines == 1
            else f"opens a quote that is not closed within {limit}"
        )
    if text.startswith("new-line"):
        return "holds a carriage return that ends no line (put the cell in quotes)"
    if lines > 1:
        return f"opens a quote that is closed in the middle of a cell ({_DOUBLED})"
    return f"cannot be read: {text} ({_DOUBLED})"


def _object(text: str) -> dict[str, Any]:
    """ValueError when the text is no JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    return value


def _cell(value: Any, name: str) -> str:
    """A JSON value as a CSV file would hold it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case [dict(), *_]:
            return json.dumps(value)
        case list() if name == "tags" and not value:
            return NOTHING
        case list():
            return tags_cell(map(str, value)) if value else ""
        case _:
            # guarded, as the cells of a CSV file are: reading takes the guard off
            text = str(value)
            return guarded(text) if name != "tags" or text == STAR else tags_cell([text])
