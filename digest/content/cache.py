"""What was read last time, so that an unchanged post costs a `stat` and a line of JSON.

One file of JSON lines: a header, an index, then a line per post, decoded only when its stories are
made: text that is still in the processor's cache takes half the time. The file is never trusted:
another version, a foreign file or a wrong checksum is the same as no cache, and an unwritable
folder is no error. Plain JSON and not pickle, because a cache can come with a cloned folder.
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
from digest.content.post import Row

NAME = "content cache"
# A file changed again within the clock's grain keeps size and time: git calls such files racy.
RACY = 2_000_000_000  # nanoseconds

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode


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
    """Rows of unchanged files. Their posts stay JSON until they are wanted."""

    def __init__(self, file: Path, version: str) -> None:
        self._file, self._version = file, version
        self._rows: dict[str, Row] = {}
        self._changed = False
        try:
            self._rows = self._load()
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            self._changed = True

    def get(self, path: str, size: int, mtime: int) -> Row | None:
        """The row of a file, if it is unchanged."""
        row = self._rows.get(path)
        return row if row and row.size == size and row.mtime == mtime else None

    def put(self, row: Row) -> None:
        """Keep the row of a file that was read."""
        post = memoryview(_bytes(row.post)) if row.post else None
        self._rows[row.path] = row._replace(post=post)
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
        data = self._file.read_bytes()
        view = memoryview(data)  # a post is decoded from here, never copied
        start = data.index(b"\n") + 1
        if json.loads(data[:start]) != self._head(view[start:]):
            raise ValueError
        end = data.index(b"\n", start) + 1
        rows: dict[str, Row] = {}
        for path, size, mtime, tags, findings, length in decoded(view[start:end]):
            start, end = end, end + length
            rows[path] = Row(path, size, mtime, tags, findings, view[start:end] or None)
        return rows

    def _head(self, rest: "bytes | memoryview") -> dict[str, object]:
        return {"digest": NAME, "version": self._version, "checksum": zlib.adler32(rest)}

    def _write(self) -> None:
        posts = [
            row.post if isinstance(row.post, memoryview) else b"" for row in self._rows.values()
        ]
        index = [
            [*row[:-1], len(post)] for row, post in zip(self._rows.values(), posts, strict=True)
        ]
        rest = b"".join([_bytes(index), *posts])
        self._file.parent.mkdir(parents=True, exist_ok=True)
        made = self._file.with_name(f"{self._file.name}.{secrets.token_hex(4)}")
        try:
            made.write_bytes(_bytes(self._head(rest)) + rest)
            os.replace(made, self._file)  # noqa: PTH105  (the atomic one, by its usual name)
        finally:
            made.unlink(missing_ok=True)


def decoded(line: memoryview) -> Any:
    """The JSON of one line."""
    return _decode(str(line, "utf-8", "surrogatepass"))[0]


def _bytes(value: object) -> bytes:
    return f"{_encode(value)}\n".encode("utf-8", "surrogatepass")
