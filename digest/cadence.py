"""Which moment an issue is due, and which window it covers. Pure: `now` is an argument.

Due moments are wall-clock times in one zone. A time that a daylight-saving change skips is due as
long after the change as it would have been without it; a time that happens twice is due the first
time only. The windows of one cadence run from due moment to due moment: they touch and never
overlap. Moments are in UTC, because Python compares two times of one zone by their wall clocks.

An issue that goes out at the same hour in each reader's own zone is due where that day begins
first, `FIRST`: there its window closes, and from there it is released zone by zone, around the
world. So its window depends on the calendar alone, not on who reads.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from digest.models import Cadence, Due, Issue, Window

FIRST = timezone(timedelta(hours=14))  # the islands of Kiribati: no place has a day earlier

_ONE_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


def last_due(due: Due, zone: tzinfo, now: datetime) -> datetime:
    """The newest due moment at or before `now`, in UTC."""
    day = now.astimezone(zone).date() + _ONE_DAY
    while not (_falls_on(due, day) and _moment(due, day, zone) <= now):
        day -= _ONE_DAY
    return _moment(due, day, zone)


def next_due(due: Due, zone: tzinfo, now: datetime) -> datetime:
    """The first due moment after `now`, in UTC."""
    day = now.astimezone(zone).date() - _ONE_DAY
    while not (_falls_on(due, day) and _moment(due, day, zone) > now):
        day += _ONE_DAY
    return _moment(due, day, zone)


def issue_due(
    cadence: Cadence, due: Due, zone: tzinfo, now: datetime, since: datetime | None = None
) -> Issue:
    """The newest issue that is due at `now`: its window ends at its due moment.

    The window begins where the one before ended: `since`, if somebody remembers (issues that were
    missed leave no gap, and another `at` makes none); otherwise at the due moment before.
    """
    end = last_due(due, zone, now)
    start = last_due(due, zone, end - _INSTANT) if since is None or since >= end else since
    date = end.astimezone(zone)
    return Issue(f"{cadence.value}-{date:%Y-%m-%d}", cadence, Window(start, end), date)


def windows(due: Due, zone: tzinfo, now: datetime) -> Iterator[Window]:
    """Every window from the one that closed last at `now`, back in time."""
    end = last_due(due, zone, now)
    while True:
        start = last_due(due, zone, end - _INSTANT)
        yield Window(start, end)
        end = start


def upcoming(due: Due, zone: tzinfo, now: datetime) -> Iterator[datetime]:
    """Every due moment after `now`, in time."""
    while True:
        now = next_due(due, zone, now)
        yield now


def release(due: Due, closed: datetime, zone: tzinfo) -> datetime:
    """When readers in `zone` get the issue whose window closed at `closed` in `FIRST`, in UTC.

    The due hour of the same calendar day, where they are; never before the window is closed.
    """
    return max(closed, _moment(due, closed.astimezone(FIRST).date(), zone))


def _falls_on(due: Due, day: date) -> bool:
    if due.weekday is not None:
        return day.weekday() == due.weekday
    return due.day is None or day.day == due.day


def _moment(due: Due, day: date, zone: tzinfo) -> datetime:
    """`due` on `day`; `fold=0` takes the first of two, and the old offset for a skipped time."""
    return datetime(day.year, day.month, day.day, due.hour, due.minute, tzinfo=zone).astimezone(UTC)
