"""See what you would get: the next digest for wishes that nobody has saved."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

from digest.composer import Reader, attr
from digest.config import Config
from digest.content import Content
from digest.desk import Desk, glance
from digest.issues import Composition, Draft
from digest.models import Cadence, Issue, Subscriber
from digest.planning import coming_issue, issue_of
from digest.store import Store
from digest.tokens import Keys

_KEPT = 8  # drafts


@dataclass(frozen=True, slots=True)
class Look:
    """An issue as somebody would get it."""

    issue: Issue
    stories: int
    html: str
    upcoming: bool  # False: it is the last one, because there is nothing new yet


@dataclass(slots=True)
class Looking:
    """Composes one digest at a time; stories are compiled once while the posts stay the same."""

    config: Config
    store: Store
    keys: Keys
    _lock: Lock = field(default_factory=Lock)
    _drafts: dict[str, Draft] = field(default_factory=dict)
    _of: Content | None = None

    def __call__(
        self,
        content: Content,
        reader: Subscriber,
        covered: datetime | None,
        now: datetime,
        preferences: str,
    ) -> Look | None:
        """None when there is nothing for them, neither now nor in the last issue.

        `covered`: the end of what they were sent last; the last issue is shown as if it were new.
        `preferences`: the address of the page that they look from; a look gives no other one.
        """
        with self._lock:
            for issue, mark in self._issues(reader.cadence, covered, now):
                draft = self._draft(content, issue, mark, now)
                composition = draft.composition(reader.preferences, mark)
                if composition is not None:
                    own = replace(draft.reader(reader), preferences_url=preferences)
                    html = _unsent(composition, own)
                    number = len(composition.edition.stories)  # as the mail counts them
                    return Look(issue, number, html, upcoming=issue.window.end > now)
        return None

    def _issues(
        self, cadence: Cadence, covered: datetime | None, now: datetime
    ) -> Iterator[tuple[Issue, datetime | None]]:
        """The one to come, then the last one."""
        yield coming_issue(self.config, self.store, cadence, now), covered
        yield issue_of(self.config, self.store, cadence, now), None

    def _draft(
        self, content: Content, issue: Issue, covered: datetime | None, now: datetime
    ) -> Draft:
        """A story that is not published yet is nobody's to see."""
        if self._of is not content or len(self._drafts) >= _KEPT:
            self._drafts.clear()
            self._of = content
        name = f"{issue.id} {covered} {now:%Y-%m-%d %H}"
        if name not in self._drafts:
            told = tuple(story for story in content.stories if story.published <= now)
            shown = replace(content, stories=told)
            listing = glance(self.store, content.stories, now)
            desk = Desk(self.config, shown, listing, self.keys, self.store, now)
            self._drafts[name] = desk.look(issue, covered).uncounted
        return self._drafts[name]


def _unsent(composition: Composition, reader: Reader) -> str:
    """The HTML of a mail that nobody was sent, for a frame on the reader's page.

    What it links to opens beside the page, for a frame may show nothing but itself. Its own page
    and the question about it are there once it is sent: until then their links are words.
    """
    html = composition.message.html(reader)
    for url in (reader.view_url, reader.feedback_url):
        link = f'<a [^>]*href="{re.escape(attr(url))}[^>]*>(.*?)</a>'
        html = re.sub(link, r"<span>\1</span>", html, flags=re.DOTALL)
    return html.replace("<head>", '<head><base target="_blank">', 1)
