"""Which stories one set of preferences gets from a window, and why each other one is out.

A `Selector` is made once per issue. What is the same for every reader (drafts, dates, the order)
is decided then; the rest is bit arithmetic on tags, remembered per distinct set of preferences,
because a million readers of a dozen tags make a few thousand distinct requests.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit

from digest.models import Omission, Pick, Preferences, Reason, Selection, Story, Window

REMEMBERED = 8192  # distinct requests kept; beyond that the oldest are decided again


@dataclass(frozen=True, slots=True)
class Caps:
    """How much one edition holds: a number of cards, and bytes of HTML where a `measure` is given.

    `measure(cards, titles)` takes story ids and gives the bytes of the whole merged HTML.
    """

    stories: int
    html_bytes: int = 0
    measure: Callable[[Sequence[str], Sequence[str]], int] | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    story: Story
    keys: tuple[str, ...]  # folded tags, as in story.tags
    mask: int  # one bit per tag of the issue
    same: tuple[str, ...]  # stories that share one of these are the same news
    listed: datetime


class Selector:
    """Decides for one window. `key` folds a tag's spelling (and follows aliases) to its identity.

    Candidates are kept in the order of the issue: pinned, then (per reader) most matching tags,
    then newest, then id. They reach back to `reach`, before the window, for readers whom an earlier
    issue did not reach. `listed` says when a story became part of the newsletter.
    """

    def __init__(
        self,
        stories: Iterable[Story],
        window: Window,
        now: datetime,
        *,
        key: Callable[[str], str],
        caps: Caps,
        language: str = "",
        listed: Callable[[Story], datetime] = lambda story: story.published,
        reach: datetime | None = None,
    ) -> None:
        self._key, self._caps, self._start = key, caps, window.start
        since = min(reach or window.start, window.start)
        self._language = language  # of two translations, who names none gets this
        self._bits: dict[str, int] = {}
        self.outside: list[Omission] = []  # out for every reader
        self._candidates: list[_Candidate] = []
        for story, place in _places(sorted(stories, key=_newest_first)):
            moment = listed(story)
            reason = _outside(story, moment, Window(since, window.end), now)
            if reason is None:
                self._candidates.append(self._candidate(story, place, moment))
            else:
                self.outside.append(Omission(story, reason))
        self._names = {
            key: tag
            for candidate in self._candidates
            for key, tag in zip(candidate.keys, candidate.story.tags, strict=True)
        }
        self._moments = sorted({candidate.listed for candidate in self._candidates})
        self._remembered = lru_cache(REMEMBERED)(self._decide)

    @property
    def candidates(self) -> tuple[Story, ...]:
        """The stories of the window and those before it, newest first."""
        return tuple(candidate.story for candidate in self._candidates)

    def place(self, covered: datetime | None) -> int:
        """A reader's mark among the stories: equal places give equal selections.

        How many moments of listing are behind it; behind the window's start where there is no mark.
        """
        return bisect_left(self._moments, self._start if covered is None else covered)

    def select(self, preferences: Preferences, covered: datetime | None = None) -> Selection:
        """What `preferences` get of the stories listed at or after `covered`, or in the window.

        Equal requests give the very same object.
        """
        return self._remembered(
            self._mask(preferences.tags),
            preferences.everything,
            self._mask(preferences.muted),
            preferences.languages,
            self.place(covered),
        )

    def explain(self, preferences: Preferences, covered: datetime | None = None) -> Selection:
        """`select`, with the stories outside the window among the omissions too."""
        chosen = self.select(preferences, covered)
        return Selection(chosen.picks, (*chosen.omissions, *self.outside), chosen.more)

    def _candidate(self, story: Story, place: str, listed: datetime) -> _Candidate:
        keys = tuple(self._key(tag) for tag in story.tags)
        mask = 0
        for key in keys:
            mask |= self._bits.setdefault(key, 1 << len(self._bits))
        return _Candidate(story, keys, mask, _same_news(story, place), listed)

    def _mask(self, tags: Sequence[str]) -> int:
        mask = 0
        for tag in tags:
            mask |= self._bits.get(self._key(tag), 0)  # a tag no story carries decides nothing
        return mask

    def _decide(
        self,
        follows: int,
        everything: bool,
        mutes: int,
        languages: tuple[str, ...],
        place: int,
    ) -> Selection:
        open_since = self._moments[place] if place < len(self._moments) else None
        matching: list[_Candidate] = []
        omissions: list[Omission] = []
        for candidate in self._candidates:
            if open_since is None or candidate.listed < open_since:
                earlier = candidate.listed < self._start
                reason = Reason.BEFORE_WINDOW if earlier else Reason.COVERED
                omissions.append(Omission(candidate.story, reason))
            elif languages and candidate.story.language not in languages:
                language = candidate.story.language
                omissions.append(Omission(candidate.story, Reason.OTHER_LANGUAGE, language))
            elif candidate.mask & mutes:
                muted = self._tags(candidate, mutes)
                omissions.append(Omission(candidate.story, Reason.MUTED, " ".join(muted)))
            elif everything or candidate.mask & follows:
                matching.append(candidate)
            else:
                omissions.append(Omission(candidate.story, Reason.NO_TAG))
        unique = _without_repeats(matching, languages or (self._language,), omissions)
        unique.sort(key=lambda c: (not c.story.pinned, -(c.mask & follows).bit_count()))
        kept, listed = _fit([candidate.story.id for candidate in unique], self._caps)
        over = tuple(candidate.story for candidate in unique[kept:])
        omissions += [Omission(story, Reason.OVER_CAP, f"of {kept}") for story in over]
        picks = tuple(Pick(c.story, self._tags(c, follows)) for c in unique[:kept])
        return Selection(picks, tuple(omissions), over[:listed])

    def _tags(self, candidate: _Candidate, mask: int) -> tuple[str, ...]:
        return tuple(self._names[key] for key in candidate.keys if self._bits[key] & mask)


def _newest_first(story: Story) -> tuple[float, str]:
    return -story.published.timestamp(), story.id


def _outside(story: Story, listed: datetime, window: Window, now: datetime) -> Reason | None:
    """Why no reader gets `story`, or None."""
    if story.draft:
        return Reason.DRAFT
    if story.published > now:
        return Reason.FUTURE
    if listed < window.start:
        return Reason.BEFORE_WINDOW
    return None if listed < window.end else Reason.AFTER_WINDOW


def _places(stories: Sequence[Story]) -> list[tuple[Story, str]]:
    """Each story with its place in its own post, like `2/5`, so that translations can be paired."""
    lines: dict[str, list[int]] = {}
    for story in stories:
        lines.setdefault(story.post, []).append(story.line)
    for own in lines.values():
        own.sort()
    return [
        (story, f"{lines[story.post].index(story.line)}/{len(lines[story.post])}")
        for story in stories
    ]


def _same_news(story: Story, place: str) -> tuple[str, ...]:
    """The identities of what `story` tells: its original, and its place in a translated post.

    A post in a second language has the id `<slug>.<language>`, and as many stories.
    """
    post = story.id.partition("#")[0].removesuffix(f".{story.language}")
    return tuple(filter(None, (link_identity(story.link), f"post:{post}:{place}")))


def link_identity(link: str) -> str:
    """`link` without what does not change the page: scheme, `www.`, `utm_*`, fragment, last `/`."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    if not parts.netloc:
        return ""
    query = [(k, v) for k, v in parse_qsl(parts.query, True) if not k.startswith("utm_")]
    host = parts.netloc.lower().removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}?{urlencode(query)}".rstrip("?")


