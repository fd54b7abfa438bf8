"""Who is due, streamed: a million readers with their tags as bitmasks, in flat memory.

The database adds the bits up, one subquery a reader, from a temporary table of the issue's tags;
joined rows would be three times as many. A word is 62 bits (the databases' integers are signed),
muted tags have their own bits behind the followed ones. Suppressions are looked up for every
reader in the same query: a flag on the person would miss one that is added at the same moment.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
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

_WORD = 62
_FETCH = 2000  # rows a round trip

_bits = sa.Table(
    "issue_bit",
    sa.MetaData(),
    sa.Column("mark", sa.BigInteger, primary_key=True, autoincrement=False),  # tag id * 2 + muted
    sa.Column("word", sa.Integer, nullable=False),
    sa.Column("bit", sa.BigInteger, nullable=False),
    prefixes=["TEMPORARY"],
)


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
            _lay_out(connection, tags, size)
            query = _due(cadence, at, _words(size), _shared(tags))
            # closed also when the caller stops half-way: it is a cursor on the server
            with connection.execution_options(yield_per=_FETCH).execute(query) as rows:
                yield from _readers(rows, size)

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
            (_suppressed(), "suppressed"),
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
        ~_suppressed(),
    )


def _suppressed() -> sa.ColumnElement[bool]:
    return sa.exists(sa.select(1).where(suppression.c.address_hash == subscriber.c.address_hash))


def _words(size: int) -> int:
    return -(-2 * size // _WORD)


def _shared(tags: Mapping[str, int]) -> bool:
    return len(set(tags.values())) < len(tags)


def _lay_out(connection: sa.Connection, tags: Mapping[str, int], size: int) -> None:
    """Fill the temporary table with the bit of every tag that the store knows."""
    _bits.drop(connection, checkfirst=True)
    _bits.create(connection)
    positions = {fold(key): position for key, position in tags.items()}
    rows = []
    for key, number in tagging.known_ids(connection, positions).items():
        for muted in (0, 1):
            word, bit = divmod(positions[key] + muted * size, _WORD)
            rows.append({"mark": number * 2 + muted, "word": word, "bit": 1 << bit})
    if rows:
        connection.execute(sa.insert(_bits), rows)


def _due(cadence: Cadence, at: datetime, words: int, shared: bool) -> sa.Select[Any]:
    columns = (
        subscriber.c.id,
        subscriber.c.email,
        subscriber.c.name,
        subscriber.c.languages,
        subscriber.c.timezone,
        subscriber.c.everything,
        subscriber.c.covered_until,
    )
    masks = (_mask(word if words > 1 else None, shared) for word in range(words))
    return (
        sa.select(*columns, *masks)
        .where(subscriber.c.cadence == cadence.value, *mailable(at))
        .order_by(subscriber.c.id)
    )


def _mask(word: int | None, shared: bool) -> Any:
    """The bits of one reader in one word. `shared`: two tags have the same bit."""
    bit: sa.ColumnElement[int] = _bits.c.bit
    if word is not None:
        bit = sa.case((_bits.c.word == word, bit), else_=0)
    mark = subscriber_tag.c.tag_id * 2 + subscriber_tag.c.muted
    return (
        sa.select(sa.func.sum(sa.distinct(bit) if shared else bit))
        .where(subscriber_tag.c.subscriber_id == subscriber.c.id, _bits.c.mark == mark)
        .scalar_subquery()
    )


def _readers(rows: Iterable[Any], size: int) -> Iterator[DueReader]:
    low = (1 << size) - 1
    languages = cache(split_languages)  # as many entries as combinations of languages
    moments = cache(from_driver)  # as many as windows handed over
    for row in rows:
        person, email, name, codes, zone, everything, covered, *masks = row
        mask = 0
        for place, bits in enumerate(masks):
            if bits:
                mask |= int(bits) << (place * _WORD)
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
