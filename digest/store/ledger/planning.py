"""Freezing an issue: many small transactions under a working name, and one that gives it its own.

A plan of a million readers takes seconds. Nobody else has to wait so long for the database, and a
plan that was not finished, or that another process finished first, is nobody's plan.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from digest.clicks import CountedLink
from digest.errors import StoreError
from digest.models import Issue
from digest.store.bulk import write_rows
from digest.store.database import Database
from digest.store.ledger.passing import pass_over
from digest.store.ledger.records import (
    Contents,
    DeliveryState,
    IssueState,
    PlannedStory,
)
from digest.store.ledger.schema import (
    basis,
    claim_window,
    delivery,
    edition,
    issue,
    issue_story,
    receipt,
    skip,
)
from digest.store.links import renew_links, write_links

WINDOW = 1000  # deliveries claimed at once: one durable commit for so many
_UNNAMED = "~"
_ABANDONED = timedelta(days=1)  # no plan takes so long
_SWEEP = 20_000  # deliveries deleted in one transaction
_PLANNED = DeliveryState.PLANNED.value


@dataclass(slots=True)
class Draftsman:
    """Writes the deliveries of one issue that is being planned."""

    database: Database
    number: int
    readers: int = 0
    releases: list[tuple[int, datetime]] = field(default_factory=list)

    def release(self, moment: datetime) -> None:
        """Hand over the deliveries that are added from now on at this moment, and not before."""
        self.releases.append((self.readers, moment))

    def add(self, people: Sequence[tuple[int, int]], passed: Sequence[int] = ()) -> None:
        """(subscriber id, edition number) of more deliveries, in the order of handing over.

        `passed` are readers who get none, for want of a story.
        """
        first, mine = self.readers, self.number
        with self.database.writing() as connection:
            write_rows(
                connection,
                delivery,
                [(mine, n, who, what, _PLANNED) for n, (who, what) in enumerate(people, first)],
                first=5,
            )
            pass_over(connection, mine, passed)
        self.readers += len(people)

    def finish(
        self, name: str, contents: Contents, replaces: int, links: Iterable[CountedLink] = ()
    ) -> bool:
        """Make it the plan of the issue. False when there is one already, other than `replaces`.

        StoreError when the plan to be replaced has begun to be handed over.
        """
        try:
            with self.database.writing() as connection:
                if replaces:
                    _retire(connection, replaces)
                _write_contents(connection, self.number, contents)
                write_links(connection, name, links)
                _write_windows(connection, self.number, self.readers, self.releases)
                values = {"id": name, "readers": self.readers}
                connection.execute(
                    sa.update(issue).where(issue.c.number == self.number).values(values)
                )
        except sa.exc.IntegrityError:
            discard(self.database, [self.number])
            return False
        discard(self.database, [replaces] if replaces else [])
        _count_anew(self.database)
        return True


def begin(
    database: Database,
    planned: Issue,
    provider: str,
    now: datetime,
    listed_from: datetime | None = None,
) -> Draftsman:
    """A place for the deliveries of an issue; what earlier planning left behind is swept."""
    discard(database, _abandoned(database, now))
    values = {
        "id": f"{_UNNAMED}{secrets.token_hex(8)}",
        "cadence": planned.cadence.value,
        "window_start": planned.window.start,
        "window_end": planned.window.end,
        "due_at": planned.date,
        "planned_at": now,
        "state": IssueState.PLANNED.value,
        "provider": provider,
        "paused_because": "",
        "readers": 0,
        "listed_from": listed_from,
    }
    with database.writing() as connection:
        number = connection.scalar(sa.insert(issue).values(values).returning(issue.c.number))
    assert number is not None
    return Draftsman(database, int(number))


def discard(database: Database, numbers: Iterable[int]) -> None:
    """Delete plans that are nobody's, in transactions that keep nobody waiting."""
    for number in numbers:
        of_issue = delivery.c.issue_number == number
        gone = 0
        with database.reading() as connection:
            last = connection.scalar(sa.select(sa.func.max(delivery.c.number)).where(of_issue))
        while last is not None and gone <= last:
            gone += _SWEEP
            with database.writing() as connection:
                for table in (delivery, receipt):
                    mine = (table.c.issue_number == number, table.c.number < gone)
                    connection.execute(sa.delete(table).where(*mine))
        with database.writing() as connection:
            connection.execute(sa.delete(issue).where(issue.c.number == number))


