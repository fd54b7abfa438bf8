"""Where in the ledger the deliveries are that providers name, for many names at once.

A delivery's id is a hash of issue and reader, so it is found through its reader: the address that
the provider tells with it. Which issue it was is tried from the newest one back.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from digest.addresses import identity_of
from digest.composer import delivery_id
from digest.store.bulk import lookup
from digest.store.ledger.coverage import HANDED_OVER
from digest.store.ledger.schema import delivery, issue
from digest.store.schema import MOMENT, subscriber

_THOROUGH = timedelta(days=30)  # how far back a delivery is looked for whose address is gone
_ISSUES = 400  # that far back one is looked for at all


# SQLite goes in this order then, issue by issue, and not through every delivery there is.
_LATEST = sa.text("""
    SELECT delivery.issue_number, delivery.number, delivery.state FROM issue
    CROSS JOIN delivery
    WHERE delivery.issue_number = issue.number AND delivery.subscriber_id = :person
    AND delivery.state IN :states AND delivery.submitted_at <= :at
    ORDER BY delivery.submitted_at DESC LIMIT 1
""").bindparams(sa.bindparam("at", type_=MOMENT), sa.bindparam("states", expanding=True))


class Place(NamedTuple):
    """A delivery, and whose it is."""

    issue: int
    number: int
    state: str
    person: int


def find_places(
    connection: sa.Connection, wanted: Mapping[str, str], thorough: datetime | None = None
) -> dict[str, Place]:
    """The places of deliveries by their ids, given with the address that each went to.

    With `thorough` (now) also of those whose address has changed or is gone: a second for a
    million deliveries.
    """
    found: dict[str, Place] = {}
    keys = set(_keys(wanted.values()))
    for number, name in _issues(connection) if keys else ():
        if not keys:
            break
        _take(_deliveries(connection, number, list(keys)), name, wanted, found)
        if len(found) == len(wanted):
            break
        keys = set(_keys(to for name, to in wanted.items() if name not in found))
    if thorough is not None and (left := wanted.keys() - found.keys()):
        _search(connection, left, thorough, found)
    return found


def find_people(connection: sa.Connection, addresses: Iterable[str]) -> dict[str, int]:
    """Address as told -> the id of its subscriber; without those who are none."""
    keys = _keys(addresses)
    rows = lookup(connection, (subscriber.c.address, subscriber.c.id), list(keys))
    return {told: number for key, number in rows for told in keys[key]}


def latest_place(connection: sa.Connection, person: int, at: datetime) -> Place | None:
    """The latest delivery that was handed over to someone before that moment."""
    values = {"person": person, "at": at, "states": HANDED_OVER}
    row = connection.execute(_LATEST, values).one_or_none()
    return None if row is None else Place(row.issue_number, row.number, row.state, person)


def _keys(addresses: Iterable[str]) -> dict[str, list[str]]:
    """The keys of addresses as a provider writes them, each with its spellings."""
    keys: dict[str, list[str]] = {}
    for told in set(addresses):
        try:
            keys.setdefault(identity_of(told), []).append(told)
        except ValueError:
            continue
    return keys


def _issues(connection: sa.Connection) -> Sequence[tuple[int, str]]:
    query = (
        sa.select(issue.c.number, issue.c.id)
        .where(~issue.c.id.startswith("~"))
        .order_by(issue.c.number.desc())
        .limit(_ISSUES)
    )
    return [(number, name) for number, name in connection.execute(query)]


def _take(
    rows: Iterable[tuple[int, int, str, int]],
    issue_id: str,
    wanted: Container[str],
    found: dict[str, Place],
) -> None:
    """Keep the deliveries of an issue that are wanted."""
    for row in rows:
        if (name := delivery_id(issue_id, row[3])) in wanted:
            found[name] = Place._make(row)


def _deliveries(
    connection: sa.Connection, number: int, keys: Sequence[str]
) -> list[tuple[int, int, str, int]]:
    """The deliveries of an issue to these addresses, by the driver itself: half of the time."""
    query = """
        SELECT delivery.issue_number, delivery.number, delivery.state, delivery.subscriber_id
        FROM subscriber
        CROSS JOIN delivery  -- SQLite goes in this order then, and not through the whole issue
        WHERE delivery.issue_number = {one} AND delivery.subscriber_id = subscriber.id
        AND subscriber.address {among}
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    cursor = driver.cursor()
    try:
        if connection.dialect.name == "sqlite":
            marks = f"IN ({','.join('?' * len(keys))})"
            cursor.execute(query.format(one="?", among=marks), (number, *keys))
        else:
            cursor.execute(query.format(one="%s", among="= ANY(%s)"), (number, list(keys)))
        rows: list[tuple[int, int, str, int]] = cursor.fetchall()
    finally:
        cursor.close()
    return rows


def _search(
    connection: sa.Connection, wanted: Iterable[str], now: datetime, found: dict[str, Place]
) -> None:
    """Look through every delivery of the last weeks."""
    left = set(wanted)
    query = (
        sa.select(
            issue.c.id,
            delivery.c.issue_number,
            delivery.c.number,
            delivery.c.state,
            delivery.c.subscriber_id,
        )
        .join(delivery, delivery.c.issue_number == issue.c.number)
        .where(issue.c.planned_at > now - _THOROUGH)
    )
    with connection.execute(query.execution_options(yield_per=1000)) as rows:
        for issue_id, *place in rows:
            if not left:
                break
            if (name := delivery_id(issue_id, place[-1])) in left:
                left.discard(name)
                found[name] = Place(*place)
