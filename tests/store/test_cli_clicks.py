"""Counting clicks by command: what is sent has counted links, what is looked at has direct ones."""

import sqlite3
from contextlib import closing
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest

AT = ("--at", "2026-11-20")
ISSUE = "weekly-2026-11-19"
HERE = f"https://news.example.com/g/{ISSUE}/"


@pytest.fixture
def counting(monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DIGEST_STATS__CLICKS", "true")


def html_of(path: Path) -> str:
    body = BytesParser(policy=policy.default).parsebytes(path.read_bytes()).get_body(("html",))
    assert body is not None
    return str(body.get_content())


def taken_in(run) -> None:  # type: ignore[no-untyped-def]
    assert run("subscribers", "import", "subscribers/list.csv", "--consent", "yes").code == 0


def test_what_is_sent_is_counted_and_what_is_looked_at_is_not(project, run, counting):  # type: ignore[no-untyped-def]
    taken_in(run)
    assert run("send", *AT).code == 0
    folder = project.root / "outbox" / ISSUE
    sent = [html_of(path) for path in folder.glob("0000/*.eml")]
    looked_at = [path.read_text() for path in folder.glob("editions/*.html")]
    assert "count them without a reader" in (folder / "index.html").read_text()
    run("test-send", ISSUE, "--to", "me@example.com")
    (trial,) = (project.root / "outbox" / f"{ISSUE}-test").rglob("*.eml")

    assert all(HERE in html for html in sent)
    assert not [html for html in (*looked_at, html_of(trial)) if HERE in html]
    assert HERE in run("render", "--as", "ana@example.com", *AT).out


def test_without_the_setting_messages_are_what_they_were(project, run):  # type: ignore[no-untyped-def]
    taken_in(run)
    run("send", *AT)
    folder = project.root / "outbox" / ISSUE / "0000"
    before = {path.name: path.read_bytes() for path in folder.glob("*.eml")}

    assert before
    assert not [raw for raw in before.values() if b"/g/weekly" in raw.replace(b"=\r\n", b"")]


def test_without_a_store_links_stay_direct_and_the_command_says_why(project, run, counting):  # type: ignore[no-untyped-def]
    done = run("send", *AT)
    (*paths,) = (project.root / "outbox" / ISSUE).glob("0000/*.eml")

    assert done.code == 0
    assert done.err.count("Clicks are counted where there is a store") == 1
    assert paths
    assert not [path for path in paths if HERE in html_of(path)]


def test_a_plan_made_before_the_setting_changed_is_refused(project, run, monkeypatch):  # type: ignore[no-untyped-def]
    taken_in(run)
    run("plan", *AT)
    monkeypatch.setenv("DIGEST_STATS__CLICKS", "true")

    refused = run("send", ISSUE)
    assert "config stats has changed" in refused.err
    assert run("plan", "--replan", *AT).code == 0
    assert run("send", ISSUE).code == 0


def test_backups_hold_links_and_counts(project, run, counting):  # type: ignore[no-untyped-def]
    taken_in(run)
    run("plan", *AT)
    assert run("db", "backup", "copy.sqlite3").code == 0

    with closing(sqlite3.connect(project.root / "copy.sqlite3")) as copy:
        assert copy.execute("SELECT count(*) FROM counted_link").fetchone()[0] > 0
