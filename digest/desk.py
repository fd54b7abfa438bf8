"""An issue of the store on the desk: the posts read in, its window cut, how far back it looks.

A window is closed by reading the content: what is first seen later is listed later. So an issue
that is laid out before it is due ends now, and the next one of each reader begins there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.config import Config
from digest.content import Content
from digest.errors import StaleError
from digest.freshness import begun
from digest.issues import Draft
from digest.listing import Listing
from digest.models import Issue, Story, Window
from digest.planning import as_planned
from digest.store import Store
from digest.tokens import Keys

REACH = timedelta(days=366)  # nobody is sent what was listed longer before an issue's window
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Desk:
    """What drafts of issues are made from."""

    config: Config
    content: Content
    listing: Listing
    keys: Keys
    store: Store
    now: datetime

    def lay_out(self, issue: Issue, *, replan: bool = False) -> Draft:
        """The issue as it was planned, if it was; otherwise (or to `replan`) as it is now. What has
        begun to be handed over keeps its window.

        Whoever follows the newsletter since an issue that did not reach them is given back its
        stories; who was looked at for none yet gets those of the window.
        """
        planned = self.store.ledger.find(issue.id)
        if planned is not None and (not replan or begun(self.store, planned)):
            return self._draft(self._cut(as_planned(self.config, planned)), planned.listed_from)
        cut = self._cut(issue)
        self.store.ledger.settle_marks()
        mark = self.store.audience.earliest_mark(issue.cadence, cut.window)
        return self._draft(cut, max(mark, cut.window.start - REACH))

    def look(self, issue: Issue, covered: datetime | None) -> Draft:
        """The issue as one reader would get it when it is due; nothing is written."""
        planned = self.store.ledger.find(issue.id)
        if planned is not None:
            issue = as_planned(self.config, planned)
        start = issue.window.start
        return self._draft(issue, max(min(covered or start, start), start - REACH))

    def _draft(self, issue: Issue, reach: datetime) -> Draft:
        listing = replace(self.listing, reach=reach)
        counted = self.config.stats.clicks
        return Draft(self.config, self.content, issue, self.keys, listing=listing, counted=counted)

    def _cut(self, issue: Issue) -> Issue:
        start, end = issue.window.start, issue.window.end
        return replace(issue, window=Window(start, max(start, min(end, self.now))))


def take_in(store: Store, read: Callable[[], Content], now: datetime) -> tuple[Content, Listing]:
    """A content sync: read all posts, and note in the store what is new.

    StaleError when others keep noting what was not there yet when we read.
    """
    for _ in range(_TRIES):
        since = store.listings.number()
        content = read()
        times = store.listings.record(content.stories, now, since)
        if times is not None:
            return content, Listing(times)
    raise StaleError(
        "posts are being added while they are read",
        hint="run it again when the content folder is complete",
    )


def glance(store: Store, stories: Iterable[Story], now: datetime) -> Listing:
    """When each story is listed, as if they were noted now; nothing is written."""
    return Listing(store.listings.look(stories, now))
