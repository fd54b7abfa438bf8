"""Addresses that are never mailed, known by their keyed hash only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from digest.addresses import identity, recognised
from digest.errors import StoreError
from digest.models import SuppressionReason
from digest.store.database import Database
from digest.store.dialects import insert_new
from digest.store.hashing import Hasher
from digest.store.history import record
from digest.store.records import EventKind, Suppression
from digest.store.schema import subscriber, suppression

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Suppressions:
    """The do-not-mail list."""

    database: Database
    hasher: Hasher

    def add(self, email: str, reason: SuppressionReason, now: datetime, source: str) -> bool:
        """Never mail this address again, whoever adds or imports it. False when it stood already.

        ValueError when it is no address.
        """
        address = recognised(email)
        with self.database.writing() as connection:
            person = _lock_person(connection, address)
            added = insert_suppression(connection, self.hasher(address), reason, now, source)
            if added and person is not None:
                record(connection, person, now, EventKind.SUPPRESSED, f"{reason} ({source})")
            return added

    def add_all(
        self, emails: Iterable[str], reason: SuppressionReason, now: datetime, source: str
    ) -> Iterator[int]:
        """Many normalised addresses, a transaction a thousand; gives the number new in each."""
        waiting = iter(emails)
        while batch := list(islice(waiting, _BATCH)):
            rows = {self.hasher(address): None for address in batch}
            with self.database.writing() as connection:
                known = known_suppressions(connection, list(rows))
                new = [
                    self._row(key, reason, now, source)
                    for key in rows
                    if (key, reason) not in known
                ]
                if new:
                    connection.execute(insert_new(connection, suppression), new)
            yield len(new)

    def remove(self, email: str, now: datetime, source: str) -> tuple[SuppressionReason, ...]:
        """Take an address off the list, whatever put it there; gives what it was there for.

        Someone who unsubscribed stays unsubscribed all the same. StoreError when all that stands
        is the no of a look-alike who is here: it is taken off by its own address alone.
        """
        address = recognised(email)
        key, *former = self.hasher.every(address)
        with self.database.writing() as connection:
            person = _lock_person(connection, address)
            alike = _whose(connection, former)
            keys = [key] if alike else [key, *former]
            reasons = reasons_for(connection, *keys)
            if alike and not reasons and reasons_for(connection, *former):
                raise StoreError(
                    f"what stands against {address} was said of {alike}",
                    hint=f"only when you are sure: digest suppressions remove {alike}",
                )
            lift(connection, reasons, *keys)
            if reasons and person is not None:
                detail = f"{', '.join(reasons)} ({source})"
                record(connection, person, now, EventKind.UNSUPPRESSED, detail)
            return reasons

    def reasons(self, email: str) -> tuple[SuppressionReason, ...]:
        """Why this address is never mailed; empty when it may be."""
        with self.database.reading() as connection:
            return reasons_for(connection, *self.hasher.every(recognised(email)))

    def stream(self) -> Iterator[Suppression]:
        """All of them, oldest first, with the address of those who are still in the store."""
        query = (
            sa.select(suppression, subscriber.c.email)
            .outerjoin(subscriber, subscriber.c.address_hash == suppression.c.address_hash)
            .order_by(suppression.c.at, suppression.c.address_hash, suppression.c.reason)
        )
        with (
            self.database.reading() as connection,
            connection.execution_options(yield_per=_BATCH).execute(query) as rows,
        ):
            for row in rows:
                reason = SuppressionReason(row.reason)
                key = bytes(row.address_hash)
                yield Suppression(key, reason, row.at, row.source, row.email or "")

    @staticmethod
    def _row(
        key: bytes, reason: SuppressionReason, now: datetime, source: str
    ) -> dict[str, object]:
        return {"address_hash": key, "reason": reason.value, "at": now, "source": source}


def insert_suppression(
    connection: sa.Connection, key: bytes, reason: SuppressionReason, now: datetime, source: str
) -> bool:
    """Set once: a second time keeps the first moment, and gives False."""
    if (key, reason) in known_suppressions(connection, [key]):
        return False
    values = {"address_hash": key, "reason": reason.value, "at": now, "source": source}
    connection.execute(insert_new(connection, suppression).values(values))
    return True


def reasons_for(connection: sa.Connection, *keys: bytes) -> tuple[SuppressionReason, ...]:
    """Why the address with these hashes is suppressed; empty when it is not."""
    return tuple(sorted({reason for _, reason in known_suppressions(connection, keys)}))


def lift(connection: sa.Connection, reasons: Iterable[SuppressionReason], *keys: bytes) -> None:
    """Remove these entries of the address with these hashes."""
    connection.execute(
        sa.delete(suppression).where(
            suppression.c.address_hash.in_(keys),
            suppression.c.reason.in_([reason.value for reason in reasons]),
        )
    )


def known_suppressions(
    connection: sa.Connection, keys: Sequence[bytes]
) -> set[tuple[bytes, SuppressionReason]]:
    """Which of these hashes are suppressed, and why."""
    query = sa.select(suppression.c.address_hash, suppression.c.reason).where(
        suppression.c.address_hash.in_(keys)
    )
    rows = connection.execute(query)
    return {(bytes(key), SuppressionReason(reason)) for key, reason in rows}


def _lock_person(connection: sa.Connection, address: str) -> int | None:
    query = sa.select(subscriber.c.id).where(subscriber.c.address == identity(address))
    return connection.scalar(query.with_for_update())


def _whose(connection: sa.Connection, keys: Sequence[bytes]) -> str | None:
    """The address of a subscriber with one of these hashes."""
    query = sa.select(subscriber.c.email).where(subscriber.c.address_hash.in_(keys))
    return connection.scalar(query)
