"""What a provider's event means for a delivery and for an address. Pure: no clock, no store.

Providers tell late, twice and in any order. So nothing here depends on order: of each fact the
earliest telling counts, a set of addresses only grows, and the same event twice changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

SOFT_BOUNCES = 3  # so many within the period, and the address is as good as gone
SOFT_PERIOD = timedelta(days=14)


class Kind(StrEnum):
    """What a provider tells of a message."""

    PROCESSED = "processed"  # it has the message and will try
    DEFERRED = "deferred"  # the reader's server wants it later
    DELIVERED = "delivered"
    BOUNCED = "bounced"  # refused for good
    BLOCKED = "blocked"  # refused this time
    DROPPED = "dropped"  # it had the message and did not try
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


class Cause(StrEnum):
    """Why a message was refused or dropped, as far as the provider can tell."""

    UNCLEAR = "unclear"
    MAILBOX = "mailbox"  # there is no such mailbox, or it takes no mail
    SENDER = "sender"  # our content, our reputation, our mistake: nothing the reader did
    BOUNCED = "bounced"  # the provider keeps the address on its list of bounces
    COMPLAINED = "complained"  # … of complaints
    UNSUBSCRIBED = "unsubscribed"  # … of those who left


class Fact(StrEnum):
    """A moment in a delivery's life that only a provider can tell."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


class Ban(StrEnum):
    """Why an address gets no more mail; the values are those of the do-not-mail list."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


# They mean nothing for the address, and may be heard any number of times. A tuple: looked through
# by identity, while a set would ask each kind for its hash.
GOING_WELL = (Kind.DELIVERED, Kind.PROCESSED, Kind.DEFERRED)


class Event(NamedTuple):
    """One thing a provider tells, in our words. A tuple, because ten thousand come at once."""

    kind: Kind
    delivery: str | None  # None: the provider did not say, or the mail was not ours
    address: str  # as the provider wrote it; may be empty
    at: datetime  # aware
    event_id: str  # the provider's name for the event, the same when it is told again
    reason: str = ""  # the provider's or the reader's server's words, without an address
    status: str = ""  # enhanced status code like `5.1.1`, where there is one
    cause: Cause = Cause.UNCLEAR
    place: str = ""  # where the delivery is said to be in the ledger; nobody has looked yet

    def __repr__(self) -> str:
        """Without the address."""
        return f"Event({self.kind}, {self.delivery}, {self.at}, {self.event_id!r})"


@dataclass(frozen=True, slots=True)
class Settle:
    """The provider has this delivery: if it was unknown, it is submitted. No other state moves."""

    delivery: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """A fact about a delivery. Where one of its kind stands, the earlier of the two stays.

    Without a delivery it is about the latest one to `address` before `at`, if there is any.
    """

    delivery: str | None
    address: str = field(repr=False)
    fact: Fact
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Suppress:
    """Never mail this address again."""

    address: str = field(repr=False)
    ban: Ban
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class SoftBounce:
    """One refusal that may pass. `worn_out` says when there have been too many."""

    address: str = field(repr=False)
    at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class OurFault:
    """Refused for something that only the publisher can mend; the reader is left alone."""

    event_id: str
    reason: str


Effect = Settle | Stamp | Suppress | SoftBounce | OurFault

_FACTS: Mapping[Kind, Fact] = {
    Kind.DELIVERED: Fact.DELIVERED,
    Kind.DEFERRED: Fact.DEFERRED,
    Kind.BOUNCED: Fact.BOUNCED,
    Kind.BLOCKED: Fact.BOUNCED,
    Kind.DROPPED: Fact.DROPPED,
    Kind.COMPLAINED: Fact.COMPLAINED,
    Kind.UNSUBSCRIBED: Fact.UNSUBSCRIBED,
}
# What is about the reader and not about one message counts even where the delivery is not named:
# providers leave our argument out of late bounces.
_ABOUT_ADDRESS = frozenset(_FACTS) - {Kind.DELIVERED, Kind.DEFERRED}
_DROPPED: Mapping[Cause, Ban] = {
    Cause.MAILBOX: Ban.BOUNCED,
    Cause.BOUNCED: Ban.BOUNCED,
    Cause.COMPLAINED: Ban.COMPLAINED,
    Cause.UNSUBSCRIBED: Ban.UNSUBSCRIBED,
}
# Of the codes for addresses (RFC 3463 3.2) two are about the sender's.
_SENDERS_ADDRESS = ("5.1.7", "5.1.8")
_MAILBOX_FULL = "5.2.2"


def effects(event: Event) -> Iterator[Effect]:
    """What one event changes."""
    if event.delivery is not None:
        yield Settle(event.delivery)
    fact = _FACTS.get(event.kind)
    about_address = bool(event.address) and event.kind in _ABOUT_ADDRESS
    if fact is not None and (event.delivery is not None or about_address):
        yield Stamp(event.delivery, event.address, fact, event.at, event.reason)
    if about_address:
        yield from _consequences(event)


def _consequences(event: Event) -> Iterator[Effect]:
    """What an event means for all mail to the address."""
    match event.kind:
        case Kind.COMPLAINED:
            yield _suppress(event, Ban.COMPLAINED)
        case Kind.UNSUBSCRIBED:
            yield _suppress(event, Ban.UNSUBSCRIBED)
        case Kind.DROPPED if event.cause in _DROPPED:
            yield _suppress(event, _DROPPED[event.cause])
        case Kind.DROPPED:
            yield OurFault(event.event_id, event.reason)
        case _:
            yield _bounce(event)


def _bounce(event: Event) -> Effect:
    """Hard, soft or our own fault; in doubt it is soft, and only many of those have a meaning."""
    if event.cause is Cause.SENDER or event.status in _SENDERS_ADDRESS:
        return OurFault(event.event_id, event.reason)
    passing = event.status.startswith("4.") or event.status == _MAILBOX_FULL
    no_mailbox = event.cause is Cause.MAILBOX or event.status.startswith("5.1.")
    if event.kind is Kind.BOUNCED and no_mailbox and not passing:
        return _suppress(event, Ban.BOUNCED)
    return SoftBounce(event.address, event.at, event.event_id)


def _suppress(event: Event, ban: Ban) -> Suppress:
    return Suppress(event.address, ban, event.at, event.reason)


def worn_out(
    moments: Iterable[datetime], *, count: int = SOFT_BOUNCES, period: timedelta = SOFT_PERIOD
) -> bool:
    """True when `count` soft bounces of one address ever lay within one `period`."""
    told = sorted(moments)
    return any(late - early <= period for early, late in zip(told, told[count - 1 :], strict=False))


class Telling(NamedTuple):
    """When something was told, and in which words. The least of several counts."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What many events come to, each thing once, ready to be written in a few statements."""

    settled: frozenset[str] = frozenset()  # deliveries
    delivered: Mapping[str, datetime] = field(default_factory=dict)  # where nothing else was said
    stamps: Mapping[tuple[str | None, str, Fact], Telling] = field(default_factory=dict)
    suppressed: Mapping[tuple[str, Ban], Telling] = field(default_factory=dict)
    soft: frozenset[SoftBounce] = frozenset()
    faults: frozenset[OurFault] = frozenset()


