"""What providers tell of deliveries, written down: in one transaction for a batch of events.

An event is heard once. Its effects could be written again all the same: of each fact the earliest
telling stays, and an address that is suppressed is suppressed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from digest.addresses import identity, normalise
from digest.composer import delivery_id
from digest.events import Changes, Event, Fact, OurFault, SoftBounce, Telling, gather, worn_out
from digest.models import SuppressionReason
from digest.store.database import Database
from digest.store.dialects import insert_new
from digest.store.hashing import Hasher
from digest.store.history import record
from digest.store.ledger.coverage import HANDED_OVER, cover
from digest.store.ledger.records import DeliveryState
from digest.store.ledger.schema import delivery, issue, provider_event, soft_bounce
from digest.store.records import EventKind
from digest.store.schema import subscriber
from digest.store.suppressions import insert_suppression

BATCH = 500  # events of one transaction
_THOROUGH = timedelta(days=30)  # how far back a delivery is looked for whose address is gone


@dataclass(frozen=True, slots=True)
class Heard:
    """What some events came to."""

    events: int = 0
    known: int = 0  # told before
    settled: int = 0  # deliveries that were unknown
    stamped: int = 0
    suppressed: int = 0  # addresses, new
    strange: int = 0  # about deliveries that are not ours
    faults: tuple[OurFault, ...] = ()

    def __add__(self, other: "Heard") -> "Heard":
        return Heard(
            self.events + other.events,
            self.known + other.known,
            self.settled + other.settled,
            self.stamped + other.stamped,
            self.suppressed + other.suppressed,
            self.strange + other.strange,
            self.faults + other.faults,
        )


_Place = tuple[int, int]  # issue number, delivery number


@dataclass(frozen=True, slots=True)
class Hearing:
    """Writes down what providers tell."""

    database: Database
    hasher: Hasher

    def hear(
        self, events: Sequence[Event], now: datetime, source: str, *, thorough: bool = False
    ) -> Heard:
        """Write a batch of events. `thorough` also looks for deliveries by their id alone, where
        the address has changed or is gone: a second for a million of them."""
        with self.database.writing() as connection:
            new = _unheard(connection, events)
            changes = gather(new)
            places = _places(connection, new, now if thorough else None)
            settled = _settle(connection, changes, places, now)
            stamped = sum(
                _stamp(connection, place, fact, telling)
                for (name, address, fact), telling in changes.stamps.items()
                if (place := _place(connection, places, name, address, telling.at))
            )
            suppressed = sum(self._suppress(connection, changes, source))
            suppressed += sum(self._soften(connection, changes.soft, source))
            named = {event.delivery for event in new if event.delivery}
        return Heard(
            len(events),
            len(events) - len(new),
            settled,
            stamped,
            suppressed,
            len(named - places.keys()),
            tuple(sorted(changes.faults, key=lambda fault: fault.event_id)),
        )

    def _suppress(self, connection: sa.Connection, changes: Changes, source: str) -> Iterator[bool]:
        for (address, ban), telling in sorted(changes.suppressed.items()):
            yield self._bar(connection, address, SuppressionReason(ban.value), telling, source)

    def _soften(
        self, connection: sa.Connection, bounces: Iterable[SoftBounce], source: str
    ) -> Iterator[bool]:
        """Note refusals that may pass; too many of them are a bounce."""
        for one in sorted(bounces, key=lambda bounce: (bounce.at, bounce.event_id)):
            if (key := self._key(one.address)) is None:
                continue
            row = {"address_hash": key, "event_id": one.event_id, "at": one.at}
            connection.execute(insert_new(connection, soft_bounce), [row])
            told = connection.scalars(
                sa.select(soft_bounce.c.at).where(soft_bounce.c.address_hash == key)
            )
            if worn_out(told):
                telling = Telling(one.at, "refused again and again")
                reason = SuppressionReason.BOUNCED
                yield self._bar(connection, one.address, reason, telling, source)

    def _bar(
        self,
        connection: sa.Connection,
        address: str,
        reason: SuppressionReason,
        telling: Telling,
        source: str,
    ) -> bool:
        key = self._key(address)
        if key is None or not insert_suppression(connection, key, reason, telling.at, source):
            return False
        person = connection.scalar(
            sa.select(subscriber.c.id).where(subscriber.c.address == identity(normalise(address)))
        )
        if person is not None:
            detail = f"{reason} ({source})"
            record(connection, person, telling.at, EventKind.SUPPRESSED, detail)
        return True

    def _key(self, address: str) -> bytes | None:
        """None for what is no address: a provider's word is not ours."""
        try:
            return self.hasher(normalise(address))
        except ValueError:
            return None


