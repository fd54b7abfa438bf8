"""Who the readers are: the store's once there is a store, until then those of the CSV files.

Both answer the same two questions, so that nobody else needs to know which it is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from digest.addresses import identity, recognised
from digest.config import Config
from digest.models import Cadence, Issue, Preferences, Subscriber
from digest.subscribers import Report, read_subscribers

if TYPE_CHECKING:
    from digest.store import DueReader, Store


@dataclass(frozen=True, slots=True)
class Found:
    """One subscriber, and what keeps them from being mailed; empty: nothing does."""

    subscriber: Subscriber
    obstacle: str = ""
    covered: datetime | None = None  # the end of what they were sent last


class Readership(Protocol):
    """The readers, from wherever they are kept."""

    def due(self, issue: Issue, skipped: Counter[str]) -> Iterator[Subscriber]:
        """Everyone who may get `issue`, streamed in a stable order.

        Counts the others by reason in `skipped`, which is complete when the stream has ended.
        """
        ...

    def find(self, email: str, now: datetime) -> Found | None:
        """The one with this address. ValueError when it is none."""
        ...


def not_due(cadence: Cadence) -> str:
    """The reason for those who get another cadence's issues."""
    return f"{cadence.value}, not due"


@dataclass(frozen=True, slots=True)
class ListedReaders:
    """The rows of `subscribers/*.csv`; bad rows go to `report`."""

    config: Config
    key: bytes  # makes the ids
    report: Report

    def due(self, issue: Issue, skipped: Counter[str]) -> Iterator[Subscriber]:
        for subscriber in self._everyone():
            if subscriber.cadence is issue.cadence:
                yield subscriber
            else:
                skipped[not_due(subscriber.cadence)] += 1

    def find(self, email: str, now: datetime) -> Found | None:
        wanted = identity(recognised(email))
        matches = (one for one in self._everyone() if identity(one.email) == wanted)
        return next((Found(one) for one in matches), None)

    def _everyone(self) -> Iterator[Subscriber]:
        config = self.config
        return read_subscribers(config.subscribers, config.root, self.key, self.report)


@dataclass(frozen=True, slots=True)
class StoredReaders:
    """The subscribers of the database."""

    store: "Store"

    def due(self, issue: Issue, skipped: Counter[str]) -> Iterator[Subscriber]:
        tags = self.store.tags.readers()
        names = tuple(tag.name for tag in tags)
        positions = {tag.key: place for place, tag in enumerate(tags)}
        wishes = _Wishes(names)
        for reader in self.store.audience.stream_due(issue.cadence, issue.window.end, positions):
            yield Subscriber(
                reader.id,
                reader.email,
                reader.name,
                wishes.of(reader),
                issue.cadence,
                reader.timezone,
            )
        skipped.update(self.others(issue))

    def find(self, email: str, now: datetime) -> Found | None:
        found = self.store.subscriptions.find(recognised(email))
        if found is None:
            return None
        reasons: list[str] = [reason.value for reason in found.suppressions]
        if found.pause_until and found.pause_until > now:
            reasons.append(f"paused until {found.pause_until:%Y-%m-%d}")
        if not reasons and found.state.value != "confirmed":
            reasons.append(found.state.value)
        return Found(found.subscriber, ", ".join(reasons), found.covered_until)

    def others(self, issue: Issue) -> Mapping[str, int]:
        """How many `due` does not give, by reason."""
        audience, at = self.store.audience, issue.window.end
        others = [cadence for cadence in Cadence if cadence is not issue.cadence]
        counts = {not_due(cadence): audience.count(cadence, at) for cadence in others}
        return {reason: n for reason, n in counts.items() if n} | audience.skipped(
            issue.cadence, at
        )


class _Wishes:
    """Bitmasks to preferences; the few thousand distinct ones are made once."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._made = lru_cache(8192)(self._make)

    def of(self, reader: "DueReader") -> Preferences:
        return self._made(reader.follows, reader.everything, reader.mutes, reader.languages)

    def _make(
        self, follows: int, everything: bool, mutes: int, languages: tuple[str, ...]
    ) -> Preferences:
        return Preferences(self._tags(follows), everything, self._tags(mutes), languages)

    def _tags(self, mask: int) -> tuple[str, ...]:
        return tuple(name for place, name in enumerate(self._names) if mask >> place & 1)
