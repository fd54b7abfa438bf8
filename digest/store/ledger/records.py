"""What the ledger gives out and takes in: frozen, and free of SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from digest.models import Cadence, Subscriber, Window


class IssueState(StrEnum):
    """Where an issue stands."""

    PLANNED = "planned"  # frozen; nothing was handed over
    SENDING = "sending"
    PAUSED = "paused"  # by a person, a canary or the breaker; nothing more is claimed
    DONE = "done"  # no delivery is planned or claimed any more
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """Where one delivery stands. It is in exactly one of these at any moment."""

    PLANNED = "planned"  # not handed over: certainly not taken
    CLAIMED = "claimed"  # in the hands of one sender
    SUBMITTED = "submitted"  # the provider took it
    FAILED = "failed"  # the provider refused it for good, or too often
    UNKNOWN = "unknown"  # handed over, no answer; never tried again by itself
    SUPPRESSED = "suppressed"  # must not be mailed any more, found out when claiming
    CANCELLED = "cancelled"  # the issue was cancelled before


@dataclass(frozen=True, slots=True)
class PlannedStory:
    """A story as it was when the issue was planned."""

    id: str
    digest: str  # of everything in it
    omitted: str = ""  # why no reader gets it; empty: it is in


@dataclass(frozen=True, slots=True)
class PlannedEdition:
    """One distinct content of an issue."""

    number: int
    id: str
    language: str
    stories: tuple[str, ...]  # ids, in order
    more: tuple[str, ...]
    oldest: datetime  # listed moment of its oldest story
    html_bytes: int
    readers: int


@dataclass(frozen=True, slots=True)
class PlannedIssue:
    """The head of a frozen issue."""

    number: int
    id: str
    cadence: Cadence
    window: Window
    due: datetime
    planned: datetime
    state: IssueState
    provider: str
    paused_because: str
    readers: int
    listed_from: datetime  # of its stories; before the window for who was not reached before


@dataclass(frozen=True, slots=True)
class Allowance:
    """A check whose errors a person allowed an issue to go out with."""

    check: str
    findings: int
    by: str  # who ran the command
    at: datetime


@dataclass(frozen=True, slots=True)
class Contents:
    """What a plan was made of, and what came out apart from the deliveries."""

    basis: Mapping[str, str]  # part -> digest
    stories: tuple[PlannedStory, ...]
    editions: tuple[PlannedEdition, ...]
    skipped: Mapping[str, int]


class Claimed(NamedTuple):
    """One delivery in a sender's hands."""

    number: int
    edition: int
    attempts: int  # this one included
    subscriber: Subscriber


class InClaim(NamedTuple):
    """A claimed delivery as recovery looks at it."""

    number: int
    subscriber_id: int
    attempts: int  # this one included


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a window: one run of one process, and the boot of its machine."""

    boot: str  # empty: the system does not tell
    token: str  # names its journal

    def __str__(self) -> str:
        return f"{self.boot}/{self.token}"

    @property
    def provider(self) -> str:
        """The provider that this run hands over to."""
        return self.token.partition("-")[0]

    @classmethod
    def parse(cls, text: str) -> "Owner":
        """From what `str()` gave."""
        boot, _, token = text.partition("/")
        return cls(boot, token)


@dataclass(frozen=True, slots=True)
class Held:
    """A window that somebody has claimed."""

    lo: int
    hi: int
    owner: Owner
    claim: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A window in our hands, with the deliveries in it that are to be handed over."""

    held: Held
    deliveries: tuple[Claimed, ...]
    released: datetime | None = None  # when; of an issue that goes out zone by zone


class Mark(NamedTuple):
    """What became of one claimed delivery."""

    number: int
    state: DeliveryState
    receipt: str | None = None
    reason: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a window: what became of its deliveries. The others were not handed over."""

    held: Held
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Canary:
    """The first readers of an issue who are due, after whom it pauses."""

    readers: int
    limit: int  # the number of the delivery behind the last of them
    ready_at: datetime | None  # when the first of others is due


class Idle(StrEnum):
    """Why there is nothing to claim."""

    DONE = "done"  # every window is done
    STOPPED = "stopped"  # the issue is paused or cancelled
    LIMIT = "limit"  # the first readers are done (canary)
    LATER = "later"  # refused deliveries wait for their time
    BUSY = "busy"  # other senders hold what is left


@dataclass(frozen=True, slots=True)
class Turn:
    """What one commit of a sender gave: a claim, or why not (`ready_at`: when there will be)."""

    claim: Claim | None
    idle: Idle = Idle.DONE
    ready_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """An issue's deliveries by state, and by what providers told of them later."""

    states: Mapping[DeliveryState, int]
    facts: Mapping[str, int] = field(default_factory=dict)  # `delivered` -> deliveries
    reasons: Mapping[tuple[DeliveryState, str], int] = field(default_factory=dict)


class DeliveryRow(NamedTuple):
    """One delivery, for lists."""

    number: int
    subscriber_id: int
    email: str  # empty when the person is not here any more
    state: DeliveryState
    attempts: int
    receipt: str
    reason: str
