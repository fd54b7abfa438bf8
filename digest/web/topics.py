"""Which tags there are to pick, and how often each has really been in the newsletter of late."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.content import Content
from digest.listing import Listing
from digest.models import Story

SPAN = timedelta(days=91)
MONTHS = 3


@dataclass(frozen=True, slots=True)
class Topic:
    """A tag that stories have, and its stories a month; below one it is rare."""

    key: str
    name: str
    monthly: int


@dataclass(frozen=True, slots=True)
class Topics:
    """What a reader can choose from."""

    tags: tuple[Topic, ...]  # most stories first
    weekly: int  # stories of any tag, a week
    languages: tuple[str, ...]  # of the stories, most stories first


@dataclass(slots=True)
class TopicCounter:
    """Counts once for each reading of the posts, and again when the day changes."""

    _seen: tuple[Content, object, Topics] | None = None

    def __call__(self, content: Content, listing: Callable[[], Listing], now: datetime) -> Topics:
        seen = self._seen  # another thread may put another there; this one stays whole
        if seen is None or seen[0] is not content or seen[1] != now.date():
            seen = content, now.date(), _count(content, listing(), now)
            self._seen = seen
        return seen[2]


def _count(content: Content, listing: Listing, now: datetime) -> Topics:
    """Of the quarter before now; or, where nothing is so new, before the newest story.

    A story that was dated back counts when it was listed: that is when readers got it.
    """
    told = [story for story in content.stories if not story.draft and story.published <= now]
    end = max(map(listing.of, told), default=now)
    late = [story for story in told if listing.of(story) > end - SPAN]
    key = content.vocabulary.key
    names = {key(tag): tag for story in told for tag in story.tags}
    counts = Counter(key(tag) for story in late for tag in set(story.tags))
    topics = [Topic(each, name, round(counts[each] / MONTHS)) for each, name in names.items()]
    topics.sort(key=lambda topic: (-counts[topic.key], topic.key))
    return Topics(tuple(topics), round(len(late) / (SPAN.days / 7)), _languages(told))


def _languages(stories: Iterable[Story]) -> tuple[str, ...]:
    counts = Counter(story.language for story in stories)
    return tuple(code for code, _ in counts.most_common())
