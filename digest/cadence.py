"""Which moment an issue is due, and which window it covers. Pure: `now` is an argument.

Due moments are wall-clock times in one zone. A time that a daylight-saving change skips is due as
long after the change as it would have been without it; a time that happens twice is due the first
time only. The windows of one cadence run from due moment to due moment: they touch and never
overlap. Moments are in UTC, because Python compares two times of one zone by their wall clocks.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from digest.models import Cadence, Due, Issue, Window

_ONE_DAY = timedelta(days=1)


def last_due(due: Due, zone: ZoneInfo, now: datetime) -> datetime:
    """The newest due moment at or before `now`, in UTC."""
    day = now.astimezone(zone).date() + _ONE_DAY
    while not (_falls_on(due, day) and _moment(due, day, zone) <= now):
        day -= _ONE_DAY
    return _moment(due, day, zone)


def next_due(due: Due, zone: ZoneInfo, now: datetime) -> datetime:
    """The first due moment after `now`, in UTC."""
    day = now.astimezone(zone).date() - _ONE_DAY
    while not (_falls_on(due, day) and _moment(due, day, zone) > now):
        day += _ONE_DAY
    return _moment(due, day, zone)


def issue_due(cadence: Cadence, due: Due, zone: ZoneInfo, now: datetime) -> Issue:
    """The newest issue that is due at `now`: its window ends at its due moment."""
    end = last_due(due, zone, now)
    start = last_due(due, zone, end - timedelta(microseconds=1))
    date = end.astimezone(zone)
    return Issue(f"{cadence.value}-{date:%Y-%m-%d}", cadence, Window(start, end), date)


def windows(due: Due, zone: ZoneInfo, now: datetime) -> Iterator[Window]:
    """Every window from the one that closed last at `now`, back in time."""
    end = last_due(due, zone, now)
    while True:
        start = last_due(due, zone, end - timedelta(microseconds=1))
        yield Window(start, end)
        end = start


def _falls_on(due: Due, day: date) -> bool:
    if due.weekday is not None:
        return day.weekday() == due.weekday
    return due.day is None or day.day == due.day


def _moment(due: Due, day: date, zone: ZoneInfo) -> datetime:
    """`due` on `day`; `fold=0` takes the first of two, and the old offset for a skipped time."""
    return datetime(day.year, day.month, day.day, due.hour, due.minute, tzinfo=zone).astimezone(UTC)
