"""Where in the ledger the deliveries are that providers name, for many names at once.

A delivery's id is a hash of issue and reader. Where a provider tells with it the place that we gave
along, the row there counts if the id is that of its issue and reader. All others (an older mail, a
place that is wrong) are found through the address that the provider tells; which issue it was is
tried from the newest one back.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from digest.addresses import identity_of
from digest.composer import delivery_id
from digest.store.bulk import array, lookup
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


_PLACE = re.compile(r"\b([0-9]{1,12})\.([0-9]{1,12})\b", re.ASCII)


def place_name(issue_number: int, number: int) -> str:
    """A place as it goes out with a message and comes back in its events."""
    return f"{issue_number}.{number}"


# Issue, row, state, and whose it is: as the driver gives it, because to make named tuples of them
# takes nearly as long as to find the rows.
Place = tuple[int, int, str, int]


def find_places(
    connection: sa.Connection,
    wanted: Mapping[str, str],
    said: Iterable[str] = (),
    thorough: datetime | None = None,
) -> dict[str, Place]:
    """The places of deliveries by their ids, given with the address that each went to.

    `said`: where they are, by the provider's word. With `thorough` (now) also of those whose
    address has changed or is gone: a second for a million deliveries.
    """
    found: dict[str, Place] = {}
    if not wanted:
        return found
    issues = _issues(connection)
    for number, rows in _rows_of(said).items():
        if number in issues:
            _take(_deliveries_at(connection, number, rows), issues[number], wanted, found)
    if len(found) < len(wanted):
        _find_by_address(connection, wanted, issues, found)
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
    return None if row is None else (row.issue_number, row.number, row.state, person)


def _rows_of(said: Iterable[str]) -> dict[int, list[int]]:
    """The rows of each issue where somebody says that deliveries are."""
    rows: dict[str, list[int]] = {}
    for number, row in _PLACE.findall(" ".join(set(said))):
        rows.setdefault(number, []).append(int(row))
    return {int(number): some for number, some in rows.items()}


def _find_by_address(
    connection: sa.Connection,
    wanted: Mapping[str, str],
    issues: Mapping[int, str],
    found: dict[str, Place],
) -> None:
    for number, issue_id in issues.items():
        keys = list(_keys(to for name, to in wanted.items() if name not in found))
        if not keys:
            break
        _take(_deliveries(connection, number, keys), issue_id, wanted, found)


def _keys(addresses: Iterable[str]) -> dict[str, list[str]]:
    """The keys of addresses as a provider writes them, each with its spellings."""
    keys: dict[str, list[str]] = {}
    for told in set(addresses):
        try:
            keys.setdefault(identity_of(told), []).append(told)
        except ValueError:
            continue
    return keys


def _issues(connection: sa.Connection) -> dict[int, str]:
    """Number -> id, from the newest one back."""
    query = (
        sa.select(issue.c.number, issue.c.id)
        .where(~issue.c.id.startswith("~"))
        .order_by(issue.c.number.desc())
        .limit(_ISSUES)
    )
    return {row.number: row.id for row in connection.execute(query)}


def _take(
    rows: Iterable[Place],
    issue_id: str,
    wanted: Container[str],
    found: dict[str, Place],
) -> None:
    """Keep the deliveries of an issue that are wanted."""
    for row in rows:
        if (name := delivery_id(issue_id, row[3])) in wanted:
            found[name] = row


def _deliveries_at(connection: sa.Connection, number: int, rows: Iterable[int]) -> list[Place]:
    """The deliveries of an issue in these rows."""
    query = """
        SELECT issue_number, number, state, subscriber_id FROM {said}
        CROSS JOIN delivery WHERE issue_number = {one} AND number = said.value
    """
    listed = sorted(rows)  # neighbours lie together
    if connection.dialect.name == "sqlite":
        query = query.format(said="json_each(?) AS said", one="?")
        return _fetched(connection, query, (str(listed), number))
    query = query.format(said="unnest(%s::bigint[]) AS said (value)", one="%s")
    return _fetched(connection, query, (array(listed), number))


def _deliveries(connection: sa.Connection, number: int, keys: Sequence[str]) -> list[Place]:
    """The deliveries of an issue to these addresses."""
    query = """
        SELECT delivery.issue_number, delivery.number, delivery.state, delivery.subscriber_id
        FROM subscriber
        CROSS JOIN delivery  -- SQLite goes in this order then, and not through the whole issue
        WHERE delivery.issue_number = {one} AND delivery.subscriber_id = subscriber.id
        AND subscriber.address {among}
    """
    if connection.dialect.name == "sqlite":
        marks = f"IN ({','.join('?' * len(keys))})"
        return _fetched(connection, query.format(one="?", among=marks), (number, *keys))
    among = "= ANY(%s)"
    return _fetched(connection, query.format(one="%s", among=among), (number, list(keys)))


def _fetched(connection: sa.Connection, query: str, values: tuple[Any, ...]) -> list[Place]:
    """By the driver itself: half of the time."""
    driver = connection.connection.driver_connection
    assert driver is not None
    cursor = driver.cursor()
    try:
        cursor.execute(query, values)
        rows: list[Place] = cursor.fetchall()
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
        for issue_id, number, row, state, person in rows:
            if not left:
                break
            if (name := delivery_id(issue_id, person)) in left:
                left.discard(name)
                found[name] = (number, row, state, person)
