"""`digest status` tells how things stand, to people and to scripts, on any machine."""

import json
import os
import pty
import subprocess
import sys
import threading

import pytest


@pytest.fixture
def stored(project, run):
    assert run("subscribers", "import", "subscribers/list.csv", "--consent", "a test").code == 0
    return project


def test_without_a_store_it_says_how_to_make_one(project, run):
    done = run("status")

    assert done.code == 1
    assert "there is no store yet" in done.err


def test_before_and_after_an_issue(stored, run):
    assert "No issue was planned yet." in run("status").out
    run("send", "--at", "2026-11-20")

    told = run("status").out
    assert "weekly-2026-11-19" in told
    assert "done" in told
    assert "weekly: does not go out by itself yet" in told
    assert "subscribers: 5 confirmed; suppressed: none" in told


def test_the_json_has_everything_that_people_see(stored, run):
    run("plan", "--at", "2026-11-20")
    run("issues", "pause", "weekly-2026-11-19", "--because", "[red]typing\x1b error[/]")

    shape = json.loads(run("status", "--json").out)

    assert shape["schema"] == "digest/status@1"
    (issue,) = shape["issues"]
    assert issue["state"] == "paused"
    assert issue["deliveries"]["planned"] == issue["readers"] == 3
    assert [one["cadence"] for one in shape["cadences"]] == ["weekly"]
    assert shape["cadences"][0]["behind_seconds"] == 0
    told = run("status").out
    assert "weekly-2026-11-19: paused: [red]typing error[/]" in told  # as it was typed, tamed


def test_watching_with_json_is_one_object_a_line(stored):
    command = [sys.executable, "-m", "digest", "status", "--json", "--watch", "--every", "1"]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        lines = [watching.stdout.readline() for _ in range(2)]
    finally:
        watching.terminate()
        watching.communicate(timeout=20)

    assert {json.loads(line)["schema"] for line in lines} == {"digest/status@1"}


def test_on_a_terminal_each_look_takes_the_place_of_the_last(stored):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "digest", "status", "--watch", "--every", "1"]
    environ = {**os.environ, "TERM": "xterm"}
    environ.pop("NO_COLOR", None)
    watching = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environ)
    os.close(theirs)
    seen, enough = bytearray(), threading.Event()

    def read():
        while not enough.is_set():
            try:
                seen.extend(os.read(ours, 4096))
            except OSError:
                enough.set()
            if seen.count(b"cadence") > 1 and b"\x1b[1A" in seen:
                enough.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert enough.wait(30)
    finally:
        watching.terminate()
        watching.wait(20)
        reader.join(20)
        os.close(ours)
    assert b"\x1b[1A" in seen
