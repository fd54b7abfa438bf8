"""A newsletter over some weeks, played against what anybody can see from outside.

`World` plays a script: posts appear, late or dated ahead, move, are put off, go and come back;
readers join, change what they follow and how often; issues go out late, ahead of time, or not at
all, and some deliveries fail. A `Newsletter` decides who gets what; the world only watches:

*   nobody gets a story twice, wherever its file was;
*   whoever was looked at for an issue that closed after a story had appeared, and followed its tag
    all the while, has got it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from digest.models import Cadence, Due, Issue, Story
from tests.stories import story

ZONE = ZoneInfo("Europe/Warsaw")  # its clocks go back on 25 October
BEGIN = datetime(2026, 10, 12, 12, tzinfo=UTC)
SCHEDULE = {
    Cadence.DAILY: Due(2, 30),  # that happens twice
    Cadence.WEEKLY: Due(9, 0, weekday=3),
    Cadence.MONTHLY: Due(9, 0, day=20),
}
TAGS = ("ai", "rust")
PEOPLE, POSTS = 3, 5

_WHO, _WHICH = st.integers(0, PEOPLE - 1), st.integers(0, POSTS - 1)
_CADENCES = st.sampled_from(list(Cadence))
_LATE, _SOON = st.integers(-900, 0), st.integers(0, 200)  # hours
_STEPS = (
    ("wait", st.integers(1, 80)),
    ("wait", st.integers(20, 400)),
    ("post", st.sampled_from(TAGS), _LATE),
    ("post", st.sampled_from(TAGS), _LATE),
    ("post", st.sampled_from(TAGS), _SOON),
    ("move", _WHICH),
    ("put off", _WHICH, _SOON),
    ("take away", _WHICH),
    ("bring back", _WHICH),
    ("cadence", _WHO, _CADENCES),
    ("tag", _WHO, st.sampled_from(TAGS)),
    ("issue", _CADENCES, st.just(frozenset())),
    ("issue", _CADENCES, st.just(frozenset())),
    ("issue", _CADENCES, st.sets(_WHO, min_size=1)),
    ("ahead", _CADENCES, st.just(frozenset())),
)
STEP = st.one_of(*(st.tuples(st.just(name), *how) for name, *how in _STEPS))
SCRIPT = st.tuples(
    st.lists(st.tuples(_CADENCES, st.sampled_from(TAGS)), min_size=1, max_size=PEOPLE),
    st.lists(STEP, min_size=10, max_size=40),
)


@dataclass
class Person:
    """A reader as they are now."""

    number: int
    cadence: Cadence
    tags: frozenset[str]


class Outcome(NamedTuple):
    """What an issue brought: its window's end, and the stories of each reader it reached."""

    issue: Issue
    got: Mapping[int, tuple[str, ...]]  # reader -> ids; none: they were looked at, in vain
    failed: frozenset[int]  # readers whom it did not reach


class Newsletter(Protocol):
    """Who gets what and when."""

    def sync(self, stories: tuple[Story, ...], now: datetime) -> None: ...

    def join(self, person: Person, now: datetime) -> None: ...

    def change(self, person: Person, now: datetime) -> None: ...

    def send(
        self,
        cadence: Cadence,
        moment: datetime,
        stories: tuple[Story, ...],
        failing: Iterable[int],
        now: datetime,
    ) -> Outcome | None:
        """The issue due at `moment`; None when it went out before."""
        ...


@dataclass
class _Post:
    number: int
    tag: str
    published: datetime
    appeared: datetime
    moved: int = 0
    there: bool = True
    steady: bool = True  # there all the time since it appeared

    @property
    def story(self) -> Story:
        return story(
            f"post{self.number}-{self.moved}",
            self.tag,
            published=self.published,
            link=f"https://example.org/{self.number}",
        )


class _Look(NamedTuple):
    end: datetime
    start: datetime
    at: datetime
    tags: frozenset[str]


