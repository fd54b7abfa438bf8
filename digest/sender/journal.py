"""The wire journal: what a sender was doing when it was killed.

One file a run, in `.digest/journal/`, emptied at every commit of the ledger. A line is written
before a delivery starts, and another when its answer is heard: what has no answer in the file is
never more than was in flight. The file is mapped into memory, so that a line costs no call of the
system; it is the system's all the same, and outlives the process, though not the machine. Its room
is taken from the disk before it is written to. The file is locked as long as its run lives, which
the kernel ends however the run ended, and across containers.
"""

import errno
import importlib
import mmap
import os
import secrets
import time
from collections.abc import Iterable
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

_ROOM = 1 << 16  # bytes that the file grows by; a window of deliveries takes twice as many
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
        self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        _lock(self._file)
        self._writing = Lock()  # providers start deliveries from threads of theirs
        self._used = 0  # bytes; all behind them are zero
        try:
            self._memory = self._roomier(0)
        except OSError:
            self.path.unlink(missing_ok=True)
            os.close(self._file)
            raise

    def begin(self, claim: int) -> None:
        """Forget the window before, which is committed, and begin a claim."""
        self._memory[: self._used] = bytes(self._used)
        self._used = 0
        self._write(f"claim {claim}\n")

    def start(self, *numbers: int) -> None:
        """These deliveries leave now."""
        self._write("".join([f"{number} {_STARTED}\n" for number in numbers]))

    def answer(self, number: int, answer: Answer) -> None:
        """What the provider said of a delivery."""
        if isinstance(answer, Receipt):
            word, text = _TAKEN, answer.id
        else:
            word, text = answer.outcome.value, answer.reason
        self._write(f"{number} {word} {_one_line(text)}\n")

    def close(self) -> None:
        """The run ends and holds no window: nobody needs the journal."""
        self.path.unlink(missing_ok=True)
        self.abandon()

    def abandon(self) -> None:
        """Leave it as a killed run does, for recovery to read."""
        self._memory.close()
        os.close(self._file)

    def _write(self, text: str) -> None:
        """A process that is killed in here leaves a zero in the line or behind it."""
        data = text.encode(errors="replace")
        with self._writing:
            end = self._used + len(data)
            while end > len(self._memory):
                self._memory = self._roomier(len(self._memory))
            self._memory[self._used : end] = data
            self._used = end

    def _roomier(self, size: int) -> mmap.mmap:
        """The file with more room. OSError, and it stays as it was, when the disk has none: memory
        without a disk behind it would end the process."""
        if os.write(self._file, bytes(_ROOM)) < _ROOM:
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        return mmap.mmap(self._file, size + _ROOM)


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
        data = os.pread(self._file, os.fstat(self._file).st_size, 0)
        text = data.partition(b"\0")[0].decode(errors="replace")
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
