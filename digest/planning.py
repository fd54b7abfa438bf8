"""Freeze an issue in the store: its content by hashes, its editions, one delivery per reader.

A reader costs a look into a table here: what the issue's tags make of them decides their edition,
and only so many different readers exist. Deliveries are ordered so that those of one edition stand
together, as far as `_WAITING` allows.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.cadence import upcoming
from digest.composer import EditionMessage
from digest.config import Config
from digest.dues import closing_zone, issue_at, released
from digest.freshness import (
    Frozen,
    basis,
    begun,
    bring_up_to_date,
    links_of,
    require_fresh,
    stories_of,
    told,
)
from digest.issues import BATCH, NOTHING_NEW, Composition, Draft
from digest.models import (
    Cadence,
    Chosen,
    Edition,
    Issue,
    Plan,
    Preferences,
    Reason,
    Story,
    Window,
)
from digest.readership import StoredReaders
from digest.sender import Material
from digest.store import DueReader, Store
from digest.store.ledger import Draftsman, Ledger
from digest.store.ledger.records import Contents, IssueState, PlannedEdition, PlannedIssue

_CHUNK = 10_000  # deliveries of one transaction
_WAITING = 100_000  # readers that wait for their edition's batch to fill, in all: 8 bytes each
_REMEMBERED = 100_000  # different readers
_EDITIONS = 2000  # messages of editions kept ready

_Wanted = tuple[str, int | None, int | None]  # zone, day and hour


def freeze(
    draft: Draft,
    store: Store,
    *,
    provider: str,
    now: datetime,
    replan: bool = False,
    outdated: int = 0,
    ahead: bool = False,
) -> Frozen:
    """The plan of the draft's issue: the one there is, or a new one.

    StaleError when there is one and what it was made of has changed since; a plan made `ahead` of
    its time leaves what came later to the next issue. `replan` makes a new one all the same; of one
    that has begun to be handed over it keeps readers and editions, and StoreError when a story of
    theirs is gone, or nothing is left to be handed over. Where another process has put a plan in
    the place of the `outdated` one, it is that.
    """
    ledger, name = store.ledger, draft.issue.id
    known = ledger.find(name)
    if known is not None and outdated and known.number != outdated:
        return Frozen(known, ledger.contents(known.number))
    if known is not None and replan and begun(store, known):
        return bring_up_to_date(draft, store, known)
    if known is not None and not replan:
        frozen = Frozen(known, ledger.contents(known.number))
        require_fresh(draft, frozen, ahead=ahead)
        return frozen
    draftsman = ledger.draw(draft.issue, provider, now, draft.listing.reach)
    contents = _Audience(draft, store, draftsman).contents()
    store.archive.keep(told(draft, contents.editions))
    # another process may have finished the same plan before us: then it is theirs
    links = links_of(draft, contents.editions)
    draftsman.finish(name, contents, known.number if known else 0, links)
    found = ledger.find(name)
    assert found is not None
    return Frozen(found, ledger.contents(found.number))


def issue_of(config: Config, store: Store, cadence: Cadence, at: datetime) -> Issue:
    """The newest issue that is due at `at`; as it was planned, if it is.

    Its window begins where that of the last issue that went out ended; without one, at the due
    moment before issues began to go out by themselves.
    """
    fresh = issue_at(config, cadence, at)
    if (planned := store.ledger.find(fresh.id)) is not None:
        return as_planned(config, planned)
    since = store.ledger.covered(cadence, fresh.window.end)
    if since is None and (standing := store.schedule.standing(cadence)) is not None:
        since = issue_at(config, cadence, standing.since).window.end
    return issue_at(config, cadence, at, since)


def coming_issue(config: Config, store: Store, cadence: Cadence, now: datetime) -> Issue:
    """The first issue due after `now` that did not go out before its time."""
    due, zone = config.schedule[cadence].due, closing_zone(config, cadence)
    to_come = (issue_of(config, store, cadence, moment) for moment in upcoming(due, zone, now))
    return next(issue for issue in to_come if is_open(store, issue))


def is_open(store: Store, issue: Issue) -> bool:
    """Whether an issue can still be planned anew: nothing of it was handed over."""
    planned = store.ledger.find(issue.id)
    ended = planned is not None and planned.state in (IssueState.DONE, IssueState.CANCELLED)
    return planned is None or not (ended or store.ledger.begun(planned.number))


def as_planned(config: Config, planned: PlannedIssue) -> Issue:
    """An issue of the ledger, its date in the zone in which it is due.

    With the window that it has then, also where it was planned before.
    """
    date = planned.due.astimezone(closing_zone(config, planned.cadence))
    window = Window(planned.window.start, max(planned.due, planned.window.end))
    return Issue(planned.id, planned.cadence, window, date)


def material(draft: Draft, ledger: Ledger, planned: PlannedIssue) -> Material:
    """What a sender needs of a frozen issue."""

    zone = draft.config.newsletter.timezone

    @lru_cache(_EDITIONS)
    def edition(number: int, released: datetime | None) -> EditionMessage:
        one = ledger.edition(planned.number, number)
        date = released.astimezone(zone) if released else None
        return draft.frozen(one.language, one.stories, one.more, date=date)

    return Material(planned.id, edition, draft.reader)


def plan_of(draft: Draft, frozen: Frozen) -> Plan:
    """A fresh plan as the rest of the program knows plans; of one that is done, what is still there
    of its stories."""
    candidates, outside = draft.candidates()
    known = {story.id: story for story in candidates}
    editions = [
        Edition(
            one.id,
            one.language,
            tuple(known[story] for story in one.stories if story in known),
            tuple(known[story] for story in one.more if story in known),
            one.readers,
            one.html_bytes,
        )
        for one in frozen.contents.editions
    ]
    return Plan(
        draft.issue,
        tuple(sorted(editions, key=lambda edition: (-edition.readers, edition.id))),
        frozen.issue.readers,
        told(draft, frozen.contents.editions),
        outside,
        frozen.contents.skipped,
    )


@dataclass(slots=True)
class _Numbered:
    """An edition while its readers are counted."""

    number: int
    composition: Composition
    readers: int = 0
    waiting: "array[int]" = field(default_factory=lambda: array("q"))  # subscriber ids

    def record(self, listed: Callable[[Story], datetime]) -> PlannedEdition:
        """For the ledger. `listed` tells when a story was listed."""
        edition = self.composition.edition
        shown = (*edition.stories, *edition.more)
        return PlannedEdition(
            self.number,
            edition.id,
            edition.language,
            tuple(story.id for story in edition.stories),
            tuple(story.id for story in edition.more),
            min(map(listed, shown)),
            edition.html_bytes,
            self.readers,
        )


class _Audience:
    """Streams the readers who are due and writes their deliveries, edition by edition."""

    def __init__(self, draft: Draft, store: Store, draftsman: Draftsman) -> None:
        self.draft, self.store, self.draftsman = draft, store, draftsman
        self.editions: dict[int, _Numbered] = {}  # by identity of the composition
        self.known: dict[tuple[object, ...], _Numbered | str] = {}
        self.skipped: Counter[str] = Counter()
        self.chunk: list[tuple[int, int]] = []
        self.releases = _Releases(draft)
        self.passed: list[int] = []
        key = draft.content.vocabulary.key
        self.tags = list(dict.fromkeys(key(t) for s in draft.candidates()[0] for t in s.tags))
        places = {tag: place for place, tag in enumerate(self.tags)}
        self.positions = {
            known: places[key(name)] for known, name in store.tags.names() if key(name) in places
        }

    def contents(self) -> Contents:
        """Write every delivery; gives the rest of the plan."""
        issue, known, held, releases = self.draft.issue, self.known, 0, self.releases
        places: dict[datetime | None, int] = {}  # as many as windows handed over
        for reader in self.store.audience.stream_due(
            issue.cadence, issue.window.end, self.positions
        ):
            person, _, _, languages, zone, everything, follows, mutes, covered, day, hour = reader
            place = places.get(covered)
            if place is None:
                place = places[covered] = self.draft.place(covered)
            wish = (follows, everything, mutes, languages, place)
            edition = known.get(wish)
            if edition is None:
                edition = self._decide(wish, reader)
            if isinstance(edition, str):
                self.skipped[edition] += 1
                if covered is None or covered < issue.window.end:
                    self._pass_over(person)
                continue
            if releases.zonal or (releases.choose and (day is not None or hour is not None)):
                releases.add((zone, day, hour), edition.number, person)
                continue
            edition.waiting.append(person)
            held += 1
            if len(edition.waiting) == BATCH:
                held -= self._flush(edition)
            elif held == _WAITING:
                held -= sum(map(self._flush, self.editions.values()))
        for one in self.editions.values():
            self._flush(one)
        self._write()
        for moment, people in releases.in_order():
            self.draftsman.release(moment)
            for one in self.editions.values():
                one.waiting.extend(people.get(one.number, ()))
                self._flush(one)
            self._write()
        self.skipped.update(StoredReaders(self.store).others(issue))
        listed = self.draft.listing.of
        editions = tuple(one.record(listed) for one in self.editions.values())
        stories = stories_of(self.draft, editions)
        return Contents(basis(self.draft), stories, editions, dict(self.skipped))

    def _decide(self, wish: tuple[object, ...], reader: DueReader) -> _Numbered | str:
        """The edition of everybody with this wish, or why they get none."""
        if len(self.known) >= _REMEMBERED:
            self.known.clear()
        preferences = Preferences(
            self._names(reader.follows),
            reader.everything,
            self._names(reader.mutes),
            reader.languages,
        )
        composition = self.draft.composition(preferences, reader.covered_until)
        decision: _Numbered | str
        if composition is not None:
            decision = self.editions.setdefault(
                id(composition), _Numbered(len(self.editions), composition)
            )
        elif reader.covered_until and self.draft.composition(preferences) is not None:
            decision = Reason.COVERED.value
        else:
            decision = NOTHING_NEW
        self.known[wish] = decision
        return decision

    def _names(self, mask: int) -> tuple[str, ...]:
        return tuple(tag for place, tag in enumerate(self.tags) if mask >> place & 1)

    def _flush(self, edition: _Numbered) -> int:
        """Give an edition's waiting readers their places; how many."""
        number, count = edition.number, len(edition.waiting)
        self.chunk += [(person, number) for person in edition.waiting]
        edition.readers += count
        del edition.waiting[:]
        if len(self.chunk) >= _CHUNK:
            self._write()
        return count

    def _pass_over(self, person: int) -> None:
        self.passed.append(person)
        if len(self.passed) >= _CHUNK:
            self._write()

    def _write(self) -> None:
        self.draftsman.add(self.chunk, self.passed)
        self.chunk.clear()
        self.passed.clear()


