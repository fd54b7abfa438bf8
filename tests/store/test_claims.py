"""A window of deliveries, as its own sender and as another one sees it."""

from datetime import timedelta
from pathlib import Path

import pytest

from digest.sender.journal import Journal
from digest.store import Store
from digest.store.ledger.records import Closing, DeliveryState, Mark
from tests.store.conftest import NOW
from tests.store.sending import draft_of, find, frozen, readers

READERS = 3


@pytest.fixture
def number(store: Store, tmp_path: Path) -> int:
    """Of an issue for three readers."""
    readers(store, READERS)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    return find(store, draft).number


def owner(root: Path):  # type: ignore[no-untyped-def]
    journal = Journal(root, "carrier")
    journal.close()
    return journal.owner


def test_a_window_is_its_senders_own_and_anothers_to_everybody_else(
    store: Store, tmp_path: Path, number: int
) -> None:
    one, other = (store.ledger.claims(number, owner(tmp_path / name)) for name in "ab")
    claim = one.turn(None, NOW).claim

    assert claim is not None
    assert one.held_by_others() == []
    assert other.held_by_others() == [claim.held]


def test_a_delivery_that_was_tried_before_is_in_hand_for_the_second_time(
    store: Store, tmp_path: Path, number: int
) -> None:
    claims = store.ledger.claims(number, owner(tmp_path / "a"))
    first = claims.turn(None, NOW).claim
    assert first is not None
    tried = [one.attempts for one in claims.claimed_in(first.held)]
    again = NOW + timedelta(minutes=1)
    deferred = [
        Mark(one.number, DeliveryState.PLANNED, reason="busy", retry_at=again)
        for one in first.deliveries
    ]
    second = claims.turn(Closing(first.held, tuple(deferred)), again).claim

    assert second is not None
    assert tried == [1] * READERS
    assert [one.attempts for one in claims.claimed_in(second.held)] == [2] * READERS
