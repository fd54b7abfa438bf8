"""Real processes, really killed: nothing twice, nothing lost, unknown only what was in flight."""

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from digest.composer import delivery_id
from digest.store import Store
from digest.store.ledger.records import DeliveryState, IssueState
from tests.store.killed import progress, send_until_killed, sender, taken
from tests.store.sending import draft_of, find, frozen, readers, states

READERS, KILLS = 2500, 5


def url_of(store: Store) -> str:
    return store.database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def ready(store: Store, tmp_path: Path):  # type: ignore[no-untyped-def]
    """A planned issue of some thousands."""
    readers(store, READERS)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    return draft


def ids(store: Store, draft, state: DeliveryState) -> set[str]:  # type: ignore[no-untyped-def]
    rows = store.ledger.deliveries(find(store, draft).number, state)
    return {delivery_id(draft.issue.id, row.subscriber_id) for row in rows}


@pytest.mark.parametrize(("carrier", "in_flight"), [("outbox", 0), ("recording", 1)])
def test_kill_9_at_any_moment_hands_nothing_over_twice_and_loses_nothing(
    store: Store, tmp_path: Path, ready, carrier: str, in_flight: int
) -> None:  # type: ignore[no-untyped-def]
    chance = random.Random(carrier)
    for _ in range(KILLS):
        at = progress(tmp_path) + chance.randint(1, READERS // (KILLS + 1))
        assert not send_until_killed(url_of(store), tmp_path, carrier, at)
    assert send_until_killed(url_of(store), tmp_path, carrier, at=10 * READERS)

    counts = Counter(taken(tmp_path))
    submitted, unknown = (
        ids(store, ready, state) for state in (DeliveryState.SUBMITTED, DeliveryState.UNKNOWN)
    )
    assert max(counts.values()) == 1
    assert len(submitted) + len(unknown) == READERS
    assert submitted <= counts.keys() <= submitted | unknown
    assert len(unknown) <= KILLS * in_flight
    assert find(store, ready).state is IssueState.DONE


def test_two_senders_at_once_share_the_issue(store: Store, tmp_path: Path, ready) -> None:  # type: ignore[no-untyped-def]
    url = url_of(store)
    with (
        sender(url, tmp_path, "recording") as one,
        sender(url, tmp_path, "recording") as other,
    ):
        assert (one.wait(), other.wait()) == (0, 0)

    assert Counter(Counter(taken(tmp_path)).values()) == {1: READERS}
    assert states(store, ready) == {"submitted": READERS}


def test_one_of_two_senders_is_killed_and_the_next_run_settles_its_window(
    store: Store, tmp_path: Path, ready
) -> None:  # type: ignore[no-untyped-def]
    with sender(url_of(store), tmp_path, "recording") as other:
        send_until_killed(url_of(store), tmp_path, "recording", at=READERS // 3)
        assert other.wait() == 0
    assert send_until_killed(url_of(store), tmp_path, "recording", at=10 * READERS)

    assert max(Counter(taken(tmp_path)).values()) == 1
    settled = states(store, ready)
    assert sum(settled.values()) == READERS
    assert settled.get("unknown", 0) <= 1
    assert settled["submitted"] >= READERS - 1


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_what_is_in_flight(
    store: Store, tmp_path: Path, ready, stop: signal.Signals
) -> None:  # type: ignore[no-untyped-def]
    with sender(url_of(store), tmp_path, "recording") as process:
        while progress(tmp_path) < 20:
            time.sleep(0.002)
        process.send_signal(stop)
        assert process.wait() == 0

    settled = states(store, ready)
    assert set(settled) == {"planned", "submitted"}
    assert settled["submitted"] == len(taken(tmp_path)) < READERS
