"""`[cadence.weekly]` and its siblings: when issues are due, and how they go out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial

from digest.config.table import Table
from digest.models import WEEKDAYS, Cadence, Due

_DEFAULT_DUE = {Cadence.DAILY: "07:30", Cadence.WEEKLY: "thu 09:00", Cadence.MONTHLY: "1 09:00"}
_ACCEPTED = {
    Cadence.DAILY: 'a time of day: "07:30"',
    Cadence.WEEKLY: 'a weekday and a time: "thu 09:00"',
    Cadence.MONTHLY: 'a day from 1 to 28 and a time: "1 09:00"',
}
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SPAN = 'a time span: "90m", "12h" or "2d"'
# Longer than between two issues makes no sense: the next one would be due before.
_LONGEST = {
    Cadence.DAILY: timedelta(hours=23),
    Cadence.WEEKLY: timedelta(days=6),
    Cadence.MONTHLY: timedelta(days=27),
}


class Missed(StrEnum):
    """What becomes of an issue whose due moment nobody was there for."""

    SEND = "send"  # it goes out late, up to the limit `late`
    SKIP = "skip"  # it does not go out; its stories are in the next one
    ASK = "ask"  # it is planned and waits for a person


@dataclass(frozen=True, slots=True)
class CadenceConfig:
    """When the issues of one cadence are due, and what happens then."""

    due: Due
    local_time: bool = False  # at that hour in each reader's own zone
    choose: bool = False  # readers may choose their own day and hour
    missed: Missed = Missed.SEND
    late: timedelta = timedelta(hours=12)  # how late a missed issue still goes out by itself
    approve: bool = False  # only what an editor approved goes out
    plan_ahead: timedelta = timedelta(hours=6)  # with `approve`: so long before it is due


def read_cadences(table: Table) -> dict[Cadence, CadenceConfig]:
    """The cadences that the file names; the weekly one where it names none."""
    found = {}
    for cadence in Cadence:
        if cadence.value in table.values:
            found[cadence] = _read(cadence, table.table(cadence.value))
        table.known.add(cadence.value)
    table.close()
    return found or {Cadence.WEEKLY: CadenceConfig(_default_due(Cadence.WEEKLY))}


def _read(cadence: Cadence, table: Table) -> CadenceConfig:
    default = CadenceConfig(_default_due(cadence))
    span = partial(parse_span, most=_LONGEST[cadence])
    ways = " or ".join(f'"{way}"' for way in Missed)
    read = CadenceConfig(
        due=table.parsed("at", default.due, partial(parse_due, cadence), _ACCEPTED[cadence]),
        local_time=table.flag("local_time", default.local_time),
        choose=table.flag("choose", default.choose),
        missed=table.parsed("missed", default.missed, Missed, ways),
        late=table.parsed("late", default.late, span, _accepted_span(cadence)),
        approve=table.flag("approve", default.approve),
        plan_ahead=table.parsed("plan_ahead", default.plan_ahead, span, _accepted_span(cadence)),
    )
    table.close()
    return read


def check_editors(
    table: Table, editors: tuple[str, ...], cadences: Mapping[Cadence, CadenceConfig]
) -> None:
    """Approval needs somebody to ask: without an answer nothing would ever go out."""
    for cadence, one in cadences.items():
        if one.approve and not editors:
            fix = f'add to [newsletter]: editors = ["you@example.com"], or no approve for {cadence}'
            table.report("editors", f"cadence.{cadence}.approve has nobody to ask", fix)


def parse_due(cadence: Cadence, text: str) -> Due:
    """`07:30`, `thu 09:00` or `1 09:00`, by cadence. ValueError otherwise."""
    *day, clock = text.lower().split()
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", clock)
    if match is None or len(day) != (cadence is not Cadence.DAILY):
        raise ValueError(text)
    hour, minute = int(match[1]), int(match[2])
    if cadence is Cadence.WEEKLY:
        return Due(hour, minute, weekday=WEEKDAYS.index(day[0][:3]))
    if cadence is Cadence.MONTHLY:
        return Due(hour, minute, day=_day_of_month(day[0]))
    return Due(hour, minute)


def parse_span(text: str, most: timedelta = timedelta.max) -> timedelta:
    """`90m`, `12h` or `2d`. ValueError otherwise, and for more than `most`."""
    match = re.fullmatch(r"(\d{1,5})\s*([mhd])", text.strip().lower())
    if match is None:
        raise ValueError(text)
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > most:
        raise ValueError(text)
    return span


def _accepted_span(cadence: Cadence) -> str:
    most = _LONGEST[cadence]
    limit = f"{most.days}d" if most.days else f"{most.seconds // 3600}h"
    return f"{_SPAN}, at most {limit}"


def _default_due(cadence: Cadence) -> Due:
    return parse_due(cadence, _DEFAULT_DUE[cadence])


def _day_of_month(text: str) -> int:
    day = int(text)
    if not 1 <= day <= 28:  # a day every month has
        raise ValueError(text)
    return day
