"""The loop of an import: read, judge, and put away in batches."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from digest.errors import SubscribersError
from digest.roster.entries import departure_of, entry_of
from digest.roster.reading import Broken, Row, open_source
from digest.roster.rows import BadCellError, Reader
from digest.roster.vendors import Columns, recognise
from digest.store import Consent, Entry, OnConflict, Outcome, Store
from digest.store.intake import Intake

BATCH = 5000  # rows in one transaction: 0.1 to 0.3 s in which other writers wait


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be imported, and how."""

    file: str  # as people know it
    consent: str = ""  # how these people agreed; needed unless every row says so
    mapping: Mapping[str, str] = field(default_factory=dict)
    on_conflict: OnConflict = OnConflict.SKIP
    dry_run: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)  # key of an alias -> tag


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was left out."""

    line: int
    column: str
    reason: str
    cells: tuple[str, ...]  # as they stand in the file; one cell for a row that has no cells


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is; the last one is the result."""

    bytes_read: int = 0
    rows: int = 0
    added: int = 0
    changed: int = 0
    skipped: int = 0
    left: int = 0  # of ours, by what the file says
    rejected: int = 0
    faulty: int = 0  # of those not rejected: leavers with cells that cannot be taken


class Import:
    """One import. `columns` says what was understood, before there has to be a store."""

    def __init__(self, stream: BinaryIO, order: Order, now: datetime) -> None:
        """SubscribersError when the file cannot be read at all, or nothing says they agreed."""
        self._source = open_source(stream, order.file, strict=True)
        self.columns: Columns = recognise(
            self._source.header, order.mapping, order.file, self._source.named
        )
        if order.consent and not order.consent.strip():
            raise SubscribersError(
                "the statement of consent is blank",
                hint='say how and when, as: --consent "Mailchimp, double opt-in, since 2021"',
            )
        if not order.consent and "consent" not in self.columns.given():
            raise SubscribersError(
                "nothing says that these people agreed to get the newsletter",
                hint='say how and when, as: --consent "Mailchimp, double opt-in, since 2021"',
            )
        self._statement = (
            Consent(now, "import", order.consent, source=order.file) if order.consent else None
        )
        self._reader = Reader(self.columns, order.aliases)
        self._given: frozenset[str] | None = None  # the columns of the rows in the batch
        self._order, self._now = order, now
        self._counts: Counter[str] = Counter()
        self._faulty = 0

    def run(self, store: Store, reject: Callable[[Reject], None]) -> Iterator[Progress]:
        """Import everything, a batch a step. `reject` gets every row that is left out."""
        order, replacing = self._order, self._order.on_conflict is OnConflict.REPLACE
        replaces = self.columns.given() if replacing else frozenset[str]()
        intake = store.intake(
            self._now, f"import of {order.file}", order.on_conflict, replaces, order.dry_run
        )
        batch: list[tuple[Entry, list[str]]] = []
        for row in self._source.rows():
            if replacing and isinstance(row, Row) and row.given != self._given:
                # what a row replaces depends on what it has: a batch is of rows that have the same
                if batch:
                    self._put(intake, batch, reject)
                    batch.clear()
                self._given = row.given
                intake.replaces = self.columns.given(row.given)
            entry = self._entry(row, reject)
            if entry is not None:
                batch.append(entry)
            if len(batch) >= BATCH:
                self._put(intake, batch, reject)
                batch.clear()
                yield self._progress()
        if batch:
            self._put(intake, batch, reject)
        yield self._progress()

    def _entry(
        self, row: Row | Broken, reject: Callable[[Reject], None]
    ) -> tuple[Entry, list[str]] | None:
        if isinstance(row, Broken):
            self._counts["rejected"] += 1
            reject(Reject(row.line, row.column, row.reason, row.cells or (row.text,)))
            return None
        try:
            return entry_of(row, self._reader, self._statement), row.cells
        except BadCellError as bad:
            departure = departure_of(row, self._reader)
            if departure is None:
                self._counts["rejected"] += 1
                reject(self._reject(row, [bad], ""))
                return None
            self._faulty += 1
            entry, faults = departure
            reject(self._reject(row, faults, "; that they left is taken in all the same"))
            return entry, row.cells

    def _reject(self, row: Row, faults: list[BadCellError], more: str) -> Reject:
        """A row by its first bad cell, and a word on each of the others."""
        column, *_ = columns = [self._reader.column_of(bad.meaning) for bad in faults]
        others = zip(columns[1:], faults[1:], strict=True)
        reasons = [str(faults[0]), *(f"{name}: {bad}" for name, bad in others)]
        return Reject(row.line, column, "; ".join(reasons) + more, tuple(row.cells))

    def _put(
        self,
        intake: Intake,
        batch: list[tuple[Entry, list[str]]],
        reject: Callable[[Reject], None],
    ) -> None:
        results = intake.put([entry for entry, _ in batch])
        for result, (_, cells) in zip(results, batch, strict=True):
            if result.outcome is Outcome.REFUSED:
                self._counts["rejected"] += 1
                column = self._reader.column_of("email")
                reject(Reject(result.line, column, result.reason, tuple(cells)))
            else:
                self._counts[result.outcome.value] += 1

    def _progress(self) -> Progress:
        counts = self._counts
        return Progress(
            self._source.bytes_read,
            counts.total(),
            counts["added"],
            counts["changed"],
            counts["skipped"],
            counts["left"],
            counts["rejected"],
            self._faulty,
        )
