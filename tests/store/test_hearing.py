"""What providers tell: heard once, written where it belongs, in whatever order it comes."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.composer import delivery_id
from digest.errors import Outcome
from digest.events import Cause, Event, Kind
from digest.providers import Answer, Batch
from digest.store import Store, SuppressionReason
from digest.store.ledger.hearing import Heard
from digest.store.ledger.records import DeliveryState
from digest.store.ledger.schema import delivery
from tests.store.conftest import NOW
from tests.store.sending import Carrier, draft_of, find, frozen, readers, refused, send, states

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def sent(store: Store, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Three readers; nobody knows whether the second one's message was taken."""
    readers(store, 3)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    send(store, draft, Carrier(reader1=refused(Outcome.UNKNOWN, "no answer")), tmp_path)
    return draft


def told(store: Store, kind: Kind, reader: int, **more: object) -> Event:
    email = f"reader{reader}@example.com"
    found = store.subscriptions.find(email)
    assert found is not None
    name = delivery_id("weekly-2026-11-19", found.subscriber.id)
    event = Event(kind, name, email, LATER, f"{kind}-{reader}")
    return event._replace(**more)  # type: ignore[arg-type]


def hear(store: Store, *events: Event, thorough: bool = False) -> Heard:
    return store.hearing.hear(events, LATER, "test", thorough=thorough)


def facts(store: Store, draft) -> dict[str, int]:  # type: ignore[no-untyped-def]
    told_of = store.ledger.totals(find(store, draft).number).facts
    return {fact: number for fact, number in told_of.items() if number}


