"""The doctor says of either database whether it answers, what it is, and at which revision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from digest.config import load
from digest.doctor.database import examine_database
from digest.store import Store, connect
from digest.store.schema import HEAD


@pytest.fixture
def look(tmp_path):
    """Examines the database at a URL; gives results by the second half of their ids."""
    (tmp_path / "digest.toml").write_text("")
    config = load(tmp_path / "digest.toml")

    def look(url, ahead=timedelta(), **wishes):
        wishes = {"offline": False, "provider": "smtp"} | wishes
        chosen = replace(config, database=url, provider=wishes.pop("provider"))
        results = examine_database(chosen, lambda: datetime.now(UTC) + ahead, **wishes)
        return {result.id.partition(".")[2]: result for result in results}

    return look


def run_sql(url, sql):
    database = connect(url)
    with database.writing() as connection:
        connection.execute(sa.text(sql))
    database.engine.dispose()


def test_a_database_that_is_well(look, fresh_url):
    url = fresh_url()
    seen = look(url)

    assert {result.verdict.value for result in seen.values()} == {"ok"}
    assert seen["schema"].seen == f"revision {HEAD}"
    product = "PostgreSQL" if url.startswith("postgresql") else "SQLite"
    assert f"{product} " in seen["reachable"].seen
    assert ("clock" in seen) == (product == "PostgreSQL")


def test_a_database_of_another_program_and_one_without_tables(look, empty_url):
    run_sql(empty_url, "CREATE TABLE others (n int)")
    assert "tables of another program" in look(empty_url)["reachable"].seen
    run_sql(empty_url, "DROP TABLE others")

    seen = look(empty_url)["schema"]
    assert seen.verdict == "failure"
    assert seen.fix == "run: digest db upgrade"


@pytest.mark.parametrize(("revision", "told"), [("0001", "0001"), ("9999", "newer digest")])
def test_a_database_at_another_revision_is_left_as_it_is(look, fresh_url, revision, told):
    url = fresh_url()
    run_sql(url, f"UPDATE alembic_version SET version_num = '{revision}'")

    seen = look(url)["schema"]

    assert seen.verdict in {"warning", "failure"}
    assert told in seen.seen
    assert look(url)["schema"] == seen


def test_no_database_is_a_failure_only_when_mail_is_to_leave(look, tmp_path):
    url = f"sqlite:///{tmp_path / 'none.sqlite3'}"

    assert look(url)["reachable"].verdict == "failure"
    assert look(url, provider="outbox")["reachable"].verdict == "ok"
    assert not (tmp_path / "none.sqlite3").exists()


def test_a_server_that_is_away_is_named_without_its_password(look):
    seen = look("postgresql://digest:hunter2@127.0.0.1:1/digest")["reachable"]

    assert seen.verdict == "failure"
    assert "hunter2" not in f"{seen.seen} {seen.fix}"
    assert look("postgresql://digest:hunter2@h/d", offline=True)["reachable"].verdict == "skipped"


def test_a_servers_clock_that_is_wrong_is_told(look, postgresql_url):
    seen = look(postgresql_url, ahead=timedelta(minutes=-3))["clock"]
    assert seen.verdict == "failure"
    assert "ahead of ours" in seen.seen


def test_a_secret_key_that_is_not_the_databases_is_told(look, fresh_url, monkeypatch):
    monkeypatch.setenv("DIGEST_SECRET_KEY", "the-first-key-of-this-database")
    url = fresh_url()
    with Store.open(url, (b"the-first-key-of-this-database",)):
        assert look(url)["key"].verdict == "ok"

    monkeypatch.setenv("DIGEST_SECRET_KEY", "a-wholly-different-secret-key")
    seen = look(url)["key"]
    assert seen.verdict == "failure"
    assert "put the old key back" in seen.fix
