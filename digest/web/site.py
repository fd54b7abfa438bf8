"""What every page works with: the configuration, the store, the keys, the clock, the posts."""

from asyncio import Semaphore
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from digest.config import Config
from digest.content import Content
from digest.desk import glance
from digest.notices import Postman
from digest.scheduler import Pulse
from digest.store import Store
from digest.tokens import Keys
from digest.web.counting import Counting
from digest.web.looking import Looking
from digest.web.mailing import Mailing
from digest.web.meters import Meters
from digest.web.restraint import Restraint
from digest.web.shelf import Shelf
from digest.web.topics import TopicCounter, Topics

OWN_LINK = timedelta(minutes=30)  # that may download and delete: mails get forwarded
PREFERENCES_LINK = timedelta(days=90)
UNDO = timedelta(minutes=30)  # of an unsubscribing
# POSTs at once: about half of the connections that a store opens (15), and fewer than the threads
# (40). A database that is locked holds up writers, and no page.
WRITERS = 8


@dataclass(frozen=True, slots=True)
class Site:
    """One newsletter on the web. Made once, in the shell; everything in it may be called from any
    thread."""

    config: Config
    store: Store
    keys: Keys
    now: Callable[[], datetime]
    content: Callable[[], Content]  # the posts as they are now, cheap to ask for
    mail: Mailing
    restraint: Restraint
    look: Looking
    counting: Counting | None = None  # of followed links; None: they are not counted
    count_topics: TopicCounter = field(default_factory=TopicCounter)
    pulse: Pulse | None = None  # of the schedule in this process; None: there is none here
    meters: Meters = field(default_factory=Meters.made)
    # of the event loop, and the only thing here that no thread may touch
    writing: Semaphore = field(default_factory=lambda: Semaphore(WRITERS))

    @classmethod
    def of(
        cls,
        config: Config,
        store: Store,
        keys: Keys,
        now: Callable[[], datetime],
        content: Callable[[], Content] | None = None,
    ) -> "Site":
        """A site with all that goes with it; `close` it in the end."""
        return cls(
            config,
            store,
            keys,
            now,
            content or Shelf(config),
            Mailing(Postman(config), now),
            Restraint(config.web.mails_an_hour),
            Looking(config, store, keys),
            Counting(store.links, now) if config.stats.clicks else None,
        )

    def close(self) -> None:
        """Hand over the notices that wait, count what was followed; the store stays open."""
        self.mail.close()
        if self.counting is not None:
            self.counting.close()

    def topics(self) -> Topics:
        """What a reader can choose from today."""
        content, now = self.content(), self.now()
        return self.count_topics(content, lambda: glance(self.store, content.stories, now), now)

    @property
    def confirm_time(self) -> timedelta:
        """How long what was asked for waits for a yes."""
        return timedelta(days=self.config.web.confirm_days)

    def url(self, path: str) -> str:
        """The full address of a page, for a mail; whatever a request says it came to."""
        return f"{self.config.newsletter.base_url}{path}"

    @property
    def path(self) -> str:
        """The path under which the pages are, without a slash at its end; usually empty."""
        return urlsplit(self.config.newsletter.base_url).path

    @property
    def host(self) -> str:
        """The name that readers know the site by, without its port."""
        return (urlsplit(self.config.newsletter.base_url).hostname or "").lower()
