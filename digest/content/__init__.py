"""Reads the content folder: Markdown posts with front matter in, stories and findings out.

    walk → decoding → frontmatter (yaml_values | toml_values, syntax) → fields, dates
                    → scanner → pieces, passages         → post → cache
                                                         → collect → Content

One bad file never stops a run: it becomes findings that name file, line and key.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from digest.config import Config
from digest.content.cache import RACY, Cache, decoded, version
from digest.content.collect import stories
from digest.content.post import EPOCH, UNKNOWN, PostReader, Row, listed
from digest.content.refusal import RefusedError
from digest.content.walk import Candidate, Walk, read_file
from digest.hashtags import Vocabulary
from digest.models import Finding, Severity, Story, Window

__all__ = ["Content", "Shelf", "read_content", "read_post"]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything read from the content folder in one go, with how its tags are spelled."""

    stories: tuple[Story, ...]
    findings: tuple[Finding, ...]
    posts: int  # files read, good or bad
    vocabulary: Vocabulary


def read_content(
    config: Config,
    paths: Sequence[Path] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    now: datetime | None = None,
) -> Content:
    """Every story of the content folder, or of `paths` alone, in the order of path and line.

    A file named in `paths` is read even where a walk would skip it (`_index.md`). `now` is the
    real time, not the one an issue is planned at: dates more than a year after it are refused.
    Never raises for what is in the folder; errors leave a post out, warnings do not.
    """
    with _without_collector():
        return _read_all(config, paths, progress or (lambda done, total: None), now)


def read_post(
    data: bytes | str, path: str, config: Config, *, now: datetime | None = None
) -> Content:
    """The stories of one post from its bytes, touching no file. `path` is relative to the root."""
    inner = Walk(config.root, config.content.folder).names(str(config.root / path))[1]
    return _content(config, [PostReader(config).read(data, path, inner)], [], now)


class Shelf:
    """The posts of the content folder, kept read: a saved post costs the reading of that post.

    For a process that stays and watches, like the studio. Nothing is written but the cache.
    """

    def __init__(self, config: Config, progress: Callable[[int, int], None] | None = None) -> None:
        self._config = config
        self._progress = progress or (lambda done, total: None)
        self._rows: dict[str, Row] = {}
        self._findings: list[Finding] = []  # of the walk
        self.refresh()

    def refresh(self, paths: Iterable[Path] | None = None) -> None:
        """Read what changed: `paths`, or whatever has another size or time than before.

        A path may be gone, new, or a folder; then the folder is walked again.
        """
        named = [] if paths is None else list(paths)
        with _without_collector():
            if paths is None or any(path.is_dir() or not path.exists() for path in named):
                self._walk()
            for path in named:
                self._read(path)

    def published(self) -> list[datetime]:
        """When each post that is no draft was published, in UTC, unsorted."""
        posts = (row.post for row in self._rows.values() if row.post)
        return [EPOCH + timedelta(microseconds=post[3]) for post in posts if not post[8]]

    def content(self, now: datetime, window: Window | None = None) -> Content:
        """What the posts hold; with a `window`, of stories only those published in it."""
        with _without_collector():
            rows = list(self._rows.values())
            return _content(self._config, rows, self._findings, now, window)

    def _walk(self) -> None:
        walk = Walk(self._config.root, self._config.content.folder)
        walk.everything()
        if self._rows:
            reader = PostReader(self._config)
            rows = [
                self._known(found) or _read_file(reader, found) for found in walk.found.values()
            ]
        else:
            rows = _rows(self._config, walk.found, True, self._progress)
        self._rows = {row.path: _unpacked(row) for row in rows}
        self._findings = walk.findings

    def _known(self, found: Candidate) -> Row | None:
        """The row of a file that is as it was."""
        row = self._rows.get(found.shown)
        return row if row and (row.size, row.mtime) == (found.size, found.mtime) else None

    def _read(self, path: Path) -> None:
        """Read one file anew, if a walk would find it."""
        walk = Walk(self._config.root, self._config.content.folder)
        walk.only([path])
        for shown, candidate in walk.found.items():
            if shown in self._rows:
                self._rows[shown] = _read_file(PostReader(self._config), candidate)
            else:
                self._walk()


def _unpacked(row: Row) -> Row:
    """A remembered row, its post made of its JSON once for all."""
    return row._replace(post=decoded(row.post)) if isinstance(row.post, memoryview) else row


def _read_all(
    config: Config,
    paths: Sequence[Path] | None,
    progress: Callable[[int, int], None],
    now: datetime | None,
) -> Content:
    walk = Walk(config.root, config.content.folder)
    if paths is None:
        walk.everything()
    else:
        walk.only(paths)
    rows = _rows(config, walk.found, paths is None, progress)
    return _content(config, rows, walk.findings, now)


def _content(
    config: Config,
    rows: Sequence[Row],
    findings: Sequence[Finding],
    now: datetime | None,
    window: Window | None = None,
) -> Content:
    zone, now = config.newsletter.timezone, now or datetime.now(UTC)
    found, clashes, vocabulary = stories(rows, decoded, config.tags, zone, now, window)
    told = [_finding(row.path, item) for row in rows for item in row.findings]
    return Content(tuple(found), tuple(sorted([*findings, *told, *clashes])), len(rows), vocabulary)


def _rows(
    config: Config,
    found: dict[str, Candidate],
    whole: bool,
    progress: Callable[[int, int], None],
) -> list[Row]:
    """One row a file, from the cache where the file is unchanged."""
    reader = PostReader(config)
    cached = whole and config.content.cache
    file = config.root / ".digest" / "cache" / "content.jsonl"
    cache = Cache(file, version(config)) if cached else None
    rows: list[Row] = []
    for done, (shown, candidate) in enumerate(found.items(), start=1):
        row = cache.get(shown, candidate.size, candidate.mtime) if cache else None
        if row is None:
            started = time.time_ns()
            row = _read_file(reader, candidate)
            if cache and row.size != UNKNOWN and started - row.mtime > RACY:
                cache.put(row)
            elif cache:
                cache.drop(shown)
            progress(done, len(found))
        rows.append(row)
    progress(len(found), len(found))
    if cache:
        cache.save(found)
    return rows


def _read_file(reader: PostReader, candidate: Candidate) -> Row:
    shown, inner, _, size, mtime = candidate
    try:
        return reader.read(read_file(candidate), shown, inner, size, mtime)
    except RefusedError as refused:
        return Row(shown, UNKNOWN, mtime, [], [listed(refused.finding)], None)


def _finding(path: str, row: Sequence[Any]) -> Finding:
    line, check, severity, message, key, fix = row
    return Finding(path, line, check, Severity(severity), message, key, fix)


@contextmanager
def _without_collector() -> Iterator[None]:
    """10,000 posts are 300,000 new objects and no garbage: the collector would look at each."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
