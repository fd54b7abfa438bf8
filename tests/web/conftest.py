"""The application over a real store of both databases, asked in process or over a socket."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property

import pytest
import uvicorn
from starlette.testclient import TestClient

from digest.config import CadenceConfig, Config, load, secret_keys
from digest.config.stats import StatsConfig
from digest.content import read_content
from digest.models import Cadence, Due, Preferences, Subscriber
from digest.store import Store
from digest.tokens import Keys, Purpose, sign
from digest.web import Site, application
from tests.store.conftest import (  # noqa: F401 - fixtures
    CONSENT,
    empty_url,
    fresh_url,
    postgresql,
    postgresql_template,
    sqlite_store,
    sqlite_template,
    store,
)

START = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a day before a weekly issue of `make_project`


@dataclass
class Clock:
    """The time, which only a test moves."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **units: float) -> datetime:
        self.at += timedelta(**units)
        return self.at


@dataclass
class Pages:
    """A site, and a browser without scripts to look at it."""

    config: Config
    store: Store
    clock: Clock = field(default_factory=Clock)

    @cached_property
    def site(self) -> Site:
        keys = Keys(secret_keys(self.config))
        content = read_content(self.config)
        site = Site.of(self.config, self.store, keys, self.clock, lambda: content)
        site.mail.hold = 0.0
        return site

    def mails(self) -> list[EmailMessage]:
        """Everything mailed so far, oldest first."""
        self.site.mail.flush()
        files = sorted(self.config.outbox.rglob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    def link(self) -> str:
        """The path of the only link in the last mail."""
        (part, *_) = self.mails()[-1].iter_parts()
        (url,) = re.findall(r"https://\S+", part.get_content())
        return url.removeprefix(self.config.newsletter.base_url)

    def reader(self, email: str = "ana@example.com", **wanted) -> Subscriber:
        """A confirmed subscriber who follows #ai and #python unless `wanted` says otherwise."""
        wanted = {"tags": ("ai", "python")} | wanted
        added = self.store.subscriptions.add(
            email, CONSENT, self.clock(), preferences=Preferences(**wanted)
        )
        return added.subscriber

    def path(self, letter: str, purpose: Purpose, subject: int, **bounds) -> str:
        """The path of a page with a token of ours."""
        return f"/{letter}/{sign(self.site.keys, purpose, subject, **bounds)}"

    def get(self, path: str, **options):
        return self.client.get(path, **options)

    def post(self, path: str, **fields):
        return self.client.post(path, data=fields)

    def fill(self, path: str, **fields):
        """What a person does with a form: get it, take some time, send it."""
        shown = re.search(r'name="shown" value="([^"]+)"', self.get(path).text)[1]
        self.clock.pass_(seconds=5)
        return self.post(path, shown=shown, **fields)

    @cached_property
    def app(self):
        return application(self.site)

    @cached_property
    def client(self) -> TestClient:
        base = self.config.newsletter.base_url
        return TestClient(self.app, base_url=base, follow_redirects=False)

    def configured(self, **web: object) -> "Pages":
        """The same site with other settings of `[web]`."""
        config = replace(self.config, web=replace(self.config.web, **web))
        return Pages(config, self.store, self.clock)

    def counting(self) -> "Pages":
        """The same site where clicks are counted; its `site` is to be closed once one was."""
        config = replace(self.config, stats=StatsConfig(clicks=True))
        return Pages(config, self.store, self.clock)


@pytest.fixture
def pages(project, store) -> Pages:  # noqa: F811
    return Pages(load(project.root / "digest.toml"), store)


@pytest.fixture
def quick_pages(project, sqlite_store) -> Pages:  # noqa: F811
    """For what has nothing to do with the database."""
    return Pages(load(project.root / "digest.toml"), sqlite_store)


@pytest.fixture
def choosing(quick_pages: Pages) -> Pages:
    """`quick_pages`, with weekly readers who may choose their hour and monthly ones who may not."""
    config = quick_pages.config
    weekly = replace(config.schedule[Cadence.WEEKLY], choose=True)
    schedule = {Cadence.WEEKLY: weekly, Cadence.MONTHLY: CadenceConfig(Due(9, 0, day=1))}
    quick_pages.config = replace(config, schedule=schedule)
    return quick_pages


@pytest.fixture
def listening(quick_pages: Pages) -> Iterator[str]:
    """The address of a real server of `quick_pages`, on this machine alone."""
    server = uvicorn.Server(uvicorn.Config(quick_pages.app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    ready = threading.Event()
    startup = server.startup

    async def noticed(*arguments: object, **options: object) -> None:
        await startup(*arguments, **options)
        ready.set()

    server.startup = noticed
    thread.start()
    assert ready.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
