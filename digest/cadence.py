"""Which moment an issue is due, and which window it covers. Pure: `now` is an argument.

Due moments are wall-clock times in one zone. A time that a daylight-saving change skips is due as
long after the change as it would have been without it; a time that happens twice is due the first
time only. The windows of one cadence run from due moment to due moment: they touch and never
overlap. Moments are in UTC, because Python compares two times of one zone by their wall clocks.

An issue that goes out at the same hour in each reader's own zone is due where that day begins
first, `FIRST`: there its window closes, and from there it is released zone by zone, around the
world. So its window depends on the calendar alone, not on who reads.

A reader who chose their own day and hour gets an issue at the first such moment from its due moment
on, and always before the next one is due. Who chose an hour alone left the day to the newsletter,
and gets it at the next such hour, on whichever day that is.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from digest.models import WEEKDAYS, Cadence, Chosen, Due, Issue, Window

FIRST = timezone(timedelta(hours=14))  # the islands of Kiribati: no place has a day earlier

_DAYS = {Cadence.DAILY: range(0), Cadence.WEEKLY: range(7), Cadence.MONTHLY: range(1, 29)}
HOURS = range(24)

_MIDNIGHT = Due(0, 0)
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


def chosen_release(
    wanted: Due, due: Due, closing: tzinfo, closed: datetime, zone: tzinfo
) -> datetime:
    """When readers in `zone` who want their issues at `wanted` get the one due at `closed`, in UTC.

    At the first such moment from `closed` on; where only the hour is theirs and the newsletter's
    day is that of each place, from the beginning of that day on. A clock change can leave none
    before the next issue is due in `closing`; the one before was an hour or two ago then, and they
    get it at `closed`.
    """
    hour_alone = _daily(wanted) and not _daily(due)
    start = release(_MIDNIGHT, closed, zone) if hour_alone and closing is FIRST else closed
    moment = next_due(wanted, zone, start - _INSTANT)
    return moment if moment < next_due(due, closing, closed) else closed


def wanted_due(due: Due, chosen: Chosen) -> Due:
    """When somebody who chose something gets issues of a cadence; the hour may still be `due`'s.

    Without a day that is any day: an issue that is complete on Thursday at nine is not kept until
    the Thursday after from who reads at eight.
    """
    hour, minute = (due.hour, due.minute) if chosen.hour is None else (chosen.hour, 0)
    if chosen.day is None:
        return Due(hour, minute)
    if due.weekday is not None:
        return Due(hour, minute, weekday=chosen.day)
    return Due(hour, minute, day=chosen.day)


def days(cadence: Cadence) -> range:
    """The days that a reader can choose: of the week from Monday, or of the month."""
    return _DAYS[cadence]


def fitting(chosen: Chosen, cadence: Cadence) -> Chosen:
    """What of a choice there is with a cadence."""
    return Chosen(
        chosen.day if chosen.day in days(cadence) else None,
        chosen.hour if chosen.hour in HOURS else None,
    )


def day_in_words(chosen: Chosen, cadence: Cadence) -> str:
    """`thu`, or `12` for a day of the month; empty: none is chosen."""
    if chosen.day is None:
        return ""
    return WEEKDAYS[chosen.day] if cadence is Cadence.WEEKLY else str(chosen.day)


def hour_in_words(chosen: Chosen) -> str:
    """`07:00`; empty: none is chosen."""
    return "" if chosen.hour is None else f"{chosen.hour:02d}:00"


def _daily(due: Due) -> bool:
    return due.weekday is None and due.day is None


def _falls_on(due: Due, day: date) -> bool:
    if due.weekday is not None:
        return day.weekday() == due.weekday
    return due.day is None or day.day == due.day


def _moment(due: Due, day: date, zone: tzinfo) -> datetime:
    """`due` on `day`; `fold=0` takes the first of two, and the old offset for a skipped time."""
    return datetime(day.year, day.month, day.day, due.hour, due.minute, tzinfo=zone).astimezone(UTC)
