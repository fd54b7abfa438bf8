"""A sender's commits: one closes a window of deliveries and claims the next.

Whoever may not be mailed any more is found out while claiming, in the same transaction.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from digest.store.database import Database
from digest.store.ledger import coverage, windows
from digest.store.ledger.claimed import People
from digest.store.ledger.marks import settle_delivered, write_marks
from digest.store.ledger.records import (
    Claim,
    Claimed,
    Closing,
    DeliveryState,
    Held,
    Idle,
    InClaim,
    IssueState,
    Owner,
    Turn,
)
from digest.store.ledger.schema import claim_window, delivery, issue

# How long another machine waits for a window's sender before it calls its deliveries unknown.
LEASE = timedelta(hours=1)

_GOING_ON = (IssueState.PLANNED.value, IssueState.SENDING.value)
_PLANNED, _UNKNOWN = DeliveryState.PLANNED, DeliveryState.UNKNOWN


@dataclass(slots=True)
class Claims:
    """The windows of one issue, for one owner."""

    database: Database
    issue_number: int
    owner: Owner
    lease: timedelta = LEASE
    number: int = 0  # of our last claim
    _people: People = field(default_factory=People)

    def turn(
        self,
        closing: Closing | None,
        now: datetime,
        limit: int | None = None,
        window: int | None = None,
    ) -> Turn:
        """Close a window, if one is given, and claim the next; durable when it returns.

        Nothing is claimed at or behind the delivery number `limit`. `window`: none but the one that
        begins with this delivery.
        """

        def claim(connection: sa.Connection) -> Turn:
            if closing is not None:
                _close(connection, self.issue_number, closing, now)
            if _state(connection, self.issue_number) not in _GOING_ON:
                return Turn(None, Idle.STOPPED)
            bounds = windows.next_open(connection, self.issue_number, now, limit, window)
            if bounds is None:
                return windows.idle(connection, self.issue_number, now, limit)
            self.number += 1
            held = Held(*bounds, self.owner, self.number, now + self.lease)
            windows.take(connection, self.issue_number, held, now)
            deliveries = self._deliveries(connection, held, now)
            released = windows.released(connection, self.issue_number, held)
            return Turn(Claim(held, deliveries, released))

        return self.database.commit(claim)

    def close(self, closing: Closing, now: datetime) -> None:
        """Close a window and claim none."""
        self.database.commit(lambda connection: _close(connection, self.issue_number, closing, now))

    def renew(self, held: Held, now: datetime) -> bool:
        """Keep the window for another while. False when it was taken from us."""
        update = (
            sa.update(claim_window)
            .where(*windows.is_held(self.issue_number, held))
            .values(lease_until=now + self.lease)
        )
        with self.database.writing() as connection:
            return connection.execute(update).rowcount == 1

    def going_on(self) -> bool:
        """False when somebody has paused or cancelled the issue."""
        with self.database.reading() as connection:
            return _state(connection, self.issue_number, lock=False) in _GOING_ON

    def held_by_others(self) -> list[Held]:
        """The windows that other owners hold, whether they live or not."""
        query = sa.select(claim_window).where(
            claim_window.c.issue_number == self.issue_number,
            claim_window.c.state == "claimed",
            claim_window.c.owner != str(self.owner),
        )
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(claim_window.c.lo)).all()
        return [
            Held(row.lo, row.hi, Owner.parse(row.owner), row.claim, row.lease_until) for row in rows
        ]

    def claimed_in(self, held: Held) -> list[InClaim]:
        """The deliveries that are claimed in a window, if it is still held so."""
        mine = windows.is_held(self.issue_number, held)
        with self.database.reading() as connection:
            since = connection.scalar(sa.select(claim_window.c.claimed_at).where(*mine))
            if since is None:
                return []
            query = sa.select(
                delivery.c.number, delivery.c.subscriber_id, delivery.c.attempts + 1
            ).where(*windows.within(self.issue_number, held.lo, held.hi), *windows.ready(since))
            return [InClaim(*row) for row in connection.execute(query.order_by(delivery.c.number))]

    def _deliveries(
        self, connection: sa.Connection, held: Held, now: datetime
    ) -> tuple[Claimed, ...]:
        """What is ready in our window; suppressed is what may not be mailed any more."""
        claimed, barred = self._people.read(connection, self.issue_number, held, now)
        write_marks(connection, self.issue_number, barred, now, expected=_PLANNED, tried=0)
        return tuple(claimed)


def _close(connection: sa.Connection, number: int, closing: Closing, now: datetime) -> None:
    """Write what became of a window's deliveries and let go of it.

    Where another machine took the window, its deliveries are unknown; what we know settles them.
    """
    held = closing.held
    ours = connection.execute(
        sa.select(claim_window.c.lo).where(*windows.is_held(number, held)).with_for_update()
    ).one_or_none()
    if ours is None:
        write_marks(connection, number, closing.marks, now, expected=_UNKNOWN, tried=0)
    else:
        write_marks(connection, number, closing.marks, now, expected=_PLANNED)
        _drop_cancelled(connection, number, held)
        windows.let_go(connection, number, held)
    settle_delivered(connection, number, closing.marks, now)
    if any(mark.state in coverage.HANDED_OVER for mark in closing.marks):
        coverage.due(connection, number, held.lo)


def _drop_cancelled(connection: sa.Connection, number: int, held: Held) -> None:
    """What was not handed over of an issue that was cancelled meanwhile."""
    if _state(connection, number) == IssueState.CANCELLED.value:
        planned = (*windows.within(number, held.lo, held.hi), delivery.c.state == _PLANNED.value)
        cancelled = DeliveryState.CANCELLED.value
        connection.execute(sa.update(delivery).where(*planned).values(state=cancelled))


def _state(connection: sa.Connection, number: int, *, lock: bool = True) -> str:
    """Locked against pausing and replacing until the claim is committed."""
    query = sa.select(issue.c.state).where(issue.c.number == number)
    return connection.scalar(query.with_for_update(read=True) if lock else query) or ""
