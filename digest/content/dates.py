"""Dates as authors write them, to an aware moment in the newsletter's time zone.

A date without a time is that local day's start; a time without a zone is local. Nothing is
guessed between day and month: a date that reads two ways is refused.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

EARLIEST = 1990
LATEST = 9000  # the calendar ends at 9999, and zones move it
FORMAT = "use YYYY-MM-DD"
MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
# Hours east of UTC. Only names with one meaning in blog posts.
ZONES = {
    "z": 0.0, "utc": 0.0, "gmt": 0.0, "est": -5.0, "edt": -4.0, "cst": -6.0, "cdt": -5.0,
    "mst": -7.0, "mdt": -6.0, "pst": -8.0, "pdt": -7.0, "cet": 1.0, "cest": 2.0, "bst": 1.0,
}  # fmt: skip

_ISO = re.compile(r"(\d{1,5})-(\d{1,2})-(\d{1,2})(?=$|[Tt\s])[Tt]?")
_SWAPPED = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_TEXT = re.compile(r"(?=.*[A-Za-z]{3})[A-Za-z0-9 ,:()+.-]+")
_PIECE = re.compile(
    r"""\s*(?:
        (?P<time>\d{1,2}:\d{2}(?::\d{1,2}(?:\.\d{1,9})?)?)(?![\d:])\s*(?P<half>[AaPp][Mm]\b)?
      | (?P<zone>(?:UTC|GMT)?[+-](?:\d{2}:?\d{2}|\d:\d{2}|\d{1,2})|[A-Za-z]{1,4})(?![\w:])
    )""",
    re.VERBOSE,
)
_PLACEHOLDER = re.compile(
    r"""[Yy]{2,4}-?[Mm]{2} | \d{4}-(?:[XMxm]{2}|\d{1,2}-[XDxd]{2}) | \{\{ | \}\} | \$\w | <\w+>
      | \b(?:TBD|TBA|TODO|FIXME|optional)\b""",
    re.VERBOSE | re.IGNORECASE,
)


class Moment(NamedTuple):
    """A date that was read."""

    at: datetime  # aware, in the newsletter's zone
    note: str = ""  # what is odd about its spelling


class DateError(ValueError):
    """The text is no date. The message quotes it and says why; `fix` what would be."""

    def __init__(self, message: str, fix: str = FORMAT) -> None:
        super().__init__(message)
        self.fix = fix


@lru_cache(maxsize=4_096)
def read_date(text: str, zone: tzinfo) -> Moment:
    """The moment `text` names. Raises DateError."""
    text = text.strip()
    if _PLACEHOLDER.search(text):
        raise DateError(f'"{text}" looks like an unfilled template')
    if match := _ISO.match(text):
        year, month, day = (int(part) for part in match.groups())
        return Moment(_moment(text, (year, month, day), text[match.end() :], zone))
    if why := impossible(text):
        raise DateError(why, "")
    if _TEXT.fullmatch(text) and (parts := _english(text)):
        return Moment(_moment(text, *parts, zone), f'"{text}" is read as English; {FORMAT}')
    raise DateError(f'"{text}" is not a recognised date')


def typed_date(value: date | time, zone: tzinfo) -> Moment:
    """The moment of a TOML date or datetime. Raises DateError for a time of day alone."""
    if isinstance(value, time):
        raise DateError(f'"{value}" is a time without a date')
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=zone)
    _check_year(value.year)
    return Moment((value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(zone))


def impossible(text: str) -> str:
    """Why a date in ISO form is none, like `(month 22)`; empty when it has another fault."""
    match = _SWAPPED.match(text.strip())
    if not match:
        return ""
    year, month, day = (int(part) for part in match.groups())
    if 1 <= month <= 12:
        return "" if _exists(year, month, day) else f'"{text}" is not a date (day {day})'
    hint = f"; did you mean {year}-{day:02}-{month:02}?" if _exists(year, day, month) else ""
    return f'"{text}" is not a date (month {month}){hint}'


def named_date(name: str) -> date | None:
    """The day in a path like `2024-05-01-title`, `2024-05-01title` or `2024/05/01/title`."""
    match = re.search(r"(?<!\d)(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?!\d)", name)
    if not match:
        return None
    year, month, day = int(match[1]), int(match[3]), int(match[4])
    usable = EARLIEST <= year < LATEST and _exists(year, month, day)
    return date(year, month, day) if usable else None


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _check_year(year: int) -> None:
    if not EARLIEST <= year < LATEST:
        raise DateError(f"year {year}: a typing error?", f"use a year from {EARLIEST} to next year")


def _moment(text: str, day: tuple[int, int, int], rest: str, zone: tzinfo) -> datetime:
    _check_year(day[0])
    if not _exists(*day):
        raise DateError(impossible(text) or f'"{text}" is not a date')
    clock, own = _clock(text, rest)
    local = datetime.combine(date(*day), clock, tzinfo=own or zone)
    return local.astimezone(UTC).astimezone(zone)


def _clock(text: str, rest: str) -> tuple[time, tzinfo | None]:
    """Time of day and zone, in either order, each at most once; nothing else may follow."""
    clock: time | None = None
    zone: tzinfo | None = None
    while rest.strip():
        piece = _PIECE.match(rest)
        if piece and piece["time"] and clock is None:
            clock = _time(text, piece["time"], (piece["half"] or "").lower())
        elif piece and piece["zone"] and zone is None:
            zone = _zone(text, piece["zone"])
        else:
            raise DateError(
                f'"{text}" is not a recognised date', f"{FORMAT} or YYYY-MM-DDTHH:MM:SS+00:00"
            )
        rest = rest[piece.end() :]
    return clock or time(), zone


def _time(text: str, written: str, half: str) -> time:
    hour, minute, second = (*written.split(":"), "0")[:3]
    whole, _, fraction = second.partition(".")
    hours = int(hour) % 12 + 12 * (half == "pm") if half else int(hour)
    try:
        return time(hours, int(minute), int(whole), int(fraction[:6].ljust(6, "0")))
    except ValueError:
        raise DateError(f'"{text}" is not a date (time {written})') from None


def _zone(text: str, written: str) -> tzinfo:
    name = written.lower()
    if name in ZONES:
        return timezone(timedelta(hours=ZONES[name]))
    match = re.fullmatch(r"(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})?", name)
    hours, minutes = (int(match[2]), int(match[3] or 0)) if match else (99, 0)
    if not match or hours > 14 or minutes > 59:
        raise DateError(f'"{text}" is not a date (time zone {written})')
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match[1] == "-" else offset)


def _english(text: str) -> tuple[tuple[int, int, int], str] | None:
    """Day and the rest of `May 11, 2021`, `18 Dec 2014` or `Fri Sep  3 11:21:31 CEST 2021`."""
    text = re.sub(r"\([^()]*\)", "", text)
    text = re.sub(r"(?i)^\s*(mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s", "", text)
    month = re.search(r"(?i)\b(" + "|".join(MONTHS) + r")[a-z]*\.?,?(?=\s)", text)
    if not month:
        return None
    rest = text[: month.start()] + " " + text[month.end() :]
    year = re.search(r"(?<![\d+-])(\d{4})(?![\d:])", rest)
    if not year:
        return None
    rest = rest[: year.start()] + " " + rest[year.end() :]
    day = re.search(r"(?<![\d:+-])(\d{1,2})(?:st|nd|rd|th)?,?(?![\d:])", rest)
    if not day:
        return None
    rest = rest[: day.start()] + " " + rest[day.end() :]
    return (int(year[1]), MONTHS[month[1].lower()], int(day[1])), rest
