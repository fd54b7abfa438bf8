"""Due moments and windows: contiguous in every zone, across every clock change."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise, product, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.cadence import (
    FIRST,
    chosen_release,
    fitting,
    issue_due,
    last_due,
    next_due,
    release,
    upcoming,
    wanted_due,
    windows,
)
from digest.models import Cadence, Chosen, Due

DUBLIN = ZoneInfo("Europe/Dublin")
THURSDAY = Due(9, 0, weekday=3)

NAMES = sorted(available_timezones() - {"localtime"})
zones = st.sampled_from(NAMES).map(ZoneInfo)
dues = st.one_of(
    st.builds(Due, st.integers(0, 23), st.integers(0, 59)),
    st.builds(Due, st.integers(0, 23), st.integers(0, 59), weekday=st.integers(0, 6)),
    st.builds(Due, st.integers(0, 23), st.integers(0, 59), day=st.integers(1, 28)),
)
moments = st.builds(
    lambda seconds: datetime.fromtimestamp(seconds, UTC),
    st.integers(631_152_000, 2_114_380_800),  # 1990 to 2037
)


def test_an_issue_covers_the_week_that_ends_at_its_due_moment():
    issue = issue_due(Cadence.WEEKLY, THURSDAY, DUBLIN, datetime(2026, 11, 23, 12, tzinfo=UTC))

    assert issue.id == "weekly-2026-11-19"
    assert issue.window.start == datetime(2026, 11, 12, 9, tzinfo=UTC)
    assert issue.window.end == datetime(2026, 11, 19, 9, tzinfo=UTC)


def test_an_issue_is_due_at_its_very_moment():
    due = datetime(2026, 11, 19, 9, tzinfo=UTC)

    assert last_due(THURSDAY, DUBLIN, due) == due
    assert last_due(THURSDAY, DUBLIN, due - timedelta(microseconds=1)) < due


def test_the_window_over_a_clock_change_keeps_the_hour_on_the_wall():
    issue = issue_due(Cadence.WEEKLY, THURSDAY, DUBLIN, datetime(2026, 10, 30, tzinfo=UTC))

    assert issue.window.start.hour == 8  # summer time
    assert issue.window.end.hour == 9


def test_a_time_that_the_clocks_skip_is_due_once():
    day_of_change = datetime(2026, 3, 29, tzinfo=UTC)  # Berlin jumps from 02:00 to 03:00
    berlin, half_past_two = ZoneInfo("Europe/Berlin"), Due(2, 30)

    due = next_due(half_past_two, berlin, day_of_change)

    assert due == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert next_due(half_past_two, berlin, due) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_time_that_happens_twice_is_due_the_first_time_only():
    berlin, half_past_two = ZoneInfo("Europe/Berlin"), Due(2, 30)

    due = next_due(half_past_two, berlin, datetime(2026, 10, 25, tzinfo=UTC))

    assert due == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_due(half_past_two, berlin, due) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@settings(deadline=None)
@given(dues, zones, moments)
def test_windows_touch_and_never_overlap_in_any_zone(due, zone, now):
    past = list(islice(windows(due, zone, now), 6))

    assert all(later.start == earlier.end for later, earlier in pairwise(past))
    assert all(window.start < window.end for window in past)
    assert past[0].end <= now < next_due(due, zone, now)


@settings(deadline=None)
@given(dues, zones, moments)
def test_no_due_moment_lies_between_the_last_and_the_next(due, zone, now):
    last, coming = last_due(due, zone, now), next_due(due, zone, now)

    assert next_due(due, zone, last) == coming
    assert last_due(due, zone, coming - timedelta(microseconds=1)) == last


def test_an_issue_covers_what_missed_ones_would_have():
    missed_two = datetime(2026, 10, 29, 9, tzinfo=UTC)
    issue = issue_due(
        Cadence.WEEKLY, THURSDAY, DUBLIN, datetime(2026, 11, 19, 9, tzinfo=UTC), missed_two
    )

    assert issue.window.start == missed_two
    assert issue.window.end == datetime(2026, 11, 19, 9, tzinfo=UTC)


@pytest.mark.parametrize("name", NAMES)
def test_every_zone_is_due_once_a_day_over_both_clock_changes(name):
    """02:30 is what most changes skip or repeat; a day that a zone left out has no issue."""
    zone, half_past_two = ZoneInfo(name), Due(2, 30)
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    moments = list(takewhile(lambda due: due < end, upcoming(half_past_two, zone, start)))

    days = Counter(moment.astimezone(zone).date() for moment in moments)
    assert set(days.values()) == {1}
    assert len(days) in (365, 366)
    for moment in moments:  # at half past two, or as long after the change as it skips
        clock = moment.astimezone(zone)
        assert (clock.minute + 60 * clock.hour - 150) in (0, 30, 60, 120)


@given(dues, zones, moments)
def test_every_zone_gets_an_issue_once_at_its_hour_on_the_day_of_the_issue(due, zone, now):
    closed = last_due(due, FIRST, now)

    released = release(due, closed, zone)

    assert closed <= released <= closed + timedelta(hours=27)
    following = release(due, next_due(due, FIRST, closed), zone)
    assert released <= following
    day = closed.astimezone(FIRST).date()
    clock = released.astimezone(zone)
    assert clock.date() - day in (timedelta(0), timedelta(days=1))  # a skipped day is made up for


def test_readers_around_the_world_get_a_thursday_issue_on_their_thursday_morning():
    closed = last_due(THURSDAY, FIRST, datetime(2026, 11, 20, tzinfo=UTC))
    places = ("Pacific/Auckland", "Europe/Dublin", "America/Los_Angeles", "Pacific/Honolulu")

    moments = [release(THURSDAY, closed, ZoneInfo(place)) for place in places]

    assert closed == datetime(2026, 11, 18, 19, tzinfo=UTC)
    assert moments == sorted(moments)
    for moment, place in zip(moments, places, strict=True):
        assert f"{moment.astimezone(ZoneInfo(place)):%a %H:%M}" == "Thu 09:00"


choices = st.builds(
    Chosen, st.none() | st.integers(-1, 40), st.none() | st.integers(-1, 40)
)  # also what no form offers


@given(dues, choices, zones, zones, moments)
@settings(max_examples=300)
def test_a_chosen_hour_gives_one_moment_an_issue_always_before_the_next_issue(
    due, choice, closing, zone, now
):
    cadence = cadence_of(due)
    wanted = wanted_due(due, fitting(choice, cadence))
    closed = last_due(due, closing, now)
    following = next_due(due, closing, closed)

    moment = chosen_release(wanted, due, closing, closed, zone)

    assert closed <= moment < following
    assert moment < chosen_release(wanted, due, closing, following, zone)
    if moment != last_due(wanted, zone, moment):  # a clock change left no such hour
        assert moment == closed
        assert closed - last_due(wanted, zone, closed) <= timedelta(hours=26)


def cadence_of(due: Due) -> Cadence:
    if due.weekday is not None:
        return Cadence.WEEKLY
    return Cadence.DAILY if due.day is None else Cadence.MONTHLY


@pytest.mark.parametrize("closing", [DUBLIN, FIRST, ZoneInfo("America/New_York")])
@pytest.mark.parametrize("name", ["Europe/Dublin", "UTC", "Asia/Tokyo", "Australia/Lord_Howe"])
def test_over_both_clock_changes_every_choice_gets_every_issue_of_a_year(closing, name):
    zone = ZoneInfo(name)
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    issues = list(takewhile(lambda due: due < end, upcoming(THURSDAY, closing, start)))
    for day, hour in product(range(2, 5), range(24)):
        wanted = wanted_due(THURSDAY, Chosen(day, hour))

        got = [chosen_release(wanted, THURSDAY, closing, closed, zone) for closed in issues]

        assert all(one < other for one, other in pairwise(got))
        assert all(
            one == closed or one == last_due(wanted, zone, one)
            for one, closed in zip(got, issues, strict=True)
        )
        off = [one for one in got if one != last_due(wanted, zone, one)]
        assert len(off) <= 2  # the weeks of the clock changes, where an issue closes at that hour


def test_a_choice_is_the_first_such_hour_from_the_due_moment_on():
    closed = datetime(2026, 11, 19, 9, tzinfo=UTC)  # nine in Dublin, 18:00 in Tokyo
    expected = {
        Chosen(3, 9): "Thu 26 09:00",  # Thursday's nine was over there
        Chosen(3, 19): "Thu 19 19:00",
        Chosen(0, 7): "Mon 23 07:00",
        Chosen(hour=8): "Fri 20 08:00",  # the day is the newsletter's: no week of waiting
        Chosen(hour=18): "Thu 19 18:00",
        Chosen(day=4): "Fri 20 09:00",
    }
    tokyo = ZoneInfo("Asia/Tokyo")

    for choice, moment in expected.items():
        wanted = wanted_due(THURSDAY, choice)
        found = chosen_release(wanted, THURSDAY, DUBLIN, closed, tokyo).astimezone(tokyo)
        assert f"{found:%a %d %H:%M}" == moment


@given(dues, st.integers(0, 23), zones, zones, moments)
def test_an_hour_alone_gives_the_next_such_hour_after_the_issue_is_complete(
    due, hour, closing, zone, now
):
    closed = last_due(due, closing, now)
    wanted = wanted_due(due, Chosen(hour=hour))

    moment = chosen_release(wanted, due, closing, closed, zone)

    if due.weekday is not None or due.day is not None:
        instant = timedelta(microseconds=1)
        assert last_due(Due(hour, 0), zone, moment) == moment
        assert last_due(Due(hour, 0), zone, moment - instant) < closed <= moment


LONGEST = {Cadence.DAILY: 1, Cadence.WEEKLY: 7, Cadence.MONTHLY: 31}


@given(dues, st.none() | st.integers(1, 28), st.integers(0, 23), st.integers(0, 365))
def test_how_long_after_an_issue_is_complete_a_choice_can_be(due, day, hour, number):
    """What the page of the preferences promises; an hour more where the clocks change."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    cadence = cadence_of(due)
    chosen = fitting(Chosen(day, hour), cadence)
    most = timedelta(days=1 if chosen.day is None else LONGEST[cadence], hours=1)
    for name in ("Europe/Dublin", "Asia/Tokyo", "Pacific/Honolulu", "Australia/Lord_Howe"):
        closed = last_due(due, DUBLIN, now)

        moment = chosen_release(wanted_due(due, chosen), due, DUBLIN, closed, ZoneInfo(name))

        assert closed <= moment <= closed + most


