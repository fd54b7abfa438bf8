"""A sender in a process of its own, to be killed.

The carrier `recording` notes every delivery it takes in a file that survives it, as the other side
of a wire would; the others are the real ones: `outbox`, and `smtp:PORT` and `sendgrid:URL` with
what `tests.store.far` serves.
"""

import os
import resource
import signal
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from digest.config import Restraint, Security, SmtpConfig
from digest.providers import Answer, Batch, Provider, Receipt, smtp
from digest.providers.outbox import Outbox
from digest.providers.sendgrid.carrier import Sendgrid, Way
from digest.providers.smtp.connection import PATIENCE
from digest.providers.smtp.login import Phase
from digest.sender import Job, Report, Stopping, run, utc_now
from digest.store import Store
from tests.fake_sendgrid import KEY, PATH
from tests.invented import settings
from tests.store.conftest import SECRETS
from tests.store.sending import draft_of, find, material

SLOW = 0.0002  # seconds a message, so that a kill finds the sender at work
CONNECTIONS = 4
PERSONALIZATIONS = 20
IN_FLIGHT = {  # deliveries of one sender that nobody can tell of
    "outbox": 0,
    "recording": 1,
    "smtp": CONNECTIONS,
    "sendgrid": CONNECTIONS * PERSONALIZATIONS,
}


@dataclass(frozen=True, slots=True)
class How:
    """The circumstances of a sender."""

    clock: float = 0.0  # seconds that its clock is off
    largest: int = 0  # bytes of the largest file it may write; 0: any
    patience: float = 10.0  # seconds to wait for a database that is locked
    answers: float = 60.0  # seconds to wait for the other side
    retry_after: int = 0


AS_USUAL = How()


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


class Sender:
    """A process of its own, forked, as importing everything again would take most of the time."""

    def __init__(self, url: str, root: Path, carrier: str, how: How) -> None:
        self.code: int | None = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # if a test left a thread behind
            self.pid = os.fork()
        if self.pid == 0:
            self._live(url, root, carrier, how)

    def _live(self, url: str, root: Path, carrier: str, how: How) -> NoReturn:
        try:
            main(url, root, carrier, how)
            os._exit(0)
        except BaseException:
            if how == AS_USUAL:
                traceback.print_exc()
            os._exit(1)

    def poll(self) -> int | None:
        """As of `subprocess.Popen`."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def wait(self) -> int:
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def send_signal(self, number: int) -> None:
        if self.code is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()


def sender(url: str, root: Path, carrier: str, how: How = AS_USUAL) -> Sender:
    """Start one."""
    return Sender(url, root, carrier, how)


def send_until_killed(url: str, root: Path, carrier: str, at: int, how: How = AS_USUAL) -> bool:
    """One run, killed when so many are taken. True when it ended well before."""
    with sender(url, root, carrier, how) as process:
        while process.poll() is None and progress(root) < at:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        return process.wait() == 0


def provider(root: Path, carrier: str, answers: float) -> Provider:
    """The real thing, or what notes everything itself."""
    kind, _, where = carrier.partition(":")
    match kind:
        case "outbox":
            return Outbox(root / "outbox")
        case "smtp":
            server = SmtpConfig("127.0.0.1", int(where), Security.NONE, connections=CONNECTIONS)
            patience = {**PATIENCE, Phase.BODY: answers}
            effort = smtp.Effort(CONNECTIONS, 100, patience)
            return smtp.connect(replace(settings(root), smtp=server), effort)
        case "sendgrid":
            headers = {
                "Authorization": f"Bearer {KEY}",
                "Accept": "application/json",
                "Content-Type": "application/json",
            }
            way = Way(f"{where}{PATH}", headers, PERSONALIZATIONS, CONNECTIONS, None)
            return Sendgrid(way, settings(root).newsletter, timeout=answers)
    return Recording(root / "taken.log")


def main(url: str, root: Path, carrier: str, how: How) -> Report:
    """Send the planned issue to the end, or until somebody kills us."""
    draft = draft_of(root)
    with Store.open(url, SECRETS, patience=how.patience) as store, Stopping() as stopping:
        issue = find(store, draft)
        what = material(store, draft, issue.number)
        if how.largest:
            resource.setrlimit(resource.RLIMIT_FSIZE, (how.largest, how.largest))
        job = Job(
            store.ledger,
            issue,
            what,
            provider(root, carrier, how.answers),
            root / "journal",
            Restraint(retry_after=how.retry_after, stop_after=10**6, stop_percent=100),
            outages=(0.05,) * 20,
            now=lambda: utc_now() + timedelta(seconds=how.clock),
        )
        return run(job, stopping)
