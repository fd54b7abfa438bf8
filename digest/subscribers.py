"""`subscribers/*.csv` -> Subscriber, one row at a time, whatever the size of the files.

The rules are those of an import (`roster`), with the exception that a row may have fewer or more
cells than the header. Who left by what the file itself says is no reader.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from digest.addresses import identity
from digest.errors import SubscribersError
from digest.models import Finding, Severity, State, Subscriber
from digest.roster.reading import Broken, open_source
from digest.roster.rows import BadCellError, Reader
from digest.roster.vendors import recognise
from digest.tokens import subscriber_id

COLUMNS = ("email", "name", "tags", "muted", "cadence", "language", "timezone")

Report = Callable[[Finding], None]


def read_subscribers(place: Path, root: Path, key: bytes, report: Report) -> Iterator[Subscriber]:
    """Everyone who may be mailed by the file or folder of CSV files at `place`, in order.

    `key` makes the ids; `report` gets a Finding for every row and file that cannot be read, named
    relative to `root`. SubscribersError when there is nothing to read at all.
    """
    seen: set[int] = set()
    refused: list[SubscribersError] = []
    files = _files(place)
    for path in files:
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        try:
            with path.open("rb") as stream:
                yield from _List(stream, name, key, seen, report).subscribers()
        except OSError as error:
            refused.append(SubscribersError(error.strerror or str(error), path=name))
        except SubscribersError as error:
            refused.append(error)
    if len(refused) == len(files):
        raise _all_of(refused)
    for refusal in refused:
        report(_finding(refusal))


def _files(place: Path) -> list[Path]:
    files = [place]
    if place.is_dir():  # an import may have listed there what it left out
        files = sorted(one for one in place.glob("*.csv") if not one.match("*.rejects.csv"))
    if not files or not files[0].exists():
        raise SubscribersError(
            f"{place}: no subscribers here",
            hint=f"write a CSV file with the columns {', '.join(COLUMNS)}; only email is required",
        )
    return files


def _all_of(refused: list[SubscribersError]) -> SubscribersError:
    if len(refused) == 1:
        return refused[0]
    return SubscribersError("\n".join(["no list can be read:", *map(str, map(_finding, refused))]))


def _finding(error: SubscribersError) -> Finding:
    severity, check = Severity.ERROR, "subscribers/file"
    return Finding(error.path, error.line, check, severity, str(error), fix=error.hint)


class _List:
    """One file. `seen` has the ids of everyone in it and in the files before it."""

    def __init__(
        self, stream: BinaryIO, name: str, key: bytes, seen: set[int], report: Report
    ) -> None:
        self._source = open_source(stream, name)
        columns = recognise(self._source.header, {}, name, self._source.named)
        self._reader = Reader(columns, {})
        self._name, self._key, self._seen, self._report = name, key, seen, report
        self._left_out: Counter[str] = Counter()

    def subscribers(self) -> Iterator[Subscriber]:
        """Everyone in it who may be mailed."""
        for row in self._source.rows():
            cells = self._mended(row) if isinstance(row, Broken) else row.cells
            try:
                subscriber = self._subscriber(cells) if cells else None
            except BadCellError as bad:
                self._tell_cell(row.line, bad)
                continue
            if subscriber is not None:
                yield subscriber
        if self._left_out:
            self._tell_left_out(self._left_out)

    def _subscriber(self, cells: Sequence[str]) -> Subscriber | None:
        """The person of a row; None when they may not be mailed."""
        reader = self._reader
        email = reader.email(cells)
        person = subscriber_id(identity(email), self._key)
        if person in self._seen:
            raise BadCellError("email", "stands in an earlier row too; one row a person")
        obstacle = self._obstacle(cells)
        if obstacle:
            self._seen.add(person)
            self._left_out[obstacle] += 1
            return None
        subscriber = Subscriber(
            person,
            email,
            reader.name(cells),
            reader.preferences(cells),
            reader.cadence(cells),
            reader.timezone(cells),
        )
        self._seen.add(person)  # not before: a bad row does not stand in the way of a good one
        return subscriber

    def _obstacle(self, cells: Sequence[str]) -> str:
        """What keeps the person from being mailed, in a word. Only the store ends a pause."""
        try:
            state, reasons = self._reader.standing(cells)
        except BadCellError:
            state, reasons = self._reader.departure(cells)
            if not reasons and state is not State.UNSUBSCRIBED:
                raise
        if reasons:
            return reasons[0].value
        if state is not State.CONFIRMED:
            return state.value
        return "paused" if self._reader.moment("pause_until", cells) else ""

    def _mended(self, row: Broken) -> Sequence[str]:
        """The cells of a row that is merely ragged; none of any other. Either is told."""
        width = len(self._source.header)
        if not row.cells:
            self._tell(row.line, "row", Severity.ERROR, row.reason, row.column)
        elif len(row.cells) > width:
            message = f"{row.reason}; the others are not read"
            self._tell(
                row.line, "row", Severity.WARNING, message, fix="quote a cell that holds a comma"
            )
        return row.cells and [*row.cells[:width], *[""] * (width - len(row.cells))]

    def _tell_cell(self, line: int, bad: BadCellError) -> None:
        reason, _, fix = str(bad).partition("; ")
        if bad.meaning == "email" and not fix:
            fix = "expected an address like ana@example.com"
        column = self._reader.column_of(bad.meaning)
        self._tell(line, bad.meaning, Severity.ERROR, reason, column, fix)

    def _tell_left_out(self, counts: Counter[str]) -> None:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
        message = f"{counts.total():,} of its people are not mailed: {reasons}"
        self._tell(0, "left-out", Severity.INFO, message)

    def _tell(
        self,
        line: int,
        what: str,
        severity: Severity,
        message: str,
        column: str = "",
        fix: str = "",
    ) -> None:
        check = f"subscribers/{what}"
        self._report(Finding(self._name, line, check, severity, message, column, fix))
