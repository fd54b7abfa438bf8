"""What changed posts will do: which issue they are in, how many readers get it, what it weighs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from digest.cadence import next_due
from digest.changes import Change
from digest.composer import measure
from digest.config import Config
from digest.content import Content, read_post
from digest.issues import Draft, closing_zone, issue_at
from digest.models import Cadence, Issue, Story
from digest.readership import Readership
from digest.renderer import Renderer
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
    change: Change
    stories: tuple[Story, ...]  # as they are now
    before: tuple[Story, ...]


def impacts(
    config: Config,
    content: Content,
    changed: Iterable[Change],
    readership: Readership,
    keys: Keys,
    now: datetime,
) -> list[Impact]:
    """One for each changed post, by path. Readers are read once for every cadence and issue."""
    posts = list(_posts(config, content, changed))
    reaches: dict[str, list[Reach]] = {post.path: [] for post in posts}
    for cadence in config.schedule:
        issues = {p.path: _issue(config, cadence, p, now) for p in posts}
        for issue in dict.fromkeys(one for one in issues.values() if one is not None):
            mine = [post for post in posts if issues[post.path] == issue]
            draft = Draft(config, _listed(content, mine, issue, now), issue, keys)
            for path, reach in _reaches(draft, mine, readership):
                reaches[path].append(reach)
    weigh = _scale(config, now)
    return [_impact(post, tuple(reaches[post.path]), weigh) for post in posts]


def _posts(config: Config, content: Content, changed: Iterable[Change]) -> Iterator[_Post]:
    known: dict[Path, list[Story]] = {}
    for story in content.stories:
        known.setdefault((config.root / story.post).resolve(), []).append(story)
    for change in changed:
        if stories := known.get(change.path):
            path = stories[0].post
            before = read_post(change.before, path, config).stories if change.before else ()
            yield _Post(path, change, tuple(stories), before)


def _issue(config: Config, cadence: Cadence, post: _Post, now: datetime) -> Issue | None:
    """The issue that the post is in: of its date, or the next one when it comes late.

    None when the post went out before, or is a draft.
    """
    published = post.stories[0].published
    if post.stories[0].draft or (published < now and _told_before(config, cadence, post, now)):
        return None
    due, zone = config.schedule[cadence].due, closing_zone(config, cadence)
    return issue_at(config, cadence, next_due(due, zone, max(published, now)))


def _told_before(config: Config, cadence: Cadence, post: _Post, now: datetime) -> bool:
    """Whether an earlier version was in an issue that is closed."""
    closed = issue_at(config, cadence, now).window.end
    return any(not story.draft and story.published < closed for story in post.before)


def _listed(content: Content, posts: Sequence[_Post], issue: Issue, now: datetime) -> Content:
    """The content as the issue will see it: posts that come late are listed now."""
    late = {
        story.id: replace(story, published=now)
        for post in posts
        for story in post.stories
        if story.published < issue.window.start
    }
    return replace(content, stories=tuple(late.get(s.id, s) for s in content.stories))


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
        new=post.change.before is None,
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
