"""Plain text in columns: how wide words are on a screen, and where lines break. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

COLUMNS = 72


def width(text: str) -> int:
    """Columns the text takes in a fixed-width font: 2 for wide letters, 0 for marks."""
    if text.isascii():
        return len(text)
    return sum(_columns(letter) for letter in text)


@lru_cache(maxsize=20_000)
def wrap(text: str, columns: int = COLUMNS, first: str = "", indent: str | None = None) -> str:
    """The words of the text in lines of at most `columns`; an address is never broken.

    `first` opens the first line, `indent` the others (as many spaces as `first` when not given).
    """
    later = " " * width(first) if indent is None else indent
    room = columns - max(width(first), width(later))
    lines: list[str] = []
    line, used = first, width(first)
    empty = True  # nothing on the line but its opening
    for word in _words(text, room):
        size = width(word)
        if not empty and used + 1 + size > columns:
            lines.append(line)
            line, used, empty = later, width(later), True
        line, used = (line + word, used + size) if empty else (f"{line} {word}", used + 1 + size)
        empty = False
    return "\n".join([*lines, line.rstrip()])


def underline(text: str, mark: str = "-") -> str:
    """The wrapped text above a rule as wide as its longest line."""
    return f"{text}\n{mark * max(width(line) for line in text.splitlines() or [''])}"


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _words(text: str, room: int) -> Iterator[str]:
    # Not `split()`: lines must not break at a no-break space.
    for word in re.split(r"[ \t\n]+", text.strip(" \t\n")):
        yield from _pieces(word, room)


def _pieces(word: str, room: int) -> list[str]:
    """The word, cut where it is wider than a line; scripts without spaces come as one word."""
    if width(word) <= room or "://" in word:
        return [word]
    pieces, piece, used = [], "", 0
    for letter in word:
        size = _columns(letter)
        if piece and used + size > room:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + letter, used + size
    return [*pieces, piece]