def _unheard(connection: sa.Connection, events: Sequence[Event]) -> list[Event]:
    """The events that were not heard before; they are from now on."""
    ids = {event.event_id: event for event in events if event.event_id}
    known = set(
        connection.scalars(sa.select(provider_event.c.id).where(provider_event.c.id.in_(list(ids))))
    )
    rows = [{"id": name, "at": one.at} for name, one in sorted(ids.items()) if name not in known]
    if rows:
        connection.execute(insert_new(connection, provider_event), rows)
    return [event for event in events if event.event_id not in known]


def _places(
    connection: sa.Connection, events: Iterable[Event], thorough: datetime | None
) -> dict[str, _Place]:
    """Where the deliveries are that events name: among those to their addresses first."""
    wanted: dict[str, str] = {one.delivery: one.address for one in events if one.delivery}
    people = _people(connection, wanted.values())
    rows = (
        sa.select(issue.c.id, delivery.c.subscriber_id, issue.c.number, delivery.c.number)
        .select_from(issue)
        .join(delivery, delivery.c.issue_number == issue.c.number)
    )
    found = _matched(connection, rows.where(delivery.c.subscriber_id.in_(people)), wanted)
    if thorough is not None and wanted.keys() - found.keys():
        recent = rows.where(issue.c.planned_at > thorough - _THOROUGH)
        found |= _matched(connection, recent, wanted.keys() - found.keys())
    return found


def _matched(
    connection: sa.Connection, query: sa.Select[Any], wanted: Iterable[str]
) -> dict[str, _Place]:
    left, found = set(wanted), {}
    with connection.execute(query.execution_options(yield_per=1000)) as rows:
        for issue_id, person, issue_number, number in rows:
            if not left:
                break
            if (name := delivery_id(issue_id, person)) in left:
                left.discard(name)
                found[name] = (issue_number, number)
    return found


def _people(connection: sa.Connection, addresses: Iterable[str]) -> list[int]:
    known = set()
    for address in addresses:
        try:
            known.add(identity(normalise(address)))
        except ValueError:
            continue
    query = sa.select(subscriber.c.id).where(subscriber.c.address.in_(sorted(known)))
    return list(connection.scalars(query))


def _place(
    connection: sa.Connection,
    places: dict[str, _Place],
    name: str | None,
    address: str,
    at: datetime,
) -> _Place | None:
    """The named delivery, or the latest one to the address before that moment."""
    if name is not None:
        return places.get(name)
    people = _people(connection, [address])
    row = connection.execute(
        sa.select(delivery.c.issue_number, delivery.c.number)
        .join(issue, issue.c.number == delivery.c.issue_number)
        .where(
            delivery.c.subscriber_id.in_(people),
            delivery.c.state.in_(HANDED_OVER),
            delivery.c.submitted_at <= at,
        )
        .order_by(delivery.c.submitted_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _settle(
    connection: sa.Connection, changes: Changes, places: dict[str, _Place], now: datetime
) -> int:
    """Take as submitted what was unknown and the provider has after all."""
    settled = 0
    for number, one in sorted(places[name] for name in changes.settled & places.keys()):
        this = (delivery.c.issue_number == number, delivery.c.number == one)
        update = sa.update(delivery).where(*this, delivery.c.state == DeliveryState.UNKNOWN.value)
        values = {
            "state": DeliveryState.SUBMITTED.value,
            "submitted_at": sa.func.coalesce(delivery.c.submitted_at, now),
        }
        if connection.execute(update.values(values)).rowcount:
            settled += 1
            cover(connection, number, one, one + 1)
    return settled


def _stamp(connection: sa.Connection, place: _Place, fact: Fact, telling: Telling) -> bool:
    """Set a fact, or move it to an earlier moment. False when it stands as it is."""
    number, one = place
    moment = delivery.c[f"{fact.value}_at"]
    update = sa.update(delivery).where(
        delivery.c.issue_number == number,
        delivery.c.number == one,
        moment.is_(None) | (moment > telling.at),
    )
    reason = sa.func.coalesce(delivery.c.reason, telling.reason or None)
    values = {f"{fact.value}_at": telling.at, "reason": reason}
    return connection.execute(update.values(values)).rowcount == 1
