"""What a person may do to an issue, and a sender at its end: stop, go on, give up, try again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from digest.errors import StoreError
from digest.store.database import Database
from digest.store.dialects import insert_new
from digest.store.ledger.records import Allowance, DeliveryState, IssueState
from digest.store.ledger.schema import allowance, claim_window, delivery, issue

_OPEN_ENDED = (IssueState.PLANNED, IssueState.SENDING, IssueState.PAUSED)


@dataclass(frozen=True, slots=True)
class Operator:
    """Acts on issues by their number. StoreError where the issue's state forbids it."""

    database: Database

    def pause(self, number: int, because: str) -> None:
        """Let nothing more be claimed; what a sender has in hand it finishes."""
        self._move(
            number, (IssueState.PLANNED, IssueState.SENDING), IssueState.PAUSED, because=because
        )

    def resume(self, number: int) -> None:
        """Let a paused issue go on with the next `send`."""
        self._move(number, (IssueState.PAUSED,), IssueState.SENDING)

    def cancel(self, number: int) -> int:
        """Never hand over what is still planned. Gives how many deliveries that is.

        What a sender has in its hands at this moment it finishes.
        """
        self._move(number, _OPEN_ENDED, IssueState.CANCELLED)
        cancelled = 0
        while (window := self._first_open(number)) is not None:
            lo, hi = window
            with self.database.writing() as connection:
                mine = (claim_window.c.issue_number == number, claim_window.c.lo == lo)
                still = (*mine, claim_window.c.hi == hi, claim_window.c.state == "open")
                update = sa.update(claim_window).where(*still).values(state="done", ready_at=None)
                if connection.execute(update).rowcount:
                    cancelled += _move_deliveries(
                        connection,
                        (*_in_issue(number), delivery.c.number >= lo, delivery.c.number < hi),
                        DeliveryState.PLANNED,
                        {"state": DeliveryState.CANCELLED.value},
                    )
        return cancelled

    def allow(self, number: int, checks: Mapping[str, int], by: str, now: datetime) -> None:
        """Record that it goes out with so many errors of each check. Said once, it stays said."""
        rows = [
            {
                "issue_number": number,
                "check_id": check,
                "findings": findings,
                "allowed_by": by,
                "allowed_at": now,
            }
            for check, findings in sorted(checks.items())
        ]
        with self.database.writing() as connection:
            for row in rows:
                connection.execute(insert_new(connection, allowance).values(row))

    def allowed(self, number: int) -> tuple[Allowance, ...]:
        """What was allowed, by the ids of the checks."""
        query = sa.select(allowance).where(allowance.c.issue_number == number)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(allowance.c.check_id)).all()
        return tuple(
            Allowance(row.check_id, row.findings, row.allowed_by, row.allowed_at) for row in rows
        )

    def retry(self, number: int, now: datetime) -> int:
        """Plan the failed deliveries again. Gives how many; the next `send` takes them up."""
        values = {
            "state": DeliveryState.PLANNED.value, "attempts": 0, "retry_at": now, "reason": None
        }  # fmt: skip
        return self._again(number, DeliveryState.FAILED, _in_issue(number), values)

    def accept(self, number: int, now: datetime, chosen: Sequence[int] | None = None) -> int:
        """Take unknown deliveries (all, or those of these numbers) as submitted."""
        values = {
            "state": DeliveryState.SUBMITTED.value,
            "submitted_at": sa.func.coalesce(delivery.c.submitted_at, now),
        }
        with self.database.writing() as connection:
            return _move_deliveries(
                connection, _chosen(number, chosen), DeliveryState.UNKNOWN, values
            )

    def resend(self, number: int, now: datetime, chosen: Sequence[int] | None = None) -> int:
        """Plan unknown deliveries again: whoever did get the message gets it twice."""
        # ready from now on: not in the hands of who has claimed the rest of their window before
        values = {"state": DeliveryState.PLANNED.value, "retry_at": now}
        return self._again(number, DeliveryState.UNKNOWN, _chosen(number, chosen), values)

    def finish(self, number: int) -> bool:
        """Mark an issue done in which nothing is left to do. True when it is done."""
        left = sa.exists(
            sa.select(1).where(
                claim_window.c.issue_number == number, claim_window.c.state != "done"
            )
        )
        with self.database.writing() as connection:
            sending = (issue.c.number == number, issue.c.state == IssueState.SENDING.value)
            connection.execute(
                sa.update(issue).where(*sending, ~left).values(state=IssueState.DONE.value)
            )
            state = connection.scalar(sa.select(issue.c.state).where(issue.c.number == number))
        return state == IssueState.DONE.value

    def _move(
        self, number: int, states: Sequence[IssueState], to: IssueState, *, because: str = ""
    ) -> None:
        with self.database.writing() as connection:
            row = connection.execute(
                sa.select(issue.c.id, issue.c.state)
                .where(issue.c.number == number)
                .with_for_update()
            ).one()
            if row.state not in {state.value for state in states}:
                raise StoreError(f"{row.id} is {row.state}", hint=f"digest issues show {row.id}")
            values = {"state": to.value, "paused_because": because}
            connection.execute(sa.update(issue).where(issue.c.number == number).values(values))

    def _again(
        self,
        number: int,
        state: DeliveryState,
        where: Sequence[sa.ColumnElement[bool]],
        values: dict[str, Any],
    ) -> int:
        """Plan deliveries again and open the windows they are in."""
        with self.database.writing() as connection:
            row = connection.execute(
                sa.select(issue.c.id, issue.c.state)
                .where(issue.c.number == number)
                .with_for_update()
            ).one()
            if row.state == IssueState.CANCELLED.value:
                raise StoreError(f"{row.id} is cancelled", hint="nothing more of it is sent")
            moved = _move_deliveries(connection, where, state, values)
            if moved:
                _reopen(connection, number)
                done = (issue.c.number == number, issue.c.state == IssueState.DONE.value)
                connection.execute(
                    sa.update(issue).where(*done).values(state=IssueState.SENDING.value)
                )
        return moved

    def _first_open(self, number: int) -> tuple[int, int] | None:
        query = (
            sa.select(claim_window.c.lo, claim_window.c.hi)
            .where(claim_window.c.issue_number == number, claim_window.c.state == "open")
            .order_by(claim_window.c.lo)
            .limit(1)
        )
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.lo, row.hi)


def _in_issue(number: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (delivery.c.issue_number == number,)


def _chosen(number: int, chosen: Sequence[int] | None) -> tuple[sa.ColumnElement[bool], ...]:
    if chosen is None:
        return _in_issue(number)
    return (*_in_issue(number), delivery.c.number.in_(chosen))


def _move_deliveries(
    connection: sa.Connection,
    where: Sequence[sa.ColumnElement[bool]],
    state: DeliveryState,
    values: dict[str, Any],
) -> int:
    moving = sa.update(delivery).where(*where, delivery.c.state == state.value)
    return connection.execute(moving.values(values)).rowcount


def _reopen(connection: sa.Connection, number: int) -> None:
    planned = sa.exists(
        sa.select(1).where(
            delivery.c.issue_number == claim_window.c.issue_number,
            delivery.c.number >= claim_window.c.lo,
            delivery.c.number < claim_window.c.hi,
            delivery.c.state == DeliveryState.PLANNED.value,
        )
    )
    connection.execute(
        sa.update(claim_window)
        .where(claim_window.c.issue_number == number, claim_window.c.state != "claimed", planned)
        .values(state="open", ready_at=claim_window.c.release_at)
    )
