"""Readers' marks move after a run, and count for other issues from the moment of the hand-over."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digest.desk import REACH, Desk
from digest.errors import Outcome
from digest.listing import Listing
from digest.models import Cadence, Window
from digest.sender.journal import Journal
from digest.store import Store
from digest.store.ledger import coverage
from digest.store.ledger.records import Closing, DeliveryState, Mark
from digest.tokens import Keys
from tests.invented import ISSUE
from tests.store.conftest import NOW
from tests.store.people import add
from tests.store.sending import Carrier, draft_of, find, frozen, readers, refused, send, states

READERS = 9


def marks(store: Store) -> list[object]:
    found = (store.subscriptions.find(f"reader{n}@example.com") for n in range(READERS))
    return [one and one.covered_until for one in found]


@pytest.fixture
def half_sent(store: Store, tmp_path: Path) -> Store:
    """All but the last were handed over, by a sender that was killed after its commit."""
    readers(store, READERS)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    issue, journal = find(store, draft), Journal(tmp_path / "journal", "carrier")
    claims = store.ledger.claims(issue.number, journal.owner)
    claim = claims.turn(None, NOW).claim
    assert claim is not None
    taken = [Mark(one.number, DeliveryState.SUBMITTED) for one in claim.deliveries[:-1]]
    claims.close(Closing(claim.held, tuple(taken)), NOW)
    journal.close()
    return store


def test_marks_are_due_after_a_commit_and_moved_before_the_next_plan(
    half_sent: Store, tmp_path: Path
) -> None:
    assert marks(half_sent) == [None] * READERS

    half_sent.ledger.settle_coverage()

    assert sorted(marks(half_sent), key=str) == [ISSUE.window.end] * (READERS - 1) + [None]


def test_an_issue_is_laid_out_when_all_marks_are_moved_and_looks_no_further_back_than_a_year(
    half_sent: Store, tmp_path: Path
) -> None:
    draft = draft_of(tmp_path)
    keys = Keys((b"a secret of sixteen bytes",))
    desk = Desk(draft.config, draft.content, Listing(), keys, half_sent, NOW)
    following = Window(ISSUE.window.end, ISSUE.window.end + timedelta(days=7))
    away = add(half_sent, "away@example.com")
    half_sent.subscriptions.cover([away], NOW - timedelta(days=900))

    laid_out = desk.lay_out(replace(ISSUE, id="weekly-2026-11-26", window=following))

    assert marks(half_sent).count(ISSUE.window.end) == READERS - 1
    assert laid_out.listing.reach == following.start - REACH


def test_marks_of_many_windows_are_moved_in_the_order_of_readers(
    half_sent: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "_FEW", 0)
    monkeypatch.setattr(coverage, "_CHUNK", 2)

    half_sent.ledger.settle_coverage()

    assert sorted(marks(half_sent), key=str) == [ISSUE.window.end] * (READERS - 1) + [None]


def test_who_may_have_got_an_issue_counts_as_reached(store: Store, tmp_path: Path) -> None:
    """Handed over without an answer: the next issue must not tell them the same again."""
    readers(store, READERS)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    journal = Journal(tmp_path / "journal", "carrier")
    claims = store.ledger.claims(find(store, draft).number, journal.owner)
    claim = claims.turn(None, NOW).claim
    assert claim is not None
    unknown = [Mark(one.number, DeliveryState.UNKNOWN) for one in claim.deliveries]
    claims.close(Closing(claim.held, tuple(unknown)), NOW)
    journal.close()

    store.ledger.settle_coverage()

    assert marks(store) == [ISSUE.window.end] * READERS


def test_what_another_issue_has_just_handed_over_is_not_repeated(
    store: Store, tmp_path: Path
) -> None:
    """Their marks are due and not moved yet: whoever claims looks into the ledger."""
    readers(store, READERS)
    other = replace(ISSUE, cadence=Cadence.MONTHLY, id="monthly-2026-11-19")
    weekly, monthly = draft_of(tmp_path), draft_of(tmp_path, issue=other)
    frozen(store, weekly)
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE subscriber SET cadence = 'monthly'")
    frozen(store, monthly)
    issue, journal = find(store, weekly), Journal(tmp_path / "journal", "carrier")
    claims = store.ledger.claims(issue.number, journal.owner)
    claim = claims.turn(None, NOW).claim
    assert claim is not None
    taken = [Mark(one.number, DeliveryState.SUBMITTED) for one in claim.deliveries]
    claims.close(Closing(claim.held, tuple(taken)), NOW)
    journal.close()

    carrier = Carrier()
    send(store, monthly, carrier, tmp_path)

    assert carrier.taken == []
    assert states(store, monthly) == {"suppressed": READERS}


def test_a_refused_reader_keeps_their_mark(store: Store, tmp_path: Path) -> None:
    readers(store, READERS)
    draft = draft_of(tmp_path)
    frozen(store, draft)

    send(store, draft, Carrier(reader4=refused(Outcome.PERMANENT)), tmp_path)

    assert [n for n, mark in enumerate(marks(store)) if mark is None] == [4]


def test_what_is_planned_again_while_others_are_in_hand_is_not_in_hand(
    store: Store, tmp_path: Path
) -> None:
    readers(store, READERS)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    number, journal = find(store, draft).number, Journal(tmp_path / "journal", "carrier")
    claims = store.ledger.claims(number, journal.owner)
    claim = claims.turn(None, NOW).claim
    assert claim is not None
    waiting = Mark(0, DeliveryState.PLANNED, reason="busy", retry_at=NOW + timedelta(minutes=1))
    claims.close(Closing(claim.held, (Mark(1, DeliveryState.FAILED, reason="no"), waiting)), NOW)
    again = claims.turn(None, NOW).claim
    assert again is not None

    store.ledger.operator.retry(number, NOW + timedelta(seconds=1))

    assert states(store, draft) == {"planned": 2, "claimed": READERS - 2}
    assert len(claims.claimed_in(again.held)) == READERS - 2
    journal.close()
