"""A newsletter that goes out by itself, on a clock of tests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest import config
from digest.config import Config
from digest.models import Cadence
from digest.scheduler import Done, Scheduler
from digest.store import Store
from digest.store.ledger.records import PlannedIssue
from digest.tokens import Keys
from tests.project import SETTINGS, Project
from tests.store.conftest import SECRETS
from tests.store.sending import Clock, Patient

WEEKLY = Cadence.WEEKLY
THURSDAY = datetime(2026, 1, 1, 9, tzinfo=UTC)  # a Thursday, nine in Dublin
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


def newsletter(root: Path, cadences: str = '[cadence.weekly]\nat = "thu 09:00"\n') -> Config:
    """The configuration of a newsletter in `root`, handed over to the carrier of tests."""
    text = SETTINGS.replace('timezone = "Europe/Dublin"', 'timezone = "Europe/Dublin"\nEDITORS')
    text = text.replace("EDITORS", 'editors = ["ed@example.com"]') + cadences
    (root / "digest.toml").write_text(text)
    return config.parse(text, root / "digest.toml", {"DIGEST_DELIVERY__PROVIDER": "carrier"})


def posts(root: Path, first: datetime, number: int, every: timedelta = WEEK) -> None:
    """Posts about nothing but their number."""
    for n in range(number):
        day = f"{first + n * every:%Y-%m-%d}"
        Project(root).post(f"post-{n:03}", tags="#ai #kubernetes", published=day)


def scheduler(configured: Config, store: Store, clock: Clock, **more: object) -> Scheduler:
    """One process of it, fresh from the store."""
    return Scheduler(configured, store, Keys(SECRETS), Patient(clock), clock, **more)  # type: ignore[arg-type]


def ticks(one: Scheduler, clock: Clock, until: datetime, every: timedelta) -> Iterator[Done]:
    """Let it tick through the time."""
    while clock.now < until:
        for cadence in one.config.schedule:
            yield one.tick(cadence)
        clock.now += every


def issues(store: Store, cadence: Cadence = WEEKLY) -> list[PlannedIssue]:
    """All there are of a cadence, oldest first."""
    return [one for one in reversed(store.ledger.issues()) if one.cadence is cadence]
