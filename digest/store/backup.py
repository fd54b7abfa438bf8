"""A copy of the whole database while it is in use."""

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from digest.errors import StoreError
from digest.store.database import Database
from digest.store.naming import quotable


def backup(database: Database, target: Path, pg_dump: str = "pg_dump") -> None:
    """Write a consistent copy to `target`, which must not exist yet.

    SQLite: a database file. PostgreSQL: `pg_dump`'s custom format, for `pg_restore`.
    """
    if target.exists():
        raise StoreError(f"{target} exists already", hint="name a file that does not exist")
    if not target.parent.is_dir():
        raise StoreError(f"{target.parent} is not a folder", hint="create it first")
    if database.file is not None:
        copy_sqlite(database, target)
    else:
        _dump_postgresql(database, target, pg_dump)


def copy_sqlite(database: Database, target: Path) -> None:
    """SQLite's own online copy; under its final name only when it is whole."""
    with _whole(target) as part, database.reading() as connection:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        with closing(sqlite3.connect(part)) as copy:
            source.backup(copy)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A file to write, which becomes `target` when all went well, and else is no more."""
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)  # it holds addresses
        yield part
        part.rename(target)
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written: {error.strerror}",
            hint="make room there, or name a place that may be written to",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _dump_postgresql(database: Database, target: Path, pg_dump: str) -> None:
    program = shutil.which(pg_dump)
    if program is None:
        raise StoreError(
            "pg_dump is not installed here",
            hint="install the PostgreSQL client programs, or back up on the server",
        )
    url = database.engine.url
    with tempfile.TemporaryDirectory() as folder, _whole(target) as part:
        # a password on the command line would show in every process list
        place = url.set(drivername="postgresql", password=None).difference_update_query(
            ["password"]
        )
        password = url.query.get("password") or url.password
        if password:
            passwords = Path(folder) / "pgpass"
            passwords.touch(mode=0o600)
            passwords.write_text(f"*:*:*:*:{_escaped(str(password))}\n")
            place = place.update_query_dict({"passfile": str(passwords)})
        command = [program, "--format=custom", f"--file={part}", f"--dbname={place}"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if run.returncode:
            said = quotable(url, run.stderr.strip())
            raise StoreError(
                f"{target} cannot be written: pg_dump failed: {said}",
                hint="it may not be older than the server; or back up on the server",
            )


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")
