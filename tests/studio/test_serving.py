"""The server is of this machine alone, and ends when it is told to."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from itertools import count

import anyio
import pytest
from watchfiles import awatch

from digest.studio import watching
from digest.studio.bell import Bell
from digest.studio.serving import PORT, listen


@contextmanager
def preview(project, *options):
    """`digest preview` in a process of its own: the process and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "preview", "--no-open", "--port", "0", *options],
        cwd=project.root,
        env={**os.environ, "DIGEST_SECRET_KEY": "a-secret-key-for-tests"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.stderr.close()
        process.wait()


def told(address, path):
    with urllib.request.urlopen(f"{address}{path}", timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_studio_ends_at_once_though_a_page_is_listening(project, ending):
    with preview(project) as (process, address):
        with urllib.request.urlopen(f"{address}events", timeout=30) as events:
            assert events.readline().startswith(b"data: ")
            process.send_signal(ending)
            left = events.read()

        assert b"data" not in left
        assert process.wait(timeout=30) in (0, -ending)
        assert "Traceback" not in process.stderr.read()


def test_with_subscribers_the_store_says_how_many_readers_each_edition_has(
    project, run, monkeypatch
):
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("DIGEST_SECRET_KEY", "a-secret-key-for-tests")
    agreed = ("--consent", "They agreed")
    assert run("subscribers", "import", "subscribers/list.csv", *agreed).code == 0
    with preview(project, "--with-subscribers", "--at", "2026-11-19") as (_, address):
        counted = told(address, "editions")
        first = counted["editions"][0]
        view = told(address, f"view?as={first['key']}")

    assert counted["readers"] == 3
    assert view["role"]["stories"] == first["stories"]
    assert "@" not in json.dumps(counted)


def test_a_subscriber_is_looked_at_by_their_address(project):
    with preview(project, "--as", "ana@example.com", "--at", "2026-11-19") as (_, address):
        view = told(address, "view")

    assert view["role"]["name"] == "ana@example.com"
    assert [one["title"] for one in view["stories"]["in"]] == ["About agents"]


def test_options_say_what_the_studio_opens_on(project):
    options = ("--as", "kubernetes", "--at", "2026-11-19", "--drafts", "--cadence", "weekly")
    with preview(project, *options) as (_, address):
        view = told(address, "view")

    assert view["issue"]["id"] == "weekly-2026-11-19"
    assert view["role"]["about"] == "#kubernetes"


def test_the_studio_listens_on_this_machine_alone():
    with listen(0) as made:
        assert made.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_replaced_unless_it_was_asked_for():
    with listen(0) as taken:
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            listen(taken.getsockname()[1])
    with socket.socket() as usual, listen(None) as first:
        assert first.getsockname()[1] == PORT or usual.connect_ex(("127.0.0.1", PORT)) == 0


def test_files_are_looked_at_again_where_the_system_gives_no_watch(workshop, project, monkeypatch):
    asked = []

    def scarce(*folders, force_polling, **rest):
        asked.append(force_polling)
        if not force_polling:
            raise OSError("OS file watch limit reached")
        return awatch(*folders, force_polling=True, poll_delay_ms=20, **rest)

    monkeypatch.setattr(watching, "awatch", scarce)
    bell = Bell()

    async def edit():
        for number in count():
            project.post("agents", title=f"Edited {number} times")
            await anyio.sleep(0.1)

    async def news_of_an_edit():
        async with anyio.create_task_group() as group:
            group.start_soon(watching.watch, workshop, bell, anyio.Event())
            group.start_soon(edit)
            stream = bell.stream("first")
            await anext(stream)
            news = await anext(stream)
            group.cancel_scope.cancel()
        return news

    assert "content/agents.md" in anyio.run(news_of_an_edit)
    assert True in asked
