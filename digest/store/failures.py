"""What a database driver says, said again for the person who runs the newsletter."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from digest.errors import StoreError

# sqlite3.Error.sqlite_errorname, by prefix
_SQLITE = {
    "SQLITE_BUSY": ("is locked by another program", "wait for it to end, then run this again"),
    "SQLITE_LOCKED": ("is locked by another program", "wait for it to end, then run this again"),
    "SQLITE_READONLY": ("cannot be written to", "check who owns the file and its folder"),
    "SQLITE_FULL": ("cannot grow: the disk is full", "make room, then run this again"),
    "SQLITE_CANTOPEN": ("cannot be opened", "check that the folder exists and may be written to"),
    "SQLITE_NOTADB": ("is not a database", "name another file, or restore a backup"),
    "SQLITE_CORRUPT": ("is damaged", "restore a backup (`digest db backup` makes them)"),
    "SQLITE_IOERR": ("cannot be read or written: the disk failed", "check the disk"),
}
# SQLSTATE, by prefix: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "531": ("cannot grow: the disk is full", "make room on the server, then run this again"),
    "532": ("has no memory left", "look at the server"),
    "533": ("takes no more connections", "raise max_connections, or run fewer processes"),
    "55P03": ("is locked by another program", "wait for it to end, then run this again"),
    "40P01": ("is locked by another program", "run this again"),
    "25006": ("cannot be written to", "is this a read-only replica?"),
    "28": ("refused the user or the password", "check `database` in digest.toml"),
    "3D000": ("does not exist", "create it first: createdb NAME"),
    "42501": ("refused: the user lacks a permission", "grant it, or name another user"),
}
_DEADLOCK = "40P01"
_UNREACHABLE = ("cannot be reached", "check `database` in digest.toml and that the server runs")


@contextmanager
def explained(
    place: str, driver_error: type[Exception], quoted: Callable[[str], str]
) -> Iterator[None]:
    """Turn a driver's error into a StoreError that names the database at `place`.

    `driver_error` is the base of the driver's own errors; `quoted` gives as much of their words as
    may be shown. A broken constraint passes through: it
    means a fault in this program, or a conflict that the caller knows how to name.
    """
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except sa.exc.DBAPIError as error:
        raise _translated(place, error.orig, quoted) from error
    except driver_error as error:  # while connecting, or past SQLAlchemy on the bulk paths
        raise _translated(place, error, quoted) from error


def deadlocked(error: BaseException | None) -> bool:
    """PostgreSQL ended the transaction because it and another one waited for each other."""
    while error is not None:
        if getattr(error, "sqlstate", "") == _DEADLOCK:
            return True
        error = getattr(error, "orig", None) or error.__cause__
    return False


def _translated(
    place: str, error: BaseException | None, quoted: Callable[[str], str]
) -> StoreError:
    name = getattr(error, "sqlite_errorname", "") or ""
    state = getattr(error, "sqlstate", "") or ""
    table, code = (_SQLITE, name) if isinstance(error, sqlite3.Error) else (_POSTGRESQL, state)
    for prefix, (message, hint) in table.items():
        if code.startswith(prefix):
            return StoreError(f"{place} {message}", hint=hint)
    if table is _POSTGRESQL and (not code or code.startswith(("08", "57P"))):
        said = quoted(str(error)).strip() or "no answer"
        return StoreError(
            f"{place} {_UNREACHABLE[0]}: {said.splitlines()[0]}", hint=_UNREACHABLE[1]
        )
    return StoreError(f"{place}: {quoted(str(error))}")
