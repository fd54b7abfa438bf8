"""The few statements that SQLAlchemy spells differently for the two databases.

The one that is not used is not imported: PostgreSQL's is 3 MB.
"""

from importlib import import_module
from typing import Any

import sqlalchemy as sa


def insert(table: sa.Table, dialect: str) -> Any:
    """An INSERT of `sqlite` or `postgresql`, which both can say what to do with rows there are."""
    return import_module(f"sqlalchemy.dialects.{dialect}").insert(table)


def insert_new(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that leaves rows alone whose key is there already."""
    return insert(table, connection.dialect.name).on_conflict_do_nothing()