def gather(events: Iterable[Event]) -> Changes:
    """The same for the same events, in whatever order and however often each of them is told.

    A stamp's address is empty where its delivery is known.
    """
    settled: set[str] = set()
    delivered: dict[str, datetime] = {}
    stamps: dict[tuple[str | None, str, Fact], Telling] = {}
    suppressed: dict[tuple[str, Ban], Telling] = {}
    soft: set[SoftBounce] = set()
    faults: set[OurFault] = set()
    for effect in _further(events, settled, delivered):
        match effect:
            case Settle(delivery):
                settled.add(delivery)
            case Stamp(delivery, address, fact, at, reason):
                key = (delivery, "" if delivery else address, fact)
                stamps[key] = min(Telling(at, reason), stamps.get(key, Telling(at, reason)))
            case Suppress(address, ban, at, reason):
                telling = Telling(at, reason)
                suppressed[address, ban] = min(telling, suppressed.get((address, ban), telling))
            case SoftBounce():
                soft.add(effect)
            case OurFault():
                faults.add(effect)
    return Changes(
        frozenset(settled), delivered, stamps, suppressed, frozenset(soft), frozenset(faults)
    )


def _further(
    events: Iterable[Event], settled: set[str], delivered: dict[str, datetime]
) -> Iterator[Effect]:
    """The effects of all events but the many that say no more than that a delivery goes well.

    Those are noted at once: an effect of its own for each would take most of the time.
    """
    done, taken = Kind.DELIVERED, Kind.PROCESSED  # looking up an enum's members takes a while
    for event in events:
        kind, delivery, at = event.kind, event.delivery, event.at
        if (kind is not done and kind is not taken) or delivery is None or event.reason:
            yield from effects(event)
            continue
        settled.add(delivery)
        if kind is done and delivered.setdefault(delivery, at) > at:
            delivered[delivery] = at
