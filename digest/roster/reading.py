"""A CSV or NDJSON stream, one row at a time, whatever is wrong with it.

A row that cannot be read is a `Broken` with its line and column, and reading goes on with the
next. A line is never held beyond a megabyte, so that no file can fill the memory.
"""

import csv
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from digest.errors import SubscribersError
from digest.roster.cells import EVERYTHING, NOTHING, guarded, tags_cell, unguarded

LONGEST_LINE = 1_000_000  # bytes
_SHOWN = 1000  # bytes of a bad row that are kept for the list of rejects

_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Row(NamedTuple):
    """The cells of one row, by the header's order; `line` is where it begins, from 1."""

    line: int
    cells: list[str]


class Broken(NamedTuple):
    """A row that cannot be read: where, why, and how it begins."""

    line: int
    column: str  # name of the column; empty when the row as a whole is wrong
    reason: str
    text: str


class CsvSource:
    """Rows of a CSV stream with a header. `bytes_read` grows as they are taken."""

    def __init__(self, stream: BinaryIO, name: str, first: bytes = b"") -> None:
        self.bytes_read = 0
        self._stream = stream
        self._first = first
        self._record: list[str]  # physical lines of the row being read
        self._spoiled: tuple[str, str] | None  # what is wrong with one of them: cause, text so far
        self._begin_row()
        head = self._next_line()
        self._delimiter = max(",;\t|", key=head.count)
        self._lines = self._all_lines(head)
        self._reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        try:
            self.header = [unguarded(cell.strip()) for cell in next(self._reader, [])]
        except csv.Error as error:
            raise SubscribersError(f"{name}:1: the header cannot be read: {error}") from error
        if self._spoiled is not None:
            raise SubscribersError(f"{name}:1: the header {self._spoiled[0]}")
        if not any(self.header):
            raise SubscribersError(
                f"{name}: is empty", hint="the first line names the columns, like: email,name,tags"
            )

    def rows(self) -> Iterator[Row | Broken]:
        """Every row that holds anything."""
        reader, width = self._reader, len(self.header)
        while True:
            line = reader.line_num + 1
            self._begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._broken(line, _in_words(error))
                continue
            if self._spoiled is not None:
                yield self._broken(line, self._spoiled[0], self._spoiled[1])
            elif len(cells) == width:
                yield Row(line, cells)
            elif any(cells):
                reason = f"has {len(cells)} cells where the header has {width}"
                yield self._broken(line, reason, "")

    def _begin_row(self) -> None:
        self._record, self._spoiled = [], None

    def _broken(self, line: int, reason: str, before: str | None = None) -> Broken:
        """`before` is the text up to the fault; None: all of the row that was read."""
        text = "".join(self._record)
        column = ""
        if before != "":
            place = _cells_in(text if before is None else before, self._delimiter)
            column = self.header[place] if place < len(self.header) else ""
        return Broken(line, column, reason, text[:_SHOWN].rstrip("\r\n"))

    def _all_lines(self, head: str) -> Iterator[str]:
        line = head
        while line:
            yield line
            line = self._next_line()

    def _next_line(self) -> str:
        raw = self._first + self._stream.readline(LONGEST_LINE)
        self._first = b""
        self.bytes_read += len(raw)
        if len(raw) >= LONGEST_LINE and not raw.endswith(b"\n"):
            before = raw.decode("utf-8", "replace")
            self._skip_line()
            return self._spoil(f"is longer than {LONGEST_LINE:,} bytes", before, before)
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            reason = f"is not UTF-8 (byte {raw[error.start]:#04x})"
            before = raw[: error.start].decode()
            return self._spoil(reason, before, raw.decode("utf-8", "replace"))
        if "\0" in line:
            before = line[: line.index("\0")]
            return self._spoil(
                "holds a NUL byte", before, line.replace("\0", "\N{REPLACEMENT CHARACTER}")
            )
        self._record.append(line)
        return line

    def _spoil(self, reason: str, before: str, line: str) -> str:
        """Remember what is wrong with a line; gives what the parser sees in its place."""
        if self._spoiled is None:
            self._spoiled = (reason, "".join(self._record) + before or " ")
        self._record.append(line)
        return "\n" if len(line) >= LONGEST_LINE // 4 else line

    def _skip_line(self) -> None:
        while part := self._stream.readline(LONGEST_LINE):
            self.bytes_read += len(part)
            if part.endswith(b"\n"):
                return


class JsonSource:
    """Rows of an NDJSON stream as `export --format ndjson` writes them: one object a line."""

    header: list[str]

    def __init__(self, stream: BinaryIO, name: str, first: bytes = b"") -> None:
        self.bytes_read = 0
        self._stream = stream
        self._line = first + stream.readline(LONGEST_LINE)
        self._number = 1
        opening = self._parsed()
        if isinstance(opening, Broken):
            raise SubscribersError(f"{name}:1: {opening.reason}")
        self.header = list(opening)

    def rows(self) -> Iterator[Row | Broken]:
        """Every object, its values as the cells that a CSV file would have."""
        while self._line:
            self.bytes_read += len(self._line)
            if self._line.strip():
                value = self._parsed()
                if isinstance(value, Broken):
                    yield value
                else:
                    yield Row(self._number, [_cell(value.get(name), name) for name in self.header])
            self._line = self._stream.readline(LONGEST_LINE)
            self._number += 1

    def _parsed(self) -> dict[str, Any] | Broken:
        text = self._line.decode("utf-8", "replace")
        try:
            value = json.loads(self._line)
        except (ValueError, RecursionError) as error:
            return Broken(self._number, "", f"is no JSON: {error}", text[:_SHOWN].rstrip())
        if not isinstance(value, dict):
            return Broken(self._number, "", "is no JSON object", text[:_SHOWN].rstrip())
        return value


def open_source(stream: BinaryIO, name: str) -> CsvSource | JsonSource:
    """The rows of a stream. SubscribersError when it is empty or no text at all."""
    first = stream.read(3)
    for mark, encoding in _BOMS.items():
        if first.startswith(mark):
            raise SubscribersError(
                f"{name}:1: this is {encoding}, not UTF-8",
                hint="save the file as UTF-8 (in a spreadsheet: CSV UTF-8)",
            )
    first = first.removeprefix(b"\xef\xbb\xbf")
    return (JsonSource if first.startswith(b"{") else CsvSource)(stream, name, first)


def _cells_in(text: str, delimiter: str) -> int:
    """How many whole cells stand in the text, read as the start of a row."""
    quoted, cells = False, 0
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif letter == delimiter and not quoted:
            cells += 1
    return cells


def _in_words(error: csv.Error) -> str:
    text = str(error)
    if text.startswith("field larger"):
        return f"holds a cell that is longer than {csv.field_size_limit():,} characters"
    if text.startswith("unexpected end"):
        return "opens a quote that is never closed"
    return f"cannot be read: {text} (a quote inside a quoted cell is doubled)"


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
            return guarded(text) if name != "tags" or text == EVERYTHING else tags_cell([text])
