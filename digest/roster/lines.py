"""The physical lines of a list as text, and the way back when a row went wrong.

A line is never held beyond a megabyte, nor a row beyond that or 500 lines, so that no file can fill
the memory, and a quote that nobody closed costs no more than the line where it stands.
"""

from collections import deque
from typing import BinaryIO, NamedTuple

LONGEST_LINE = 1_000_000  # bytes; of a row of several lines too
MOST_LINES = 500  # of one row

_BOM = b"\xef\xbb\xbf"
_NO_NUL = "\N{REPLACEMENT CHARACTER}"


class EndlessRowError(Exception):
    """A row goes on for longer than rows do."""


class Fault(NamedTuple):
    """What is wrong with a line that was read all the same."""

    reason: str
    before: str  # the row's text up to there


class Lines:
    """An iterator of lines that remembers those of the row being read.

    A line that is no text is given as well as can be, and `fault` says what is wrong with it.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.bytes_read = 0
        self.fault: Fault | None = None
        self.number = 0  # of the line given last, from 1
        self._stream = stream
        self._row: list[bytes] = []
        self._size = 0  # bytes of the row
        self._cut_quotes = 0  # in what is not held of the line taken last
        self._waiting: deque[bytes] = deque()  # lines that were taken, and are to be given again
        self.opening = self._take().removeprefix(_BOM)  # the first line, which is still to come
        self._waiting.append(self.opening)

    def begin_row(self) -> int:
        """Forget the row before; the number of the line that comes next."""
        self._row, self._size, self.fault = [], 0, None
        return self.number + 1

    @property
    def in_row(self) -> int:
        """Lines of the row so far."""
        return len(self._row)

    def text(self) -> str:
        """The row so far."""
        return "".join(map(_shown, self._row))

    def skip_open_cell(self) -> int:
        """Go on to behind the line that closes the quotes of this row; gives the number of lines
        skipped, or -1 when nothing closes them."""
        quotes = sum(raw.count(b'"') for raw in self._row) + self._cut_quotes
        first = self.number
        while quotes % 2:
            self.begin_row()
            if next(self, None) is None:
                return -1
            quotes += self._row[0].count(b'"') + self._cut_quotes
        return self.number - first

    def give_back(self, kept: int) -> str:
        """Give the lines of this row again but for the first `kept`; the text of those."""
        self._waiting.extendleft(reversed(self._row[kept:]))
        self.number -= len(self._row) - kept
        del self._row[kept:]
        return self.text()

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        raw = self._waiting.popleft() if self._waiting else self._take()
        if not raw:
            raise StopIteration
        self._row.append(raw)
        self._size += len(raw)
        self.number += 1
        lines = len(self._row)
        if lines > 1 and (lines > MOST_LINES or self._size > LONGEST_LINE):
            raise EndlessRowError
        if len(raw) >= LONGEST_LINE and _is_cut(raw):
            return self._spoilt(f"is longer than {LONGEST_LINE:,} bytes", len(raw))
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            return self._spoilt(f"is not UTF-8 (byte {raw[error.start]:#04x})", error.start)
        if "\0" in line:
            return self._spoilt("holds a NUL byte", raw.index(b"\0"))
        return line

    def _take(self) -> bytes:
        """The next line of the stream, or as much of it as is held."""
        raw = self._stream.readline(LONGEST_LINE)
        self.bytes_read += len(raw)
        part = raw
        self._cut_quotes = 0
        while len(part) >= LONGEST_LINE and _is_cut(part):
            part = self._stream.readline(LONGEST_LINE)
            self.bytes_read += len(part)
            self._cut_quotes += part.count(b'"')
        return raw

    def _spoilt(self, reason: str, place: int) -> str:
        """Remember what is wrong at a byte of this line; gives what the parser sees instead."""
        *before, raw = self._row
        if self.fault is None:
            self.fault = Fault(reason, "".join(map(_shown, [*before, raw[:place]])))
        return "\n" if len(raw) >= LONGEST_LINE // 4 else _shown(raw)


def _is_cut(raw: bytes) -> bool:
    return not raw.endswith(b"\n")


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", _NO_NUL)
