"""What changed posts will do: which issue they are in, how many readers get it, what it weighs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from digest.cadence import next_due
from digest.changes import Change
from digest.clicks import counting
from digest.composer import measure
from digest.config import Config
from digest.content import Content, read_post
from digest.desk import Desk
from digest.dues import closing_zone, issue_at
from digest.issues import Draft
from digest.listing import Known, Listing, moved, sync
from digest.models import Cadence, Issue, Story
from digest.planning import coming_issue, is_open, issue_of
from digest.readership import Readership
from digest.renderer import Renderer
from digest.store import Store
from digest.tokens import Keys


@dataclass(frozen=True, slots=True)
class Reach:
    """The readers of one cadence whom a post will reach."""

    issue: Issue
    readers: int
    of: int  # readers of the cadence who are due


@dataclass(frozen=True, slots=True)
class Impact:
    """What one changed post comes to."""

    path: str  # as findings name it
    new: bool
    stories: int
    tags: tuple[str, ...]
    added: tuple[str, ...]  # tags that it had not before
    removed: tuple[str, ...]
    size: int  # bytes that it adds to the HTML of whoever gets it
    grown: int  # more than before; for a new post the same
    reaches: tuple[Reach, ...]
    note: str = ""  # why nobody gets it, when that is sure


@dataclass(frozen=True, slots=True)
class _Post:
    path: str
    stories: tuple[Story, ...]  # as they are now
    before: tuple[Story, ...]  # empty: it is new


def impacts(
    config: Config,
    content: Content,
    changed: Iterable[Change],
    readership: Readership,
    keys: Keys,
    now: datetime,
    desk: Desk | None = None,
) -> list[Impact]:
    """One for each changed post, by path. Readers are read once for every cadence and issue.

    A story is in the issue in whose window it is listed: as `desk` tells, where there is a store;
    else as if the earlier revision had been noted, and whatever came since is listed now.
    """
    differing = list(changed)
    before = _before(config, differing)
    posts = list(_posts(config, content, differing, before))
    listing = desk.listing if desk else _listing(content, posts, before, now)
    store = desk.store if desk else None
    reaches: dict[str, list[Reach]] = {post.path: [] for post in posts}
    for cadence in config.schedule:
        waiting = tuple(_waiting(config, cadence, now, store))
        issues = {p.path: _issues(config, p, listing, waiting) for p in posts}
        for issue in dict.fromkeys(one for several in issues.values() for one in several):
            mine = [post for post in posts if issue in issues[post.path]]
            draft = Draft(config, content, issue, keys, listing=listing)
            for path, reach in _reaches(draft, mine, readership):
                reaches[path].append(reach)
    weigh = _scale(config, now)
    return [_impact(post, tuple(reaches[post.path]), weigh) for post in posts]


def _before(config: Config, changed: Iterable[Change]) -> Mapping[Path, tuple[Story, ...]]:
    """The stories of the earlier revision that are in files which differ now, or are gone."""
    return {
        change.path: read_post(change.before, _shown(config, change.path), config).stories
        for change in changed
        if change.before is not None
    }


def _shown(config: Config, path: Path) -> str:
    """A file of the content folder as findings name it, also when it is gone."""
    root = config.root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _posts(
    config: Config,
    content: Content,
    changed: Sequence[Change],
    before: Mapping[Path, tuple[Story, ...]],
) -> Iterator[_Post]:
    known: dict[Path, list[Story]] = {}
    for story in content.stories:
        known.setdefault((config.root / story.post).resolve(), []).append(story)
    gone = [story for one in changed if one.gone for story in before[one.path]]
    for change in changed:
        if stories := known.get(change.path):
            was = before.get(change.path) or _elsewhere(stories, gone)
            yield _Post(stories[0].post, tuple(stories), tuple(was))


def _elsewhere(stories: Sequence[Story], gone: Sequence[Story]) -> list[Story]:
    """What these stories were in files that are gone: by their ids, else by their links."""
    ids = {story.id for story in stories}
    fresh = [story for story in stories if story.id not in {one.id for one in gone}]
    away = [Known.of(story, story.published) for story in gone if story.id not in ids]
    ids |= {known.id for known in moved(fresh, away).values()}
    return [story for story in gone if story.id in ids]


def _listing(
    content: Content,
    posts: Iterable[_Post],
    before: Mapping[Path, tuple[Story, ...]],
    now: datetime,
) -> Listing:
    """When each story is listed, if the earlier revision was noted just now."""
    differing = {post.path for post in posts}
    same = (story for story in content.stories if story.post not in differing)
    known = (*same, *(story for stories in before.values() for story in stories))
    seen = [Known.of(story, story.published) for story in known if not story.draft]
    return Listing(sync(content.stories, seen, now, now).times)


def _waiting(
    config: Config, cadence: Cadence, now: datetime, store: Store | None
) -> Iterator[Issue]:
    """The issues of a cadence that are next, in time: the due one, if nobody got it yet, and the
    one to come."""
    if store is None:
        zone = closing_zone(config, cadence)
        yield issue_at(config, cadence, next_due(config.schedule[cadence].due, zone, now))
        return
    due = issue_of(config, store, cadence, now)
    if is_open(store, due):
        yield due
    yield coming_issue(config, store, cadence, now)


def _issues(
    config: Config, post: _Post, listing: Listing, waiting: Sequence[Issue]
) -> Mapping[Issue, None]:
    """The issues that stories of the post are in; of one that went out before there is none."""
    found = (_issue(config, listing.of(one), waiting) for one in post.stories if not one.draft)
    return dict.fromkeys(issue for issue in found if issue is not None)


def _issue(config: Config, listed: datetime, waiting: Sequence[Issue]) -> Issue | None:
    """The issue of what is listed then: one of those that wait, or a later one."""
    if listed < waiting[0].window.start:
        return None
    for issue in waiting:
        if listed < issue.window.end:
            return issue
    cadence = waiting[0].cadence
    zone = closing_zone(config, cadence)
    return issue_at(config, cadence, next_due(config.schedule[cadence].due, zone, listed))


def _reaches(
    draft: Draft, posts: Sequence[_Post], readership: Readership
) -> Iterator[tuple[str, Reach]]:
    """How many of the readers who are due get a story of each post."""
    editions: Counter[tuple[str, ...]] = Counter()
    total = 0
    for subscriber in readership.due(draft.issue, Counter()):
        total += 1
        composition = draft.composition(subscriber.preferences)
        if composition is not None:
            edition = composition.edition
            editions[tuple(story.id for story in (*edition.stories, *edition.more))] += 1
    for post in posts:
        own = {story.id for story in post.stories}
        readers = sum(n for stories, n in editions.items() if not own.isdisjoint(stories))
        yield post.path, Reach(draft.issue, readers, total)


def _scale(config: Config, now: datetime) -> Callable[[Sequence[Story]], int]:
    """Bytes of HTML that stories add to an edition: their cards, and their lines at the top."""
    renderer = Renderer(config.templates, config)
    issue = issue_at(config, next(iter(config.schedule)), now)

    def weigh(stories: Sequence[Story]) -> int:
        if not stories:
            return 0
        compiled = renderer.compile(stories, issue, config.newsletter.language)
        if config.stats.clicks:
            compiled, _ = counting(compiled, config.newsletter.base_url, issue.id)
        sizes = measure(compiled.html)
        return sum(sizes.stories[story.id] + sizes.contents[story.id] for story in stories)

    return weigh


def _impact(
    post: _Post, reaches: tuple[Reach, ...], weigh: Callable[[Sequence[Story]], int]
) -> Impact:
    tags, before = _tags(post.stories), _tags(post.before)
    size = weigh(post.stories)
    note = ""
    if post.stories[0].draft:
        note = "a draft: nobody gets it"
    elif not reaches:
        note = "it went out before: nobody gets it again"
    return Impact(
        path=post.path,
        new=not post.before,
        stories=len(post.stories),
        tags=tuple(tags),
        added=tuple(tag for tag in tags if tag not in before),
        removed=tuple(tag for tag in before if tag not in tags),
        size=size,
        grown=size - weigh(post.before),
        reaches=reaches,
        note=note,
    )


def _tags(stories: Iterable[Story]) -> Mapping[str, None]:
    return dict.fromkeys(tag for story in stories for tag in story.tags)
