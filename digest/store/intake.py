"""Taking in many subscribers: one transaction a batch, written past SQLAlchemy's row by row way.

A batch holds the table against other writers for a tenth of a second, so that what it looked up is
still true when it writes. Killed at any moment, the store holds whole batches; the same file again
adds the rest. Nobody who left or is suppressed is made due: their rows come back as refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

import sqlalchemy as sa

from digest.hashtags import fold
from digest.models import NOTHING_CHOSEN, Chosen, Preferences, State, SuppressionReason
from digest.store import tagging
from digest.store.bulk import lookup, new_ids, write_rows
from digest.store.database import Database
from digest.store.hashing import Hasher
from digest.store.history import statement_id
from digest.store.merging import absorb
from digest.store.records import Consent
from digest.store.schema import consent, subscriber, subscriber_tag, suppression


class OnConflict(StrEnum):
    """What happens to a person who is in the store already."""

    SKIP = "skip"  # stays as they are
    MERGE = "merge"  # gains tags and whatever was empty
    REPLACE = "replace"  # gets what the file says, in the columns it has


class Entry(NamedTuple):
    """One good row of a file. A tuple, as a million of them are made."""

    line: int
    email: str  # normalised
    address: str  # addresses.identity(email)
    name: str
    preferences: Preferences  # settled
    timezone: str
    cadence: str
    state: State
    suppressed: tuple[SuppressionReason, ...]
    created: datetime | None
    pause_until: datetime | None
    covered_until: datetime | None
    consents: tuple[Consent, ...]
    chosen: Chosen = NOTHING_CHOSEN

    @property
    def left(self) -> bool:
        """True when the file itself says not to mail them."""
        return self.state is State.UNSUBSCRIBED or bool(self.suppressed)


class Outcome(StrEnum):
    """What became of an entry."""

    ADDED = "added"
    CHANGED = "changed"
    SKIPPED = "skipped"  # here already, nothing to do
    LEFT = "left"  # the file says that someone of ours left
    REFUSED = "refused"  # left or suppressed here; the file would bring them back


class Result(NamedTuple):
    """An entry's line, what became of it, and why it was refused."""

    line: int
    outcome: Outcome
    reason: str = ""


class _Known(NamedTuple):
    id: int
    state: State


@dataclass(slots=True)
class Intake:
    """One import into one store; remembers ids of tags and statements between batches."""

    database: Database
    hasher: Hasher
    now: datetime
    source: str  # of the suppressions that the file brings
    on_conflict: OnConflict = OnConflict.SKIP
    replaces: frozenset[str] = frozenset()  # the fields that the file has
    dry_run: bool = False
    _tags: dict[str, int] = field(default_factory=dict)
    _statements: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _would_be: set[int] = field(default_factory=set)  # of a dry run: who would be here

    def put(self, entries: Sequence[Entry]) -> list[Result]:
        """Take in one batch, all of it or nothing."""
        results: list[Result] = []
        with self._transaction() as connection:
            for part in _without_repeats(entries, self.on_conflict):
                results += self._put(connection, part)
        return results

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        if self.dry_run:
            with self.database.reading() as connection:
                yield connection
            return
        tags, statements = dict(self._tags), dict(self._statements)
        try:
            with self.database.writing() as connection:
                if self.database.dialect == "postgresql":
                    connection.exec_driver_sql("LOCK TABLE subscriber IN SHARE ROW EXCLUSIVE MODE")
                yield connection
        except BaseException:
            self._tags, self._statements = tags, statements  # the new ids were rolled back
            raise

    def _put(self, connection: sa.Connection, entries: Sequence[Entry]) -> list[Result]:
        hashes = [self.hasher.every(entry.email) for entry in entries]
        known = self._known(connection, entries)
        barred = _barred(connection, list(chain.from_iterable(hashes)))
        results, added, present = [], [], []
        for entry, (key, *former) in zip(entries, hashes, strict=True):
            here = known.get(entry.address)
            reasons = barred.get(key, ())
            for other in () if here else former:  # who is here has a hash of today's kind
                reasons += barred.get(other, ())
            result = self._judge(entry, here, reasons)
            results.append(result)
            if result.outcome is Outcome.ADDED:
                added.append((entry, key))
            elif result.outcome in (Outcome.CHANGED, Outcome.LEFT):
                present.append(entry)
        changed = self._absorb(connection, present)
        self._add(connection, added)
        return [
            result._replace(outcome=Outcome.SKIPPED)
            if result.outcome is Outcome.CHANGED and result.line not in changed
            else result
            for result in results
        ]

    def _known(self, connection: sa.Connection, entries: Sequence[Entry]) -> dict[str, _Known]:
        columns = (subscriber.c.address, subscriber.c.id, subscriber.c.state)
        rows = lookup(connection, columns, [entry.address for entry in entries])
        found = {address: _Known(person, State(state)) for address, person, state in rows}
        for entry in entries if self.dry_run else ():
            if hash(entry.address) in self._would_be:
                found.setdefault(entry.address, _Known(0, State.CONFIRMED))
        return found

    def _judge(self, entry: Entry, known: _Known | None, reasons: tuple[str, ...]) -> Result:
        """What is to become of an entry. CHANGED still depends on whether anything differs."""
        gone = known is not None and known.state is State.UNSUBSCRIBED
        if reasons or gone:
            if entry.left:
                return Result(entry.line, Outcome.SKIPPED)
            why = f"suppressed ({', '.join(sorted(set(reasons)))})" if reasons else "unsubscribed"
            return Result(entry.line, Outcome.REFUSED, f"{why}: never brought back by an import")
        if known is None:
            return Result(entry.line, Outcome.ADDED)
        if entry.left:
            return Result(entry.line, Outcome.LEFT)
        skips = self.on_conflict is OnConflict.SKIP
        return Result(entry.line, Outcome.SKIPPED if skips else Outcome.CHANGED)

    def _absorb(self, connection: sa.Connection, entries: Sequence[Entry]) -> set[int]:
        """Change the people who are here already; gives the lines that changed something."""
        if not entries:
            return set()
        return absorb(connection, entries, self)

    def _add(self, connection: sa.Connection, added: Sequence[tuple[Entry, bytes]]) -> None:
        if self.dry_run:
            self._would_be.update(hash(entry.address) for entry, _ in added)
            return
        if not added:
            return
        ids = new_ids(len(added))
        entries = [entry for entry, _ in added]
        people = list(zip(ids, entries, strict=True))
        self._learn(connection, entries)
        write_rows(connection, subscriber, _subscriber_rows(ids, added, self.now))
        write_rows(connection, subscriber_tag, _tag_rows(people, self._tags))
        write_rows(connection, consent, _consent_rows(people, self._statements))
        write_rows(connection, suppression, _suppression_rows(added, self.now, self.source))

    def _learn(self, connection: sa.Connection, entries: Iterable[Entry]) -> None:
        """Make the tags and statements that are new, and remember their ids."""
        names = {
            name: None
            for entry in entries
            for name in (*entry.preferences.tags, *entry.preferences.muted)
            if fold(name) not in self._tags
        }
        self._tags |= tagging.ids_of(connection, names) if names else {}
        for entry in entries:
            for given in entry.consents:
                texts = (given.text, given.version, given.source)
                if texts not in self._statements:
                    self._statements[texts] = statement_id(connection, given)


