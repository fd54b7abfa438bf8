"""Rows by the thousand, as fast as each database takes them: executemany on SQLite, COPY on
PostgreSQL. SQLAlchemy's own INSERT takes three times the CPU of the driver's."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from struct import unpack
from typing import Any

import sqlalchemy as sa

from digest.store.timestamps import UtcDateTime, to_text


def new_ids(number: int) -> list[int]:
    """Random 63-bit ids: opaque in links, and never the same again for who was erased.

    Those of one call share their upper half and ascend: rows that are written together lie
    together, where a million scattered ones would touch a page of every index each.
    """
    upper = secrets.randbits(31) << 32
    lower: set[int] = set()
    while len(lower) < number:
        missing = number - len(lower)
        lower.update(unpack(f"{missing}I", secrets.token_bytes(4 * missing)))
    return sorted(upper | one or 1 for one in lower)


def array(values: Iterable[object]) -> str:
    """Numbers, or moments as text, as PostgreSQL writes an array: nothing in them needs escaping,
    and the driver's own lists take ten times as long."""
    return f"{{{','.join(map(str, values))}}}"


def lookup(
    connection: sa.Connection, columns: Sequence[sa.Column[Any]], keys: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """The columns of the rows whose first column is one of the keys."""
    names = ", ".join(column.name for column in columns)
    query = f"SELECT {names} FROM {columns[0].table} WHERE {columns[0].name}"  # noqa: S608
    if connection.dialect.name == "sqlite":
        marks = ",".join("?" * len(keys))
        rows = connection.exec_driver_sql(f"{query} IN ({marks})", tuple(keys))
    else:
        rows = connection.exec_driver_sql(f"{query} = ANY(%s)", (list(keys),))
    return [tuple(row) for row in rows.all()]


def write_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: Iterable[tuple[Any, ...]],
    *,
    first: int | None = None,
) -> None:
    """Add rows inside the transaction. They hold every column of the table in its order, or the
    `first` so many, and the rest has its defaults."""
    columns = list(table.columns)[:first]
    if connection.dialect.name == "sqlite":
        _executemany(connection, table, columns, rows)
    else:
        _copy(connection, table, columns, rows)


def _executemany(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[sa.Column[Any]],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    marks, names = ",".join("?" * len(columns)), ", ".join(column.name for column in columns)
    times = [place for place, one in enumerate(columns) if isinstance(one.type, UtcDateTime)]
    waiting = [_texts(row, times) for row in rows] if times else list(rows)
    if waiting:
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", waiting)  # noqa: S608


def _texts(row: tuple[Any, ...], times: Sequence[int]) -> tuple[Any, ...]:
    cells = list(row)
    for place in times:
        if isinstance(cells[place], datetime):
            cells[place] = to_text(cells[place])
    return tuple(cells)


def _copy(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[sa.Column[Any]],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    names = ", ".join(column.name for column in columns)
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
