"""Tables and bars for a terminal, aligned for any script, safe for any text."""

import unicodedata
from collections.abc import Iterable, Sequence

from digest.columns import width

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def safe(text: str) -> str:
    """The text without letters that steer a terminal or turn the direction of what follows."""
    return "".join(
        letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
    )


def counted(number: int, one: str, many: str = "") -> str:
    """`1 story`, `2 stories`; `many` is `one` with an s unless given."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def table(rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """The rows as lines, the columns two spaces apart; those in `right` end flush."""
    kept = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*kept, strict=True)]
    return ["  ".join(_cells(row, widths, right)).rstrip() for row in kept]


def _cells(row: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> Iterable[str]:
    for place, (cell, full) in enumerate(zip(row, widths, strict=True)):
        room = " " * (full - width(cell))
        yield room + cell if place in right else cell + room


def bar(value: float, largest: float, columns: int = 24) -> str:
    """A bar of at most `columns`, to an eighth of a letter; the smallest value still shows."""
    if value <= 0 or largest <= 0:
        return ""
    eighths = max(1, round(value / largest * columns * 8))
    full, rest = divmod(eighths, 8)
    return "█" * full + _EIGHTHS[rest].strip()


def sparkline(values: Sequence[float]) -> str:
    """A letter a value, from the least to the greatest; flat where all are the same."""
    least, most = min(values, default=0), max(values, default=0)
    spread = most - least
    steps = [round((value - least) / spread * 7) if spread else 0 for value in values]
    return "".join("▁▂▃▄▅▆▇█"[step] for step in steps)
