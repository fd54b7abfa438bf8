"""What the product shows: plan, say yes, pull the plug half-way, and send again.

By command, with a real mail server and with a SendGrid of this machine.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import fake_sendgrid
from tests.mailservers import Keeper, real_server

READERS = 300
ISSUE = "weekly-2026-11-19"
AT = ("--at", "2026-11-20")
_ID = re.compile(rb"^Message-ID: <([a-z2-7]{20})@", re.MULTILINE)

Far = tuple[str, Callable[[], list[str]]]  # settings, and the deliveries that were taken


@contextmanager
def smtp() -> Iterator[Far]:
    """aiosmtpd."""
    keeper = Keeper()
    with real_server(keeper) as port:
        settings = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'

        def taken() -> list[str]:
            matches = [_ID.search(message) for message in list(keeper.messages)]
            return [match[1].decode() for match in matches if match]

        yield f'[delivery]\nprovider = "smtp"\n{settings}', taken


@contextmanager
def sendgrid() -> Iterator[Far]:
    """Ours, which knows the rules of the API."""
    with fake_sendgrid.serving() as server:
        settings = f'[sendgrid]\nhost = "{server.url}"\npersonalizations = 5\n'
        yield f'[delivery]\nprovider = "sendgrid"\n{settings}', server.accepted
        assert server.seen.breaches == []


def digest(root: Path, *words: str) -> "subprocess.Popen[str]":
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "digest", *words, "--config", str(root / "digest.toml")]
    secrets = {"DIGEST_SENDGRID_API_KEY": fake_sendgrid.KEY}
    return subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        env=os.environ | secrets,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def told(root: Path, *words: str) -> dict[str, object]:
    """What a command prints as JSON."""
    with digest(root, *words, "--json") as process:
        out, _ = process.communicate()
    return json.loads(out)


@pytest.mark.parametrize(
    ("far", "in_flight"), [(smtp, 4), (sendgrid, 20)], ids=["smtp", "sendgrid"]
)
def test_a_plan_killed_half_way_and_sent_again_reaches_every_reader_at_most_once(
    project, run, far, in_flight: int
) -> None:
    rows = "".join(f"reader{n}@example.com,ai,weekly\n" for n in range(READERS))
    project.write("subscribers/list.csv", f"email,tags,cadence\n{rows}")
    with far() as (settings, taken):
        text = (project.root / "digest.toml").read_text()
        project.write("digest.toml", f"{text}\n{settings}")
        assert run("subscribers", "import", "subscribers/list.csv", "--consent", "a test").code == 0
        plan = told(project.root, "plan", *AT)
        assert plan["readers"] == READERS

        with digest(project.root, "send", ISSUE, "--confirm", str(READERS)) as killed:
            while len(taken()) < READERS // 2 and killed.poll() is None:
                time.sleep(0.002)
            killed.kill()
        half_way = told(project.root, "issues", "show", ISSUE)
        with digest(project.root, "send", ISSUE, "--confirm", str(READERS)) as again:
            again.wait()
        shown = told(project.root, "issues", "show", ISSUE)
        counts = Counter(taken())

    assert sum(half_way["deliveries"].values()) == READERS
    assert sum(shown["deliveries"].values()) == READERS
    assert set(counts.values()) == {1}
    assert shown["deliveries"]["submitted"] + shown["deliveries"]["unknown"] == READERS
    assert shown["deliveries"]["unknown"] <= in_flight
    assert shown["deliveries"]["submitted"] <= len(counts)
