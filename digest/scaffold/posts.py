"""Where the Markdown posts of a folder are, how many, and how new. Reads no more than it must."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

from digest.content.post import SUFFIX
from digest.content.walk import SKIPPED_FOLDERS

NO_POSTS = re.compile(r"[._]|(readme|license|contributing|changelog|security)\b", re.IGNORECASE)
NO_POST_FOLDERS = SKIPPED_FOLDERS | {"vendor", "themes", "outbox"}

_DATE_KEY = re.compile(
    r"^\W?(?:date|publishedAt|pubDate|pubDatetime|publishDate)\W{1,5}(\d{4}-\d\d-\d\d)",
    re.MULTILINE | re.IGNORECASE,
)
_DATE_IN_NAME = re.compile(r"(\d{4}-\d\d-\d\d)-")


@dataclass(frozen=True, slots=True)
class Posts:
    """What one folder holds."""

    folder: str  # relative to the site, with forward slashes
    count: int
    newest: date | None


def most_posts(folder: Path, places: Sequence[str]) -> Posts | None:
    """The place with the most posts; the earlier of two with as many."""
    counted = [_count(place, list(_markdown(folder / place))) for place in dict.fromkeys(places)]
    best = max(counted, key=lambda posts: posts.count, default=None)
    return best if best and best.count else None


def posts_somewhere(folder: Path) -> Posts | None:
    """Where the dated posts of a folder without known layout lie together."""
    groups: dict[str, list[Path]] = {}
    for path in _markdown(folder):
        if _date(path):
            groups.setdefault(path.relative_to(folder).parts[0], []).append(path)
    if not groups:
        return None
    direct = any((folder / top).is_file() for top in groups)
    posts = list(chain(*groups.values())) if direct else max(groups.values(), key=len)
    return _count(_home(folder, posts), posts)


def _home(folder: Path, posts: Sequence[Path]) -> str:
    """The deepest folder of all posts that will hold the next one too: not `2026/11`."""
    parents = {path.parent.parent if path.stem == "index" else path.parent for path in posts}
    home = Path(os.path.commonpath(parents))
    while home != folder and home.name.isdigit():
        home = home.parent
    return home.relative_to(folder).as_posix() if home.is_relative_to(folder) else "."


def _count(place: str, posts: Sequence[Path]) -> Posts:
    return Posts(place, len(posts), max(filter(None, map(_date, posts)), default=None))


def _markdown(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name[0] != "." and name.lower() not in NO_POST_FOLDERS
        )
        for name in sorted(files):
            path = Path(place, name)
            # A FIFO would block whoever opens it; a link may lead nowhere or to itself.
            if SUFFIX.search(name) and not NO_POSTS.match(name) and path.is_file():
                yield path


def _date(path: Path) -> date | None:
    """From the first lines, otherwise from the name; a date that does not exist is none."""
    match = _DATE_KEY.search(_head(path)) or _DATE_IN_NAME.match(path.name)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _head(path: Path) -> str:
    """The first lines; none of a file that may not be read, which `digest check` tells."""
    try:
        with path.open("rb") as file:
            return file.read(4_000).decode(errors="replace")
    except OSError:
        return ""
