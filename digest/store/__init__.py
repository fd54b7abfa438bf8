"""The database: every SQL statement of the product, for SQLite and PostgreSQL alike.

    with Store.open(url_of(config.database, config.root), secret_keys(config)) as store:
        reader = store.subscriptions.find("ana@example.com")

SQLAlchemy takes a quarter of a second to import: commands import this package when they run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType

from digest.models import State, SuppressionReason
from digest.store import backup as _backup
from digest.store import former, migrate
from digest.store.archive import Archive
from digest.store.archive.feedback import Feedback
from digest.store.audience import Audience
from digest.store.database import FILE, PATIENCE, Database, connect, url_of
from digest.store.hashing import Hasher, adopt, matching_hasher
from digest.store.intake import Entry, Intake, OnConflict, Outcome
from digest.store.ledger import Ledger
from digest.store.ledger.hearing import Hearing
from digest.store.links import Links
from digest.store.listings import Listings
from digest.store.overview import Overview
from digest.store.people import Filter
from digest.store.records import (
    Consent,
    DueReader,
    EventKind,
    HistoryEvent,
    Request,
    RequestKind,
    Subscription,
    Suppression,
    TagReaders,
    Wish,
)
from digest.store.requests import Requests
from digest.store.schedule import Schedule
from digest.store.subscriptions import Subscriptions
from digest.store.suppressions import Suppressions
from digest.store.tags import TagList

__all__ = [
    "FILE",
    "Archive",
    "Consent",
    "DueReader",
    "Entry",
    "EventKind",
    "Feedback",
    "Filter",
    "Hearing",
    "HistoryEvent",
    "Intake",
    "Ledger",
    "Links",
    "OnConflict",
    "Outcome",
    "Overview",
    "Request",
    "RequestKind",
    "Schedule",
    "State",
    "Store",
    "Subscription",
    "Suppression",
    "SuppressionReason",
    "TagReaders",
    "Wish",
    "connect",
    "exists",
    "migrate",
    "url_of",
]


@dataclass(frozen=True, slots=True)
class Store:
    """An open database, by what is asked of it."""

    database: Database
    hasher: Hasher
    subscriptions: Subscriptions
    tags: TagList
    suppressions: Suppressions
    audience: Audience
    ledger: Ledger
    hearing: Hearing
    listings: Listings
    archive: Archive
    feedback: Feedback
    schedule: Schedule
    requests: Requests
    links: Links

    @classmethod
    def open(
        cls, url: str, secrets: Sequence[bytes], *, makes: bool = False, patience: float = PATIENCE
    ) -> "Store":
        """Open the database at its current revision; `secrets` are the project's, newest first.

        A SQLite file is brought up to date (after a copy of it), and with `makes` created; for a
        server StoreError says what to run. `patience`: seconds to wait for another writer.
        """
        database = connect(url, patience)
        try:
            migrate.require_current(database, makes=makes)
            hasher = former.settled(database, _hasher(database, secrets))
        except BaseException:
            database.engine.dispose()
            raise
        subscriptions = Subscriptions(database, hasher)
        return cls(
            database,
            hasher,
            subscriptions,
            TagList(database),
            Suppressions(database, hasher),
            Audience(database),
            Ledger(database),
            Hearing(database, hasher),
            Listings(database),
            Archive(database),
            Feedback(database),
            Schedule(database),
            Requests(subscriptions),
            Links(database),
        )

    @property
    def overview(self) -> Overview:
        """How things stand, for whoever watches."""
        return Overview(self.database)

    def intake(
        self,
        now: datetime,
        source: str,
        on_conflict: OnConflict = OnConflict.SKIP,
        replaces: frozenset[str] = frozenset(),
        dry_run: bool = False,
    ) -> Intake:
        """A session that takes in many people, batch by batch."""
        return Intake(self.database, self.hasher, now, source, on_conflict, replaces, dry_run)

    def backup(self, target: Path, pg_dump: str = "pg_dump") -> None:
        """Write a consistent copy of everything to a new file, while others go on working."""
        _backup.backup(self.database, target, pg_dump)

    def close(self) -> None:
        """Give back every connection."""
        self.database.engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def exists(url: str) -> bool:
    """False while a project has no database yet: its subscribers come from CSV files then."""
    database = connect(url)
    return database.file is None or database.file.exists()


def _hasher(database: Database, secrets: Sequence[bytes]) -> Hasher:
    with database.reading() as connection:
        known = matching_hasher(connection, secrets)
    if known is not None:
        return known
    with database.writing() as connection:
        # another process may have been first
        known = matching_hasher(connection, secrets)
        if known is None:
            known = Hasher.of(secrets[0])
            adopt(connection, known)
        return known
