"""Posts to stories: what depends on all posts together. Pure.

Canonical spellings of tags, ids and pages that two posts share, and dates that are too far away.
Works on the rows that the cache keeps, so that a post costs the same read or remembered.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta, tzinfo
from itertools import chain
from typing import Any

from digest.config import TagConfig
from digest.content.post import EPOCH, Row
from digest.hashtags import Tags, Vocabulary
from digest.models import Finding, Severity, Story, Window

FARTHEST = timedelta(days=366)  # a date later than this from now is a typing error

_FILL = [getattr(Story, one.name).__set__ for one in fields(Story)]


def stories(
    rows: Iterable[Row],
    decoded: Callable[[memoryview], Sequence[Any]],
    tags: TagConfig,
    zone: tzinfo,
    now: datetime,
    window: Window | None = None,
) -> tuple[list[Story], list[Finding], Vocabulary]:
    """The stories of all posts, in the order of their paths; posts that clash are left out or told.

    `decoded` makes a remembered post of its JSON. With a `window`, only the stories published in
    it are made; spellings and clashes are those of all posts nevertheless.
    """
    rows = sorted(row for row in rows if row.post is not None)
    vocabulary = Vocabulary.of(Counter(chain.from_iterable(row.tags for row in rows)), tags)
    generated = vocabulary.spelling("generated")
    latest = microseconds(now + FARTHEST)
    within = range(*map(microseconds, (window.start, window.end))) if window else None
    clashes = _Clashes()
    moments: dict[int, datetime] = {}
    found: list[Story] = []
    for row in rows:
        post = decoded(row.post) if isinstance(row.post, memoryview) else row.post or ()
        published = post[3]
        if published > latest:
            clashes.findings.append(_too_late(row.path, post, zone))
        elif identity := clashes.identity(row.path, post):
            if within is not None and published not in within:
                continue
            moment = moments.get(published)
            if moment is None:
                moment = (EPOCH + timedelta(microseconds=published)).astimezone(zone)
                moments[published] = moment
            sorted_tags = vocabulary.sort(row.tags)
            found += _stories(row.path, post, identity, moment, sorted_tags, generated)
    return found, clashes.findings, vocabulary


def microseconds(moment: datetime) -> int:
    """A moment as rows keep it."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _stories(
    path: str, post: Sequence[Any], identity: str, moment: datetime, tags: Tags, generated: str
) -> Iterable[Story]:
    _, _, post_title, _, language, url, disclaimer, pinned, draft, _, _, pieces = post
    marked = generated in tags.markers or generated in tags.topics
    topics, markers, _ = tags
    return [
        _story(
            (
                f"{identity}#{slug}" if slug else identity,
                path,
                post_title,
                title,
                tldr,
                tuple(takeaways),
                tuple(tradeoffs),
                why,
                link,
                url,
                moment,
                language,
                topics,
                markers,
                marked,
                disclaimer,
                pinned,
                draft,
                words,
                line,
            )
        )
        for slug, title, tldr, takeaways, tradeoffs, why, link, words, line in pieces
    ]


def _story(values: tuple[Any, ...]) -> Story:
    """`Story(*values)`, in two thirds of its time: 20,000 of them are half of a warm read."""
    story = Story.__new__(Story)
    for fill, value in zip(_FILL, values, strict=True):
        fill(story, value)
    return story


class _Clashes:
    """Two posts that say they are the same one. The first by path stays what it is."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._ids: dict[str, str] = {}
        self._slugs: dict[tuple[str, str], tuple[str, str]] = {}

    def identity(self, path: str, post: Sequence[Any]) -> str:
        """The post's id, made unique; empty when the post has to be left out."""
        identity, slug, language, url = post[0], post[1], post[4], post[5]
        first, its_url = self._slugs.setdefault((slug, language), (path, url))
        other = self._ids.setdefault(identity, path)
        if first == path and other == path:
            return str(identity)
        same_page = first != path and bool(url) and url == its_url
        key, value = ("slug", slug) if first != path else ("id", identity)
        self.findings.append(_clash(path, first if first != path else other, key, value, same_page))
        if same_page:
            return ""
        return str(identity) if other == path else f"{identity}~{_short(path)}"


def _clash(path: str, other: str, key: str, value: str, same_page: bool) -> Finding:
    return Finding(
        path,
        0,
        "content/duplicate",
        Severity.ERROR if same_page else Severity.WARNING,
        f'"{value}" is also the {key} of {other}' + (": the same page" if same_page else ""),
        key,
        f"give each post its own {key}",
    )


def _short(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _too_late(path: str, post: Sequence[Any], zone: tzinfo) -> Finding:
    year = (EPOCH + timedelta(microseconds=post[3])).astimezone(zone).year
    return Finding(
        path,
        post[10],
        "front-matter/date",
        Severity.ERROR,
        f"year {year}: a typing error?",
        post[9] or "date",
        "more than a year from now",
    )
