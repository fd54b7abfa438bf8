"""Hearing many events at once is held to a slow plain way: one after the other, in a dictionary.

Whatever a place says, in whatever order and in however many batches events come, and told again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.composer import delivery_id
from digest.errors import Outcome
from digest.events import (
    Cause,
    Event,
    Fact,
    Kind,
    Settle,
    SoftBounce,
    Stamp,
    Suppress,
    effects,
    worn_out,
)
from digest.models import SuppressionReason
from digest.store import Store
from digest.store.ledger.places import place_name
from digest.store.ledger.schema import delivery, issue, provider_event, soft_bounce
from digest.store.schema import event as history
from digest.store.schema import suppression
from tests.store.conftest import NOW
from tests.store.sending import Carrier, draft_of, frozen, readers, refused, send

READERS = 4
LATER = NOW + timedelta(days=30)  # when events are heard; all of them tell of moments before
OLDER = "weekly-2026-11-12"

Row = tuple[int, int]


@dataclass
class Told:
    """The ledger as a dictionary, and what comes of events one by one."""

    rows: dict[Row, dict[str, object]]
    named: dict[str, Row]  # deliveries that can be found
    people: dict[str, list[Row]]  # address -> rows, the latest last
    suppressed: set[tuple[str, str]] = field(default_factory=set)
    soft: dict[str, dict[str, datetime]] = field(default_factory=lambda: defaultdict(dict))

    def hear(self, event: Event) -> None:
        for effect in effects(event):
            match effect:
                case Settle(name) if name in self.named:
                    row = self.rows[self.named[name]]
                    row["state"] = "submitted" if row["state"] == "unknown" else row["state"]
                case Stamp(name, address, fact, at, _):
                    self._stamp(name, address, fact, at)
                case Suppress(address, ban, _, _):
                    self.suppressed.add((address, ban.value))
                case SoftBounce(address, at, event_id):
                    self.soft[address][event_id] = at
                    if worn_out(self.soft[address].values()):
                        self.suppressed.add((address, "bounced"))

    def _stamp(self, name: str | None, address: str, fact: Fact, at: datetime) -> None:
        if name is None:
            place = None
            for row in self.people.get(address, ()):
                sent = self.rows[row]["sent"]
                place = row if isinstance(sent, datetime) and sent <= at else place
        else:
            place = self.named.get(name)
        if place is not None:
            known = self.rows[place].get(fact.value)
            self.rows[place][fact.value] = min(at, known) if isinstance(known, datetime) else at


@pytest.fixture
def told(store: Store, tmp_path: Path) -> Store:
    """Two issues to four readers; in each it is unknown whether one of them has it."""
    readers(store, READERS)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    send(store, draft, Carrier(reader1=refused(Outcome.UNKNOWN, "no answer")), tmp_path)
    with store.database.writing() as connection:
        head = connection.execute(sa.select(issue)).one()._asdict()
        older = {**head, "number": head["number"] - 1, "id": OLDER}
        connection.execute(sa.insert(issue).values(older))
        for row in connection.execute(sa.select(delivery)).all():
            sent = row.submitted_at and row.submitted_at - timedelta(days=7)
            # the rows of the two issues differ, so that a place in the wrong one is another reader
            other = {"issue_number": row.issue_number - 1, "number": READERS - 1 - row.number}
            connection.execute(
                sa.insert(delivery).values({**row._asdict(), **other, "submitted_at": sent})
            )
    return store


def reset(store: Store, rows: Sequence[sa.Row]) -> None:
    """The store as it was."""
    with store.database.writing() as connection:
        for table in (delivery, suppression, provider_event, soft_bounce, history):
            connection.execute(sa.delete(table))
        connection.execute(sa.insert(delivery), [row._asdict() for row in rows])


def model(store: Store, rows: Sequence[sa.Row], found: dict[str, Row]) -> Told:
    people = {row.subscriber_id: address(store, row.subscriber_id) for row in rows}
    mine: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.issue_number):
        mine[people[row.subscriber_id]].append((row.issue_number, row.number))
    content = {
        (row.issue_number, row.number): {"state": row.state, "sent": row.submitted_at}
        for row in rows
    }
    return Told(content, found, mine)


def address(store: Store, person: int) -> str:
    found = store.subscriptions.get(person)
    assert found is not None
    return found.subscriber.email


@dataclass(frozen=True)
class Names:
    """The deliveries there are, and what may be said of them."""

    rows: dict[str, Row]
    addresses: dict[str, str]
    places: list[str]

    @staticmethod
    def of(store: Store, rows: Sequence[sa.Row]) -> "Names":
        with store.database.reading() as connection:
            issues = {row.number: row.id for row in connection.execute(sa.select(issue))}
        named = {delivery_id(issues[row.issue_number], row.subscriber_id): row for row in rows}
        return Names(
            {name: (row.issue_number, row.number) for name, row in named.items()},
            {name: address(store, row.subscriber_id) for name, row in named.items()},
            [place_name(row.issue_number, row.number) for row in rows],
        )

    def events(self) -> st.SearchStrategy[tuple[list[Event], dict[str, Row]]]:
        """Events with the rows that they can be found in: by their place or by their address."""
        strange = ["", "9.9", "x", "1.", "99999999999999.1", "9.1 9.2", "١.١"]
        places = {
            name: st.sampled_from([place_name(*row), *self.places, *strange])
            for name, row in self.rows.items()
        }
        told = {
            one: st.sampled_from([one, "who@example.net", ""]) for one in self.addresses.values()
        }
        both = st.tuples(st.fixed_dictionaries(places), st.fixed_dictionaries(told))
        return both.flatmap(lambda said: self._events(*said))

    def _events(
        self, places: dict[str, str], told: dict[str, str]
    ) -> st.SearchStrategy[tuple[list[Event], dict[str, Row]]]:
        found = {
            name: row
            for name, row in self.rows.items()
            if places[name] == place_name(*row)
            or told[self.addresses[name]] == self.addresses[name]
        }
        # a place told of another delivery finds one as well, so nobody tells that of a lost one
        lost = {place_name(*row) for name, row in self.rows.items() if name not in found}
        places = {name: "" if place in lost else place for name, place in places.items()}
        event = st.builds(
            Event,
            kind=st.sampled_from(Kind),
            delivery=st.sampled_from([None, "not-ours", *self.rows]),
            address=st.sampled_from(sorted(set(self.addresses.values()))),
            at=st.integers(0, 9).map(lambda hours: NOW + timedelta(hours=hours)),
            event_id=st.just(""),
            reason=st.sampled_from(["", "250 OK", "550 no such user"]),
            status=st.sampled_from(["", "4.2.2", "5.1.1"]),
            cause=st.sampled_from(Cause),
            place=st.just(""),
        )

        said: dict[str | None, dict[str, str]] = {
            name: {"place": places[name], "address": told[to]}
            for name, to in self.addresses.items()
        }
        said["not-ours"] = {"address": "who@example.net"}

        def finished(many: list[Event]) -> tuple[list[Event], dict[str, Row]]:
            named = [one._replace(event_id=f"e{n}") for n, one in enumerate(many)]
            return [one._replace(**said.get(one.delivery, {})) for one in named], found

        return st.lists(event, max_size=14).map(finished)


FACTS = [fact.value for fact in Fact]


def state_of(store: Store) -> dict[Row, dict[str, object]]:
    with store.database.reading() as connection:
        return {
            (row.issue_number, row.number): {
                "state": row.state,
                **{f: at for f in FACTS if (at := getattr(row, f"{f}_at")) is not None},
            }
            for row in connection.execute(sa.select(delivery))
        }


def suppressions(store: Store, addresses: Iterator[str]) -> set[tuple[str, SuppressionReason]]:
    return {(one, reason) for one in addresses for reason in store.suppressions.reasons(one)}


def test_events_come_to_the_same_as_one_by_one_in_any_order_and_told_again(told: Store) -> None:
    with told.database.reading() as connection:
        rows = connection.execute(sa.select(delivery)).all()
    names = Names.of(told, rows)

    @settings(max_examples=60, deadline=None)
    @given(names.events(), st.data())
    def check(made: tuple[list[Event], dict[str, Row]], data: st.DataObject) -> None:
        events, found = made
        reset(told, rows)
        plain = model(told, rows, found)
        for event in events:
            plain.hear(event)

        shuffled = data.draw(st.permutations(events)) if events else []
        cut = data.draw(st.integers(0, len(events)))
        for batch in (shuffled[:cut], shuffled[cut:], shuffled):
            told.hearing.hear(batch, LATER, "test")

        expected = {
            place: {key: value for key, value in row.items() if key != "sent"}
            for place, row in plain.rows.items()
        }
        assert state_of(told) == expected
        addresses = {*names.addresses.values(), "who@example.net"}
        assert suppressions(told, iter(addresses)) == plain.suppressed

    check()
