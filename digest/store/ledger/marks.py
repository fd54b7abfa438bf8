"""What became of many deliveries, written by runs of neighbours that ended alike.

Nearly all of a window end alike: one UPDATE of a range, a third of the price of one for each. What
a provider calls them differs, and goes into a table of its own, whose rows are only added.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from digest.store.ledger.records import DeliveryState, Mark
from digest.store.ledger.schema import delivery

_RECEIPTS = {
    "sqlite": "INSERT OR REPLACE INTO receipt (issue_number, number, receipt) VALUES (?, ?, ?)",
    "postgresql": """
INSERT INTO receipt (issue_number, number, receipt)
SELECT %s, * FROM unnest(%s::bigint[], %s::text[])
ON CONFLICT (issue_number, number) DO UPDATE SET receipt = excluded.receipt
""",
}
_by_number = attrgetter("number")

_run = (
    sa.update(delivery)
    .where(
        delivery.c.issue_number == sa.bindparam("issue"),
        delivery.c.number.between(sa.bindparam("first"), sa.bindparam("last")),
        delivery.c.state == sa.bindparam("expected"),
    )
    .values(
        state=sa.bindparam("new"),
        attempts=delivery.c.attempts + sa.bindparam("tried", type_=sa.Integer),
        reason=sa.bindparam("why"),
        retry_at=sa.bindparam("again"),
        submitted_at=sa.func.coalesce(
            delivery.c.submitted_at, sa.bindparam("taken", type_=delivery.c.submitted_at.type)
        ),
    )
)


def write_marks(
    connection: sa.Connection,
    issue_number: int,
    marks: Sequence[Mark],
    at: datetime,
    *,
    expected: DeliveryState,
    tried: int = 1,
) -> None:
    """Move the deliveries that are in the `expected` state; any other is left alone.

    `tried`: how many attempts this was for each of them.
    """
    if not marks:
        return
    every = {"issue": issue_number, "expected": expected.value, "tried": tried}
    rows = [{**every, **run} for run in _runs(sorted(marks, key=_by_number), at)]
    connection.execute(_run, rows if len(rows) > 1 else rows[0])
    _keep_receipts(connection, issue_number, marks)


def settle_delivered(
    connection: sa.Connection, issue_number: int, marks: Iterable[Mark], at: datetime
) -> None:
    """What the provider told to be delivered before its sender noted a doubt is submitted.

    No event may come any more that would settle it.
    """
    doubts = [mark.number for mark in marks if mark.state is DeliveryState.UNKNOWN]
    if doubts:
        these = (delivery.c.issue_number == issue_number, delivery.c.number.in_(doubts))
        unknown = delivery.c.state == DeliveryState.UNKNOWN.value
        connection.execute(
            sa.update(delivery)
            .where(*these, unknown, delivery.c.delivered_at.is_not(None))
            .values(
                state=DeliveryState.SUBMITTED.value,
                submitted_at=sa.func.coalesce(delivery.c.submitted_at, at),
            )
        )


def _runs(marks: Iterable[Mark], at: datetime) -> Iterator[dict[str, Any]]:
    """Neighbours that ended alike."""
    run: dict[str, Any] = {}
    ended: tuple[Any, ...] = ()
    for number, state, _, reason, retry_at in marks:
        if run and number == run["last"] + 1 and ended == (state, reason, retry_at):
            run["last"] = number
            continue
        if run:
            yield run
        ended = (state, reason, retry_at)
        run = {
            "first": number,
            "last": number,
            "new": state.value,
            "why": reason,
            "again": retry_at,
            "taken": at if state is DeliveryState.SUBMITTED else None,
        }
    yield run


def _keep_receipts(connection: sa.Connection, issue_number: int, marks: Sequence[Mark]) -> None:
    named = [(issue_number, mark.number, mark.receipt) for mark in marks if mark.receipt]
    if not named:
        return
    dialect = connection.dialect.name
    if dialect == "sqlite":
        connection.exec_driver_sql(_RECEIPTS[dialect], named)
    else:
        _, numbers, receipts = map(list, zip(*named, strict=True))
        connection.exec_driver_sql(_RECEIPTS[dialect], (issue_number, numbers, receipts))
