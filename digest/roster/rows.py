"""The cells of a row -> what they say of a person, or the column and the reason why not. Pure but
for the system's list of time zones and languages."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from functools import cache, lru_cache, partial
from typing import TypeVar
from zoneinfo import available_timezones

from digest.cadence import HOURS, days
from digest.models import (
    NOTHING_CHOSEN,
    WEEKDAYS,
    Cadence,
    Chosen,
    Preferences,
    State,
    SuppressionReason,
)
from digest.preferences import canonical, settled
from digest.roster.cells import (
    EVERYTHING,
    NOTHING,
    read_flag,
    read_moment,
    read_tags,
    unguarded,
)
from digest.roster.screening import screened
from digest.roster.vendors import STATES, Columns

LONGEST_NAME = 200  # characters

_LANGUAGE = re.compile(
    r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*"
)  # a language tag of BCP 47, or like it
_NUMBER = re.compile(r"[0-9]{1,2}")

_T = TypeVar("_T")


class BadCellError(Exception):
    """A cell that cannot be taken: which field, and why; what would be taken after a semicolon."""

    def __init__(self, meaning: str, reason: str) -> None:
        super().__init__(reason)
        self.meaning = meaning


class Reader:
    """Reads the rows of one file; BadCellError when a cell cannot be taken.

    `aliases` gives the tag that (the key of) another stands for.
    """

    def __init__(self, columns: Columns, aliases: Mapping[str, str]) -> None:
        self.columns = columns
        # people choose alike: most rows have wishes that were seen before
        self._wishes = lru_cache(maxsize=16_384)(partial(_preferences, aliases))

    def column_of(self, meaning: str) -> str:
        """The name of the column that holds a field, as the file spells it."""
        place = self.columns.places.get(meaning)
        return meaning if place is None else self.columns.header[place]

    def has(self, meaning: str) -> bool:
        """Whether the file has a column for a field."""
        return meaning in self.columns.places

    def read(self, meaning: str, cells: Sequence[str], read: Callable[[str], _T]) -> _T:
        """A field by the function that reads its cell, which may raise ValueError."""
        try:
            return read(self._cell(meaning, cells))
        except ValueError as error:
            raise BadCellError(meaning, str(error)) from None

    def email(self, cells: Sequence[str]) -> str:
        """The address, normalised."""
        return self.read("email", cells, screened)

    def name(self, cells: Sequence[str]) -> str:
        """The name, of one column or two."""
        name = self.read("name", cells, read_name)
        if name or not self.has("first_name"):
            return name
        names = (self.read(part, cells, read_name) for part in ("first_name", "last_name"))
        return " ".join(filter(None, names))

    def preferences(self, cells: Sequence[str]) -> Preferences:
        """Followed and muted tags without contradictions, and languages."""
        languages = self.read("language", cells, read_languages)
        try:
            return self._wishes(self._cell("tags", cells), self._cell("muted", cells), languages)
        except ValueError as error:
            raise BadCellError("tags", str(error)) from None

    def cadence(self, cells: Sequence[str]) -> Cadence:
        """How often."""
        return self.read("cadence", cells, read_cadence)

    def timezone(self, cells: Sequence[str]) -> str:
        """An IANA name; empty: the newsletter's."""
        return self.read("timezone", cells, read_timezone)

    def chosen(self, cells: Sequence[str]) -> Chosen:
        """The day and the hour that they chose."""
        if not self.has("day") and not self.has("hour"):
            return NOTHING_CHOSEN
        read = partial(read_day, self.cadence(cells))
        return _chosen(self.read("day", cells, read), self.read("hour", cells, read_hour))

    def moment(self, meaning: str, cells: Sequence[str]) -> datetime | None:
        """A time; None when nothing is said."""
        return self.read(meaning, cells, read_moment) if self.has(meaning) else None

    def standing(self, cells: Sequence[str]) -> tuple[State, tuple[SuppressionReason, ...]]:
        """Where the subscription stands, by whatever columns tell of it; the worst counts."""
        state, reason = self.read("state", cells, read_state)
        reasons = {reason} - {None}
        if self._has_left(cells):
            state = State.UNSUBSCRIBED
            reasons.add(SuppressionReason.UNSUBSCRIBED)
        if self.moment("bounced_at", cells):
            reasons.add(SuppressionReason.BOUNCED)
        if self.has("suppressed"):  # our own export says it exactly
            reasons = set(self.read("suppressed", cells, read_reasons))
        return state, tuple(sorted(one for one in reasons if one is not None))

    def departure(self, cells: Sequence[str]) -> tuple[State, tuple[SuppressionReason, ...]]:
        """Like `standing`, by those cells alone that can be read: who left is always believed.

        Confirmed or pending without a reason, when none of them says so.
        """
        state, reasons = State.CONFIRMED, set[SuppressionReason]()
        with suppress(BadCellError):
            state, reason = self.read("state", cells, read_state)
            reasons.update([reason] if reason else [])
        if self._says(read_stamp, "left_at", cells) or self._opted_out(cells):
            state = State.UNSUBSCRIBED
            reasons.add(SuppressionReason.UNSUBSCRIBED)
        if self._says(read_stamp, "bounced_at", cells):
            reasons.add(SuppressionReason.BOUNCED)
        if self.has("suppressed"):
            words = self._cell("suppressed", cells).split()
            reasons |= {one for one in SuppressionReason if one in words}
        return state, tuple(sorted(reasons))

    def _opted_out(self, cells: Sequence[str]) -> bool:
        return self._says(read_flag, "disabled", cells) or (
            self._says(read_receives_nothing, "receives", cells)
        )

    def _says(self, read: Callable[[str], bool], meaning: str, cells: Sequence[str]) -> bool:
        """Whether a column is there, can be read, and says yes."""
        with suppress(BadCellError):
            return self.has(meaning) and self.read(meaning, cells, read)
        return False

    def _has_left(self, cells: Sequence[str]) -> bool:
        return bool(
            self.moment("left_at", cells)
            or (self.has("disabled") and self.read("disabled", cells, read_flag))
            or (self.has("receives") and not self.read("receives", cells, read_flag))
        )

    def _cell(self, meaning: str, cells: Sequence[str]) -> str:
        place = self.columns.places.get(meaning)
        return "" if place is None else unguarded(cells[place].strip())


