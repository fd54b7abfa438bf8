"""How things stand: what runs, how fast, and how far behind the schedule it is."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from digest.errors import Outcome
from digest.models import SuppressionReason
from digest.scheduler import Pulse, Survey, survey
from digest.store import Store
from digest.store.ledger.records import DeliveryState, IssueState
from tests.store import sending
from tests.store.scheduled import (
    HOUR,
    THURSDAY,
    WEEK,
    WEEKLY,
    issues,
    newsletter,
    posts,
    scheduler,
)
from tests.store.sending import Clock, readers

APPROVED = '[cadence.weekly]\nat = "thu 09:00"\napprove = true\n'
NOTHING = timedelta(0)


@pytest.fixture
def at_work(store: Store, tmp_path: Path, carrier: sending.Carrier) -> Clock:
    """A store with readers and posts, just before the schedule begins."""
    readers(store, 5)
    posts(tmp_path, THURSDAY - 3 * WEEK, 10)
    return Clock(THURSDAY - HOUR)


def looked(store: Store, root: Path, clock: Clock, cadences: str = "") -> Survey:
    configured = newsletter(root, cadences) if cadences else newsletter(root)
    return survey(configured, store, clock())


def behind(found: Survey) -> timedelta:
    return found.rhythms[0].behind


def test_before_anything_goes_out_by_itself(store, tmp_path, at_work):
    found = looked(store, tmp_path, at_work)

    (weekly,) = found.rhythms
    assert (weekly.by_itself, weekly.behind, weekly.coming.id) == (
        False,
        NOTHING,
        "weekly-2026-01-01",
    )
    assert found.issues == ()
    assert found.subscribers == {"confirmed": 5}
    assert store.schedule.standing(WEEKLY) is None  # looking begins nothing


def test_an_issue_that_went_out_is_counted_and_nothing_is_behind(store, tmp_path, at_work):
    one = scheduler(newsletter(tmp_path), store, at_work)
    one.tick(WEEKLY)
    at_work.now = THURSDAY
    one.tick(WEEKLY)

    found = looked(store, tmp_path, at_work)

    (sent,) = found.issues
    assert sent.issue.state is IssueState.DONE
    assert sent.progress.states[DeliveryState.SUBMITTED] == sent.progress.lately == 4
    assert sent.left == 0
    assert sent.remaining is None
    assert behind(found) == NOTHING
    assert found.senders == 0
    at_work.now += timedelta(minutes=2)
    assert looked(store, tmp_path, at_work).issues[0].progress.lately == 0


def test_an_issue_of_zones_is_not_through_before_the_last_one(store, tmp_path, carrier):
    list_of = "email,tags,timezone\na@example.com,*,Asia/Tokyo\nb@example.com,*,America/New_York\n"
    sending.take_in(store, list_of)
    posts(tmp_path, THURSDAY - 3 * WEEK, 10)
    local = newsletter(tmp_path, "[cadence.weekly]\nlocal_time = true\n")
    clock = Clock(THURSDAY - 24 * HOUR)
    one = scheduler(local, store, clock)
    one.tick(WEEKLY)
    clock.now = THURSDAY - 9 * HOUR  # nine in Tokyo
    one.tick(WEEKLY)

    (sent,) = survey(local, store, clock()).issues
    assert (sent.progress.lately, sent.left) == (1, 1)
    assert sent.remaining == 14 * HOUR  # nine in New York
    clock.now += HOUR
    assert survey(local, store, clock()).issues[0].remaining == 13 * HOUR


def test_an_issue_that_is_due_and_not_out_is_behind(store, tmp_path, at_work):
    scheduler(newsletter(tmp_path), store, at_work).tick(WEEKLY)

    at_work.now = THURSDAY
    assert behind(looked(store, tmp_path, at_work)) == NOTHING
    at_work.now = THURSDAY + 3 * HOUR
    assert behind(looked(store, tmp_path, at_work)) == 3 * HOUR


def test_what_somebody_decided_against_is_not_behind(store, tmp_path, at_work):
    one = scheduler(newsletter(tmp_path), store, at_work)
    one.tick(WEEKLY)
    at_work.now = THURSDAY + 13 * HOUR  # over the limit: it is skipped
    one.tick(WEEKLY)
    assert behind(looked(store, tmp_path, at_work)) == NOTHING

    store.schedule.pause(WEEKLY, "holidays", at_work())
    at_work.now = THURSDAY + WEEK + HOUR
    found = looked(store, tmp_path, at_work)
    assert behind(found) == NOTHING
    assert found.rhythms[0].waits == ("paused: holidays",)


def test_what_waits_for_a_person_is_behind(store, tmp_path, at_work, carrier):
    one = scheduler(newsletter(tmp_path, APPROVED), store, at_work)
    one.tick(WEEKLY)
    at_work.now = THURSDAY + HOUR

    found = looked(store, tmp_path, at_work, APPROVED)
    assert behind(found) == HOUR
    assert "waits for an editor's yes" in found.rhythms[0].waits[0]


def test_an_issue_that_is_paused_says_why_and_its_readers_wait(store, tmp_path, at_work):
    scheduler(newsletter(tmp_path, APPROVED), store, at_work).tick(WEEKLY)
    (issue,) = issues(store)
    store.ledger.operator.pause(issue.number, "a typing error")
    at_work.now = THURSDAY + HOUR

    found = looked(store, tmp_path, at_work, APPROVED)
    assert behind(found) == HOUR
    assert found.rhythms[0].waits == (f"{issue.id} is paused: a typing error",)


def test_what_is_unknown_is_counted(store, tmp_path, at_work, carrier):
    one = scheduler(newsletter(tmp_path), store, at_work)
    one.tick(WEEKLY)
    at_work.now = THURSDAY
    carrier.answers = {f"reader{n}": sending.refused(Outcome.UNKNOWN) for n in (0, 1)}
    one.tick(WEEKLY)

    found = looked(store, tmp_path, at_work)
    assert found.unknown == 2
    assert behind(found) == NOTHING  # nothing is left to do by itself


def test_refused_for_now_is_not_behind_until_its_next_attempt(store, tmp_path, at_work, carrier):
    one = scheduler(newsletter(tmp_path), store, at_work)
    one.tick(WEEKLY)
    at_work.now = THURSDAY
    carrier.answers = {"reader0": sending.refused(Outcome.TEMPORARY, wait=3600.0)}
    one.tick(WEEKLY)

    found = looked(store, tmp_path, at_work)
    assert (found.issues[0].issue.state, found.issues[0].left) == (IssueState.SENDING, 1)
    assert behind(found) == NOTHING
    at_work.now = THURSDAY + 2 * HOUR
    assert timedelta(minutes=50) < behind(looked(store, tmp_path, at_work)) <= HOUR


def test_suppressions_are_counted_by_reason(store, tmp_path, at_work):
    for name in ("a", "b"):
        store.suppressions.add(f"{name}@example.com", SuppressionReason.MANUAL, at_work(), "a test")

    assert looked(store, tmp_path, at_work).suppressions == {"manual": 2}


def test_a_schedule_is_alive_while_it_ticks_or_has_lately():
    clock = Clock()
    pulse = Pulse(clock)
    clock.now += timedelta(days=1)
    assert pulse.alive  # none runs here

    pulse.beat()
    clock.now += timedelta(minutes=2)
    assert pulse.alive
    with pulse.ticking():
        clock.now += timedelta(minutes=14)
        assert pulse.alive
        clock.now += timedelta(minutes=2)
        assert not pulse.alive
        pulse.beat()
        assert pulse.alive
    clock.now += timedelta(minutes=4)
    assert not pulse.alive


def test_a_tick_that_hangs_is_noticed_though_other_cadences_go_on():
    clock = Clock()
    pulse, done = Pulse(clock), threading.Event()
    hanging = threading.Event()

    def hang():
        with pulse.ticking():
            hanging.set()
            done.wait(20)

    thread = threading.Thread(target=hang)
    thread.start()
    assert hanging.wait(20)
    clock.now += timedelta(minutes=16)
    with pulse.ticking():
        assert not pulse.alive
    done.set()
    thread.join(20)
    assert pulse.alive


def test_a_scheduler_beats_and_tells_what_batches_took(store, tmp_path, at_work):
    seen = []
    pulse = Pulse(at_work)
    one = scheduler(
        newsletter(tmp_path), store, at_work, pulse=pulse, observe=lambda *batch: seen.append(batch)
    )
    one.tick(WEEKLY)
    at_work.now = THURSDAY
    one.tick(WEEKLY)

    assert pulse.last == THURSDAY
    assert sum(deliveries for _, deliveries, _ in seen) == 4
    assert all(provider == "carrier" and seconds >= 0 for provider, _, seconds in seen)