def test_an_event_settles_what_was_unknown(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    heard = hear(store, told(store, Kind.DELIVERED, 1), told(store, Kind.DELIVERED, 0))

    assert (heard.settled, heard.stamped) == (1, 2)
    assert states(store, sent) == {"submitted": 3}
    assert facts(store, sent) == {"delivered": 2}


def test_an_event_told_again_changes_nothing(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    event = told(store, Kind.BOUNCED, 0, status="5.1.1", cause=Cause.MAILBOX)
    hear(store, event)

    assert hear(store, event, event) == Heard(events=2, known=2)
    assert facts(store, sent) == {"bounced": 1}


def test_a_hard_bounce_and_a_complaint_suppress_the_address(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    hard = told(store, Kind.BOUNCED, 0, status="5.1.1", cause=Cause.MAILBOX)
    heard = hear(store, hard, told(store, Kind.COMPLAINED, 2))

    assert heard.suppressed == 2
    assert store.suppressions.reasons("reader0@example.com") == (SuppressionReason.BOUNCED,)
    assert store.suppressions.reasons("reader2@example.com") == (SuppressionReason.COMPLAINED,)


def test_a_bounce_without_our_argument_is_matched_by_its_address(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    hear(store, told(store, Kind.BOUNCED, 2, delivery=None, status="5.1.1"))

    assert facts(store, sent) == {"bounced": 1}


def test_of_one_told_by_name_and_by_address_the_earlier_moment_stays(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    for number, hours in enumerate([(2, 1), (1, 2)]):
        named = told(store, Kind.BOUNCED, 2 * number, at=LATER + timedelta(hours=hours[0]))
        nameless = named._replace(delivery=None, at=LATER + timedelta(hours=hours[1]))
        hear(store, named, nameless._replace(event_id=f"nameless-{number}"))

    with store.database.reading() as connection:
        moments = connection.execute(sa.select(delivery.c.bounced_at)).scalars()
        assert sorted(filter(None, moments)) == [LATER + timedelta(hours=1)] * 2


def test_a_delivery_is_found_by_its_place_where_its_address_is_gone(
    store: Store, tmp_path: Path
) -> None:
    readers(store, 2)
    draft, carrier = draft_of(tmp_path), Carrier()
    frozen(store, draft)
    send(store, draft, carrier, tmp_path)
    event = told(store, Kind.DELIVERED, 1)
    places = {reader.address: reader.place for reader in carrier.readers}
    mine, other = places["reader1@example.com"], places["reader0@example.com"]
    moved = event._replace(address="old@example.com")

    assert hear(store, moved, moved._replace(place=other)).strange == 1
    assert hear(store, moved._replace(place=mine)).stamped == 1
    assert hear(store, event._replace(place=other, at=NOW)).stamped == 1  # by its address


def test_many_soft_bounces_are_one_hard_one(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    soft = [
        told(store, Kind.BLOCKED, 0, event_id=f"soft-{n}", at=LATER + timedelta(days=n))
        for n in range(3)
    ]

    assert [hear(store, one).suppressed for one in soft] == [0, 0, 1]
    assert store.suppressions.reasons("reader0@example.com") == (SuppressionReason.BOUNCED,)


def test_of_a_fact_told_twice_the_earlier_moment_stays(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    late = told(store, Kind.DEFERRED, 0, at=LATER + timedelta(hours=1), event_id="late")
    early = told(store, Kind.DEFERRED, 0, event_id="early")

    assert [hear(store, one).stamped for one in (late, early, late._replace(event_id="x"))] == [
        1,
        1,
        0,
    ]


def test_what_arrived_before_its_sender_noted_a_doubt_is_not_unknown(
    store: Store, tmp_path: Path
) -> None:
    """The answer came after the timeout, and the event before the window was closed."""
    readers(store, 3)
    draft = draft_of(tmp_path)
    frozen(store, draft)

    class Early(Carrier):
        def hand_over(self, batch: Batch) -> Iterator[Answer]:
            if "reader1@example.com" in [reader.address for reader in batch.readers]:
                hear(store, told(store, Kind.DELIVERED, 1))
            yield from super().hand_over(batch)

    doubt = refused(Outcome.UNKNOWN, "no answer")
    send(store, draft, Early(reader1=doubt, reader2=doubt), tmp_path)

    assert states(store, draft) == {"submitted": 2, "unknown": 1}
    assert facts(store, draft) == {"delivered": 1}


def test_a_delivery_whose_reader_is_gone_is_found_by_its_id(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    event = told(store, Kind.DELIVERED, 1)
    found = store.subscriptions.find("reader1@example.com")
    assert found is not None
    store.subscriptions.erase(found.subscriber.id, NOW, "test")

    assert hear(store, event._replace(event_id="quick")).strange == 1
    assert hear(store, event, thorough=True).settled == 1
    assert not list(store.ledger.deliveries(find(store, sent).number, DeliveryState.UNKNOWN))


def test_events_of_others_are_counted_and_left_alone(store: Store, sent) -> None:  # type: ignore[no-untyped-def]
    other = told(store, Kind.DELIVERED, 0, delivery="not-ours", address="who@example.net")

    assert hear(store, other, thorough=True).strange == 1
    assert facts(store, sent) == {}


def test_recorded_events_are_imported_by_command(project, run) -> None:  # type: ignore[no-untyped-def]
    run("subscribers", "import", "subscribers/list.csv", "--consent", "a test")
    run("send", "--at", "2026-11-20")
    listed = run("issues", "show", "weekly-2026-11-19", "--json", "--list", "submitted").out
    one = json.loads(listed)["listed"][0]
    event = {
        "event": "delivered",
        "email": one["email"],
        "timestamp": 1795079700,
        "sg_event_id": "abc",
        "dg_did": one["delivery"],
    }
    project.write("events.ndjson", f"{json.dumps([event])}\n{json.dumps([event])}\n")

    result = run("events", "import", "events.ndjson", "--json")

    assert result.code == 0
    assert json.loads(result.out)["stamped"] == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [("[]\n\nnope\n", "events.ndjson:3"), ("{nope", "events.ndjson"), ("", "events.ndjson")],
)
def test_what_is_no_event_is_told_with_its_place(project, run, text, place):  # type: ignore[no-untyped-def]
    run("subscribers", "import", "subscribers/list.csv", "--consent", "a test")
    project.write("events.ndjson", text)

    result = run("events", "import", "events.ndjson")

    assert result.code == 1
    assert f"error: {place}: " in result.err