def _count_anew(database: Database) -> None:
    """Let PostgreSQL know how many rows there are now: it would read all of them for a window."""
    if database.dialect == "postgresql":
        with database.writing() as connection:
            for table in (delivery, edition, claim_window):
                connection.exec_driver_sql(f"ANALYZE {table.name}")


def _abandoned(database: Database, now: datetime) -> list[int]:
    query = sa.select(issue.c.number).where(
        issue.c.id.startswith(_UNNAMED), issue.c.planned_at < now - _ABANDONED
    )
    with database.reading() as connection:
        return list(connection.scalars(query))


def begun(connection: sa.Connection, number: int) -> bool:
    """Whether any delivery of a plan was claimed or ended."""
    touched = (delivery.c.issue_number == number, delivery.c.state != _PLANNED)
    held = (claim_window.c.issue_number == number, claim_window.c.state == "claimed")
    either = sa.or_(sa.exists(sa.select(1).where(*touched)), sa.exists(sa.select(1).where(*held)))
    return bool(connection.scalar(sa.select(either)))


def renew(
    connection: sa.Connection,
    number: int,
    parts: Mapping[str, str],
    stories: Sequence[PlannedStory],
    links: Iterable[CountedLink],
) -> None:
    """What the rest of a plan is made of from now on."""
    name = connection.scalar(sa.select(issue.c.id).where(issue.c.number == number))
    assert name is not None
    renew_links(connection, name, links)
    for table in (basis, issue_story):
        connection.execute(sa.delete(table).where(table.c.issue_number == number))
    _write_basis(connection, number, parts, stories)


def _retire(connection: sa.Connection, number: int) -> None:
    """Take the name from a plan, if nothing of it was handed over."""
    row = connection.execute(
        sa.select(issue.c.id, issue.c.state).where(issue.c.number == number).with_for_update()
    ).one_or_none()
    if row is None or row.id.startswith(_UNNAMED):
        raise StoreError("another process has just replaced this plan", hint="look at it first")
    if begun(connection, number):
        raise StoreError(
            f"{row.id} has begun to be handed over; its plan stays as it is",
            hint=f"digest issues show {row.id}",
        )
    values = {"id": f"{_UNNAMED}{secrets.token_hex(8)}", "state": IssueState.CANCELLED.value}
    connection.execute(sa.update(issue).where(issue.c.number == number).values(values))


def _write_contents(connection: sa.Connection, number: int, contents: Contents) -> None:
    _write_basis(connection, number, contents.basis, contents.stories)
    write_rows(
        connection,
        edition,
        [
            (
                number,
                one.number,
                one.id,
                one.language,
                json.dumps(one.stories),
                json.dumps(one.more),
                one.oldest,
                one.html_bytes,
                one.readers,
            )
            for one in contents.editions
        ],
    )
    write_rows(connection, skip, [(number, *one) for one in sorted(contents.skipped.items())])


def _write_basis(
    connection: sa.Connection,
    number: int,
    parts: Mapping[str, str],
    stories: Sequence[PlannedStory],
) -> None:
    write_rows(connection, basis, [(number, *one) for one in sorted(parts.items())])
    rows = [(number, n, s.id, s.digest, s.omitted) for n, s in enumerate(stories)]
    write_rows(connection, issue_story, rows)


def _write_windows(
    connection: sa.Connection, number: int, readers: int, releases: Sequence[tuple[int, datetime]]
) -> None:
    """All deliveries of a window are released at one moment; those before the first, at once."""
    begins = [0, *(first for first, _ in releases)]
    moments: list[datetime | None] = [None, *(moment for _, moment in releases)]
    rows = [
        (number, lo, min(lo + WINDOW, end), "open", moment, moment)
        for begin, end, moment in zip(begins, [*begins[1:], readers], moments, strict=True)
        for lo in range(begin, end, WINDOW)
    ]
    write_rows(connection, claim_window, rows, first=6)
