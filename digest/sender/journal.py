"""The wire journal: what a sender was doing when it was killed.

One file a run, in `.digest/journal/`, emptied at every commit of the ledger. A line is written
before a delivery starts, without waiting for the disk: what is written outlives the process, though
not the machine. An answer is written when it is heard; but where nothing started since its own
delivery did, it waits for the next start and goes into the same write. So what has no answer in the
file is never more than was in flight at one moment. The file is locked as long as its run lives,
which the kernel ends however the run ended, and across containers.
"""

import errno
import importlib
import os
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from digest.errors import Outcome
from digest.providers import Answer, Receipt, Refusal
from digest.store.ledger.records import Owner

try:
    fcntl = importlib.import_module("fcntl")
    _LOCKS = True
except ImportError:  # Windows: other runs cannot tell whether one lives, and wait for its lease
    _LOCKS = False

JOURNALS = ".digest/journal"  # in the project's folder

_OLD = 86_400  # seconds: a new journal may not be locked yet
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STARTED = "started"
_TAKEN = "taken"

# What a control character could do to a line: nothing.
_ONE_LINE = dict.fromkeys((*range(32), 127, 133, 8232, 8233), " ")


class Journal:
    """The journal of this run, locked until it is closed."""

    def __init__(self, folder: Path, provider: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.owner = Owner(boot_id(), f"{provider}-{os.getpid()}-{secrets.token_hex(6)}")
        self.path = folder / self.owner.token
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND
        self._file = os.open(self.path, flags, 0o600)
        _lock(self._file)
        self._heard: list[str] = []  # answers that wait for the next start
        self._starts = 0  # writes of them
        self._started: dict[int, int] = {}  # delivery -> by which of them
        self._writing = Lock()  # providers start deliveries from threads of theirs

    def begin(self, claim: int) -> None:
        """Forget the window before, which is committed, and begin a claim."""
        self._heard.clear()
        self._started.clear()
        os.ftruncate(self._file, 0)
        self._write([f"claim {claim}\n"])

    def start(self, *numbers: int) -> None:
        """These deliveries leave now."""
        with self._writing:
            self._starts += 1
            self._started.update(dict.fromkeys(numbers, self._starts))
            self._write([f"{number} {_STARTED}\n" for number in numbers])

    def answer(self, number: int, answer: Answer) -> None:
        """What the provider said of a delivery."""
        if isinstance(answer, Receipt):
            word, text = _TAKEN, answer.id
        else:
            word, text = answer.outcome.value, answer.reason
        with self._writing:
            self._heard.append(f"{number} {word} {_one_line(text)}\n")
            if self._started.get(number) != self._starts:
                self._write([])

    def flush(self) -> None:
        """Write what was heard: for a while nothing starts."""
        with self._writing:
            self._write([])

    def close(self) -> None:
        """The run ends and holds no window: nobody needs the journal."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)

    def abandon(self) -> None:
        """Leave it as a killed run does, for recovery to read."""
        os.close(self._file)

    def _write(self, lines: Sequence[str]) -> None:
        heard, self._heard = self._heard, []
        if heard or lines:
            self._append("".join((*heard, *lines)).encode())

    def _append(self, data: bytes) -> None:
        """All of it, or OSError and nothing: a line that is cut off would spoil the next one."""
        size = os.fstat(self._file).st_size
        if os.write(self._file, data) < len(data):  # the disk is full
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))


class Remains:
    """The journal that another run left: `readable` when that run is dead and the file is here."""

    def __init__(self, folder: Path, owner: Owner) -> None:
        self.path = folder / owner.token
        self.lives = False
        self._file: int | None = None
        with suppress(FileNotFoundError):
            self._file = os.open(self.path, os.O_RDWR)
        if self._file is not None and not _lock(self._file):
            self.lives = _LOCKS
            self.close()

    @property
    def readable(self) -> bool:
        """The run is dead, and its journal is here."""
        return self._file is not None

    def read(self, claim: int) -> dict[int, Answer | None]:
        """The deliveries that were started in a claim, each with its answer if there was one.

        A last line that is cut off does not count.
        """
        assert self._file is not None
        text = os.pread(self._file, os.fstat(self._file).st_size, 0).decode(errors="replace")
        whole = text[: text.rfind("\n") + 1].split("\n")
        return _entries(whole[1:]) if whole[0] == f"claim {claim}" else {}

    def close(self) -> None:
        """Let others read it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """All its windows are settled."""
        self.path.unlink(missing_ok=True)
        self.close()


def _one_line(text: str) -> str:
    return text if text.isprintable() else text.translate(_ONE_LINE)


def boot_id() -> str:
    """Names this start of this machine; empty where the system does not tell."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def _entries(lines: Iterable[str]) -> dict[int, Answer | None]:
    found: dict[int, Answer | None] = {}
    for line in filter(None, lines):
        number, word, *text = line.split(" ", 2)
        found[int(number)] = _answer(word, text[0] if text else "")
    return found


def _answer(word: str, text: str) -> Answer | None:
    if word == _STARTED:
        return None
    if word == _TAKEN:
        return Receipt("", text, new=True)
    return Refusal("", Outcome(word), text)


def sweep(folder: Path, holding: set[str]) -> None:
    """Remove what dead runs left that hold no window of any issue."""
    for path in folder.iterdir() if folder.is_dir() else ():
        owner = Owner("", path.name)
        if path.name not in holding and time.time() - path.stat().st_mtime > _OLD:
            remains = Remains(folder, owner)
            if remains.readable:
                remains.remove()


def _lock(file: int) -> bool:
    """Lock the file for as long as it is open. False when another run has it locked."""
    if not _LOCKS:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
