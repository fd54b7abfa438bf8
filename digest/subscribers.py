"""`subscribers/*.csv` -> Subscriber, one row at a time, whatever the size of the files.

Columns by name, in any order, only `email` is required: email, name, tags, muted, cadence,
language, timezone. A bad row is reported and left out; it never stops the others.
"""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from zoneinfo import available_timezones

from digest.addresses import identity, normalise
from digest.errors import SubscribersError
from digest.models import Cadence, Finding, Preferences, Severity, Subscriber
from digest.tokens import subscriber_id

COLUMNS = ("email", "name", "tags", "muted", "cadence", "language", "timezone")
EVERYTHING = {"", "*", "everything"}
_LANGUAGE = re.compile(r"[a-z]{2,3}")

Report = Callable[[Finding], None]


class _BadCellError(Exception):
    def __init__(self, column: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.column, self.fix = column, fix


def read_subscribers(place: Path, root: Path, key: bytes, report: Report) -> Iterator[Subscriber]:
    """Every good row of the CSV file or folder of CSV files at `place`, in order.

    `key` makes the ids; `report` gets a Finding for every row left out, named relative to `root`.
    SubscribersError when there is nothing to read at all.
    """
    seen: set[int] = set()
    for path in _files(place):
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        for line, cells in _rows(path, name):
            try:
                subscriber = _subscriber(cells, key)
                if subscriber.id in seen:
                    raise _BadCellError("email", "stands in an earlier row too", "one row a person")
            except _BadCellError as bad:
                report(_finding(name, line, bad))
                continue
            seen.add(subscriber.id)
            yield subscriber


def _files(place: Path) -> list[Path]:
    files = sorted(place.glob("*.csv")) if place.is_dir() else [place]
    if not files or not files[0].is_file():
        raise SubscribersError(
            f"{place}: no subscribers here",
            hint=f"write a CSV file with the columns {', '.join(COLUMNS)}; only email is required",
        )
    return files


def _rows(path: Path, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """`(line, cells by column)` of each row that holds anything."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            columns = _columns(next(reader, []), name)
            for row in reader:
                if any(row):
                    yield reader.line_num, dict(zip(columns, row, strict=False))
        except csv.Error as error:
            raise SubscribersError(f"{name}:{reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            line = reader.line_num + 1
            raise SubscribersError(
                f"{name}: after line {line}: not UTF-8 (byte {error.object[error.start]:#04x})",
                hint="save the file as UTF-8 (in a spreadsheet: CSV UTF-8)",
            ) from error


def _columns(header: list[str], name: str) -> list[str]:
    columns = [cell.strip().lower() for cell in header]
    if "email" not in columns:
        raise SubscribersError(
            f"{name}:1: no column `email` (found: {', '.join(filter(None, columns)) or 'nothing'})",
            hint=f"the first line names the columns: {','.join(COLUMNS)}",
        )
    return columns


def _subscriber(cells: dict[str, str], key: bytes) -> Subscriber:
    try:
        email = normalise(cells.get("email", ""))
    except ValueError as error:
        raise _BadCellError(
            "email", str(error), "expected an address like ana@example.com"
        ) from None
    return Subscriber(
        id=subscriber_id(identity(email), key),
        email=email,
        name=" ".join(cells.get("name", "").split()),
        preferences=_preferences(cells),
        cadence=_cadence(cells.get("cadence", "").strip().lower()),
        timezone=_timezone(cells.get("timezone", "").strip()),
    )


def _preferences(cells: dict[str, str]) -> Preferences:
    tags = cells.get("tags", "").strip()
    everything = tags.lower() in EVERYTHING
    return Preferences(
        tags=() if everything else split_tags(tags),
        everything=everything,
        muted=split_tags(cells.get("muted", "")),
        languages=_languages(cells.get("language", "")),
    )


def split_tags(text: str) -> tuple[str, ...]:
    """Tags of one cell, cut at commas or semicolons, else at spaces; `#` is optional."""
    parts = re.split(r"[,;]", text) if re.search(r"[,;]", text) else text.split()
    return tuple(filter(None, (part.strip().removeprefix("#") for part in parts)))


def _cadence(text: str) -> Cadence:
    with suppress(ValueError):
        return Cadence(text or Cadence.WEEKLY)
    raise _BadCellError("cadence", f"{text!r} is unknown", f"expected {', '.join(Cadence)}")


def _languages(text: str) -> tuple[str, ...]:
    languages = split_tags(text.lower())
    for language in languages:
        if not _LANGUAGE.fullmatch(language):
            raise _BadCellError("language", f"{language!r} is no language", "expected codes: en pl")
    return languages


def _timezone(text: str) -> str:
    if text and text not in _zones():
        raise _BadCellError(
            "timezone", f"{text!r} is unknown", "expected an IANA name: Europe/Dublin"
        )
    return text


def _finding(name: str, line: int, bad: _BadCellError) -> Finding:
    check = f"subscribers/{bad.column}"
    return Finding(name, line, check, Severity.ERROR, str(bad), bad.column, bad.fix)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # reads some folders every time it is called
