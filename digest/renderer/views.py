"""What the templates of a story see: its texts as written, its links checked, its language told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.inline import clean, host, safe_link
from digest.models import Story
from digest.translations import direction
from digest.wording import reading_minutes

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story for a template. Texts are inline Markdown: `inline` or `plain` shows them."""

    title: str
    tldr: str
    takeaways: Sequence[str]
    tradeoffs: Sequence[str]
    why: str
    tags: Sequence[str]
    minutes: int  # of reading, at least 1
    url: str  # our page; empty when there is none that may be linked
    original: str  # the link of the story itself; empty likewise, or when it is our page
    href: str  # where the title leads: our page, else the original, else empty
    host: str  # of the original: `example.com`
    generated: bool
    disclaimer: str
    lang: str  # when it is not the language of the edition, else empty
    dir: str  # when it is not the direction of the edition, else empty


@lru_cache(maxsize=4096)  # six templates show each story
def story_view(story: Story, language: str) -> StoryView:
    """The story as an edition in `language` shows it."""
    url, original = _page(story.url), _page(story.link)
    original = "" if original == url else original
    known = _LANGUAGE.fullmatch(story.language) is not None
    flow = direction(story.language) if known else direction(language)
    return StoryView(
        title=story.title or story.post_title,
        tldr=story.tldr,
        takeaways=story.takeaways,
        tradeoffs=story.tradeoffs,
        why=story.why,
        tags=[clean(tag) for tag in story.tags],
        minutes=reading_minutes(story.words),
        url=url,
        original=original,
        href=url or original,
        host=host(original),
        generated=story.generated,
        disclaimer=clean(story.disclaimer),
        lang=story.language if known and story.language != language else "",
        dir=flow if flow != direction(language) else "",
    )


def _page(url: str) -> str:
    """A link that a browser opens; a story is never a `mailto:`."""
    return safe_link(url) if host(safe_link(url)) else ""
