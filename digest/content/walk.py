"""The files of the content folder, and their bytes. Whatever cannot be read is a finding."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from digest.content.refusal import refuse
from digest.models import Finding, Severity

MAX_BYTES = 5_000_000
SKIPPED_FOLDERS = frozenset({"node_modules", "templates", "_templates", "layouts", "archetypes"})
ENDINGS = (".md", ".markdown", ".mdx", ".rmd")
# A FIFO would block the open, and a terminal would become ours.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Candidate(NamedTuple):
    """A file to read."""

    shown: str  # relative to the project with forward slashes, or absolute outside of it
    inner: str  # below the content folder
    absolute: str
    size: int
    mtime: int  # nanoseconds


class Walk:
    """Collects candidates under `folder`, or just what `paths` name, in the order of `shown`."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folder = str(root), str(folder)
        self.found: dict[str, Candidate] = {}  # by `shown`
        self.findings: list[Finding] = []

    def everything(self) -> None:
        """The whole content folder."""
        if Path(self._folder).is_dir():
            self._enter(self._folder, frozenset())
        else:
            fix = "make it, or set content.folder in digest.toml"
            self._problem(self._folder, "content/folder", "there is no such folder", fix)

    def only(self, paths: Sequence[Path]) -> None:
        """Just these. A file named by itself is read even where a walk would skip it."""
        for path in paths:
            absolute = os.path.abspath(path)  # noqa: PTH100  (a link keeps the name it was given by)
            if Path(absolute).is_dir():
                self._enter(absolute, frozenset())
            else:
                self._add(*self.names(absolute), absolute, None)

    def _enter(self, folder: str, above: frozenset[tuple[int, int]]) -> None:
        """`above` are device and inode of the folders we are in: a link back ends there."""
        try:
            info = os.stat(folder)  # noqa: PTH116  (paths stay strings: 10,000 of them)
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._problem(folder, "content/unreadable", _reason(error))
            return
        here = (info.st_dev, info.st_ino)
        if here in above:
            message = "a symbolic link leads back to a folder it is in"
            self._problem(folder, "content/loop", message, severity=Severity.WARNING)
            return
        shown, inner = (name.removesuffix("?") for name in self.names(f"{folder}{os.sep}?"))
        for entry in found:
            name = entry.name
            if name.startswith("."):
                continue
            if _is_folder(entry):
                self._enter_named(entry, above | {here})
            elif name.lower().endswith(ENDINGS) and name[0] != "_" and name[:6].lower() != "readme":
                text = _slashes(name)
                self._add(shown + text, inner + text, entry.path, entry)

    def _enter_named(self, entry: "os.DirEntry[str]", above: frozenset[tuple[int, int]]) -> None:
        if entry.name.lower().endswith(ENDINGS):
            message = "is a folder, though its name is a post's"
            self._problem(entry.path, "content/folder-name", message, severity=Severity.WARNING)
        if entry.name.lower() not in SKIPPED_FOLDERS:
            self._enter(entry.path, above)

    def _add(self, shown: str, inner: str, absolute: str, entry: "os.DirEntry[str] | None") -> None:
        try:
            info = entry.stat() if entry else os.stat(absolute)  # noqa: PTH116
        except OSError as error:
            self._problem(absolute, "content/unreadable", _reason(error))
            return
        if not stat.S_ISREG(info.st_mode):
            self._problem(absolute, "content/unreadable", "not a regular file")
            return
        self.found[shown] = Candidate(shown, inner, absolute, info.st_size, info.st_mtime_ns)

    def names(self, absolute: str) -> tuple[str, str]:
        """How a path is shown, and what it is below the content folder."""
        shown = _below(absolute, self._root)
        inner = _below(absolute, self._folder)
        return shown or _slashes(absolute), inner or _slashes(absolute).rpartition("/")[2]

    def _problem(
        self,
        absolute: str,
        check: str,
        message: str,
        fix: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        shown = self.names(absolute)[0]
        self.findings.append(Finding(shown, 0, check, severity, message, fix=fix))


def read_file(candidate: Candidate) -> bytes:
    """The bytes of a file. Raises RefusedError for one that cannot be read or is too long."""
    shown = candidate.shown
    if candidate.size > MAX_BYTES:
        limit = f"longer than {MAX_BYTES // 1_000_000} MB: not a post"
        raise refuse(shown, 0, "content/size", limit)
    try:
        descriptor = os.open(candidate.absolute, _FLAGS)
        try:
            return b"".join(_blocks(descriptor, MAX_BYTES))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise refuse(shown, 0, "content/unreadable", _reason(error)) from None


def _blocks(descriptor: int, limit: int) -> Iterator[bytes]:
    while limit > 0 and (block := os.read(descriptor, min(limit, 1 << 16))):
        limit -= len(block)
        yield block


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: `_add` says so, if it would be a post
        return False


def _below(absolute: str, folder: str) -> str:
    start = folder if folder.endswith(os.sep) else folder + os.sep
    return _slashes(absolute[len(start) :]) if absolute.startswith(start) else ""


def _slashes(path: str) -> str:
    """A path as people see it: forward slashes, and bytes that are no text made visible."""
    path = path if os.sep == "/" else path.replace(os.sep, "/")
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "replace")


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a symbolic link that leads to itself"
    return f"cannot be read: {error.strerror or error}"