def _without_repeats(entries: Sequence[Entry], policy: OnConflict) -> Iterator[Sequence[Entry]]:
    """The entries in order, cut where an address comes again: then it is here already."""
    if len({entry.address for entry in entries}) == len(entries):
        yield entries
        return
    part: dict[str, Entry] = {}
    for entry in entries:
        if entry.address in part:
            yield list(part.values())
            part = {}
        part[entry.address] = entry
    yield list(part.values())


def _barred(connection: sa.Connection, hashes: Sequence[bytes]) -> dict[bytes, tuple[str, ...]]:
    columns = (suppression.c.address_hash, suppression.c.reason)
    found: dict[bytes, tuple[str, ...]] = {}
    for key, reason in lookup(connection, columns, hashes):
        found[bytes(key)] = (*found.get(bytes(key), ()), reason)
    return found


def _subscriber_rows(
    ids: Sequence[int], added: Sequence[tuple[Entry, bytes]], now: datetime
) -> Iterator[tuple[Any, ...]]:
    for person, (entry, key) in zip(ids, added, strict=True):
        wanted = entry.preferences
        yield (
            person,
            entry.address,
            key,
            entry.email,
            entry.name,
            ",".join(wanted.languages),
            entry.timezone,
            entry.cadence,
            int(wanted.everything),
            entry.state.value,
            entry.pause_until,
            entry.covered_until,
            entry.created or now,
            entry.chosen.day,
            entry.chosen.hour,
        )


def _tag_rows(
    people: Iterable[tuple[int, Entry]], ids: Mapping[str, int]
) -> Iterator[tuple[Any, ...]]:
    for person, entry in people:
        for name in entry.preferences.tags:
            yield person, ids[fold(name)], 0
        for name in entry.preferences.muted:
            yield person, ids[fold(name)], 1


def _consent_rows(
    people: Iterable[tuple[int, Entry]], statements: Mapping[tuple[str, str, str], int]
) -> Iterator[tuple[Any, ...]]:
    for person, entry in people:
        for number, given in enumerate(entry.consents, 1):
            known = statements[given.text, given.version, given.source]
            yield person, number, known, given.at, given.how


def _suppression_rows(
    added: Iterable[tuple[Entry, bytes]], now: datetime, source: str
) -> Iterator[tuple[Any, ...]]:
    for entry, key in added:
        for reason in entry.suppressed:
            yield key, reason.value, now, source
