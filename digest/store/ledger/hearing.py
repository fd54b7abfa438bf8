"""What providers tell of deliveries, written down: in one transaction for a batch of events.

An event is heard once. Its effects could be written again all the same: of each fact the earliest
telling stays, and an address that is suppressed is suppressed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from digest.events import GOING_WELL, Changes, Event, Fact, OurFault, Telling, gather
from digest.store.bulk import lookup
from digest.store.database import Database
from digest.store.dialects import insert_new
from digest.store.hashing import Hasher
from digest.store.ledger.barring import Barring
from digest.store.ledger.coverage import cover_people
from digest.store.ledger.places import Place, find_people, find_places, latest_place
from digest.store.ledger.records import DeliveryState
from digest.store.ledger.schema import delivery, provider_event
from digest.store.ledger.stamps import lock, write_delivered, write_stamps
from digest.store.schema import subscriber

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
        when = now if thorough else None
        return self.database.commit(lambda one: self._hear(one, events, now, source, when))

    def _hear(
        self,
        connection: sa.Connection,
        events: Sequence[Event],
        now: datetime,
        source: str,
        thorough: datetime | None,
    ) -> Heard:
        new = _unheard(connection, events)
        changes = gather(new)
        named = {event.delivery: event.address for event in new if event.delivery}
        said = {event.place for event in new if event.place}
        places = find_places(connection, named, said, thorough)
        unknown = _unknown(changes, places)
        delivered = [(places[name], at) for name, at in changes.delivered.items() if name in places]
        told = _told(connection, changes, places)
        everything = (unknown, (place for place, _ in delivered), *told.values())
        lock(connection, (place[:2] for some in everything for place in some))
        settled = _settle(connection, unknown, now)
        stamped = write_delivered(connection, delivered) + sum(
            write_stamps(connection, fact, list(some.items())) for fact, some in told.items()
        )
        return Heard(
            len(events),
            len(events) - len(new),
            settled,
            stamped,
            Barring(connection, self.hasher, source).bar(changes),
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


def _unknown(changes: Changes, places: Mapping[str, Place]) -> list[Place]:
    """What was unknown and the provider has after all."""
    unknown = DeliveryState.UNKNOWN.value
    return [
        place for name, place in places.items() if place[2] == unknown and name in changes.settled
    ]


def _settle(connection: sa.Connection, unknown: Iterable[Place], now: datetime) -> int:
    """Take deliveries as submitted that are unknown."""
    rows: dict[int, list[int]] = {}
    for issue, number, _, _ in unknown:
        rows.setdefault(issue, []).append(number)
    settled = 0
    for issue, numbers in sorted(rows.items()):
        these = (delivery.c.issue_number == issue, delivery.c.number.in_(numbers))
        values = {
            "state": DeliveryState.SUBMITTED.value,
            "submitted_at": sa.func.coalesce(delivery.c.submitted_at, now),
        }
        update = (
            sa.update(delivery)
            .where(*these, delivery.c.state == DeliveryState.UNKNOWN.value)
            .values(values)
        )
        people = list(connection.scalars(update.returning(delivery.c.subscriber_id)))
        cover_people(connection, issue, people)
        settled += len(people)
    return settled


def _told(
    connection: sa.Connection, changes: Changes, places: Mapping[str, Place]
) -> dict[Fact, dict[Place, Telling]]:
    """The facts and their rows; one without a delivery is about the latest one to its address."""
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
    return told