@dataclass
class World:
    """What happens, and what everybody got."""

    newsletter: Newsletter
    now: datetime = BEGIN
    posts: list[_Post] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    got: dict[int, list[int]] = field(default_factory=dict)  # reader -> posts
    looks: dict[int, list[_Look]] = field(default_factory=dict)
    first: dict[int, datetime] = field(default_factory=dict)  # start of their first window

    def play(self, script: tuple[list[tuple[Cadence, str]], list[tuple[object, ...]]]) -> None:
        readers, steps = script
        for cadence, tag in readers:
            self.join(cadence, tag)
        for what, *how in steps:
            getattr(self, f"_{what}".replace(" ", "_"))(*how)
            self.now += timedelta(minutes=7)
        self._wait(24 * 40)
        for cadence in Cadence:
            self._issue(cadence, frozenset())
        self.check()

    def join(self, cadence: Cadence, tag: str) -> None:
        """Another reader."""
        person = Person(len(self.people), cadence, frozenset({tag}))
        self.people.append(person)
        self.got[person.number], self.looks[person.number] = [], []
        self.newsletter.join(person, self.now)

    def check(self) -> None:
        for reader, posts in self.got.items():
            assert len(posts) == len(set(posts)), f"reader {reader} got {posts}"
            for post in self.posts:
                assert post.number in posts or not self._owed(reader, post), (
                    f"reader {reader} never got {post}: {self.looks[reader]}"
                )

    def _owed(self, reader: int, post: _Post) -> bool:
        there = max(post.appeared, post.published)
        looks = self.looks[reader]
        decisive = next((n for n, look in enumerate(looks) if there < look.end), None)
        if decisive is None or not post.steady or post.published < self.first[reader]:
            return False
        seen = [look for look in looks[: decisive + 1] if look.at >= post.appeared]
        return all(post.tag in look.tags for look in seen)

    def _wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def _post(self, tag: str, hours: int) -> None:
        if len(self.posts) < POSTS:
            published = self.now + timedelta(hours=hours)
            self.posts.append(_Post(len(self.posts), tag, published, self.now))

    def _move(self, which: int) -> None:
        for post in self.posts[which : which + 1]:
            post.moved += 1

    def _put_off(self, which: int, hours: int) -> None:
        self._sync()
        for post in self.posts[which : which + 1]:
            if post.published > self.now:
                post.published += timedelta(hours=hours)

    def _take_away(self, which: int) -> None:
        for post in self.posts[which : which + 1]:
            post.there = post.steady = False
        self._sync()

    def _bring_back(self, which: int) -> None:
        for post in self.posts[which : which + 1]:
            post.there = True

    def _sync(self) -> None:
        self.newsletter.sync(self._stories(), self.now)

    def _cadence(self, which: int, cadence: Cadence) -> None:
        self._change(which, cadence=cadence)

    def _tag(self, which: int, tag: str) -> None:
        for person in self.people[which : which + 1]:
            self._change(which, tags=person.tags ^ {tag})

    def _change(self, which: int, **fields: object) -> None:
        for person in self.people[which : which + 1]:
            self.people[which] = replace(person, **fields)  # type: ignore[arg-type]
            self.newsletter.change(self.people[which], self.now)

    def _issue(self, cadence: Cadence, failing: Iterable[int]) -> None:
        self._send(cadence, self.now, failing)

    def _ahead(self, cadence: Cadence, failing: Iterable[int]) -> None:
        """The issue that is not due yet."""
        from digest.cadence import next_due

        self._send(cadence, next_due(SCHEDULE[cadence], ZONE, self.now), failing)

    def _send(self, cadence: Cadence, moment: datetime, failing: Iterable[int]) -> None:
        sent = self.newsletter.send(cadence, moment, self._stories(), failing, self.now)
        if sent is None:
            return
        numbers = {post.story.id: post.number for post in self.posts}
        window = sent.issue.window
        for reader in (*sent.got, *sent.failed):
            self.first.setdefault(reader, window.start)
        for reader, stories in sent.got.items():
            self.got[reader] += [numbers[one] for one in stories]
            look = _Look(window.end, window.start, self.now, self.people[reader].tags)
            self.looks[reader].append(look)

    def _stories(self) -> tuple[Story, ...]:
        return tuple(post.story for post in self.posts if post.there)
