"""`digest serve` in a process of its own, on a clock that is ahead: `SHIFT` seconds.

What is due on a Thursday at nine is due a moment after the start, and the schedule looks again five
times a second instead of once a minute. Everything else is the command as it is.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

DUE = datetime(2027, 11, 25, 9, tzinfo=UTC)  # a Thursday, nine in Dublin
PATIENCE = 60.0  # seconds until a test gives up


def shift(ahead: float) -> float:
    """How far the clock has to be ahead for `DUE` to come in so many seconds."""
    return (DUE - datetime.now(UTC)).total_seconds() - ahead


@contextmanager
def serving(root: Path, shifted: float, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A running service; killed at the end, unless it has ended."""
    command = [sys.executable, "-m", "tests.store.served", "serve", "-q", *options]
    environ = {
        **os.environ,
        "SHIFT": str(shifted),
        "DIGEST_CONFIG": str(root / "digest.toml"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with (
        (root / "serve.log").open("a") as log,
        subprocess.Popen(command, cwd=root, env=environ, stderr=log, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def kill(process: "subprocess.Popen[str]") -> None:
    """Without a chance to do anything more."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def until(condition: Callable[[], bool], what: str = "") -> None:
    """Wait for something that happens elsewhere."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"it did not happen: {what}"
        time.sleep(0.05)


def events(root: Path) -> list[str]:
    """What the services of this folder said, in order."""
    log = root / "serve.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line)["event"] for line in lines if line.startswith("{")]


def main() -> None:
    """The command, with the clock ahead."""
    from digest import sender
    from digest.cli import main as digest
    from digest.scheduler import clockwork

    ahead = timedelta(seconds=float(os.environ["SHIFT"]))
    sender.utc_now = lambda: datetime.now(UTC) + ahead
    clockwork.LOOKS_AGAIN = timedelta(seconds=0.2)
    digest()


if __name__ == "__main__":
    main()
