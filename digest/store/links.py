"""The counted links of issues, and how often each was followed on which day. No reader is in it.

Links stay, so that old mails lead on; what was counted is forgotten after a time.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import NamedTuple

import sqlalchemy as sa

from digest.clicks import CountedLink, Place
from digest.store.database import Database
from digest.store.dialects import insert
from digest.store.schema import BIG, BYTEWISE, metadata

KEPT = 13  # months that counts are kept: a year, and the month it is compared with

counted_link = sa.Table(
    "counted_link",
    metadata,
    sa.Column("issue_id", BYTEWISE, nullable=False),  # by its id, which a new plan keeps
    sa.Column("code", BYTEWISE, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("places", sa.Text, nullable=False),  # JSON: [[language, block, story], …]
    sa.PrimaryKeyConstraint("issue_id", "code"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

click_count = sa.Table(
    "click_count",
    metadata,
    sa.Column("issue_id", BYTEWISE, nullable=False),
    sa.Column("code", BYTEWISE, nullable=False),
    sa.Column("day", BYTEWISE, nullable=False),  # `2026-11-19`, UTC
    sa.Column("people", BIG, nullable=False),
    sa.Column("machines", BIG, nullable=False),
    sa.PrimaryKeyConstraint("issue_id", "code", "day"),
    sa.Index("ix_click_count_day", "day"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


class Click(NamedTuple):
    """Which link was followed, and on which day."""

    issue: str
    code: str
    day: date  # UTC


class Clicks(NamedTuple):
    """How often: by people, as far as one can tell, and by programs."""

    people: int = 0
    machines: int = 0


class LinkClicks(NamedTuple):
    """A link of an issue with all that is counted of it."""

    link: CountedLink
    clicks: Clicks


@dataclass(frozen=True, slots=True)
class Links:
    """Where counted links lead, and how often they were followed."""

    database: Database

    def find(self, issue: str, code: str) -> str | None:
        """The target of a link that some plan of the issue held."""
        here = (counted_link.c.issue_id == issue, counted_link.c.code == code)
        with self.database.reading() as connection:
            return connection.scalar(sa.select(counted_link.c.url).where(*here))

    def add(self, clicks: Mapping[Click, Clicks]) -> None:
        """Add to the counts, all of them or none."""
        rows = [
            {**click._asdict(), "day": click.day.isoformat(), **number._asdict()}
            for click, number in sorted(clicks.items())  # one order: two processes never cross
        ]
        renamed = [{"issue_id": row.pop("issue"), **row} for row in rows]
        if renamed:
            with self.database.writing() as connection:
                connection.execute(
                    _upsert(connection, click_count, ("people", "machines")), renamed
                )

    def of(self, issue: str) -> tuple[LinkClicks, ...]:
        """Every link of an issue, in no particular order."""
        counted = (counted_link.c.issue_id == click_count.c.issue_id) & (
            counted_link.c.code == click_count.c.code
        )
        query = (
            sa.select(
                counted_link.c.code,
                counted_link.c.url,
                counted_link.c.places,
                sa.func.coalesce(sa.func.sum(click_count.c.people), 0),
                sa.func.coalesce(sa.func.sum(click_count.c.machines), 0),
            )
            .outerjoin(click_count, counted)
            .where(counted_link.c.issue_id == issue)
            .group_by(counted_link.c.code, counted_link.c.url, counted_link.c.places)
            .order_by(counted_link.c.code)
        )
        with self.database.reading() as connection:
            return tuple(
                LinkClicks(CountedLink(code, url, _places(places)), Clicks(int(people), int(rest)))
                for code, url, places, people, rest in connection.execute(query)
            )

    def purge(self, now: datetime) -> int:
        """Forget what was counted more than `KEPT` months ago; gives how many rows there were.

        Cheap when there is nothing, so that it may be called as often as one likes.
        """
        old = click_count.c.day < _months_before(now.date()).isoformat()
        with self.database.reading() as connection:
            if connection.scalar(sa.select(sa.exists().where(old))) in (False, 0):
                return 0
        with self.database.writing() as connection:
            return int(connection.execute(sa.delete(click_count).where(old)).rowcount)


def kept_since(now: datetime) -> datetime:
    """From when on all that was counted is there; of what was sent before, some is forgotten."""
    return datetime.combine(_months_before(now.date()), time(), UTC)


def write_links(connection: sa.Connection, issue: str, links: Iterable[CountedLink]) -> None:
    """Keep the links of a plan in place of those of an earlier one, of which no mail went out."""
    connection.execute(sa.delete(counted_link).where(counted_link.c.issue_id == issue))
    _write(connection, issue, links)


def renew_links(connection: sa.Connection, issue: str, links: Iterable[CountedLink]) -> None:
    """Add the links of the rest of an issue that has begun to go out.

    All lead on. A link that is not at the same places of every mail loses its places: nobody can
    say how many have it.
    """
    query = sa.select(counted_link.c.code, counted_link.c.url, counted_link.c.places)
    rows = connection.execute(query.where(counted_link.c.issue_id == issue))
    before = {code: CountedLink(code, url, _places(places)) for code, url, places in rows}
    after = {one.code: one for one in links}
    _write(
        connection,
        issue,
        (
            one if before.get(code) == after.get(code) else replace(one, places=())
            for code, one in (before | after).items()
        ),
    )


def _write(connection: sa.Connection, issue: str, links: Iterable[CountedLink]) -> None:
    rows = [
        {"issue_id": issue, "code": one.code, "url": one.url, "places": json.dumps(one.places)}
        for one in links
    ]
    if rows:
        connection.execute(_upsert(connection, counted_link, (), replaces=("places",)), rows)


def _upsert(
    connection: sa.Connection,
    table: sa.Table,
    adds: Iterable[str],
    replaces: Iterable[str] = (),
) -> sa.Executable:
    """An INSERT that adds to some columns, and replaces others, of rows that are there already."""
    new = insert(table, connection.dialect.name)
    values = {name: table.c[name] + new.excluded[name] for name in adds}
    values |= {name: new.excluded[name] for name in replaces}
    made: sa.Executable = new.on_conflict_do_update(
        index_elements=list(table.primary_key), set_=values
    )
    return made


def _places(text: str) -> tuple[Place, ...]:
    return tuple(Place(*one) for one in json.loads(text))


def _months_before(day: date) -> date:
    """The same day `KEPT` months ago; of a month's last days the 28th, which every month has."""
    months = day.year * 12 + day.month - 1 - KEPT
    return date(months // 12, months % 12 + 1, min(day.day, 28))