def _preferences(
    aliases: Mapping[str, str], tags: str, muted: str, languages: tuple[str, ...]
) -> Preferences:
    everything = tags.lower() in EVERYTHING
    followed = () if everything or tags == NOTHING else read_tags(tags)
    return settled(
        Preferences(
            canonical(followed, aliases),
            everything,
            canonical(read_tags(muted), aliases),
            languages,
        )
    )


def read_name(cell: str) -> str:
    """One line, single spaces. ValueError when it is no name by its length or letters."""
    if cell.isascii() and cell.isprintable() and len(cell) <= LONGEST_NAME and "  " not in cell:
        return cell
    name = " ".join(cell.split())
    if len(name) > LONGEST_NAME:
        raise ValueError(f"{name[:20]!r}… is longer than {LONGEST_NAME} characters")
    if any(letter < " " or letter == "\x7f" or "\ud800" <= letter <= "\udfff" for letter in name):
        raise ValueError(f"{name!r} holds control characters")
    return name


def read_cadence(cell: str) -> Cadence:
    """How often; weekly when nothing is said. ValueError for an unknown one."""
    with suppress(ValueError):
        return Cadence(cell.lower() or Cadence.WEEKLY)
    raise ValueError(f"{cell[:40]!r} is unknown; expected {', '.join(Cadence)}")


@lru_cache(maxsize=8192)
def _chosen(day: int | None, hour: int | None) -> Chosen:
    """One of the few that there are."""
    return Chosen(day, hour)


def read_day(cadence: Cadence, cell: str) -> int | None:
    """`thu`, or a number that the cadence has; None when nothing is said. ValueError for another.

    A daily issue has no day: what a list says of it is left out.
    """
    if not cell or cadence is Cadence.DAILY:
        return None
    if cadence is Cadence.WEEKLY and cell[:3].lower() in WEEKDAYS:
        return WEEKDAYS.index(cell[:3].lower())
    if _NUMBER.fullmatch(cell) and int(cell) in days(cadence):
        return int(cell)
    expected = "mon to sun (or 0 to 6)" if cadence is Cadence.WEEKLY else "1 to 28"
    raise ValueError(f"{cell[:40]!r} is no day of a {cadence} issue; expected {expected}")


def read_hour(cell: str) -> int | None:
    """`7` or `07:00`; None when nothing is said. ValueError for another."""
    if not cell:
        return None
    hour = cell.removesuffix(":00")
    if _NUMBER.fullmatch(hour) and int(hour) in HOURS:
        return int(hour)
    raise ValueError(f"{cell[:40]!r} is no full hour; expected 0 to 23, or like 07:00")


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=4096)
def read_timezone(cell: str) -> str:
    """An IANA name; empty: the newsletter's. ValueError for an unknown one."""
    if not cell or cell in _timezones():
        return cell
    near = get_close_matches(cell, _timezones(), 1) or ["Europe/Dublin"]
    raise ValueError(f"{cell[:40]!r} is unknown; expected an IANA name like {near[0]}")


@lru_cache(maxsize=4096)
def read_languages(cell: str) -> tuple[str, ...]:
    """Primary subtags in order of preference, once each. ValueError for an unknown one."""
    from babel.localedata import exists

    codes = []
    for tag in read_tags(cell.lower()):
        known = _LANGUAGE.fullmatch(tag)
        if known is None or not exists(known[1]):
            raise ValueError(f"{tag[:40]!r} is no language; expected codes like: en pl pt-BR")
        codes.append(known[1])
    return tuple(dict.fromkeys(codes))


def read_state(cell: str) -> tuple[State, SuppressionReason | None]:
    """Where a subscription stands, in any service's word. ValueError for an unknown word."""
    found = STATES.get(cell.lower())
    if found is None:
        words = ", ".join(State)
        raise ValueError(f"{cell[:40]!r} says nothing known of a subscription; expected {words}")
    return found


def read_stamp(cell: str) -> bool:
    """Whether a cell is some time, be it in words we cannot read; 0000-00-00 is none."""
    return re.search(r"[1-9]", cell) is not None


def read_receives_nothing(cell: str) -> bool:
    """Whether a flag says that they get no mail."""
    return not read_flag(cell)


@lru_cache(maxsize=256)
def read_reasons(cell: str) -> tuple[SuppressionReason, ...]:
    """Reasons of suppression as our own export writes them. ValueError for an unknown one."""
    try:
        return tuple(SuppressionReason(word) for word in cell.split())
    except ValueError:
        known = ", ".join(SuppressionReason)
        raise ValueError(f"{cell[:40]!r} is unknown; expected some of {known}") from None