@pytest.mark.parametrize("hour", [0, 7, 9, 23])
@pytest.mark.parametrize("name", ["Asia/Tokyo", "Europe/Dublin", "Pacific/Honolulu"])
def test_an_hour_alone_is_on_the_newsletters_day_where_that_is_the_readers_own(hour, name):
    closed, zone = datetime(2026, 11, 18, 19, tzinfo=UTC), ZoneInfo(name)

    moment = chosen_release(
        wanted_due(THURSDAY, Chosen(hour=hour)), THURSDAY, FIRST, closed, zone
    ).astimezone(zone)

    day = "Fri" if (name, hour) == ("Asia/Tokyo", 0) else "Thu"  # their Thursday had begun
    assert f"{moment:%a %H}" == f"{day} {hour:02d}"


def test_an_hour_that_a_clock_change_puts_outside_comes_with_the_issue():
    """In the week of the change there is no Thursday 08:00 UTC between two issues of Dublin."""
    closed = datetime(2026, 3, 26, 9, tzinfo=UTC)
    assert next_due(THURSDAY, DUBLIN, closed) == datetime(2026, 4, 2, 8, tzinfo=UTC)

    wanted = wanted_due(THURSDAY, Chosen(3, 8))

    assert chosen_release(wanted, THURSDAY, DUBLIN, closed, UTC) == closed


def test_an_issue_that_went_out_later_than_this_one_does_not_begin_its_window():
    now = datetime(2026, 11, 20, tzinfo=UTC)
    usual = issue_due(Cadence.WEEKLY, THURSDAY, UTC, now)

    for since in (usual.window.end, usual.window.end + timedelta(days=2)):
        assert issue_due(Cadence.WEEKLY, THURSDAY, UTC, now, since) == usual


def test_no_zone_gets_an_issue_before_its_window_is_closed():
    """No place has a day before UTC+14 today; a zone database may know better tomorrow."""
    closed = datetime(2026, 11, 18, 19, tzinfo=UTC)

    assert release(THURSDAY, closed, timezone(timedelta(hours=15))) == closed


def test_who_chose_the_very_hour_that_an_issue_is_due_gets_it_then():
    closed = datetime(2026, 11, 19, 9, tzinfo=UTC)

    assert chosen_release(THURSDAY, THURSDAY, UTC, closed, UTC) == closed
