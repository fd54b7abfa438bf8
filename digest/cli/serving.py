"""The service: pages and schedule in one process, reloaded by SIGHUP, ended by SIGTERM."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from socket import socket

from starlette.types import ASGIApp, Receive, Scope, Send

from digest import logs
from digest.config import Config, load
from digest.errors import StoreError
from digest.providers import connect
from digest.scheduler import Clockwork, Editors, Scheduler
from digest.scheduler.tick import Observing
from digest.store import Store
from digest.tokens import Keys
from digest.web import Site, application
from digest.web.meters import Meters
from digest.web.server import PATIENCE, Server

_HOUR = 3600.0
_SLACK = 0.5  # seconds of `PATIENCE` that ending the process takes

_log = logs.get("service")


@dataclass(slots=True)
class Pages:
    """An application that can be exchanged while it is served."""

    current: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.current(scope, receive, send)


@dataclass(slots=True)
class Service:
    """What `digest serve` runs: the pages, unless there is nowhere to `listen`, and the clock."""

    config: Config
    store: Store
    keys: Keys
    now: Callable[[], datetime]
    listener: socket | None
    clockwork: Clockwork | None
    meters: Meters = field(default_factory=Meters.made)
    _site: Site = field(init=False)
    _pages: Pages = field(init=False)
    _server: Server = field(init=False)
    _ended: threading.Event = field(default_factory=threading.Event)
    _until: float = 0.0

    def __post_init__(self) -> None:
        self._site = self._site_of(self.config)
        self._pages = Pages(application(self._site))
        self._server = Server(self._pages)

    def run(self, *, reload: Callable[[], bool] = lambda: False) -> bool:
        """Serve until a signal says stop. False when something was in flight to the last.

        `reload` tells whether the configuration is to be read again first.
        """
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        with suppress(AttributeError):  # Windows has none
            signal.signal(signal.SIGHUP, self._reload)
        if reload():
            self._reload()
        if self.clockwork is not None:
            self.clockwork.start()
        else:
            threading.Thread(target=self._forget, name="forget", daemon=True).start()
        if self.listener is not None:
            self._server.serve_on(self.listener)
        else:
            self._ended.wait()
        self._site.close()
        left = max(0.0, self._until - time.monotonic())
        return self.clockwork is None or self.clockwork.stop(left)

    def _forget(self) -> None:
        """Forget what is old, as the schedule does where there is one."""
        while True:
            waited = timedelta(days=self.config.web.confirm_days)
            with suppress(StoreError):  # the database is busy; the next hour will do
                if number := self.store.requests.purge(self.now() - waited):
                    _log.info("requests.forgotten", number=number)
                if number := self.store.links.purge(self.now()):
                    _log.info("clicks.forgotten", number=number)
            if self._ended.wait(_HOUR):
                return

    def _stop(self, *_: object) -> None:
        """Take nothing new, and let what is under way end within `PATIENCE`; a second time: now."""
        again = self._ended.is_set()
        self._until = time.monotonic() + (0 if again else PATIENCE - _SLACK)
        self._server.force_exit = again
        if self.clockwork is not None:
            self.clockwork.scheduler.stopping.request()
        self._server.stop()
        self._ended.set()

    def _reload(self, *_: object) -> None:
        # not in the signal handler: it may have interrupted a thread that holds a lock
        threading.Thread(target=self.reload, name="reload", daemon=True).start()

    def reload(self) -> bool:
        """Read the configuration again. One with a mistake changes nothing, and is in the log."""
        try:
            config = load(self.config.path)
            connect(config).close()  # nobody is called: it is there, and has what it needs
            site, before = self._site_of(config), self._site
            if site.counting is not None and before.counting is not None:  # it knows who was here
                site = replace(site, counting=before.counting)
                before = replace(before, counting=None)
            pages = application(site)
        except Exception as error:
            # whatever it is, the service that runs is better than one that does not
            _log.error("config.refused", failure=error)
            return False
        if _needs_restart(config) != _needs_restart(self.config):
            _log.warning("config.kept", keys=["store.database", "web.host", "web.port"])
        self._site, self.config, self._pages.current = site, config, pages
        before.close()
        if self.clockwork is not None:
            self.clockwork.use(replace(self.clockwork.scheduler, config=config))
        _log.info("config.reloaded")
        return True

    def _site_of(self, config: Config) -> Site:
        pulse = None if self.clockwork is None else self.clockwork.scheduler.pulse
        site = Site.of(config, self.store, self.keys, self.now)
        return replace(site, pulse=pulse, meters=self.meters)


def _needs_restart(config: Config) -> tuple[object, ...]:
    """What was opened when the service started."""
    return config.database, config.web.host, config.web.port


def clockwork(
    config: Config,
    store: Store,
    keys: Keys,
    now: Callable[[], datetime],
    every: timedelta,
    observe: Observing,
) -> Clockwork:
    """The schedule of a service."""
    editors = Editors(keys, now)
    one = Scheduler(config, store, keys, now=now, ask=editors, observe=observe)
    return Clockwork(one, every)