class _Releases:
    """Who gets an issue when, of those who do not get it at once: 8 bytes a reader, until written.

    That is everybody where it goes out zone by zone, and whoever chose their own day and hour.
    """

    def __init__(self, draft: Draft) -> None:
        settings = draft.config.schedule.get(draft.issue.cadence)
        self.zonal = settings is not None and settings.local_time
        self.choose = settings is not None and settings.choose
        self._issue, self._config = draft.issue, draft.config
        self._moments: dict[_Wanted, datetime] = {}
        self._people: dict[datetime, dict[int, array[int]]] = {}  # moment -> edition -> readers

    def add(self, wanted: _Wanted, edition: int, person: int) -> None:
        """A reader gets an edition."""
        moment = self._moments.get(wanted)
        if moment is None:
            moment = self._moments[wanted] = self._moment(*wanted)
        self._people.setdefault(moment, {}).setdefault(edition, array("q")).append(person)

    def in_order(self) -> Iterator[tuple[datetime, dict[int, "array[int]"]]]:
        """The readers of every moment, by edition; the earliest first."""
        for moment in sorted(self._people):
            yield moment, self._people.pop(moment)

    def _moment(self, zone: str, day: int | None, hour: int | None) -> datetime:
        issue, place = self._issue, self._config.newsletter.timezone
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):  # one that this machine lacks
            place = ZoneInfo(zone) if zone else place
        return released(self._config, issue.cadence, issue.date, place, Chosen(day, hour))
