"""A row of cells -> an entry for the store, or the column and the reason why not. Pure but for
the system's list of time zones and languages."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from functools import cache, lru_cache, partial
from typing import TypeVar
from zoneinfo import available_timezones

from digest.addresses import identity
from digest.models import Cadence, Preferences
from digest.preferences import canonical, settled
from digest.roster.cells import (
    EVERYTHING,
    NOTHING,
    read_consents,
    read_flag,
    read_moment,
    read_tags,
    unguarded,
)
from digest.roster.reading import Row
from digest.roster.screening import screened
from digest.roster.vendors import STATES, Columns
from digest.store import Consent, Entry, State, SuppressionReason

LONGEST_NAME = 200  # characters

_T = TypeVar("_T")


class BadCellError(Exception):
    """A cell that cannot be taken: which field, and why, with what would be."""

    def __init__(self, meaning: str, reason: str) -> None:
        super().__init__(reason)
        self.meaning = meaning


class Reader:
    """Reads the rows of one file.

    `statement` says how everybody in the file agreed, where the row does not say; `aliases` gives
    the tag that (the key of) another stands for.
    """

    def __init__(
        self, columns: Columns, statement: Consent | None, aliases: Mapping[str, str]
    ) -> None:
        self.columns = columns
        self.statement = statement
        # people choose alike: most rows have wishes that were seen before
        self._wishes = lru_cache(maxsize=65_536)(partial(_preferences, aliases))

    def entry(self, row: Row) -> Entry:
        """BadCellError when a cell cannot be taken."""
        cells = row.cells
        email = self._read("email", cells, screened)
        state, suppressed = self._standing(cells)
        return Entry(
            line=row.line,
            email=email,
            address=identity(email),
            name=self._name(cells),
            preferences=self._preferences(cells),
            timezone=self._read("timezone", cells, read_timezone),
            cadence=self._read("cadence", cells, read_cadence),
            state=state,
            suppressed=suppressed,
            created=self._moment("created", cells),
            pause_until=self._moment("pause_until", cells),
            covered_until=self._moment("covered_until", cells),
            consents=self._consents(cells, state),
        )

    def column_of(self, meaning: str) -> str:
        """The name of the column that holds a field, as the file spells it."""
        place = self.columns.places.get(meaning)
        return meaning if place is None else self.columns.header[place]

    def _cell(self, meaning: str, cells: Sequence[str]) -> str:
        place = self.columns.places.get(meaning)
        return "" if place is None else unguarded(cells[place].strip())

    def _read(self, meaning: str, cells: Sequence[str], read: Callable[[str], _T]) -> _T:
        try:
            return read(self._cell(meaning, cells))
        except ValueError as error:
            raise BadCellError(meaning, str(error)) from None

    def _moment(self, meaning: str, cells: Sequence[str]) -> datetime | None:
        return self._read(meaning, cells, read_moment) if meaning in self.columns.places else None

    def _name(self, cells: Sequence[str]) -> str:
        name = self._read("name", cells, read_name)
        if name or "first_name" not in self.columns.places:
            return name
        names = (self._read(part, cells, read_name) for part in ("first_name", "last_name"))
        return " ".join(filter(None, names))

    def _preferences(self, cells: Sequence[str]) -> Preferences:
        languages = self._read("language", cells, read_languages)
        try:
            return self._wishes(self._cell("tags", cells), self._cell("muted", cells), languages)
        except ValueError as error:
            raise BadCellError("tags", str(error)) from None

    def _standing(self, cells: Sequence[str]) -> tuple[State, tuple[SuppressionReason, ...]]:
        """Where the subscription stands, by whatever columns tell of it; the worst counts."""
        state, reason = self._read("state", cells, read_state)
        reasons = {reason} - {None}
        if self._has_left(cells):
            state = State.UNSUBSCRIBED
            reasons.add(SuppressionReason.UNSUBSCRIBED)
        if self._moment("bounced_at", cells):
            reasons.add(SuppressionReason.BOUNCED)
        if "suppressed" in self.columns.places:  # our own export says it exactly
            reasons = set(self._read("suppressed", cells, read_reasons))
        return state, tuple(sorted(one for one in reasons if one is not None))

    def _has_left(self, cells: Sequence[str]) -> bool:
        places = self.columns.places
        return bool(
            ("left_at" in places and self._moment("left_at", cells))
            or ("disabled" in places and self._read("disabled", cells, read_flag))
            or ("receives" in places and not self._read("receives", cells, read_flag))
        )

    def _consents(self, cells: Sequence[str], state: State) -> tuple[Consent, ...]:
        """The row's own evidence, else the statement for the whole file; who left needs none."""
        if "consent" in self.columns.places:
            own = self._read("consent", cells, read_consents)
            if own or state is State.UNSUBSCRIBED:
                return own
        if self.statement is None and state is not State.UNSUBSCRIBED:
            raise BadCellError("consent", "no evidence that they agreed; see --consent")
        if self.statement is None or state is State.UNSUBSCRIBED:
            return ()
        at = self._moment("consent_at", cells)
        if at is None:
            return (self.statement,)
        said = self.statement
        return (Consent(at, said.how, said.text, said.version, said.source),)


def _preferences(
    aliases: Mapping[str, str], tags: str, muted: str, languages: tuple[str, ...]
) -> Preferences:
    everything = tags in ("", EVERYTHING) or tags.lower() == "everything"
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


def read_cadence(cell: str) -> str:
    """How often; weekly when nothing is said. ValueError for an unknown one."""
    with suppress(ValueError):
        return Cadence(cell.lower() or Cadence.WEEKLY).value
    raise ValueError(f"{cell[:40]!r} is unknown; expected {', '.join(Cadence)}")


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
        code = tag.replace("_", "-").partition("-")[0]
        if not (code.isascii() and code.isalpha() and exists(code)):
            raise ValueError(f"{tag[:40]!r} is no language; expected codes like: en pl")
        codes.append(code)
    return tuple(dict.fromkeys(codes))


def read_state(cell: str) -> tuple[State, SuppressionReason | None]:
    """Where a subscription stands, in any service's word. ValueError for an unknown word."""
    found = STATES.get(cell.lower())
    if found is None:
        words = ", ".join(State)
        raise ValueError(f"{cell[:40]!r} says nothing known of a subscription; expected {words}")
    return found


@lru_cache(maxsize=256)
def read_reasons(cell: str) -> tuple[SuppressionReason, ...]:
    """Reasons of suppression as our own export writes them. ValueError for an unknown one."""
    try:
        return tuple(SuppressionReason(word) for word in cell.split())
    except ValueError:
        known = ", ".join(SuppressionReason)
        raise ValueError(f"{cell[:40]!r} is unknown; expected some of {known}") from None
