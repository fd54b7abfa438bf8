"""Who is due, streamed: a million readers with their tags as bitmasks, in flat memory.

The database adds the bits up, one subquery a reader, from a temporary table of the issue's tags;
joined rows would be three times as many. Muted tags have their bits behind the followed ones.
Where they are too many for an integer, the database lists them and the masks are made here.
Suppressions are looked up for every reader in the same query: a flag on the person would miss one
that is added at the same moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa

from digest.hashtags import fold
from digest.models import Cadence
from digest.store import tagging
from digest.store.database import Database
from digest.store.people import split_languages
from digest.store.records import DueReader, State
from digest.store.schema import subscriber, subscriber_tag, suppression
from digest.store.timestamps import from_driver

_WORD = 62  # bits
_FETCH = 2000  # rows a round trip
_REMEMBERED = 65_536  # lists of tags whose masks are kept

_bits = sa.Table(
    "issue_bit",
    sa.MetaData(),
    sa.Column("mark", sa.BigInteger, primary_key=True, autoincrement=False),  # tag id * 2 + muted
    sa.Column("bit", sa.BigInteger, nullable=False),
    prefixes=["TEMPORARY"],
)

_Masks = Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Audience:
    """The readers of an issue."""

    database: Database

    def stream_due(
        self, cadence: Cadence, at: datetime, tags: Mapping[str, int]
    ) -> Iterator[DueReader]:
        """Everyone with this cadence who may be mailed at that moment, ordered by id.

        `tags` gives each tag its bit, from 0; an alias has the bit of what it stands for.
        Confirmed, not paused at `at`, not suppressed. All of one moment.
        """
        size = max(tags.values(), default=-1) + 1
        with self.database.reading() as connection:
            bits = _bits_of_marks(connection, tags, size)
            mask, masks = _adding_up(tags) if 2 * size <= _WORD else _listing(bits)
            _lay_out(connection, bits if 2 * size <= _WORD else dict.fromkeys(bits, 0))
            query = _due(cadence, at, mask)
            # closed also when the caller stops half-way: it is a cursor on the server
            with connection.execution_options(yield_per=_FETCH).execute(query) as rows:
                yield from _readers(rows, size, masks)

    def count(self, cadence: Cadence, at: datetime) -> int:
        """How many `stream_due` would give."""
        query = sa.select(sa.func.count()).where(
            subscriber.c.cadence == cadence.value, *mailable(at)
        )
        with self.database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def skipped(self, cadence: Cadence, at: datetime) -> dict[str, int]:
        """How many of this cadence are not due, by the first reason that holds."""
        reason = sa.case(
            (subscriber.c.state != State.CONFIRMED.value, subscriber.c.state),
            (suppressed(), "suppressed"),
            (subscriber.c.pause_until > at, "paused"),
            else_="",
        ).label("reason")
        query = (
            sa.select(reason, sa.func.count())
            .where(subscriber.c.cadence == cadence.value)
            .group_by(reason)
        )
        with self.database.reading() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {why: number for why, number in sorted(found.items()) if why}


def mailable(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions of invariant 4; planning and claiming both ask them."""
    pause = subscriber.c.pause_until
    return (
        subscriber.c.state == State.CONFIRMED.value,
        pause.is_(None) | (pause <= at),
        ~suppressed(),
    )


def suppressed() -> sa.ColumnElement[bool]:
    """True of a person whose address is on the do-not-mail list."""
    return sa.exists(sa.select(1).where(suppression.c.address_hash == subscriber.c.address_hash))


def _bits_of_marks(connection: sa.Connection, tags: Mapping[str, int], size: int) -> dict[int, int]:
    """The bit of every mark (a tag of the store, followed or muted) that the issue has."""
    positions = {fold(key): position for key, position in tags.items()}
    return {
        number * 2 + muted: 1 << (positions[key] + muted * size)
        for key, number in tagging.known_ids(connection, positions).items()
        for muted in (0, 1)
    }


def _lay_out(connection: sa.Connection, bits: Mapping[int, int]) -> None:
    """Fill the temporary table."""
    _bits.drop(connection, checkfirst=True)
    _bits.create(connection)
    if bits:
        rows = [{"mark": mark, "bit": bit} for mark, bit in bits.items()]
        connection.execute(sa.insert(_bits), rows)


def _adding_up(tags: Mapping[str, int]) -> tuple[Any, _Masks]:
    """The database adds up the bits of a reader. Of two tags with one bit it counts one."""
    shared = len(set(tags.values())) < len(tags)
    total = sa.func.sum(sa.distinct(_bits.c.bit) if shared else _bits.c.bit)
    return total, lambda value: int(value or 0)


def _listing(bits: Mapping[int, int]) -> tuple[Any, _Masks]:
    """The database lists the marks of a reader, for more tags than fit in an integer."""

    @lru_cache(maxsize=_REMEMBERED)
    def masks(value: str | None) -> int:
        mask = 0
        for mark in value.split(",") if value else ():
            mask |= bits[int(mark)]
        return mask

    return sa.func.aggregate_strings(sa.cast(_bits.c.mark, sa.Text), ","), masks


def _due(cadence: Cadence, at: datetime, mask: Any) -> sa.Select[Any]:
    mark = subscriber_tag.c.tag_id * 2 + subscriber_tag.c.muted
    of_reader = subscriber_tag.c.subscriber_id == subscriber.c.id
    return (
        sa.select(
            subscriber.c.id,
            subscriber.c.email,
            subscriber.c.name,
            subscriber.c.languages,
            subscriber.c.timezone,
            subscriber.c.everything,
            subscriber.c.covered_until,
            sa.select(mask).where(of_reader, _bits.c.mark == mark).scalar_subquery(),
        )
        .where(subscriber.c.cadence == cadence.value, *mailable(at))
        .order_by(subscriber.c.id)
    )


def _readers(rows: Iterable[Any], size: int, masks: _Masks) -> Iterator[DueReader]:
    low = (1 << size) - 1
    languages = cache(split_languages)  # as many entries as combinations of languages
    moments = cache(from_driver)  # as many as windows handed over
    for person, email, name, codes, zone, everything, covered, value in rows:
        mask = masks(value)
        yield DueReader(
            person,
            email,
            name,
            languages(codes),
            zone,
            everything == 1,
            mask & low,
            mask >> size,
            moments(covered),
        )
