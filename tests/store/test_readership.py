"""The readers of an issue, from the store as from the files."""

from collections import Counter
from datetime import timedelta

import pytest

from digest.models import Cadence, Issue, Preferences, Window
from digest.readership import StoredReaders
from digest.store import SuppressionReason
from tests.store.conftest import CONSENT, NOW

ISSUE = Issue("weekly-2026-11-19", Cadence.WEEKLY, Window(NOW - timedelta(days=7), NOW), NOW)


@pytest.fixture
def join(store):
    """Adds one confirmed person; gives their id."""

    def join(email: str, **wishes) -> int:
        cadence = wishes.pop("cadence", Cadence.WEEKLY)
        added = store.subscriptions.add(
            email, CONSENT, NOW, preferences=Preferences(**wishes), cadence=cadence
        )
        return added.subscriber.id

    return join


def due(store) -> tuple[dict[str, Preferences], dict[str, int]]:
    skipped: Counter[str] = Counter()
    found = {one.email: one.preferences for one in StoredReaders(store).due(ISSUE, skipped)}
    return found, dict(skipped)


def test_the_due_are_streamed_with_their_wishes(store, join):
    join("ana@example.com", tags=("ai", "Open-Source"), muted=("crypto",), languages=("en",))
    join("bo@example.com", everything=True)

    found, skipped = due(store)

    assert found["ana@example.com"].languages == ("en",)
    assert set(found["ana@example.com"].tags) == {"ai", "Open-Source"}
    assert found["ana@example.com"].muted == ("crypto",)
    assert found["bo@example.com"] == Preferences(everything=True)
    assert skipped == {}


def test_everyone_else_is_counted_by_reason(store, join):
    join("monthly@example.com", everything=True, cadence=Cadence.MONTHLY)
    store.subscriptions.pause(join("paused@example.com"), NOW + timedelta(days=1), NOW)
    store.subscriptions.unsubscribe(join("left@example.com"), NOW, "test")
    join("bounced@example.com")
    store.suppressions.add("bounced@example.com", SuppressionReason.BOUNCED, NOW, "test")

    found, skipped = due(store)

    assert found == {}
    assert skipped["monthly, not due"] == 1
    assert skipped["paused"] == 1
    assert sum(skipped.values()) == 4


def test_equal_wishes_are_one_object_so_that_selections_are_made_once(store, join):
    join("ana@example.com", tags=("ai",))
    join("bo@example.com", tags=("ai",))

    first, second = due(store)[0].values()

    assert first is second


def test_finding_says_what_keeps_somebody_from_being_mailed(store, join):
    store.subscriptions.pause(join("ana@example.com"), NOW + timedelta(days=12), NOW)
    join("bo@example.com")

    readers = StoredReaders(store)

    assert readers.find("ANA@example.com", NOW).obstacle == "paused until 2026-12-01"
    assert readers.find("ANA@example.com", NOW + timedelta(days=12)).obstacle == ""
    assert readers.find("bo@example.com", NOW).obstacle == ""
    assert readers.find("nobody@example.com", NOW) is None


def test_somebody_who_left_has_that_as_the_obstacle(store, join):
    store.subscriptions.unsubscribe(join("ana@example.com"), NOW, "test")

    assert "unsubscribed" in StoredReaders(store).find("ana@example.com", NOW).obstacle


def test_plan_and_explain_read_the_store_once_there_is_one(project, run):
    run("subscribers", "import", "subscribers/list.csv", "--consent", "test")
    run("subscribers", "unsubscribe", "bo@example.com")
    project.write("subscribers/list.csv", "email\nnew@example.com\n")

    plan = run("plan", "--at", "2026-11-20")

    assert "2 of 5 get a digest" in plan.out
    assert "unsubscribed" in plan.out
    assert "gets nothing at all" in run("explain", "bo@example.com", "--at", "2026-11-20").err
    assert "not among the subscribers" in run("explain", "new@example.com").err
