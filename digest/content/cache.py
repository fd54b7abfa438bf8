"""What was read last time, so that an unchanged post costs a `stat` and a line of JSON.

One file: a header, one JSON line per post, a checksum. It is never trusted: another version, a foreign
file, a broken line or a wrong checksum is the same as no cache, and an unwritable folder is no
error. Plain JSON and not pickle, because a cache can come with a cloned folder.
"""

import contextlib
import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digest.config import Config

Row = list[Any]

NAME = "content cache"
# A file changed again within the clock's grain keeps size and time: git calls such files racy.
RACY = 2_000_000_000  # nanoseconds

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().scan_once


def version(config: Config) -> str:
    """Changes with everything that could read the same bytes differently."""
    content, tags = config.content, config.tags
    settings = (
        str(content.folder),
        content.url,
        sorted((role, list(names)) for role, names in content.labels.items()),
        content.split_words,
        sorted(tags.languages),
        config.newsletter.language,
        str(config.newsletter.timezone),
    )
    digest = hashlib.sha256(repr(settings).encode())
    with contextlib.suppress(OSError):  # sources in a zip: the settings must do
        here = Path(__file__).parent
        for source in (*sorted(here.glob("*.py")), here.parent / "hashtags.py"):
            digest.update(source.read_bytes())
    return digest.hexdigest()


class Cache:
    """Rows by path. A row is `[path, size, mtime, post or null, findings]`."""

    def __init__(self, file: Path, version: str) -> None:
        self._file, self._version = file, version
        self._rows: dict[str, Row] = {}
        try:
            self._rows = self._load()
            self._changed = False
        except (OSError, ValueError, LookupError, TypeError, StopIteration, RecursionError):
            self._changed = True

    def get(self, path: str, size: int, mtime: int) -> Row | None:
        """The row of an unchanged file."""
        row = self._rows.get(path)
        return row if row and row[1] == size and row[2] == mtime else None

    def put(self, row: Row) -> None:
        """Keep the row of a file that was read."""
        self._rows[row[0]] = row
        self._changed = True

    def drop(self, path: str) -> None:
        """Forget a file whose row cannot be kept."""
        self._changed |= self._rows.pop(path, None) is not None

    def save(self, paths: Mapping[str, object]) -> None:
        """Write what changed, keeping only `paths`. Silent when nothing can be written."""
        for path in self._rows.keys() - paths.keys():
            self.drop(path)
        if self._changed:
            with contextlib.suppress(OSError):
                self._write()

    def _load(self) -> dict[str, Row]:
        """Line by line: a file of 30 MB at once costs more in memory traffic than in parsing."""
        rows = {}
        checksum = 0
        with self._file.open("rb", buffering=1 << 20) as lines:
            if json.loads(next(lines, b"{}")) != self._head():
                return {}
            last = b""
            for line in lines:
                if last:
                    checksum = zlib.adler32(last, checksum)
                    row = _decode(last.decode("utf-8", "surrogatepass"), 0)[0]
                    rows[row[0]] = row
                last = line
        if json.loads(last or b"null") != checksum:
            raise ValueError
        return rows

    def _head(self) -> dict[str, str]:
        return {"digest": NAME, "version": self._version}

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        made = self._file.with_name(f"{self._file.name}.{secrets.token_hex(4)}")
        checksum = 0
        try:
            with made.open("wb") as file:
                file.write(_encode(self._head()).encode() + b"\n")
                for row in self._rows.values():
                    line = _encode(row).encode("utf-8", "surrogatepass") + b"\n"
                    checksum = zlib.adler32(line, checksum)
                    file.write(line)
                file.write(b"%d" % checksum)  # the last line, so that a torn file is no cache
            os.replace(made, self._file)  # noqa: PTH105  (the atomic one, by its usual name)
        finally:
            made.unlink(missing_ok=True)