def _without_repeats(
    matching: list[_Candidate], languages: tuple[str, ...], omissions: list[Omission]
) -> list[_Candidate]:
    """Keep one of each news, in the reader's first language if there is a choice.

    Two stories of one post are two stories, also where they point at the same page.
    """
    rank = {language: place for place, language in enumerate(languages)}
    told: dict[str, _Candidate] = {}
    kept = []
    for candidate in sorted(matching, key=lambda c: rank.get(c.story.language, len(rank))):
        known = (told[news] for news in candidate.same if news in told)
        first = next((c for c in known if c.story.post != candidate.story.post), None)
        if first is None:
            for news in candidate.same:
                told.setdefault(news, candidate)
            kept.append(candidate)
            continue
        other = candidate.story.language != first.story.language
        reason = Reason.TRANSLATION if other else Reason.SAME_LINK
        omissions.append(Omission(candidate.story, reason, first.story.id))
    place = {id(candidate): number for number, candidate in enumerate(matching)}
    return sorted(kept, key=lambda c: place[id(c)])


def _fit(ids: Sequence[str], caps: Caps) -> tuple[int, int]:
    """How many of `ids` become cards (at least one), and how many of the rest are listed by title.

    Titles give way first, but only down to a quarter of the bytes: a list of everything that is
    not in the mail is worth less than one more story that is.
    """
    cards = min(len(ids), caps.stories)
    if caps.measure is None or not ids:
        return cards, len(ids) - cards
    bare, titles = caps.measure(ids[:1], ()), len(ids) - 1
    while titles and caps.measure(ids[:1], ids[-titles:]) - bare > caps.html_bytes // 4:
        titles -= max(1, titles // 16)
    while cards > 1 and caps.measure(ids[:cards], ids[cards : cards + titles]) > caps.html_bytes:
        cards -= 1
    while titles and caps.measure(ids[:cards], ids[cards : cards + titles]) > caps.html_bytes:
        titles -= 1
    return cards, min(len(ids) - cards, titles)
