"""Reads the content folder: Markdown posts with front matter in, stories and findings out.

    walk → decoding → frontmatter (yaml_values | toml_values, syntax) → fields, dates
                    → scanner → pieces, passages         → post → cache
                                                         → collect → Content

One bad file never stops a run: it becomes findings that name file, line and key.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digest.config import Config
from digest.content.cache import RACY, Cache, decoded, version
from digest.content.collect import stories
from digest.content.post import UNKNOWN, PostReader, Row, listed
from digest.content.refusal import RefusedError
from digest.content.walk import Candidate, Walk, read_file
from digest.hashtags import Vocabulary
from digest.models import Finding, Severity, Story

__all__ = ["Content", "read_content", "read_post"]


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
    config: Config, rows: Sequence[Row], findings: Sequence[Finding], now: datetime | None
) -> Content:
    zone = config.newsletter.timezone
    found, clashes, vocabulary = stories(rows, decoded, config.tags, zone, now or datetime.now(UTC))
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
