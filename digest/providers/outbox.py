"""Writes every message as a file that any mail program opens: no account, no network.

`<outbox>/<issue>/<0000>/<delivery id>.eml`, a thousand files a folder. The file's name is the
memory: a message that is there is never written again, wherever under its issue it lies.
"""

import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from digest.composer import Reader
from digest.config import Config
from digest.errors import Outcome, ProviderError
from digest.providers import Answer, Batch, Receipt, Refusal

PER_FOLDER = 1000  # files; more make file managers and mail programs slow
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_UNFINISHED = ".partial"

_HINTS = {
    errno.ENOSPC: "the disk is full: free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up: free some space and run the same command again",
    errno.EROFS: "the disk is read-only: set another folder as `outbox`",
    errno.EACCES: "you may not write there: change the permissions or set another `outbox`",
    errno.EPERM: "you may not write there: change the permissions or set another `outbox`",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away",
    errno.EEXIST: "a file stands where a folder is needed: move it away",
}


class Outbox:
    """The provider `outbox`. Several processes may write to one issue, but not one delivery."""

    name = "outbox"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._drawers: dict[str, _Drawer] = {}

    def hand_over(self, batch: Batch) -> Iterator[Answer]:
        """A file per reader. A ProviderError of the disk is temporary: no file, not taken."""
        drawer = self._drawer(batch.issue_id)
        for reader in batch.readers:
            try:
                yield self._put(drawer, batch, reader)
            except ProviderError as error:
                if error.outcome is not Outcome.PERMANENT:
                    raise
                yield Refusal(reader.delivery, error.outcome, str(error))

    def _put(self, drawer: "_Drawer", batch: Batch, reader: Reader) -> Receipt:
        name = f"{_safe(reader.delivery)}.eml"
        if new := name not in drawer.names:
            message = batch.message(reader)
            batch.starting(reader.delivery)
            try:
                drawer.put(name, message)
            except OSError as error:
                raise _failure(error) from error
        return Receipt(reader.delivery, f"{batch.issue_id}/{name}", new)

    def look_up(self, issue_id: str, deliveries: Sequence[str]) -> Mapping[str, Receipt]:
        """A message is there, whole, or was never written."""
        self._drawers.pop(issue_id, None)  # another process may have written since we looked
        names = self._drawer(issue_id).names
        return {
            delivery: Receipt(delivery, f"{issue_id}/{delivery}.eml", new=False)
            for delivery in deliveries
            if f"{delivery}.eml" in names
        }

    def close(self) -> None:
        """Forget what was seen in the folders."""
        self._drawers.clear()

    def _drawer(self, issue_id: str) -> "_Drawer":
        if issue_id not in self._drawers:
            try:
                self._drawers[issue_id] = _open(self.folder / _safe(issue_id))
            except OSError as error:
                raise _failure(error) from error
        return self._drawers[issue_id]


@dataclass(slots=True)
class _Drawer:
    """The folder of one issue, and which messages are in it."""

    folder: Path
    names: set[str] = field(default_factory=set)
    number: int = 0  # of the folder being filled
    filled: int = 0  # files in it

    def put(self, name: str, message: bytes) -> None:
        """Write one message, whole or not at all."""
        if self.filled >= PER_FOLDER:
            self.number, self.filled = self.number + 1, 0
        numbered = self.folder / f"{self.number:04d}"
        if not self.filled:
            numbered.mkdir(parents=True, exist_ok=True)
        unfinished = numbered / f"{name}.{os.getpid()}{_UNFINISHED}"
        try:
            unfinished.write_bytes(message)
            unfinished.replace(numbered / name)
        except OSError:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        self.names.add(name)
        self.filled += 1


def connect(config: Config) -> Outbox:
    """The outbox that the configuration names; the folder appears with the first message."""
    return Outbox(config.outbox)


def _open(folder: Path) -> _Drawer:
    """What earlier runs left in an issue's folder; what a killed run left unfinished is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    drawer = _Drawer(folder)
    for place, _, names in os.walk(folder, onerror=_raise):
        for name in names:
            if name.endswith(_UNFINISHED) and not _being_written(name):
                Path(place, name).unlink(missing_ok=True)
        messages = [name for name in names if name.endswith(".eml")]
        drawer.names.update(messages)
        number = Path(place).name
        if number.isdecimal() and int(number) >= drawer.number:
            drawer.number, drawer.filled = int(number), len(messages)
    return drawer


def _being_written(name: str) -> bool:
    """Whether the process that begins to write the file `<delivery>.eml.<pid>.partial` lives."""
    pid = name.removesuffix(_UNFINISHED).rpartition(".")[2]
    if not pid.isdecimal() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, and belongs to somebody else
        return True
    return True


def _raise(error: OSError) -> None:
    """A folder that cannot be listed may hold messages: without it nothing may be written."""
    raise error


def _safe(name: str) -> str:
    """An id that is a plain file name on any system, and stays where it is put."""
    if not _SAFE_NAME.fullmatch(name) or name.endswith("."):
        raise ProviderError(
            f"{name[:40]!r} cannot be the name of a file",
            outcome=Outcome.PERMANENT,
            hint="ids are letters, digits, dots, hyphens and underscores",
        )
    return name


def _failure(error: OSError) -> ProviderError:
    place = error.filename or "the outbox"
    hint = _HINTS.get(error.errno or 0, "mend it and run the same command again")
    return ProviderError(f"{place}: {error.strerror}", outcome=Outcome.TEMPORARY, hint=hint)
