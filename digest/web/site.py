"""What every page works with: the configuration, the store, the keys, the clock, the posts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from digest.config import Config
from digest.content import Content
from digest.store import Store
from digest.tokens import Keys


@dataclass(frozen=True, slots=True)
class Site:
    """One newsletter on the web. Made once, in the shell; everything in it may be called from any
    thread."""

    config: Config
    store: Store
    keys: Keys
    now: Callable[[], datetime]
    content: Callable[[], Content]  # the posts as they are now, cheap to ask for

    @property
    def path(self) -> str:
        """The path under which the pages are, without a slash at its end; usually empty."""
        return urlsplit(self.config.newsletter.base_url).path

    @property
    def host(self) -> str:
        """The name that readers know the site by, without its port."""
        return (urlsplit(self.config.newsletter.base_url).hostname or "").lower()
