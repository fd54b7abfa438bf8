"""How a database is: whether it answers, what it is, at which revision, and what time it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from digest.store.database import Database
from digest.store.hashing import matching_hasher
from digest.store.migrate import Standing, revision, standing


@dataclass(frozen=True, slots=True)
class Condition:
    """Of a database that answered."""

    place: str  # its name, without a secret
    product: str  # "PostgreSQL 18.4"
    revision: str  # empty: no table of ours
    standing: Standing
    clock: datetime | None  # a server's; None for a file, which has none of its own


def condition(database: Database) -> Condition:
    """StoreError when it does not answer, or holds something else than our tables."""
    found = standing(database)
    with database.reading() as connection:
        at = revision(connection)
        if database.dialect == "sqlite":
            version = connection.execute(sa.text("SELECT sqlite_version()")).scalar_one()
            return Condition(database.place, f"SQLite {version}", at, found, None)
        version = connection.execute(sa.text("SHOW server_version")).scalar_one().split()[0]
        clock = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    product = f"PostgreSQL {version}"
    return Condition(database.place, product, at, found, clock.astimezone(UTC))


def require_key(database: Database, secrets: Sequence[bytes]) -> None:
    """StoreError when none of the secrets is the one that a current database was begun with."""
    with database.reading() as connection:
        matching_hasher(connection, secrets)
