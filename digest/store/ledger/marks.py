"""What became of many deliveries, written in one statement: two microseconds a row on SQLite.

SQLAlchemy's UPDATE with bound rows takes four times the CPU of the driver's.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from digest.store.ledger.records import DeliveryState, Mark
from digest.store.timestamps import to_driver

_SQLITE = """
UPDATE delivery SET state = ?, receipt = coalesce(?, receipt), reason = ?, retry_at = ?,
  submitted_at = coalesce(submitted_at, ?)
WHERE issue_number = ? AND number = ? AND state = ?
"""
_POSTGRESQL = """
UPDATE delivery SET state = new.state, receipt = coalesce(new.receipt, delivery.receipt),
  reason = new.reason, retry_at = new.retry_at,
  submitted_at = coalesce(delivery.submitted_at, new.submitted_at)
FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::bigint[])
  AS new (state, receipt, reason, retry_at, submitted_at, number)
WHERE delivery.issue_number = %s AND delivery.number = new.number AND delivery.state = %s
"""


def write_marks(
    connection: sa.Connection,
    issue_number: int,
    marks: Sequence[Mark],
    at: datetime,
    *,
    expected: DeliveryState,
) -> None:
    """Move the deliveries that are in the `expected` state; any other is left alone."""
    if not marks:
        return
    dialect = connection.dialect.name
    now = to_driver(at, dialect)
    submitted = DeliveryState.SUBMITTED
    rows = [
        (
            one.state.value,
            one.receipt,
            one.reason,
            to_driver(one.retry_at, dialect),
            now if one.state is submitted else None,
        )
        for one in marks
    ]
    if dialect == "sqlite":
        state = expected.value
        connection.exec_driver_sql(
            _SQLITE,
            [(*row, issue_number, one.number, state) for row, one in zip(rows, marks, strict=True)],
        )
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    numbers = [one.number for one in marks]
    connection.exec_driver_sql(_POSTGRESQL, (*columns, numbers, issue_number, expected.value))
