"""One engine for either database, and the two kinds of transaction: reading and writing.

SQLite: WAL, `synchronous=FULL` (a lost "they left" or "handed over" means mailing someone wrongly;
FULL costs one fsync a transaction), foreign keys, and BEGIN IMMEDIATE for writers, so that a
transaction never fails half-way for want of the lock. PostgreSQL: UTC, and the same patience.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from digest.config import STORE_FILE
from digest.errors import StoreError
from digest.store import naming
from digest.store.failures import deadlocked, explained

FILE = STORE_FILE
PATIENCE = 10.0  # seconds to wait for another writer
Result = TypeVar("Result")
_ATTEMPTS = 5  # of a transaction that ends in a deadlock; each waits a second for it

_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
_OLDEST_POSTGRESQL = (15,)


@dataclass(frozen=True, slots=True)
class Database:
    """An engine, and how to name it to people (never with its secrets)."""

    engine: sa.Engine
    place: str

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @property
    def address(self) -> str:
        """For a driver of PostgreSQL; with its password, so never to be shown."""
        url = self.engine.url.set(drivername="postgresql")
        return url.render_as_string(hide_password=False)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on a server."""
        name = self.engine.url.database
        return Path(name.removeprefix("file:")) if self.dialect == "sqlite" and name else None

    def _explained(self) -> AbstractContextManager[None]:
        quoted = partial(naming.quotable, self.engine.url)
        return explained(self.place, self.engine.dialect.loaded_dbapi.Error, quoted)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One snapshot; never waits for a writer."""
        with self._explained(), self.engine.connect() as connection:
            options: dict[str, Any] = {"digest_reads": True}
            if self.dialect == "postgresql":  # SQLite's are snapshots anyway
                options["isolation_level"] = "REPEATABLE READ"
            yield connection.execution_options(**options)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: all of it is kept, or none."""
        with self._explained(), self.engine.begin() as connection:
            yield connection

    def commit(self, work: Callable[[sa.Connection], Result]) -> Result:
        """What `work` gives, in one transaction; all of it again where that ended in a deadlock.

        Writers lock rows in one order where that is cheap. Where it is not, PostgreSQL turns one of
        them away, whose second attempt finds the other one done.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.writing() as connection:
                    return work(connection)
            except StoreError as error:
                if attempt == _ATTEMPTS or not deadlocked(error):
                    raise
        raise AssertionError("unreachable")

    def keep_log(self) -> None:
        """SQLite: WAL, which the file remembers. Only for a file of ours; readers set nothing."""
        if self.dialect == "sqlite":
            with self._explained(), closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode = WAL")


def url_of(database: str, root: Path) -> str:
    """The URL for the configured `database`; empty means one file in the project's folder."""
    if not database:
        return f"sqlite:///{(root / FILE).absolute()}"
    # Heroku and others still hand out the scheme that libpq has always called an alias
    return database.replace("postgres://", "postgresql://", 1)


def connect(url: str, patience: float = PATIENCE) -> Database:
    """An engine for the URL. Nothing is opened yet. StoreError for a URL of no use."""
    parsed = naming.parsed(url)
    kind = parsed.get_backend_name()
    try:
        engine = sa.create_engine(parsed, pool_pre_ping=kind == "postgresql")
    except ModuleNotFoundError as error:
        raise StoreError(
            f"PostgreSQL needs the package {error.name}",
            hint="install it with: pip install 'digest-newsletter[postgres]'",
        ) from error
    if kind == "sqlite":
        _prepare_sqlite(engine, patience)
    else:
        _prepare_postgresql(engine, patience)
    return Database(engine, naming.named(parsed))


def _prepare_sqlite(engine: sa.Engine, patience: float) -> None:
    version = engine.dialect.dbapi.sqlite_version_info  # type: ignore[union-attr]
    if version < _OLDEST_SQLITE:
        raise StoreError(
            f"SQLite {'.'.join(map(str, version))} is too old",
            hint="3.37 or newer is needed; a newer Python brings it",
        )

    @sa.event.listens_for(engine, "do_connect")
    def open_file(_dialect: Any, _record: Any, arguments: Any, options: Any) -> sqlite3.Connection:
        return _open_sqlite(arguments[0], options)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are ours, see `begin`
        connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -32768")  # 32 MB: indexes of a million readers

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("digest_reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _open_sqlite(name: str, options: dict[str, Any]) -> sqlite3.Connection:
    """The file, or, where its log cannot be made beside it, the file as it stands, to be read.

    Not when there is a log that cannot be read: it holds what was written last.
    """
    connection: sqlite3.Connection = sqlite3.connect(name, **options)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        connection.close()
        file, log = Path(name), Path(f"{name}-wal")
        unwritable = error.sqlite_errorname.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY"))
        if not unwritable or not file.is_file() or (log.exists() and log.stat().st_size):
            raise
        place = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(place, **{**options, "uri": True})
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_postgresql(engine: sa.Engine, patience: float) -> None:
    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        if connection.info.server_version < _OLDEST_POSTGRESQL[0] * 10000:
            raise StoreError(
                f"PostgreSQL {connection.info.server_version // 10000} is too old",
                hint="15 or newer is needed",
            )
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
            cursor.execute(f"SET lock_timeout = {int(patience * 1000)}")
        connection.commit()
