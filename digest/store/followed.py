"""How often the links of an issue were followed, fairly: for each thousand readers who had them.

Digests differ, so that a plain count says first of all how many got a story. Where few readers had
a link, its count would tell on them: it is told in a sum with others alone, or not at all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from digest.clicks import Place, places_of
from digest.store.ledger.records import PlannedEdition
from digest.store.links import LinkClicks

FEWEST = 10  # readers, before anything is told of a link or a story by itself


class Followed(NamedTuple):
    """What was sent to so many readers, and followed so often."""

    readers: int = 0
    people: int = 0
    machines: int = 0

    @property
    def per_1000(self) -> float:
        """Clicks of people for each thousand readers; machines are in no rate."""
        return 1000 * self.people / self.readers if self.readers else 0.0


class StoryFollowed(NamedTuple):
    """All links of a story."""

    id: str
    title: str  # plain text
    followed: Followed


class LinkFollowed(NamedTuple):
    """One target in one story."""

    url: str
    story: str  # its id; empty: around the stories
    title: str  # the story's
    followed: Followed


_Told = TypeVar("_Told", StoryFollowed, LinkFollowed)


@dataclass(frozen=True, slots=True)
class IssueFollowed:
    """An issue; the highest rates first."""

    total: Followed | None  # of all that is told below; None: too few readers for anything
    stories: tuple[StoryFollowed, ...] = ()
    links: tuple[LinkFollowed, ...] = ()
    few: Followed | None = None  # the links that fewer than `FEWEST` had, together
    partly: bool = False  # planned anew while it went out: links that not all had are in nothing


def followed(
    links: Sequence[LinkClicks],
    editions: Iterable[PlannedEdition],
    submitted: Mapping[int, int],
    titles: Mapping[str, str],
) -> IssueFollowed | None:
    """What may be told of an issue; None when it has no counted links.

    `submitted`: deliveries that were handed over, by the number of their edition.
    """
    if not links:
        return None
    shown = _Editions(editions, submitted)
    told: list[LinkFollowed] = []
    few: list[tuple[set[int], Followed]] = []
    for link, clicks in links:
        where = shown.of(link.places)
        one = Followed(shown.readers(where), *clicks)
        if one.readers >= FEWEST:
            told.append(LinkFollowed(link.url, link.story, titles.get(link.story, link.story), one))
        elif one.readers:
            few.append((where, one))
    together = set[int]().union(*(where for where, _ in few))
    rest = _sum(shown.readers(together), (one for _, one in few))
    kept = rest if rest.readers >= FEWEST else None
    everything = [one.followed for one in told] + ([kept] if kept else [])
    total = _sum(sum(submitted.values()), everything) if everything else None
    partly = not all(link.places for link, _ in links)
    return IssueFollowed(
        total, _stories(told, shown, titles), _highest_first(told), kept, partly=partly
    )


class _Editions:
    """Which editions show which places, and how many readers have each."""

    def __init__(self, editions: Iterable[PlannedEdition], submitted: Mapping[int, int]) -> None:
        self._submitted = submitted
        self._by_place: dict[Place, set[int]] = {}
        self._by_story: dict[str, set[int]] = {}
        for one in editions:
            for place in places_of(one.language, one.stories, one.more):
                self._by_place.setdefault(place, set()).add(one.number)
                self._by_story.setdefault(place.story, set()).add(one.number)

    def of(self, places: Iterable[Place]) -> set[int]:
        return set[int]().union(*(self._by_place.get(place, ()) for place in places))

    def with_story(self, story: str) -> int:
        return self.readers(self._by_story.get(story, ()))

    def readers(self, editions: Iterable[int]) -> int:
        return sum(self._submitted.get(number, 0) for number in editions)


def _stories(
    links: Sequence[LinkFollowed], shown: _Editions, titles: Mapping[str, str]
) -> tuple[StoryFollowed, ...]:
    found = []
    for story in dict.fromkeys(link.story for link in links if link.story):
        if (readers := shown.with_story(story)) >= FEWEST:
            own = (link.followed for link in links if link.story == story)
            found.append(StoryFollowed(story, titles.get(story, story), _sum(readers, own)))
    return _highest_first(found)


def _sum(readers: int, some: Iterable[Followed]) -> Followed:
    parts = list(some)
    return Followed(readers, sum(p.people for p in parts), sum(p.machines for p in parts))


def _highest_first(some: "Iterable[_Told]") -> "tuple[_Told, ...]":
    return tuple(sorted(some, key=lambda one: (-one.followed.per_1000, *map(str, one[:2]))))


def by_target(links: Sequence[LinkFollowed], *, scheme: bool) -> Iterator[tuple[str, Followed]]:
    """Each link by where it leads, after the title of its story if several lead there."""
    times = Counter(one.url for one in links)
    for one in links:
        url = one.url if scheme else one.url.partition("://")[2]
        yield f"{one.title}: {url}" if one.title and times[one.url] > 1 else url, one.followed


def stories_together(issues: Iterable[IssueFollowed]) -> tuple[StoryFollowed, ...]:
    """The stories of several issues, each once."""
    sums: dict[str, StoryFollowed] = {}
    for one in (story for issue in issues for story in issue.stories):
        before = sums.get(one.id)
        parts = [before.followed, one.followed] if before else [one.followed]
        sums[one.id] = one._replace(followed=_sum(sum(p.readers for p in parts), parts))
    return _highest_first(sums.values())
