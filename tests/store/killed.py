"""A sender in a process of its own, to be killed: `python -m tests.store.killed URL ROOT CARRIER`.

The carrier `recording` notes every delivery it takes in a file that survives it, as the other side
of a wire would; `outbox` is the real one.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from digest.providers import Answer, Batch, Provider, Receipt
from digest.providers.outbox import Outbox
from digest.sender import Job, Report, Stopping, run
from digest.store import Store
from tests.store.conftest import SECRETS
from tests.store.sending import draft_of, find, material

SLOW = 0.0002  # seconds a message, so that a kill finds the sender at work


class Recording:
    """Takes everything, and notes it where the other side of a wire would."""

    name = "recording"

    def __init__(self, log: Path) -> None:
        self._file = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def hand_over(self, batch: Batch) -> Iterator[Answer]:
        for reader in batch.readers:
            batch.starting(reader.delivery)
            time.sleep(SLOW / 2)
            os.write(self._file, f"{reader.delivery}\n".encode())
            time.sleep(SLOW / 2)
            yield Receipt(reader.delivery, "taken", new=True)

    def close(self) -> None:
        os.close(self._file)


def taken(root: Path) -> list[str]:
    """What the carriers of all runs took, in order."""
    log = root / "taken.log"
    recorded = log.read_text().split() if log.exists() else []
    return recorded + [path.stem for path in (root / "outbox").rglob("*.eml")]


def progress(root: Path) -> int:
    """How far it is, cheaply."""
    log = root / "taken.log"
    if log.exists():
        return log.stat().st_size // 21
    return sum(len(list(folder.iterdir())) for folder in (root / "outbox").glob("*/*"))


def sender(url: str, root: Path, carrier: str) -> "subprocess.Popen[bytes]":
    """Start one."""
    command = [sys.executable, "-m", "tests.store.killed", url, str(root), carrier]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


def send_until_killed(url: str, root: Path, carrier: str, at: int) -> bool:
    """One run, killed when so many are taken. True when it ended before."""
    with sender(url, root, carrier) as process:
        while process.poll() is None and progress(root) < at:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        return process.wait() == 0


def main(url: str, root: Path, carrier: str) -> Report:
    """Send the planned issue to the end, or until somebody kills us."""
    provider: Provider = (
        Outbox(root / "outbox") if carrier == "outbox" else Recording(root / "taken.log")
    )
    draft = draft_of(root)
    with Store.open(url, SECRETS) as store, Stopping() as stopping:
        issue = find(store, draft)
        what = material(store, draft, issue.number)
        return run(Job(store.ledger, issue, what, provider, root / "journal"), stopping)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
