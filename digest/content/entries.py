"""What front matter holds, whatever wrote it: entries with the line they stand on."""

import re
from collections.abc import Mapping
from datetime import date, time
from functools import lru_cache
from typing import NamedTuple

from digest.models import Finding, Severity

# Every YAML scalar is text as it was written: `no`, `012` and `508` mean what they say.
Scalar = str | date | time | None


class Entry(NamedTuple):
    """One key with its value. Dates come typed from TOML only; an item of a list has no key."""

    key: str  # as written
    value: "Scalar | list[Entry] | dict[str, Entry]"
    line: int  # 1-based, in the file

    @property
    def kind(self) -> str:
        """What the value is, in words for a message."""
        if isinstance(self.value, dict):
            return "a mapping"
        return "a list" if isinstance(self.value, list) else "text"


Entries = Mapping[str, Entry]  # by folded key

# Which key means what, in the order in which they are looked at. Folded.
TITLE = ("title",)
DATE = (
    "date",
    "publishedat",
    "pubdate",
    "publishdate",
    "publisheddate",
    "published",
    "createdat",
    "created",
)
UPDATED = ("lastmod", "updated", "updatedat")
SUMMARY = (
    "excerpt",
    "description",
    "summary",
    "deck",
    "subtitle",
    "spoiler",
    "metadescription",
)
TAGS = ("hashtags", "tags", "tag", "topics", "keywords", "categories", "category")
SLUG = ("slug",)
ID = ("id", "uuid", "guid")
LANGUAGE = ("lang", "language", "locale")
HIDDEN = ("draft", "isdraft", "isprivate", "private", "unlisted", "ignore")
PINNED = ("pinned", "featured", "sticky")
PAGE = ("canonicalurl", "canonical", "permalink", "url")
SOURCE = ("link", "externalurl", "sourceurl", "source")

# A key of these twice is a mistake that changes the newsletter; of any other only a warning.
_DECISIVE = frozenset(TITLE + DATE + SLUG + TAGS + ID)


@lru_cache(maxsize=4_096)
def fold_key(key: str) -> str:
    """`publishedAt`, `published_at` and `Published-At` are one key."""
    return re.sub(r"[\s_-]", "", key).lower()


def repeated(path: str, key: str, line: int, first: int) -> Finding:
    """The finding for a key that appears a second time."""
    decisive = fold_key(key) in _DECISIVE
    return Finding(
        path,
        line,
        "front-matter/duplicate-key",
        Severity.ERROR if decisive else Severity.WARNING,
        f"key appears twice (first on line {first})",
        key,
        "keep one of them",
    )
