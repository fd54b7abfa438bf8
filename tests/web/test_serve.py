"""`digest serve` as a process: it answers, and stops when it is told to."""

import json
import os
import signal
import subprocess
import sys
from datetime import date, timedelta

import httpx2
import pytest

from digest.cli.serving import Service
from digest.config import load, secret_keys
from digest.errors import DigestError
from digest.store import RequestKind, Store, url_of
from digest.store.links import Click, Clicks
from digest.web.server import listen
from digest.web.shelf import FRESH, Shelf
from tests.web.conftest import START

HUNG_UP = """
import os, signal
from digest.cli import main, stored
looked = stored.required_store
def required_store(session):
    os.kill(os.getpid(), signal.SIGHUP)
    return looked(session)
stored.required_store = required_store
main()
"""


@pytest.fixture
def serving(project, run):
    """A running `digest serve --web`, and the address of its pages."""
    run("subscribers", "import", "subscribers/list.csv", "--consent", "they asked", "-q")
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "serve", "--web", "--port", "0", "-q"],
        cwd=project.root,
        env=dict(os.environ),
        stderr=subprocess.PIPE,
        text=True,
    )
    line = json.loads(process.stderr.readline())
    yield process, f"http://127.0.0.1:{line['port']}"
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_and_stops_when_told(serving, number):
    process, address = serving

    assert httpx2.get(f"{address}/").status_code == 200
    process.send_signal(number)
    assert process.wait(15) == 0
    assert '"web.stopped"' in process.stderr.read()


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.setenv("DIGEST_STATS__CLICKS", "true")


def test_what_was_followed_just_before_it_stops_is_counted(counted, serving, project, run):
    process, address = serving
    run("plan", "--at", "2026-11-20")
    config = load(project.root / "digest.toml")
    with Store.open(url_of("", project.root), secret_keys(config)) as store:
        link = store.links.of("weekly-2026-11-19")[0].link
        path = f"{address}/g/weekly-2026-11-19/{link.code}"
        answer = httpx2.get(path, headers={"user-agent": "Mozilla/5.0 Firefox/145.0"})
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0

        assert (answer.status_code, answer.headers["location"]) == (302, link.url)
        assert store.links.of("weekly-2026-11-19")[0].clicks == (1, 0)
    assert link.code not in process.stderr.read()


def test_serve_needs_a_store(project, run):
    result = run("serve", "--web")

    assert result.code == 1
    assert "there is no store yet" in result.err


@pytest.mark.usefixtures("serving")  # there is a store
def test_a_reload_that_comes_while_it_starts_is_done_then():
    starting = subprocess.Popen(
        [sys.executable, "-c", HUNG_UP, "serve", "--web", "--port", "0", "-q"],
        env=dict(os.environ),
        stderr=subprocess.PIPE,
        text=True,
    )
    events = [json.loads(starting.stderr.readline())["event"] for _ in range(2)]
    starting.terminate()
    starting.communicate()

    assert sorted(events) == ["config.reloaded", "web.listening"]


def test_a_port_that_is_taken_is_named():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(DigestError, match=f"port {port}") as error:
            listen("127.0.0.1", port)
    assert "--web" not in error.value.hint  # which would end the schedule


def test_posts_are_read_again_when_a_while_has_passed(quick_pages, project):
    clock = [0.0]
    shelf = Shelf(quick_pages.config, lambda: clock[0])
    first = shelf()
    project.post("another")

    assert shelf() is first
    clock[0] += FRESH
    assert len(shelf().stories) == len(first.stories) + 1


def test_without_a_schedule_too_what_is_old_is_forgotten(quick_pages):
    asked = quick_pages.store.requests.ask(RequestKind.LINK, "ana@new.example", START)
    old, kept = date(2025, 10, 1), date(2026, 11, 1)
    clicks = {Click("weekly-2025-09-25", "abcdefghij23", day): Clicks(1, 0) for day in (old, kept)}
    quick_pages.store.links.add(clicks)
    site, now = quick_pages.site, lambda: START + timedelta(days=8)
    with listen("127.0.0.1", 0) as listener:
        service = Service(site.config, site.store, site.keys, now, listener, None)
        service._ended.set()  # it looks once, and then the service is over

        service._forget()

    assert quick_pages.store.requests.find(asked.id) is None
    with quick_pages.store.database.reading() as connection:
        days = connection.exec_driver_sql("SELECT day FROM click_count").scalars().all()
    assert days == ["2026-11-01"]
