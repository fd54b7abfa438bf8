"""A database that cannot be used says so in words, and keeps whole transactions only."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.errors import StoreError
from digest.store import State, Store, connect, exists, url_of
from tests.store.conftest import NOW, SECRETS
from tests.store.people import add


def test_a_locked_database_is_named_after_the_wait(sqlite_store: Store) -> None:
    file = sqlite_store.database.file
    assert file is not None
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match=r"digest.sqlite3 is locked by another program"):
        add(sqlite_store)

    other.close()
    assert sqlite_store.subscriptions.count()[State.CONFIRMED] == 0


def test_a_held_reader_is_named_after_the_wait(
    fresh_url: Callable[[], str],
) -> None:
    url = fresh_url()
    with (
        Store.open(url, SECRETS) as holder,
        Store.open(url, SECRETS, patience=0.1) as other,
    ):
        person = add(holder)
        holding = holder.subscriptions._locked(person)
        with holding, pytest.raises(StoreError, match="is locked by another program"):
            other.subscriptions.unsubscribe(person, NOW, "test")

        assert other.subscriptions.unsubscribe(person, NOW, "test")


def test_reading_goes_on_while_another_writes(sqlite_store: Store) -> None:
    file = sqlite_store.database.file
    assert file is not None
    add(sqlite_store)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert sqlite_store.subscriptions.find("ana@example.com") is not None
    other.close()


def test_a_read_only_database_can_be_read_but_not_changed(sqlite_store: Store) -> None:
    add(sqlite_store)
    url = f"sqlite:///file:{sqlite_store.database.file}?mode=ro&uri=true"

    with Store.open(url, SECRETS) as store:
        assert store.subscriptions.find("ana@example.com") is not None
        with pytest.raises(StoreError, match="cannot be written to"):
            add(store, "bo@example.com")


@pytest.fixture
def read_only_file(sqlite_template: Path) -> Iterator[Path]:
    """A store in a folder where this process may write nothing, be it root's or not."""
    with tempfile.TemporaryDirectory() as name:
        folder, root = Path(name), os.geteuid() == 0
        shutil.copy(sqlite_template, folder / "digest.sqlite3")
        with Store.open(f"sqlite:///{folder / 'digest.sqlite3'}", SECRETS) as store:
            add(store)
        (folder / "digest.sqlite3").chmod(0o444)
        folder.chmod(0o555)
        if root:
            os.seteuid(65534)
        yield folder / "digest.sqlite3"
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_a_store_in_a_read_only_folder_can_be_read_but_not_changed(read_only_file: Path) -> None:
    with Store.open(f"sqlite:///{read_only_file}", SECRETS) as store:
        assert [one.subscriber.email for one in store.subscriptions.stream()] == ["ana@example.com"]
        with pytest.raises(StoreError, match="cannot be written to"):
            add(store, "bo@example.com")


def test_a_backup_that_cannot_be_written_is_named(read_only_file: Path) -> None:
    target = read_only_file.with_name("copy.sqlite3")

    with (
        Store.open(f"sqlite:///{read_only_file}", SECRETS) as store,
        pytest.raises(StoreError, match=r"copy\.sqlite3 cannot be written: "),
    ):
        store.backup(target)


def test_a_backup_that_ends_half_way_leaves_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    add(sqlite_store)
    folder = tmp_path / "backups"
    folder.mkdir()
    file = sqlite_store.database.file
    assert file is not None
    sqlite_store.close()
    damaged = file.read_bytes()[:8192]
    file.write_bytes(damaged)

    with pytest.raises(StoreError):
        sqlite_store.backup(folder / "copy.sqlite3")

    assert not list(folder.iterdir())


def _add_many(store: Store, number: int) -> None:
    for one in range(number):
        add(store, f"reader{one}@example.com", f"tag{one}")


def test_a_full_disk_keeps_whole_transactions_only(sqlite_store: Store) -> None:
    @sa.event.listens_for(sqlite_store.database.engine, "checkout")
    def fill(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 40")

    with pytest.raises(StoreError, match="disk is full"):
        _add_many(sqlite_store, 2000)

    people = list(sqlite_store.subscriptions.stream())
    assert people
    assert all(len(one.subscriber.preferences.tags) == 1 for one in people)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "digest.sqlite3"
    path.write_text("not a database, and long enough to be taken for one" * 100)

    with pytest.raises(StoreError, match="is not a database"):
        Store.open(f"sqlite:///{path}", SECRETS)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'digest.sqlite3'}", SECRETS, makes=True)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    url = "postgresql://ana:hunter2@127.0.0.1:1/news"

    with pytest.raises(StoreError, match="cannot be reached") as refused:
        Store.open(url, SECRETS)

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@127.0.0.1:1/db?bogus=1&password=s3cretpw",
        "postgresql://u@127.0.0.1:1/db?password=s3cretpw",
        "postgresql://u@127.0.0.1:1/db?bogus=1&password=pw&s3cretpw=1",
        "postgresql://u:x@s3cretpw@127.0.0.1:1/db",
        "postgresql://u:x/s3cretpw@127.0.0.1:1/db",
        "postgresql://u:1/x@s3cretpw@127.0.0.1/db",
        "postgresql://u:s3cretpw?x@127.0.0.1:1/db",
        "postgresql://u@127.0.0.1:s3cretpw/db",
        "s3cretpw://u@127.0.0.1/db",
    ],
)
def test_no_message_holds_a_secret_of_the_url(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        Store.open(url, SECRETS)

    assert "s3cretpw" not in f"{refused.value} {refused.value.hint}"


def test_a_server_is_named_by_scheme_host_port_and_database() -> None:
    place = connect("postgresql://ana:hunter2@db.example:5433/news?sslmode=require").place

    assert place == "the database postgresql://db.example:5433/news"


def test_a_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(StoreError, match="the port is not a number"):
        connect("postgresql://ana@db.example:port/news")


def test_a_missing_database_is_named(postgresql: str) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        Store.open(postgresql.replace("/postgres?", "/nowhere?", 1), SECRETS)


@pytest.mark.parametrize("url", ["mysql://localhost/news", "not a url"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"^database: "):
        connect(url)


def test_the_default_database_is_one_file_in_the_project(tmp_path: Path) -> None:
    url = url_of("", tmp_path)

    assert not exists(url)
    Store.open(url, SECRETS, makes=True).close()
    assert (tmp_path / "digest.sqlite3").is_file()
    assert exists(url)


def test_the_old_scheme_for_postgresql_is_understood(tmp_path: Path) -> None:
    assert url_of("postgres://db/news", tmp_path) == "postgresql://db/news"
