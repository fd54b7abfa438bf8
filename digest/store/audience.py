"""Who is due, streamed: a million readers with their tags as bitmasks, in flat memory.

The database adds up the bits of a reader from a temporary table of the issue's tags: SQLite by a
subquery a reader, PostgreSQL by one grouped join (each takes twice as long the other's way). Muted
tags have their bits behind the followed ones. Where they are too many for an integer, the database
lists a reader's tags and the masks are made here. Suppressions are looked up for every reader in
the same query: a flag on the person would miss one that is added at the same moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

import sqlalchemy as sa

from digest.hashtags import fold
from digest.models import Cadence, State, Window
from digest.store import tagging
from digest.store.database import Database
from digest.store.people import split_languages
from digest.store.records import DueReader
from digest.store.schema import BIG, subscriber, subscriber_tag, suppression
from digest.store.timestamps import from_driver

_WORD = 62  # bits
_FETCH = 2000  # rows a round trip
# For one stream on PostgreSQL: room to hash the tags of a million readers; plans for all rows,
# where a cursor's are for the first tenth; and no nested loop, which right after an import, before
# the server knows how many rows there are, takes hours.
_PLANNING = (
    "SET LOCAL work_mem = '64MB'",
    "SET LOCAL cursor_tuple_fraction = 1.0",
    "SET LOCAL enable_nestloop = off",
)
_REMEMBERED = 65_536  # lists of tags whose masks are kept

_bits = sa.Table(
    "issue_bit",
    sa.MetaData(),
    sa.Column("mark", BIG, primary_key=True, autoincrement=False),  # tag id * 2 + muted
    sa.Column("bit", BIG, nullable=False),
    prefixes=["TEMPORARY"],
)

_Masks = Callable[[Any], int]
_mark = subscriber_tag.c.tag_id * 2 + subscriber_tag.c.muted


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
            fits = 2 * size <= _WORD
            query = _due(connection, cadence, at, _summed(connection, bits) if fits else _listed())
            masks = int if fits else _masks_of_lists(bits)
            # closed also when the caller stops half-way, as it is a cursor on the server
            with closing(_driver_rows(connection, query)) as rows:
                yield from _readers(rows, size, masks)

    def zones(self, cadence: Cadence) -> tuple[str, ...]:
        """The time zones that readers of a cadence named."""
        zone = subscriber.c.timezone
        query = sa.select(zone).where(subscriber.c.cadence == cadence.value, zone != "").distinct()
        with self.database.reading() as connection:
            return tuple(sorted(connection.scalars(query)))

    def count(self, cadence: Cadence, at: datetime) -> int:
        """How many `stream_due` would give."""
        query = sa.select(sa.func.count()).where(
            subscriber.c.cadence == cadence.value, *mailable(at)
        )
        with self.database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def earliest_mark(self, cadence: Cadence, window: Window) -> datetime:
        """How far back before a window the marks of its readers are; the window's start if none."""
        mark = subscriber.c.covered_until
        query = sa.select(sa.func.min(mark)).where(
            mark < window.start, subscriber.c.cadence == cadence.value, *mailable(window.end)
        )
        with self.database.reading() as connection:
            return connection.scalar(query) or window.start

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


class _Wishes(NamedTuple):
    """What a query tells of a reader's tags, and which of them it takes."""

    value: Any
    condition: sa.ColumnElement[bool]


def _bits_of_marks(connection: sa.Connection, tags: Mapping[str, int], size: int) -> dict[int, int]:
    """The bit of every mark (a tag of the store, followed or muted) that the issue has."""
    positions = {fold(key): position for key, position in tags.items()}
    return {
        number * 2 + muted: 1 << (positions[key] + muted * size)
        for key, number in tagging.known_ids(connection, positions).items()
        for muted in (0, 1)
    }


def _summed(connection: sa.Connection, bits: Mapping[int, int]) -> _Wishes:
    """The bits of a reader, each once, from a temporary table."""
    _bits.drop(connection, checkfirst=True)
    _bits.create(connection)
    if bits:
        rows = [{"mark": mark, "bit": bit} for mark, bit in bits.items()]
        connection.execute(sa.insert(_bits), rows)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {_bits.name}")  # else it plans for 2,000 rows
        return _Wishes(sa.func.bit_or(_bits.c.bit), _bits.c.mark == _mark)
    # of two tags with one bit, one counts
    shared = len(set(bits.values())) < len(bits)
    total = sa.func.sum(sa.distinct(_bits.c.bit) if shared else _bits.c.bit)
    return _Wishes(total, _bits.c.mark == _mark)


def _listed() -> _Wishes:
    """The marks of a reader, in the order of the tags' ids."""
    return _Wishes(sa.func.aggregate_strings(sa.cast(_mark, sa.Text), ","), sa.true())


def _masks_of_lists(bits: Mapping[int, int]) -> _Masks:
    texts = {str(mark): bit for mark, bit in bits.items()}

    @lru_cache(maxsize=_REMEMBERED)
    def mask_of(marks: str) -> int:
        mask = 0
        for mark in marks.split(","):
            mask |= texts.get(mark, 0)
        return mask

    return mask_of


def _due(
    connection: sa.Connection, cadence: Cadence, at: datetime, wishes: _Wishes
) -> sa.Select[Any]:
    columns = (
        subscriber.c.id,
        subscriber.c.email,
        subscriber.c.name,
        subscriber.c.languages,
        subscriber.c.timezone,
        subscriber.c.everything,
        subscriber.c.covered_until,
        subscriber.c.day,
        subscriber.c.hour,
    )
    where = (subscriber.c.cadence == cadence.value, *mailable(at))
    owner = subscriber_tag.c.subscriber_id
    if connection.dialect.name == "sqlite":
        of_reader = sa.select(wishes.value).where(owner == subscriber.c.id, wishes.condition)
        query = sa.select(*columns, of_reader.scalar_subquery())
    else:
        for setting in _PLANNING:
            connection.exec_driver_sql(setting)
        grouped = (
            sa.select(owner, wishes.value.label("value"))
            .where(wishes.condition)
            .group_by(owner)
            .subquery()
        )
        joined = subscriber.outerjoin(grouped, grouped.c.subscriber_id == subscriber.c.id)
        query = sa.select(*columns, grouped.c.value).select_from(joined)
    return query.where(*where).order_by(subscriber.c.id)


def _driver_rows(connection: sa.Connection, query: sa.Select[Any]) -> Any:
    """The driver's own cursor over the query's rows: SQLAlchemy's rows take half as long again."""
    text = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return driver.execute(text)
    cursor = driver.cursor("due_readers")  # on the server: else psycopg fetches all rows at once
    cursor.itersize = _FETCH
    return cursor.execute(text)


def _readers(rows: Iterable[Any], size: int, masks: _Masks) -> Iterator[DueReader]:
    low = (1 << size) - 1
    languages = _Memo(split_languages)  # as many entries as combinations of languages
    moments = _Memo(from_driver)  # as many as windows handed over
    made = partial(tuple.__new__, DueReader)  # half the price of DueReader(...)
    for person, email, name, codes, zone, everything, covered, day, hour, value in rows:
        mask = masks(value) if value else 0
        yield made(
            (
                person,
                email,
                name,
                languages[codes],
                zone,
                everything == 1,
                mask & low,
                mask >> size,
                moments[covered],
                day,
                hour,
            )
        )


class _Memo(dict[Any, Any]):
    """A function's results by its argument, at the price of a look-up."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, key: Any) -> Any:
        self[key] = value = self._function(key)
        return value
