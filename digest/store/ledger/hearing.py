"""What providers tell of deliveries, written down: in one transaction for a batch of events.

An event is heard once. Its effects could be written again all the same: of each fact the earliest
telling stays, and an address that is suppressed is suppressed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from digest.addresses import identity_of
from digest.events import (
    GOING_WELL,
    Changes,
    Event,
    Fact,
    OurFault,
    SoftBounce,
    Telling,
    gather,
    worn_out,
)
from digest.models import SuppressionReason
from digest.store.bulk import lookup
from digest.store.database import Database
from digest.store.dialects import insert_new
from digest.store.hashing import Hasher
from digest.store.history import record
from digest.store.ledger.coverage import cover
from digest.store.ledger.places import Place, find_people, find_places, latest_place
from digest.store.ledger.records import DeliveryState
from digest.store.ledger.schema import delivery, provider_event, soft_bounce
from digest.store.ledger.stamps import write_delivered, write_stamps
from digest.store.records import EventKind
from digest.store.schema import subscriber
from digest.store.suppressions import insert_suppression, known_suppressions

BATCH = 10_000  # events of one transaction


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
            named = {event.delivery: event.address for event in new if event.delivery}
            said = {event.place for event in new if event.place}
            places = find_places(connection, named, said, now if thorough else None)
            settled = _settle(connection, changes, places, now)
            stamped = _stamp(connection, changes, places)
            suppressed = sum(self._suppress(connection, changes, source))
            suppressed += sum(self._soften(connection, changes.soft, source))
        return Heard(
            len(events),
            len(events) - len(new),
            settled,
            stamped,
            suppressed,
            len(named) - len(places),
            tuple(sorted(changes.faults, key=lambda fault: fault.event_id)),
        )

    def readers(self, deliveries: Iterable[str], now: datetime) -> dict[str, str]:
        """Whose these deliveries are: id -> address; without what is not ours, or not any more."""
        with self.database.reading() as connection:
            found = find_places(connection, dict.fromkeys(deliveries, ""), thorough=now)
            people = {person: name for name, (_, _, _, person) in found.items()}
            columns = (subscriber.c.id, subscriber.c.email)
            return {people[who]: email for who, email in lookup(connection, columns, list(people))}

    def _suppress(self, connection: sa.Connection, changes: Changes, source: str) -> Iterator[bool]:
        if not changes.suppressed:
            return
        keys = {address: self._key(address) for address, _ in changes.suppressed}
        known = known_suppressions(connection, [key for key in keys.values() if key is not None])
        for (address, ban), telling in sorted(changes.suppressed.items()):
            reason, key = SuppressionReason(ban.value), keys[address]
            if key is not None and (key, reason) not in known:
                yield self._bar(connection, address, reason, telling, source)

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
            sa.select(subscriber.c.id).where(subscriber.c.address == identity_of(address))
        )
        if person is not None:
            detail = f"{reason} ({source})"
            record(connection, person, telling.at, EventKind.SUPPRESSED, detail)
        return True

    def _key(self, address: str) -> bytes | None:
        """None for what is no address: a provider's word is not ours."""
        try:
            return self.hasher(identity_of(address))
        except ValueError:
            return None


def _unheard(connection: sa.Connection, events: Sequence[Event]) -> list[Event]:
    """The events that were not heard before; they are from now on.

    Only what means something for an address has to be remembered: somebody may have come back
    since. Of all else the earliest telling stays, however often it is told.
    """
    ids = {one.event_id: one for one in events if one.kind not in GOING_WELL and one.event_id}
    if not ids:
        return list(events)
    known = {name for (name,) in lookup(connection, (provider_event.c.id,), list(ids))}
    rows = [{"id": name, "at": one.at} for name, one in sorted(ids.items()) if name not in known]
    if rows:
        connection.execute(insert_new(connection, provider_event), rows)
    return [one for one in events if one.event_id not in known] if known else list(events)


def _settle(
    connection: sa.Connection, changes: Changes, places: Mapping[str, Place], now: datetime
) -> int:
    """Take as submitted what was unknown and the provider has after all."""
    unknown = DeliveryState.UNKNOWN.value
    found = [
        (issue, number)
        for name, (issue, number, state, _) in places.items()
        if state == unknown and name in changes.settled
    ]
    settled = 0
    for issue, number in sorted(found):
        this = (delivery.c.issue_number == issue, delivery.c.number == number)
        values = {
            "state": DeliveryState.SUBMITTED.value,
            "submitted_at": sa.func.coalesce(delivery.c.submitted_at, now),
        }
        update = sa.update(delivery).where(*this, delivery.c.state == unknown).values(values)
        if connection.execute(update).rowcount:
            settled += 1
            cover(connection, issue, number, number + 1)
    return settled


def _stamp(connection: sa.Connection, changes: Changes, places: Mapping[str, Place]) -> int:
    """Set the facts; one without a delivery is about the latest one to its address."""
    nameless = {address for name, address, _ in changes.stamps if name is None}
    people = find_people(connection, nameless) if nameless else {}
    told: dict[Fact, dict[Place, Telling]] = {}
    for (name, address, fact), telling in changes.stamps.items():
        if name is not None:
            place = places.get(name)
        else:
            person = people.get(address)
            place = latest_place(connection, person, telling.at) if person is not None else None
        if place is not None:
            # one row may be told of by its name and by its address; a statement changes it once
            some = told.setdefault(fact, {})
            some[place] = min(telling, some.get(place, telling))
    plain = [(places[name], at) for name, at in changes.delivered.items() if name in places]
    return write_delivered(connection, plain) + sum(
        write_stamps(connection, fact, list(some.items())) for fact, some in told.items()
    )
