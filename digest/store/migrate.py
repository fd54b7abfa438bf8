"""Which revision a database is at, and bringing it to ours.

Alembic costs half a second to import, so it is imported only when there is something to apply;
where a database stands is read with one SELECT.
"""

from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from digest.errors import StoreError
from digest.store.backup import copy_sqlite
from digest.store.database import Database
from digest.store.schema import HEAD, REVISIONS

_LOCK = 0x64696765_7374  # "digest": one upgrade at a time on PostgreSQL


class Standing(StrEnum):
    """A database against this program."""

    EMPTY = "empty"  # no table of ours
    OLDER = "older"  # `digest db upgrade` applies what is missing
    CURRENT = "current"
    NEWER = "newer"  # made by a newer program: refused


def revision(connection: sa.Connection) -> str:
    """The revision of the database; empty when it has none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or ""


def standing(database: Database) -> Standing:
    """StoreError when the file or server holds something else than our tables."""
    with database.reading() as connection:
        return _standing(connection, database.place)


def _standing(connection: sa.Connection, place: str) -> Standing:
    at = revision(connection)
    if at == HEAD:
        return Standing.CURRENT
    if at:
        return Standing.OLDER if at in REVISIONS else Standing.NEWER
    if sa.inspect(connection).get_table_names():
        raise StoreError(
            f"{place} holds tables of another program",
            hint="name another file or database in digest.toml",
        )
    return Standing.EMPTY


def require_current(database: Database, *, makes: bool = False) -> None:
    """Make a SQLite file current, after a copy of it; for a server say what to run.

    StoreError when a server is behind, when the database is newer than the program, and, unless
    `makes`, when there is no store in the file: an emptied one had readers, some of whom left.
    """
    file = database.file
    found = standing(database) if file is None or file.exists() else Standing.EMPTY
    if found is Standing.CURRENT:
        return
    if found is Standing.NEWER:
        raise _newer(database)
    if file is None:
        behind = "has no tables yet" if found is Standing.EMPTY else "is older than this program"
        raise StoreError(f"{database.place} {behind}", hint="run: digest db upgrade")
    if found is Standing.EMPTY and not makes:
        raise no_store(database)
    upgrade(database)


def no_store(database: Database) -> StoreError:
    """There is nothing at the place of the SQLite file, or nothing in it."""
    there = database.file is not None and database.file.exists()
    return StoreError(
        f"{database.place} {'is empty: no store is in it' if there else 'does not exist'}",
        hint="put a backup in its place; or, if there never was a store, "
        "make one: digest subscribers import FILE --consent 'how they agreed'",
    )


def upgrade(database: Database) -> Path | None:
    """Apply what is missing, in one transaction. The copy made before, where one was made.

    A SQLite file that is not there is made, for its owner only.
    """
    if database.file is not None:
        with suppress(OSError):  # it is there, or SQLite says why it cannot be made
            database.file.touch(mode=0o600, exist_ok=False)
    found = standing(database)
    if found is Standing.NEWER:
        raise _newer(database)
    copy = None
    if found is Standing.OLDER and database.file is not None:
        copy = _copy_before(database, database.file)
    database.keep_log()
    with database.writing() as connection:
        if database.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        # another process may have been first while this one waited for the lock
        if _standing(connection, database.place) is not Standing.CURRENT:
            apply(connection, "head")
    return copy


def apply(connection: sa.Connection, target: str) -> None:
    """Run the revisions up to `target` inside the connection's transaction."""
    from alembic import command

    command.upgrade(alembic_config(connection), target)


def alembic_config(connection: sa.Connection) -> "Config":  # type: ignore[name-defined]  # noqa: F821
    """Alembic's view of our revisions, without a file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _copy_before(database: Database, file: Path) -> Path:
    with database.reading() as connection:
        copy = file.with_name(f"{file.name}.before-{HEAD}-from-{revision(connection)}")
    copy.unlink(missing_ok=True)  # of an upgrade that did not get through
    copy_sqlite(database, copy)
    return copy


def _newer(database: Database) -> StoreError:
    return StoreError(
        f"{database.place} was made by a newer version of this program",
        hint="upgrade with: pip install --upgrade digest-newsletter",
    )
