"""Who writes at the same time on PostgreSQL waits for the other, and neither is turned away."""

import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
import sqlalchemy as sa

from digest.composer import delivery_id
from digest.errors import Outcome, StoreError
from digest.events import Cause, Event, Kind
from digest.issues import Draft
from digest.store import Store
from digest.store.ledger.places import place_name
from digest.store.ledger.schema import claim_window, delivery, issue
from digest.store.records import EventKind
from digest.store.schema import subscriber
from tests.store.conftest import NOW, SECRETS
from tests.store.sending import Carrier, draft_of, find, frozen, readers, refused, send

READERS, ROUNDS, EVENTS = 1200, 12, 400
UNKNOWN = {f"reader{n}": refused(Outcome.UNKNOWN, "no answer") for n in range(0, READERS, 40)}


@pytest.fixture
def store(postgresql_url: str) -> Iterator[Store]:
    """A store whose server looks for deadlocks after 20 ms, and not after a second."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '20ms'")  # type: ignore[arg-type]
    with Store.open(postgresql_url, SECRETS) as opened:
        yield opened


@pytest.fixture
def draft(store: Store, tmp_path: Path) -> Draft:
    """An issue of a thousand deliveries, planned."""
    readers(store, READERS)
    made = draft_of(tmp_path)
    frozen(store, made)
    return made


def told_of(store: Store, draft: Draft) -> list[Event]:
    """One event for each delivery."""
    query = (
        sa.select(delivery.c.issue_number, delivery.c.number, subscriber.c.id, subscriber.c.email)
        .join(subscriber, subscriber.c.id == delivery.c.subscriber_id)
        .order_by(delivery.c.number)
    )
    with store.database.reading() as connection:
        return [
            Event(
                Kind.DELIVERED,
                delivery_id(draft.issue.id, row.id),
                row.email,
                NOW,
                "",
                place=place_name(row.issue_number, row.number),
            )
            for row in connection.execute(query)
        ]


def hears(store: Store, told: list[Event], seed: int) -> Callable[[], int]:
    """Any of them again and again: of any kind, in any order, each time of an earlier moment."""
    chance = random.Random(seed)

    def one(n: int, event: Event) -> Event:
        kind = chance.choice([Kind.DELIVERED, Kind.DEFERRED, Kind.BLOCKED, Kind.COMPLAINED])
        at = NOW - timedelta(seconds=n)
        return event._replace(kind=kind, at=at, event_id=f"{seed} {n} {kind}", cause=Cause.SENDER)

    def run() -> int:
        return sum(
            store.hearing.hear(
                [one(n, event) for event in chance.sample(told, EVENTS)], NOW, "test"
            ).stamped
            for n in range(ROUNDS)
        )

    return run


def sends(store: Store, draft: Draft, folder: Path) -> Callable[[], int]:
    """Hands the issue over again and again, as if it had just been planned."""

    def again() -> int:
        with store.database.writing() as connection:
            connection.execute(sa.update(issue).values(state="planned"))
            connection.execute(sa.update(claim_window).values(state="open"))
            everything = sa.select(delivery.c.number).order_by(delivery.c.number)
            connection.execute(everything.with_for_update())
            connection.execute(sa.update(delivery).values(state="planned", attempts=0))
        return send(store, draft, Carrier(**UNKNOWN), folder).answered  # type: ignore[arg-type]

    return lambda: sum(again() for _ in range(ROUNDS // 2))


def test_webhooks_and_a_sender_write_the_same_deliveries_at_once(
    store: Store, draft: Draft, tmp_path: Path
) -> None:
    told = told_of(store, draft)
    work = [hears(store, told, 1), hears(store, told, 2), sends(store, draft, tmp_path)]

    with ThreadPoolExecutor(len(work)) as pool:
        done = [each.result() for each in [pool.submit(one) for one in work]]

    assert all(done)
    assert facts(store, draft)["complained"] > READERS / 2


def test_a_transaction_that_ends_in_a_deadlock_is_done_again(store: Store, draft: Draft) -> None:
    meet = Barrier(2)
    attempts: list[int] = []

    def both(first: int, second: int) -> int:
        def work(connection: sa.Connection) -> int:
            attempts.append(first)
            for place in (first, second):
                this = delivery.c.number == place
                connection.execute(sa.update(delivery).where(this).values(reason=str(first)))
                if place == first and attempts.count(first) == 1:
                    meet.wait(30)  # each has what the other wants
            return first

        return store.database.commit(work)

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(both, 1, 2), pool.submit(both, 2, 1)]

        assert [one.result() for one in done] == [1, 2]
    assert len(attempts) == 3


def test_whatever_else_ends_a_transaction_is_not_done_again(store: Store) -> None:
    attempts = []

    def work(connection: sa.Connection) -> None:
        attempts.append(1)
        connection.exec_driver_sql("SELECT 1 / 0")

    with pytest.raises(StoreError):
        store.database.commit(work)
    assert len(attempts) == 1


def test_a_reader_may_change_their_wishes_while_a_complaint_is_heard(
    store: Store, draft: Draft
) -> None:
    """Both write the reader's history, whose lines are numbered."""
    told = told_of(store, draft)[:150]
    people = [store.subscriptions.find(event.address) for event in told]
    meet = Barrier(2)

    def pauses() -> None:
        for found in filter(None, people):
            meet.wait(10)
            store.subscriptions.pause(found.subscriber.id, NOW + timedelta(days=30), NOW)

    def complains() -> None:
        for n, event in enumerate(told):
            complaint = event._replace(kind=Kind.COMPLAINED, event_id=f"c{n}")
            meet.wait(10)
            store.hearing.hear([complaint], NOW, "test")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(pauses), pool.submit(complains)]:
            done.result()

    for found in filter(None, people):
        kinds = [line.kind for line in store.subscriptions.history(found.subscriber.id)]
        assert {EventKind.SUPPRESSED, EventKind.PAUSED} <= set(kinds)


def facts(store: Store, draft: Draft) -> Mapping[str, int]:
    return store.ledger.totals(find(store, draft).number).facts
