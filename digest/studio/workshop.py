"""Keeps a newsletter hot: posts read, templates compiled, so that a save costs what it changed.

A saved post is read again, and its stories are compiled again; a saved template makes a new
renderer; a saved `digest.toml` starts over. Everything is made when it is looked at, not before.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from threading import RLock

from digest.cadence import next_due
from digest.composer import EditionMessage
from digest.config import Config
from digest.content import Content, Shelf
from digest.dues import closing_zone, issue_at
from digest.errors import ConfigError, DigestError
from digest.issues import Composition, Draft
from digest.listing import Listing
from digest.models import Cadence, Edition, Issue, Preferences, Selection, Story, Subscriber
from digest.readership import Readership
from digest.renderer import bundled_templates
from digest.renderer.kept import KeptRenderer
from digest.roster.cells import EVERYTHING, split_tags
from digest.studio.cast import Role, about, edges, personas
from digest.studio.state import Look, named
from digest.tokens import Keys

MOST = 400  # issues on the calendar
SHOTS = 16  # remembered, so that the page and the mail in it are one rendering
ADDRESS = "reader@example.com"
EDITION = "edition:"  # before the id of an edition, in place of a persona's key


@dataclass(frozen=True, slots=True)
class Opening:
    """What the studio is started with."""

    load: Callable[[], Config]  # reads digest.toml again
    keys: Keys
    now: Callable[[], datetime]
    default: Look = field(default_factory=Look)
    cadence: Cadence | None = None  # of the issue that is opened; None: the newsletter's
    readers: Callable[[], Readership] | None = None  # counts are shown where there is one
    # when each story is listed by the store, which may be later than it was published
    listing: Callable[[Sequence[Story], datetime], Listing] | None = None
    progress: Callable[[int, int], None] | None = None  # of reading posts
    guests: tuple[Role, ...] = ()  # personas from the command line


@dataclass(frozen=True, slots=True)
class Shot:
    """One edition of one issue as it is now, and what it was made of."""

    version: int
    draft: Draft
    role: Role
    subscriber: Subscriber
    selection: Selection
    composition: Composition | None  # None: this reader gets nothing
    content: Content

    @property
    def issue(self) -> Issue:
        return self.draft.issue

    @property
    def message(self) -> EditionMessage:
        """What would be sent. DigestError where this reader gets nothing."""
        if self.composition is None:
            raise DigestError(f"{self.role.name} gets nothing of {self.issue.id}")
        return self.composition.message

    @property
    def shown(self) -> str:
        """Its HTML to look at: with links that lead straight to their targets."""
        direct, message = self.draft.uncounted, self.message
        if direct is not self.draft:
            language = message.compiled.language
            message = direct.frozen(language, message.stories, message.more)
        return message.html(self.draft.reader(self.subscriber))


class Workshop:
    """One newsletter on the bench. Its methods may be called from any thread."""

    def __init__(self, opening: Opening) -> None:
        """ConfigError when the configuration cannot be read at first."""
        self.opening = opening
        self.version = 1
        self._lock = RLock()
        self._broken: ConfigError | None = None
        self._shots: dict[Look, Shot] = {}
        self._before: dict[Look, Shot] = {}
        self._roles: dict[tuple[str, bool], list[Role]] = {}
        self._editions: dict[str, Role] = {}  # by key; whoever was counted first in each
        self._start_over(opening.load())

    def _start_over(self, config: Config) -> None:
        self.config = config
        self._shelf = Shelf(config, self.opening.progress)
        self._renderer = KeptRenderer(config.templates, config)

    def folders(self) -> tuple[Path, ...]:
        """What is worth watching beside `digest.toml`: folders that exist."""
        every = (self.config.content.folder, self.config.templates, bundled_templates())
        return tuple(dict.fromkeys(folder for folder in every if folder.is_dir()))

    def changed(self, paths: Iterable[Path]) -> None:
        """Take note that files were saved, made or removed."""
        with self._lock:
            posts = []
            for path in paths:
                if path == self.config.path:
                    self._reload()
                elif {self.config.templates, bundled_templates()} & {path, *path.parents}:
                    self._renderer = KeptRenderer(
                        self.config.templates, self.config, self._renderer
                    )
                else:
                    posts.append(path)
            if posts:
                self._shelf.refresh(posts)
            if self._shots:  # between two saves that nobody looked at, the first counts
                self._before = dict(self._shots)
            self._shots.clear()
            self._roles.clear()
            self.version += 1

    def shot(self, look: Look) -> Shot:
        """What the reader of `look` gets. TemplateError or ConfigError when it cannot be shown."""
        with self._lock:
            if self._broken is not None:
                raise self._broken
            if (known := self._shots.get(look)) is None:
                known = self._shots[look] = self._take(look)
                if len(self._shots) > SHOTS:
                    del self._shots[next(iter(self._shots))]
            return known

    def before(self, look: Look) -> Shot | None:
        """What the reader of `look` got before the last save."""
        return self._before.get(look)

    def roles(self, shot: Shot, look: Look) -> list[Role]:
        """Everybody an issue can be looked at as."""
        key = (shot.issue.id, look.drafts)
        with self._lock:
            if key not in self._roles:
                self._roles[key] = self._everybody(shot.draft)
            return self._roles[key]

    def editions(self, look: Look) -> list[tuple[Role, Edition]]:
        """Every edition of the issue, most readers first, each as one of its readers.

        Everybody is read once: a minute for a million. Nobody else waits for it.
        """
        if self.opening.readers is None:
            return []
        with self._lock:
            if self._broken is not None:
                raise self._broken
            draft = self._draft(self._wanted(look), drafts=look.drafts)
        found = []
        for edition in draft.plan(self.opening.readers()).editions:
            wishes = draft.wishes(edition)
            key = f"{EDITION}{edition.id}"
            role = self._editions[key] = Role(key, edition.id, wishes, about(wishes))
            found.append((role, edition))
        return found

    def content(self) -> Content:
        """Every post of the folder, as it is now."""
        with self._lock:
            return self._shelf.content(self.opening.now())

    def previous(self, shot: Shot) -> Shot | None:
        """The same reader's edition of the issue before; None where they got nothing."""
        with self._lock:
            before = self._issue(shot.issue.cadence, shot.issue.window.start)
            found = self._develop(self._draft(before, drafts=False), shot.role)
            return found if found.composition else None

    def calendar(self, cadence: Cadence) -> list[tuple[Issue, int]]:
        """Every issue from the first post to the one after the next, with its number of posts."""
        with self._lock:
            published = sorted(self._shelf.published())
            due, zone = self.config.schedule[cadence].due, closing_zone(self.config, cadence)
            now = self.opening.now()
            first, last = min([now, *published[:1]]), max([now, *published[-1:]])
            issue = self._issue(cadence, next_due(due, zone, next_due(due, zone, last)))
            found: list[tuple[Issue, int]] = []
            while len(found) < MOST:
                window = issue.window
                posts = bisect_left(published, window.end) - bisect_left(published, window.start)
                found.append((issue, posts))
                if window.start <= first:
                    break
                issue = self._issue(cadence, window.start)
            return found[::-1]

    def _reload(self) -> None:
        try:
            self._start_over(self.opening.load())
            self._broken = None
        except ConfigError as error:
            self._broken = error

    def _take(self, look: Look) -> Shot:
        draft = self._draft(self._wanted(look), drafts=look.drafts)
        return self._develop(draft, self._role(look, draft))

    def _develop(self, draft: Draft, role: Role) -> Shot:
        issue, wishes = draft.issue, role.preferences
        return Shot(
            version=self.version,
            draft=draft,
            role=role,
            subscriber=Subscriber(0, ADDRESS, role.called, wishes, issue.cadence, ""),
            selection=draft.selection(wishes),
            composition=draft.composition(wishes),
            content=draft.content,
        )

    def _draft(self, issue: Issue, *, drafts: bool) -> Draft:
        """The issue on the desk, with the posts of its window and no others: it needs no more.

        Where a store says when stories are listed, any post may be in any window.
        """
        now, look_up = self.opening.now(), self.opening.listing
        content = self._shelf.content(now, None if look_up else issue.window)
        if drafts:
            shown = tuple(replace(story, draft=False) for story in content.stories)
            content = replace(content, stories=shown)
        listing = look_up(content.stories, now) if look_up else Listing()
        keys, renderer = self.opening.keys, self._renderer
        counted = self.config.stats.clicks
        return Draft(
            self.config, content, issue, keys, listing=listing, renderer=renderer, counted=counted
        )

    def _wanted(self, look: Look) -> Issue:
        wanted = named(look.issue)
        if wanted is not None and wanted[0] in self.config.schedule:
            cadence, day = wanted
            zone = closing_zone(self.config, cadence)
            tomorrow = datetime.combine(day + timedelta(days=1), time(), zone)
            return self._issue(cadence, tomorrow - timedelta(microseconds=1))
        cadence = self.opening.cadence or self.config.cadence
        if cadence not in self.config.schedule:
            cadence = self.config.cadence
        return coming(self.calendar(cadence), self.opening.now())

    def _issue(self, cadence: Cadence, moment: datetime) -> Issue:
        return issue_at(self.config, cadence, moment)

    def _role(self, look: Look, draft: Draft) -> Role:
        """Who `look` names; the first persona where it names nobody."""
        if (typed := look.tags) is not None:
            everything = typed.strip().lower() in EVERYTHING
            tags = () if everything else tuple(split_tags(typed))
            wishes = Preferences(tags=tags, everything=everything)
            return Role(look.who, about(wishes), wishes, about(wishes))
        first = self._personas(draft.content)
        if look.who.startswith(EDITION) and look.who not in self._editions:
            self.editions(look)  # a bookmark of an edition that was not counted yet
        known = {role.key: role for role in first} | self._editions
        if look.who and look.who not in known:
            known |= {role.key: role for role in self._everybody(draft)}
        return known.get(look.who) or (first or self._everybody(draft))[0]

    def _everybody(self, draft: Draft) -> list[Role]:
        first = self._personas(draft.content)
        extremes = edges(draft.content.stories, lambda wishes: weigh(draft, wishes), first)
        taken = {role.key for role in first}
        return first + [role for role in extremes if role.key not in taken]

    def _personas(self, content: Content) -> list[Role]:
        return [*self.opening.guests, *personas(self.config.personas, content.stories)]


def coming(calendar: Sequence[tuple[Issue, int]], now: datetime) -> Issue:
    """The issue a writer works on: the newest whose window has begun and that has a post.

    Where every post is still to come, the first that has one; where there is none, the newest.
    """
    begun = [issue for issue, posts in calendar if issue.window.start <= now]
    filled = [issue for issue, posts in calendar if posts]
    both = [issue for issue in filled if issue in begun]
    return (both[-1:] or filled[:1] or begun[-1:] or [calendar[-1][0]])[0]


def guest(subscriber: Subscriber) -> Role:
    """A subscriber to look as. Their address is shown on the page and is in no link."""
    wishes = subscriber.preferences
    return Role("guest", subscriber.email, wishes, about(wishes), called=subscriber.name)


def weigh(draft: Draft, wishes: Preferences) -> int:
    """Bytes of HTML that `wishes` get of an issue, before any value is filled in; 0 for nothing."""
    chosen = draft.selection(wishes)
    if not chosen.picks:
        return 0
    stories = [pick.story.id for pick in chosen.picks]
    return draft.sizes(wishes).html_bytes(stories, [story.id for story in chosen.more])
