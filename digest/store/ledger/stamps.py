"""Facts about many deliveries, written in one statement for each kind. The earliest telling stays.

SQLAlchemy's UPDATE with bound rows takes four times the CPU of the driver's.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from digest.events import Fact, Telling
from digest.store.bulk import array
from digest.store.ledger.places import Place
from digest.store.timestamps import to_text

_SQLITE = """
UPDATE delivery SET {fact}_at = ?1, reason = coalesce(reason, ?2)
WHERE issue_number = ?3 AND number = ?4 AND ({fact}_at IS NULL OR {fact}_at > ?1)
"""
_DELIVERED = {
    "sqlite": """
UPDATE delivery SET delivered_at = ?1
WHERE issue_number = ?2 AND number IN (SELECT value FROM json_each(?3))
  AND (delivered_at IS NULL OR delivered_at > ?1)
""",
    "postgresql": """
UPDATE delivery SET delivered_at = new.at
FROM unnest(%s::timestamptz[], %s::bigint[], %s::bigint[]) AS new (at, issue_number, number)
WHERE delivery.issue_number = new.issue_number AND delivery.number = new.number
  AND (delivered_at IS NULL OR delivered_at > new.at)
""",
}
_LOCK = """
SELECT count(*) FROM (
  SELECT FROM unnest(%s::bigint[], %s::bigint[]) AS told (issue_number, number)
  JOIN delivery ON delivery.issue_number = told.issue_number AND delivery.number = told.number
  ORDER BY delivery.issue_number, delivery.number
  FOR NO KEY UPDATE OF delivery
) AS locked
"""
_POSTGRESQL = """
UPDATE delivery SET {fact}_at = new.at, reason = coalesce(delivery.reason, new.reason)
FROM unnest(%s::timestamptz[], %s::text[], %s::bigint[], %s::bigint[])
  AS new (at, reason, issue_number, number)
WHERE delivery.issue_number = new.issue_number AND delivery.number = new.number
  AND ({fact}_at IS NULL OR {fact}_at > new.at)
"""


def lock(connection: sa.Connection, rows: Iterable[tuple[int, int]]) -> None:
    """Lock deliveries in the order of issue and row, as a sender does that closes its window.

    The statements that write them would each lock in an order of its own, and one after the other:
    two webhooks, or a webhook and a sender, would wait for each other. SQLite has one writer.
    """
    if connection.dialect.name == "postgresql" and (ordered := sorted(set(rows))):
        issues, numbers = zip(*ordered, strict=True)
        connection.exec_driver_sql(_LOCK, (array(issues), array(numbers)))


def write_delivered(connection: sa.Connection, told: Sequence[tuple[Place, datetime]]) -> int:
    """The same for `delivered`, without words: what nearly every event says."""
    if not told:
        return 0
    dialect = connection.dialect.name
    if dialect == "sqlite":
        alike: dict[tuple[datetime, int], list[int]] = {}
        for place, at in told:
            alike.setdefault((at, place[0]), []).append(place[1])
        values: Any = [
            (to_text(at), issue, str(sorted(numbers))) for (at, issue), numbers in alike.items()
        ]
    else:
        values = (
            array(to_text(at) for _, at in told),
            array(place[0] for place, _ in told),
            array(place[1] for place, _ in told),
        )
    return connection.exec_driver_sql(_DELIVERED[dialect], values).rowcount


def write_stamps(
    connection: sa.Connection, fact: Fact, told: Sequence[tuple[Place, Telling]]
) -> int:
    """Set a fact, or move it to an earlier moment; how many deliveries that changed."""
    if not told:
        return 0
    if connection.dialect.name == "sqlite":
        rows = [(to_text(one.at), one.reason or None, place[0], place[1]) for place, one in told]
        return connection.exec_driver_sql(_SQLITE.format(fact=fact.value), rows).rowcount
    columns = (
        [one.at for _, one in told],
        [one.reason or None for _, one in told],
        [place[0] for place, _ in told],
        [place[1] for place, _ in told],
    )
    return connection.exec_driver_sql(_POSTGRESQL.format(fact=fact.value), columns).rowcount
