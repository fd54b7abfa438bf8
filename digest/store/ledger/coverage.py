"""Readers' marks: `covered_until` moves to the end of the window that was handed over to them.

Deliveries go out by edition, and readers lie by their ids: moved at each commit of a sender, the
marks would rewrite a page of the disk for every reader. So a window only notes that its marks are
due, and they are moved together, in the order of the ids: at the end of a run, and before
readers are read for another plan. Until then whoever claims for another issue asks the ledger.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from digest.store.database import Database
from digest.store.ledger.records import DeliveryState
from digest.store.ledger.schema import claim_window, delivery, edition, issue
from digest.store.ledger.windows import within
from digest.store.schema import subscriber

HANDED_OVER = (DeliveryState.SUBMITTED.value, DeliveryState.UNKNOWN.value)
_FEW = 20  # windows whose marks are moved one window after the other
_CHUNK = 20_000  # readers of one transaction


def due(connection: sa.Connection, number: int, lo: int) -> None:
    """Note that somebody in this window was handed something."""
    this = (claim_window.c.issue_number == number, claim_window.c.lo == lo)
    connection.execute(sa.update(claim_window).where(*this).values(coverage="due"))


def cover(connection: sa.Connection, number: int, lo: int, hi: int) -> None:
    """Move the mark of everybody in `[lo, hi)` to whom the issue was handed over, at once."""
    handed = (*within(number, lo, hi), delivery.c.state.in_(HANDED_OVER))
    _move(connection, number, sa.select(delivery.c.subscriber_id).where(*handed))


def cover_people(connection: sa.Connection, number: int, people: Sequence[int]) -> None:
    """Move the marks of those to whom the issue was handed over, in the order of their ids."""
    if people:
        these = sa.select(subscriber.c.id).where(subscriber.c.id.in_(people))
        connection.execute(these.order_by(subscriber.c.id).with_for_update(key_share=True))
        _move(connection, number, these)


def settle(database: Database) -> None:
    """Move all marks that are due, of every issue.

    A window whose sender commits meanwhile is due again; after a crash they are moved again.
    """
    with database.reading() as connection:
        waiting = sa.select(claim_window.c.issue_number).where(_waiting()).distinct()
        issues = list(connection.scalars(waiting))
    for number in issues:
        _settle(database, number)


def elsewhere(connection: sa.Connection, number: int) -> sa.ColumnElement[bool]:
    """True of a reader and edition of issue `number` where another issue was handed to the reader
    that covers a story of the edition, and their mark does not say so yet."""
    query = (
        sa.select(issue.c.number, issue.c.window_end)
        .join(claim_window, claim_window.c.issue_number == issue.c.number)
        .where(_waiting(), issue.c.number != number)
        .distinct()
    )
    others = connection.execute(query).all()
    handed = delivery.alias("handed")
    return sa.or_(
        sa.false(),
        *(
            (edition.c.oldest < other.window_end)
            & sa.exists(
                sa.select(1).where(
                    handed.c.issue_number == other.number,
                    handed.c.subscriber_id == subscriber.c.id,
                    handed.c.state.in_(HANDED_OVER),
                )
            )
            for other in others
        ),
    )


def _waiting() -> sa.ColumnElement[bool]:
    return claim_window.c.coverage != "done"


def _settle(database: Database, number: int) -> None:
    mine = (claim_window.c.issue_number == number, _waiting())
    windows = sa.update(claim_window).where(*mine).values(coverage="moving")

    def few(connection: sa.Connection) -> bool:
        found = connection.execute(windows.returning(claim_window.c.lo, claim_window.c.hi)).all()
        if len(found) <= _FEW:
            for lo, hi in found:
                cover(connection, number, lo, hi)
        return len(found) <= _FEW

    if not database.commit(few):
        _in_order(database, number)
    moved = (claim_window.c.issue_number == number, claim_window.c.coverage == "moving")
    with database.writing() as connection:
        connection.execute(sa.update(claim_window).where(*moved).values(coverage="done"))


def _in_order(database: Database, number: int) -> None:
    """Of a whole issue, in the order of the readers' ids, so that each page is written once."""
    after: int | None = 0
    while after is not None:
        after = database.commit(partial(_move_chunk, number=number, after=after))


def _move_chunk(connection: sa.Connection, number: int, after: int) -> int | None:
    """The marks of the next readers behind `after`. Gives the last of them; None at the end."""
    person, of_issue = delivery.c.subscriber_id, delivery.c.issue_number == number
    last: int | None = connection.scalar(
        sa.select(person)
        .where(of_issue, person > after)
        .order_by(person)
        .offset(_CHUNK - 1)
        .limit(1)
    )
    to = () if last is None else (person <= last,)
    handed = (of_issue, person > after, *to, delivery.c.state.in_(HANDED_OVER))
    _move(connection, number, sa.select(person).where(*handed))
    return last


def _move(connection: sa.Connection, number: int, people: sa.Select[tuple[int]]) -> None:
    end: datetime | None = connection.scalar(
        sa.select(issue.c.window_end).where(issue.c.number == number)
    )
    mark = subscriber.c.covered_until
    connection.execute(
        sa.update(subscriber)
        .where(subscriber.c.id.in_(people), mark.is_(None) | (mark < end))
        .values(covered_until=end)
    )
