"""An issue as its page tells it: which stories, in which order, under which titles and anchors."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from urllib.parse import quote

from digest import wording
from digest.hashtags import fold
from digest.inline import plain
from digest.models import Cadence, Story
from digest.renderer.views import StoryView, story_view
from digest.selector import link_identity
from digest.translations import Translations
from digest.web.site import Site

ARCHIVE = "/archive"
FEEDS = {"atom": "feed.atom", "json": "feed.json"}
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Card:
    """A story on a page."""

    view: StoryView
    anchor: str
    tags: tuple[tuple[str, str], ...]  # (name, path of its page)


@dataclass(frozen=True, slots=True)
class Telling:
    """An issue on a page."""

    title: str
    about: str  # one sentence or two, for those who look at it from outside
    cadence: str
    date: str
    due: datetime
    minutes: int
    tags: tuple[str, ...]  # of all stories, each once
    cards: tuple[Card, ...]
    more: tuple[Card, ...] = ()


def telling(
    stories: Sequence[Story],
    cadence: Cadence,
    due: datetime,
    tr: Translations,
    site: Site,
    more: Sequence[Story] = (),
) -> Telling:
    """The page of these stories, in this order."""
    zone = site.config.newsletter.timezone
    return Telling(
        title=wording.subject(stories, tr),
        about=wording.preheader(stories, tr),
        cadence=wording.cadence_name(cadence, tr),
        date=tr.format_date(due, zone),
        due=due,
        minutes=sum(wording.reading_minutes(story.words) for story in stories),
        tags=tuple({fold(tag): tag for one in stories for tag in one.tags}.values()),
        cards=tuple(card(story, tr, site) for story in stories),
        more=tuple(card(story, tr, site) for story in more),
    )


def card(story: Story, tr: Translations, site: Site) -> Card:
    """One story of it."""
    tags = tuple((tag, site.path + tag_path(fold(tag))) for tag in story.tags if fold(tag))
    return Card(story_view(story, tr.code), anchor(story), tags)


def for_everybody(stories: Iterable[Story], language: str) -> tuple[Story, ...]:
    """What an issue held: pinned stories first, then those in the language of the page; of several
    in one language about the same original, the first."""
    shown: dict[tuple[str, str], Story] = {}
    for story in sorted(stories, key=lambda one: (not one.pinned, one.language != language)):
        same = link_identity(story.link)
        shown.setdefault((story.language, same) if same else ("", story.id), story)
    return tuple(shown.values())


def anchor(story: Story) -> str:
    """Where the story is on its page: words of its title, and what tells it from all others."""
    words = "-".join(_WORDS.findall(plain(story.title).lower())[:6])
    name = blake2b(story.id.encode(), digest_size=3).hexdigest()
    return f"{words}-{name}" if words else f"story-{name}"


def issue_path(name: str) -> str:
    """The page of an issue, under the site's path."""
    return f"{ARCHIVE}/{quote(name, safe='')}"


def tag_path(key: str) -> str:
    """The page of a tag."""
    return f"{ARCHIVE}/tag/{quote(key, safe='')}"
