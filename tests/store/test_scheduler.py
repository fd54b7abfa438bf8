"""What is due goes out by itself, once, whatever the clock, the process or the operator does."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from itertools import islice, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest import config, providers
from digest.cadence import upcoming
from digest.config import Missed
from digest.models import Cadence, Window
from digest.scheduler.decision import Plan, Send
from digest.store import RequestKind, Store
from digest.store.ledger.records import IssueState, PlannedIssue
from tests.project import Project
from tests.store import sending
from tests.store.lists import take_in
from tests.store.scheduled import (
    HOUR,
    THURSDAY,
    WEEK,
    WEEKLY,
    issues,
    newsletter,
    posts,
    scheduler,
    ticks,
)
from tests.store.sending import Clock, readers

READERS = 5
DUBLIN = ZoneInfo("Europe/Dublin")
_DAY = re.compile(r'(?m)^(?:publishedAt|date|pubDate): *"?(\d{4}-\d\d-\d\d)')


@pytest.fixture
def at_work(store: Store, tmp_path: Path, carrier: sending.Carrier) -> Iterator[Clock]:
    """A store with readers, a post a week, and a clock just before the schedule begins."""
    readers(store, READERS)
    posts(tmp_path, THURSDAY - 3 * WEEK, 60)
    return Clock(THURSDAY - HOUR)


@pytest.fixture(params=["invented", "corpus"])
def days(request: pytest.FixtureRequest) -> list[date]:
    """The days of 52 weeks on which posts appeared."""
    if request.param == "invented":
        return [(THURSDAY + week * WEEK).date() for week in range(-1, 52)]
    folder = request.getfixturevalue("corpus") / "motyl-dev"
    texts = (path.read_text(errors="replace") for path in folder.rglob("*.md"))
    found = {date.fromisoformat(day) for text in texts for day in _DAY.findall(text)}
    return sorted(day for day in found if max(found) - day < 52 * WEEK)


def test_52_weeks_go_out_in_contiguous_windows_each_issue_and_each_story_once(
    sqlite_store: Store, tmp_path: Path, carrier: sending.Carrier, days: list[date]
) -> None:
    readers(sqlite_store, READERS)
    for day in days:
        Project(tmp_path).post(f"post-{day}", tags="#ai #kubernetes", published=f"{day}")
    configured = newsletter(tmp_path)
    weekday = days[-1] - timedelta(days=(days[-1].weekday() - 3) % 7) - 51 * WEEK
    first = datetime(weekday.year, weekday.month, weekday.day, 9, tzinfo=DUBLIN)
    clock = Clock((first - timedelta(hours=23)).astimezone(UTC))

    scheduler(configured, sqlite_store, clock).tick(WEEKLY)
    for due in islice(upcoming(configured.schedule[WEEKLY].due, DUBLIN, clock.now), 52):
        for clock.now in (due, due + timedelta(days=3)):  # each by a process of its own
            scheduler(configured, sqlite_store, clock).tick(WEEKLY)

    sent = issues(sqlite_store)
    assert {one.state for one in sent} == {IssueState.DONE}
    assert all(one.window.end == two.window.start for one, two in pairwise(sent))
    assert {f"{one.due.astimezone(DUBLIN):%a %H:%M}" for one in sent} == {"Thu 09:00"}
    told = Counter(name for one in sent for name in stories(sqlite_store, one))
    covered = Window(sent[0].window.start, sent[-1].window.end)
    assert set(told.values()) == {1}
    assert told.keys() == {
        f"post-{day}"
        for day in days
        if datetime(day.year, day.month, day.day, tzinfo=DUBLIN) in covered
    }
    issues_with_news = sum(bool(stories(sqlite_store, one)) for one in sent)
    kinds = 4  # of 5 readers follow one of the two tags of every post
    assert set(Counter(carrier.taken).values()) == {issues_with_news}
    assert len(carrier.taken) == kinds * issues_with_news


def stories(store: Store, issue: PlannedIssue) -> list[str]:
    """Those that an issue told."""
    return [one.id for one in store.ledger.contents(issue.number).stories if not one.omitted]


def test_a_second_tick_and_a_second_process_do_nothing_more(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    one, other = (scheduler(newsletter(tmp_path), store, at_work) for _ in range(2))
    one.tick(WEEKLY)
    at_work.now = THURSDAY
    first = one.tick(WEEKLY)

    assert [type(step) for step in first.steps] == [Plan, Send]
    assert other.tick(WEEKLY).steps == one.tick(WEEKLY).steps == []
    assert len(carrier.taken) == len(set(carrier.taken)) == 4


def test_nothing_that_was_due_before_goes_out_when_the_schedule_begins(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    at_work.now = THURSDAY + HOUR

    assert scheduler(newsletter(tmp_path), store, at_work).tick(WEEKLY).steps == []
    assert carrier.taken == []


def test_weeks_that_were_missed_are_in_the_next_issue(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    one = scheduler(newsletter(tmp_path), store, at_work)
    one.tick(WEEKLY)
    at_work.now = THURSDAY
    one.tick(WEEKLY)
    at_work.now = THURSDAY + 3 * WEEK + 13 * HOUR  # too late for the issue of that week
    skipped = one.tick(WEEKLY)
    at_work.now = THURSDAY + 4 * WEEK
    one.tick(WEEKLY)

    assert skipped.reasons == ("weekly-2026-01-22 was skipped: 13 h late, and 12 h is the limit",)
    first, last = issues(store)
    assert last.id == "weekly-2026-01-29"
    assert last.window.start == first.window.end == THURSDAY
    stories = [one.id for one in store.ledger.contents(last.number).stories if not one.omitted]
    assert len(stories) == 4


def test_another_hour_in_the_settings_leaves_no_gap(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    scheduler(newsletter(tmp_path), store, at_work).tick(WEEKLY)
    at_work.now = THURSDAY
    scheduler(newsletter(tmp_path), store, at_work).tick(WEEKLY)
    at_work.now = THURSDAY + WEEK + timedelta(days=2)
    later = newsletter(tmp_path, '[cadence.weekly]\nat = "sat 7:00"\n')
    scheduler(later, store, at_work).tick(WEEKLY)

    first, second = issues(store)
    assert second.id == "weekly-2026-01-10"
    assert second.window.start == first.window.end


def test_a_post_that_changes_before_anything_left_is_planned_anew(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    one = scheduler(newsletter(tmp_path), store, at_work)
    one.tick(WEEKLY)
    at_work.now = THURSDAY
    one._plan(one_due(one, store))
    Project(tmp_path).post("post-003", title="A better title", published="2026-01-01")
    done = one.tick(WEEKLY)

    assert not done.failed
    assert [issue.state for issue in issues(store)] == [IssueState.DONE]
    assert len(carrier.taken) == 3  # it has lost a tag


def test_what_the_checks_find_waits_for_an_editor(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    place = tmp_path / "content" / "post-003.md"
    place.write_text(place.read_text().replace("https://example.com", "https://localhost"))
    one = scheduler(newsletter(tmp_path), store, at_work)
    one.tick(WEEKLY)
    at_work.now = THURSDAY
    done = one.tick(WEEKLY)

    assert carrier.taken == []
    assert "waits for an editor's yes: 1 error (link/private)" in done.reasons[0]


def one_due(one, store: Store):  # type: ignore[no-untyped-def]
    from digest.planning import issue_of

    return issue_of(one.config, store, WEEKLY, one.now())


def test_an_outage_is_waited_out_by_later_ticks(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    one = scheduler(newsletter(tmp_path), store, at_work, outages=())
    one.tick(WEEKLY)
    away = providers.ProviderError("away", outcome=sending.Outcome.TEMPORARY)
    carrier.answers["reader1"] = away
    at_work.now = THURSDAY
    failed = one.tick(WEEKLY)
    carrier.answers.clear()
    at_work.now += HOUR
    mended = one.tick(WEEKLY)

    assert (failed.failed, mended.failed) == (True, False)
    assert len(carrier.taken) == len(set(carrier.taken)) == 4


def test_an_issue_that_the_breaker_paused_goes_on_only_when_a_person_says_so(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    configured = newsletter(tmp_path)
    strict = replace(configured, restraint=config.Restraint(rate=1, stop_after=1))
    one = scheduler(strict, store, at_work)
    one.tick(WEEKLY)
    carrier.answers["reader0"] = sending.refused(sending.Outcome.PERMANENT)
    at_work.now = THURSDAY
    assert one.tick(WEEKLY).failed
    at_work.now += HOUR
    assert one.tick(WEEKLY).steps == []

    (paused,) = issues(store)
    assert paused.state is IssueState.PAUSED
    store.ledger.operator.resume(paused.number)
    carrier.answers.clear()
    one.tick(WEEKLY)
    assert [issue.state for issue in issues(store)] == [IssueState.DONE]
    assert len(carrier.taken) == len(set(carrier.taken)) == 3  # and one was refused


def test_a_paused_cadence_plans_nothing_and_goes_on_when_resumed(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    one = scheduler(newsletter(tmp_path), store, at_work)
    store.schedule.pause(WEEKLY, "holidays", at_work.now)
    at_work.now = THURSDAY
    assert one.tick(WEEKLY).reasons == ("paused: holidays",)
    store.schedule.resume(WEEKLY)
    at_work.now += HOUR

    assert [type(step) for step in one.tick(WEEKLY).steps] == [Plan, Send]


def test_deliveries_refused_for_now_are_tried_again_by_later_ticks(
    store: Store, tmp_path: Path, at_work: Clock, carrier: sending.Carrier
) -> None:
    one = scheduler(newsletter(tmp_path), store, at_work)
    one.tick(WEEKLY)
    carrier.answers["reader0"] = sending.refused(sending.Outcome.TEMPORARY, wait=3600.0)
    at_work.now = THURSDAY
    one.tick(WEEKLY)
    waits = one.tick(WEEKLY)
    carrier.answers.clear()
    at_work.now = THURSDAY + 3 * HOUR
    one.tick(WEEKLY)

    assert "goes on at" in waits.reasons[0]
    assert sorted(carrier.taken) == sorted(set(carrier.taken))
    assert [issue.state for issue in issues(store)] == [IssueState.DONE]


def test_daily_and_weekly_newsletters_go_out_side_by_side(
    sqlite_store: Store, tmp_path: Path, carrier: sending.Carrier
) -> None:
    readers(sqlite_store, READERS)
    posts(tmp_path, THURSDAY - WEEK, 14, timedelta(days=1))
    both = newsletter(tmp_path, "[cadence.daily]\n[cadence.weekly]\n")
    clock = Clock(THURSDAY - HOUR)
    one = scheduler(both, sqlite_store, clock)

    for _ in ticks(one, clock, THURSDAY + WEEK, 4 * HOUR):
        pass

    assert len(issues(sqlite_store, Cadence.DAILY)) == 7
    assert len(issues(sqlite_store)) == 1


@pytest.mark.parametrize("missed", [Missed.SKIP, Missed.ASK])
def test_missed_issues_are_skipped_or_asked_about(
    sqlite_store: Store, tmp_path: Path, carrier: sending.Carrier, missed: Missed
) -> None:
    readers(sqlite_store, READERS)
    posts(tmp_path, THURSDAY - 3 * WEEK, 5)
    clock = Clock(THURSDAY - HOUR)
    cadence = f'[cadence.weekly]\nmissed = "{missed}"\n'
    one = scheduler(newsletter(tmp_path, cadence), sqlite_store, clock)
    one.tick(WEEKLY)
    clock.now = THURSDAY + HOUR
    done = one.tick(WEEKLY)

    assert carrier.taken == []
    assert {Missed.SKIP: "was skipped", Missed.ASK: "waits for"}[missed] in done.reasons[0]


def test_what_nobody_confirmed_in_time_is_forgotten(
    sqlite_store: Store, tmp_path: Path, carrier: sending.Carrier
) -> None:
    clock = Clock(THURSDAY)
    one = scheduler(newsletter(tmp_path), sqlite_store, clock)
    asked = sqlite_store.requests.ask(RequestKind.LINK, "ana@example.com", THURSDAY)

    clock.now += timedelta(days=7)
    one.tick(WEEKLY)
    assert sqlite_store.requests.find(asked.id)
    clock.now += HOUR
    one.tick(WEEKLY)
    assert sqlite_store.requests.find(asked.id) is None


ZONES = ("Pacific/Auckland", "Europe/Dublin", "America/Los_Angeles", "Nowhere/Atlantis", "")


@pytest.fixture
def around_the_world(store: Store, tmp_path: Path, carrier: sending.Carrier) -> Clock:
    """Readers in several zones, of whom one names none and one a zone that is not known."""
    rows = "".join(f"reader{n}@example.com,*,{zone}\n" for n, zone in enumerate(ZONES))
    take_in(store, f"email,tags,timezone\n{rows}")
    posts(tmp_path, THURSDAY - 3 * WEEK, 6)
    return Clock(THURSDAY - WEEK)


def test_an_issue_in_local_time_is_released_zone_by_zone(
    store: Store, tmp_path: Path, carrier: sending.Carrier, around_the_world: Clock
) -> None:
    clock = around_the_world
    local = newsletter(tmp_path, "[cadence.weekly]\nlocal_time = true\n")
    one = scheduler(local, store, clock)
    one.tick(WEEKLY)
    got: dict[str, datetime] = {}
    clock.now = THURSDAY - timedelta(hours=14, minutes=1)
    while clock.now < THURSDAY + 14 * HOUR:
        scheduler(local, store, clock).tick(WEEKLY)
        for address in carrier.taken:
            got.setdefault(address, clock.now)
        clock.now += timedelta(minutes=30)

    assert len(carrier.taken) == len(set(carrier.taken)) == len(got)
    for address, moment in got.items():
        zone = ZoneInfo(ZONES[int(address[6])] or "Europe/Dublin")
        assert timedelta(0) <= moment.astimezone(zone) - nine(zone) < HOUR
    assert [issue.state for issue in issues(store)] == [IssueState.DONE]
    assert issues(store)[0].window.end == THURSDAY - 14 * HOUR  # where Thursday begins first


def nine(zone: ZoneInfo) -> datetime:
    """Of that Thursday, there."""
    return datetime(2026, 1, 1, 9, tzinfo=zone)


def test_each_message_is_dated_when_it_was_released(
    store: Store, tmp_path: Path, carrier: sending.Carrier, around_the_world: Clock
) -> None:
    clock, dates = around_the_world, {}
    local = newsletter(tmp_path, "[cadence.weekly]\nlocal_time = true\n")
    scheduler(local, store, clock).tick(WEEKLY)
    hand_over = carrier.hand_over

    def noted(batch):  # type: ignore[no-untyped-def]
        for reader in batch.readers:
            message = message_from_bytes(batch.message(reader), policy=policy.default)
            dates[reader.address] = message["Date"].datetime
        return hand_over(batch)

    carrier.hand_over = noted  # type: ignore[method-assign]
    for hours in range(-14, 13):
        clock.now = THURSDAY + hours * HOUR
        scheduler(local, store, clock).tick(WEEKLY)

    assert len(dates) == len(carrier.taken) > 3
    for address, dated in dates.items():
        assert dated == nine(ZoneInfo(ZONES[int(address[6])] or "Europe/Dublin"))


def test_trying_failed_deliveries_again_releases_no_zone_early(
    store: Store, tmp_path: Path, carrier: sending.Carrier, around_the_world: Clock
) -> None:
    clock = around_the_world
    local = newsletter(tmp_path, "[cadence.weekly]\nlocal_time = true\n")
    one = scheduler(local, store, clock)
    one.tick(WEEKLY)
    carrier.answers["reader0"] = sending.refused(sending.Outcome.PERMANENT)
    clock.now = THURSDAY - 13 * HOUR  # nine in Auckland
    one.tick(WEEKLY)
    carrier.answers.clear()
    (planned,) = issues(store)
    assert store.ledger.operator.retry(planned.number, clock.now) == 1
    one.tick(WEEKLY)

    assert carrier.taken == ["reader0@example.com"]
