"""Windows of an issue as jobs of a queue on PostgreSQL, and the pace that all senders share.

Which windows are open is told by the ledger alone. A job says no more than which window to look at:
one too many finds nothing to do, and one that is lost is made again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from digest.store.database import Database
from digest.store.dialects import insert
from digest.store.ledger.records import IssueState
from digest.store.ledger.schema import claim_window, issue, rate_limit

_GOING_ON = (IssueState.PLANNED.value, IssueState.SENDING.value)
_jobs = sa.table("procrastinate_jobs", sa.column("queueing_lock"), sa.column("status"))


class Waiting(NamedTuple):
    """An open window without a job."""

    issue: int
    window: int  # the number of its first delivery
    ready_at: datetime | None

    @property
    def name(self) -> str:
        """No two jobs of one name wait in the queue."""
        return f"{self.issue}:{self.window}"


Defer = Callable[[Any, Sequence[Waiting]], None]  # by the driver's connection, in its transaction


def enqueue(
    database: Database, number: int, provider: str, defer: Defer, most: int, only: int | None
) -> int:
    """Make a job of every open window of an issue that has none, or of one window alone.

    All or nothing, in one transaction with the issue's new state. Windows are cut so that a job is
    at most `most` deliveries. Gives how many; 0 also of an issue that is paused or over.
    """
    with database.writing() as connection:
        mine = (issue.c.number == number, issue.c.state.in_(_GOING_ON))
        locked = sa.select(issue.c.number).where(*mine).with_for_update()
        if connection.scalar(locked) is None:
            return 0
        if only is None:
            values = {"state": IssueState.SENDING.value, "provider": provider, "workers": 1}
            connection.execute(sa.update(issue).where(*mine).values(values))
            _cut(connection, number, most)
        waiting = _without_job(connection, number, only)
        if waiting:
            defer(connection.connection.driver_connection, waiting)
    return len(waiting)


def with_workers(database: Database) -> list[str]:
    """The ids of the issues that workers are sending."""
    query = sa.select(issue.c.id).where(
        issue.c.state == IssueState.SENDING.value, issue.c.workers == 1
    )
    with database.reading() as connection:
        return list(connection.scalars(query.order_by(issue.c.due_at)))


def reserve(database: Database, name: str, worth: float, now: datetime) -> float:
    """Take so many seconds of what is shared under a name; gives how many to wait before using it.

    A second's worth may be used at once. The generic cell rate algorithm, in one statement.
    """
    moment = now.timestamp()
    floor: sa.ColumnElement[float] = sa.literal(moment - 1.0, sa.Double())
    free = rate_limit.c.free_at
    cost: sa.ColumnElement[float] = sa.literal(worth, sa.Double())
    later = sa.case((free > floor, free), else_=floor) + cost
    statement = (
        insert(rate_limit, database.dialect)
        .values(name=name, free_at=moment - 1.0 + worth)
        .on_conflict_do_update(index_elements=["name"], set_={"free_at": later})
        .returning(free)
    )
    with database.writing() as connection:
        free_at = connection.scalar(statement)
    return max(0.0, float(free_at or moment) - moment)


def _cut(connection: sa.Connection, number: int, most: int) -> None:
    """Cut what is open into windows of at most so many deliveries."""
    wide = (
        claim_window.c.issue_number == number,
        claim_window.c.state == "open",
        claim_window.c.hi - claim_window.c.lo > most,
    )
    rows = connection.execute(sa.select(claim_window).where(*wide).with_for_update()).all()
    pieces = [
        {**row._asdict(), "lo": lo, "hi": min(lo + most, row.hi)}
        for row in rows
        for lo in range(row.lo, row.hi, most)
    ]
    if pieces:
        connection.execute(sa.delete(claim_window).where(*wide))
        connection.execute(sa.insert(claim_window), pieces)


def _without_job(connection: sa.Connection, number: int, only: int | None) -> list[Waiting]:
    name = sa.func.concat(claim_window.c.issue_number, ":", claim_window.c.lo)
    this = () if only is None else (claim_window.c.lo == only,)
    waits = sa.exists(
        sa.select(1).where(
            _jobs.c.queueing_lock == name, _jobs.c.status == sa.literal_column("'todo'")
        )
    )
    query = (
        sa.select(claim_window.c.issue_number, claim_window.c.lo, claim_window.c.ready_at)
        .where(claim_window.c.issue_number == number, claim_window.c.state == "open", ~waits, *this)
        .order_by(claim_window.c.lo)
    )
    return [Waiting(*row) for row in connection.execute(query)]
