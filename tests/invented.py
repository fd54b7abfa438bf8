"""Invented stories of the size of real ones, and subscribers with 1 to 5 of 12 tags."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest import config
from digest.models import Cadence, Issue, Preferences, Story, Subscriber, Window

_TAGS = """
ai llm python open-source security databases frontend architecture kubernetes testing rust career
"""
TAGS = tuple(_TAGS.split())
NAMES = ("Ana", "Żaneta Świątek", "", "Björn Åkesson", "李小龙", 'Pat "Patch" O\'Neil, Jr.', "Zoë")
ISSUE = Issue(
    "weekly-2026-11-19",
    Cadence.WEEKLY,
    Window(datetime(2026, 11, 12, 9, tzinfo=UTC), datetime(2026, 11, 19, 9, tzinfo=UTC)),
    datetime(2026, 11, 19, 9, tzinfo=UTC),
)
_TEXT = """
model latency — “quiet” benchmarks & adoption of <open> weights cost teams' budget by 17% while
naïve caching, retries and 2× traffic made every release slower than planned for maintainers
"""
_WORDS = tuple(_TEXT.split())

_CONFIG = """
[newsletter]
name = "Platform Weekly"
sender = "news@example.com"
reply_to = "team@example.com"
postal_address = "Example Ltd, 1 High Street, Dublin"
base_url = "https://news.example.com"
language = "en"
timezone = "UTC"
[cadence.weekly]
at = "thu 09:00"
"""


def settings(root: Path) -> config.Config:
    """A configuration that names no templates of its own."""
    return config.parse(_CONFIG, root / config.FILE, {})


def stories(count: int, *, seed: int = 1) -> tuple[Story, ...]:
    """Stories as long as `seed.md`: a TLDR of 345 letters, 5 takeaways and 3 tradeoffs of 100."""
    return tuple(_story(number, random.Random(seed * 1000 + number)) for number in range(count))


def subscribers(count: int, *, seed: int = 1) -> Iterator[Subscriber]:
    """Weekly readers, one at a time."""
    chance = random.Random(seed)
    for number in range(count):
        tags = tuple(chance.sample(TAGS, chance.randint(1, 5)))
        name = NAMES[number % len(NAMES)]
        address = f"reader.{number}@example.org"
        yield Subscriber(number, address, name, Preferences(tags), Cadence.WEEKLY, "")


def _story(number: int, chance: random.Random) -> Story:
    title = _text(chance, 60).capitalize()
    return Story(
        id=f"post-{number}",
        post=f"content/post-{number}.md",
        post_title=title,
        title=title,
        tldr=_text(chance, 345),
        takeaways=tuple(_text(chance, 100) for _ in range(5)),
        tradeoffs=tuple(_text(chance, 105) for _ in range(3)),
        why="",
        link=f"https://example.org/p/{chance.randbytes(16).hex()}?a=1&b={number}",
        url=f"https://blog.example.com/en/post-{number}/",
        published=ISSUE.window.start + timedelta(hours=1 + number),
        language="en",
        tags=tuple(chance.sample(TAGS, chance.randint(4, 8))),
        markers=("generated",),
        generated=True,
        disclaimer="",
        pinned=False,
        draft=False,
        words=700,
        line=9,
    )


def _text(chance: random.Random, length: int) -> str:
    """Words up to about `length` letters."""
    words: list[str] = []
    while sum(map(len, words)) + len(words) < length:
        words.append(chance.choice(_WORDS))
    return " ".join(words)
