"""What the store gives out: frozen, and free of SQL."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from digest.models import Cadence, Preferences, State, Subscriber, SuppressionReason

# A confirmation from the mailbox itself disproves these; a complaint or a publisher's no stands.
LIFTED_BY_CONFIRMING = (
    SuppressionReason.UNSUBSCRIBED,
    SuppressionReason.ERASED,
    SuppressionReason.BOUNCED,
)
# Said of the mailbox and not of its reader: it stays behind when the reader moves to another one.
STAYS_BEHIND = (SuppressionReason.BOUNCED,)


class EventKind(StrEnum):
    """What happened to a subscription."""

    ADDED = "added"
    IMPORTED = "imported"
    CONFIRMED = "confirmed"
    CHANGED = "changed"  # preferences, name, rhythm
    PAUSED = "paused"
    RESUMED = "resumed"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    CONSENT = "consent"  # evidence, shown among the events


@dataclass(frozen=True, slots=True)
class Consent:
    """Evidence that someone agreed: when, how, to which text, shown or stated where."""

    at: datetime
    how: str  # `import`, `form`, `confirmation`, `command`
    text: str
    version: str = ""
    source: str = ""


class RequestKind(StrEnum):
    """What somebody asks for on the pages, to be answered from a mailbox."""

    SUBSCRIBE = "subscribe"  # to begin, or to come back
    CHANGE = "change"  # to move a subscription to the mailbox that answers
    LINK = "link"  # a fresh link to one's preferences
    OWN = "own"  # a fresh link to download, delete or move what is kept


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants to be subscribed, and what they agreed to when they asked."""

    preferences: Preferences
    cadence: Cadence
    timezone: str  # empty: the newsletter's
    consent: Consent


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. `email` and `wish` are forgotten once it is answered."""

    id: int
    kind: RequestKind
    email: str
    person: int | None  # whose it is, where that is known
    wish: Wish | None
    asked: datetime
    done: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber and where their subscription stands."""

    subscriber: Subscriber
    state: State
    created: datetime
    pause_until: datetime | None = None  # nothing is due before this moment
    covered_until: datetime | None = None  # end of the last window handed over to them
    suppressions: tuple[SuppressionReason, ...] = ()

    @property
    def goes_on(self) -> bool:
        """Issues go to them, or would if they had another mailbox."""
        return self.state is State.CONFIRMED and set(self.suppressions) <= set(STAYS_BEHIND)


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One line of what happened to a person's subscription."""

    at: datetime
    kind: EventKind
    detail: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """One do-not-mail entry. `email` is known only while the person is in the store."""

    address_hash: bytes
    reason: SuppressionReason
    at: datetime
    source: str
    email: str


@dataclass(frozen=True, slots=True)
class TagReaders:
    """A tag and how many confirmed subscribers follow and mute it."""

    key: str
    name: str
    followers: int
    muters: int


class DueReader(NamedTuple):
    """One subscriber who is due. A tuple, as a million of them are made for one issue.

    `follows` and `mutes` are bitmasks: bit i stands for the tag that the caller gave position i.
    """

    id: int
    email: str
    name: str
    languages: tuple[str, ...]
    timezone: str  # empty: the newsletter's
    everything: bool
    follows: int
    mutes: int
    covered_until: datetime | None
    day: int | None  # chosen, like the hour
    hour: int | None
