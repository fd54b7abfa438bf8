"""Small ways to fill a store and to ask it who is due."""

from datetime import datetime

from digest.models import Cadence, Preferences
from digest.store import DueReader, Store
from tests.store.conftest import CONSENT, NOW


def add(store: Store, email: str = "ana@example.com", *tags: str, **more: object) -> int:
    """Subscribe someone to these tags (or everything); gives the id."""
    preferences = Preferences(tags=tags, everything=not tags)
    added = store.subscriptions.add(email, CONSENT, NOW, preferences=preferences, **more)  # type: ignore[arg-type]
    return added.subscriber.id


def due(store: Store, *tags: str, at: datetime = NOW) -> list[DueReader]:
    """The weekly readers; each tag has the bit of its place."""
    positions = {tag: place for place, tag in enumerate(tags)}
    return list(store.audience.stream_due(Cadence.WEEKLY, at, positions))


def due_emails(store: Store, at: datetime = NOW) -> set[str]:
    """The addresses of the weekly readers."""
    return {reader.email for reader in due(store, at=at)}
