"""Facts about many deliveries, written in one statement for each kind. The earliest telling stays.

SQLAlchemy's UPDATE with bound rows takes four times the CPU of the driver's.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from digest.events import Fact, Telling
from digest.store.ledger.places import Place
from digest.store.timestamps import to_text

_SQLITE = """
UPDATE delivery SET {fact}_at = ?1, reason = coalesce(reason, ?2)
WHERE issue_number = ?3 AND number = ?4 AND ({fact}_at IS NULL OR {fact}_at > ?1)
"""
_DELIVERED = """
UPDATE delivery SET delivered_at = ?1
WHERE issue_number = ?2 AND number IN (SELECT value FROM json_each(?3))
  AND (delivered_at IS NULL OR delivered_at > ?1)
"""
_POSTGRESQL = """
UPDATE delivery SET {fact}_at = new.at, reason = coalesce(delivery.reason, new.reason)
FROM unnest(%s::timestamptz[], %s::text[], %s::bigint[], %s::bigint[])
  AS new (at, reason, issue_number, number)
WHERE delivery.issue_number = new.issue_number AND delivery.number = new.number
  AND ({fact}_at IS NULL OR {fact}_at > new.at)
"""


def write_delivered(connection: sa.Connection, told: Sequence[tuple[Place, datetime]]) -> int:
    """The same for `delivered`, without words: what nearly every event says."""
    if connection.dialect.name != "sqlite":
        return write_stamps(
            connection, Fact.DELIVERED, [(place, Telling(at, "")) for place, at in told]
        )
    alike: dict[tuple[datetime, int], list[int]] = {}
    for place, at in told:
        alike.setdefault((at, place[0]), []).append(place[1])
    rows = [(to_text(at), issue, str(sorted(numbers))) for (at, issue), numbers in alike.items()]
    return connection.exec_driver_sql(_DELIVERED, rows).rowcount if rows else 0


def write_stamps(
    connection: sa.Connection, fact: Fact, told: Sequence[tuple[Place, Telling]]
) -> int:
    """Set a fact, or move it to an earlier moment; how many deliveries that changed."""
    if not told:
        return 0
    if connection.dialect.name == "sqlite":
        rows = [(to_text(one.at), one.reason or None, place[0], place[1]) for place, one in told]
        return connection.exec_driver_sql(_SQLITE.format(fact=fact.value), rows).rowcount
    told = sorted(told)  # rows are locked in one order, whoever else writes
    columns = (
        [one.at for _, one in told],
        [one.reason or None for _, one in told],
        [place[0] for place, _ in told],
        [place[1] for place, _ in told],
    )
    return connection.exec_driver_sql(_POSTGRESQL.format(fact=fact.value), columns).rowcount
