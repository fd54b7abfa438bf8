"""The server is of this machine alone, and ends when it is told to."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from digest.studio.serving import PORT, listen


@pytest.fixture
def preview(project):
    """`digest preview` in a process of its own: the process and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "preview", "--no-open", "--port", "0"],
        cwd=project.root,
        env={**os.environ, "DIGEST_SECRET_KEY": "a-secret-key-for-tests"},
        stderr=subprocess.PIPE,
        text=True,
    )
    said = process.stderr.readline()
    yield process, re.search(r"http://127\.0\.0\.1:\d+/", said)[0]
    if process.poll() is None:
        process.kill()
    process.stderr.close()
    process.wait()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_studio_ends_at_once_though_a_page_is_listening(preview, ending):
    process, address = preview
    with urllib.request.urlopen(f"{address}events", timeout=30) as events:
        assert events.readline().startswith(b"data: ")
        process.send_signal(ending)
        left = events.read()

    assert b"data" not in left
    assert process.wait(timeout=30) in (0, -ending)
    assert "Traceback" not in process.stderr.read()


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
