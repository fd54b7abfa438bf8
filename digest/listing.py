"""When a story became part of the newsletter: `listed_at`, by which windows are cut. Pure.

A *content sync* reads all posts and notes what is new. A story is listed at the later of its
publication and the sync before the one that first saw it, so that whatever appears late belongs to
a window that nobody has closed yet: an issue closes its window with a sync of its own. The first
sync of all knows nothing of before, and takes the publication alone.

What was decided is kept, with two exceptions, which no issue can have seen: a moment that had not
come yet at the last sync (the author may still put the story off), and a story that was away while
an issue passed over its moment.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from digest.models import Story
from digest.selector import link_identity


@dataclass(frozen=True, slots=True)
class Listing:
    """When each story is listed, and how far back before its window an issue looks."""

    times: Mapping[str, datetime] = field(default_factory=dict)
    reach: datetime | None = None

    def of(self, story: Story) -> datetime:
        """Without a store a story is listed when it is published."""
        return self.times.get(story.id, story.published)


UNLISTED = Listing()  # without a store


@dataclass(frozen=True, slots=True)
class Known:
    """A story as a sync left it."""

    id: str
    link: str  # `link_key`; empty when there is none, or when it went on to another id
    listed: datetime
    gone: bool = False  # it was not in the content

    @classmethod
    def of(cls, story: Story, listed: datetime) -> "Known":
        """A story that is in the content."""
        return cls(story.id, link_key(story), listed)


@dataclass(frozen=True, slots=True)
class Sync:
    """What one sync decided."""

    at: datetime
    times: Mapping[str, datetime]  # of every story in the content
    changed: tuple[Known, ...]  # new ones too
    gone: tuple[str, ...]


def sync(
    stories: Iterable[Story],
    known: Iterable[Known],
    last: datetime | None,
    now: datetime,
    *,
    planned_until: datetime | None = None,
    missed: Collection[str] = (),
) -> Sync:
    """List the stories there are now.

    `last` is the sync before, `planned_until` the end of the last window that was planned; `missed`
    are stories that an issue passed over while they were gone. Drafts are not there yet.
    """
    there = {story.id: story for story in stories if not story.draft}
    before = {one.id: one for one in known}
    at = moment_of(last, now, planned_until)
    since = min(last, at) if last is not None else None
    moves = moved(
        [story for story in there.values() if story.id not in before],
        [one for one in before.values() if one.id not in there],
    )
    times, changed = {}, []
    for story in there.values():
        old = before.get(story.id) or moves.get(story.id)
        listed = _listed(story, old, since, missed)
        times[story.id] = listed
        new = Known.of(story, listed)
        if new != before.get(story.id):
            changed.append(new)
    handed_on = {old.id for old in moves.values()}
    changed += [Known(i, "", before[i].listed, before[i].gone) for i in sorted(handed_on)]
    gone = tuple(one.id for one in before.values() if not one.gone and one.id not in there)
    return Sync(at, times, tuple(changed), gone)


def moment_of(last: datetime | None, now: datetime, planned_until: datetime | None) -> datetime:
    """What counts as the moment of a sync: now.

    Where the clock was set back it is not before the last sync, as far as windows were closed.
    """
    if last is None or planned_until is None or last <= now:
        return now
    return max(now, min(last, planned_until))


def link_key(story: Story) -> str:
    """By which a story is known again in another file: where its original is, and its language.

    A bare host is the address of no original.
    """
    link = link_identity(story.link)
    return f"{story.language} {link}" if "/" in link or "?" in link else ""


def _listed(
    story: Story, old: Known | None, since: datetime | None, missed: Collection[str]
) -> datetime:
    if old is not None and old.id not in missed and (since is None or old.listed < since):
        return old.listed
    return story.published if since is None else max(story.published, since)


def moved(new: Sequence[Story], away: Sequence[Known]) -> dict[str, Known]:
    """New id -> who that was before, by its link; the same heading first, then in order."""
    by_link: dict[str, list[Known]] = defaultdict(list)
    for one in sorted(away, key=lambda known: known.id):
        if one.link:
            by_link[one.link].append(one)
    moves: dict[str, Known] = {}
    for same_heading in (True, False):
        for story in new:
            candidates = by_link.get(link_key(story), ())
            heading = story.id.partition("#")[2]
            for one in candidates if story.id not in moves else ():
                if not same_heading or one.id.partition("#")[2] == heading:
                    moves[story.id] = one
                    by_link[one.link].remove(one)
                    break
    return moves
