"""What runs now and what is next, from the store and the settings alone: on any machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.cadence import next_due
from digest.config import Config
from digest.dues import closing_zone
from digest.models import Cadence, Issue
from digest.planning import issue_of
from digest.scheduler.behind import behind
from digest.scheduler.decision import Rest, decide
from digest.scheduler.looking import look
from digest.store import Store
from digest.store.ledger.records import DeliveryState, IssueState, PlannedIssue
from digest.store.overview import Progress


@dataclass(frozen=True, slots=True)
class Watched:
    """An issue that is not over, or the last one of its cadence."""

    issue: PlannedIssue
    progress: Progress

    @property
    def left(self) -> int:
        """Deliveries that are still to be made."""
        states = self.progress.states
        return states[DeliveryState.PLANNED] + states[DeliveryState.CLAIMED]

    @property
    def rate(self) -> float:
        """Deliveries a second that were submitted within the last minute."""
        return self.progress.lately / self.progress.within

    @property
    def remaining(self) -> timedelta | None:
        """How long the rest takes at this rate, and not before the last zone had its hour; None
        when nothing moves, nor will by itself."""
        waits = self.progress.waits
        if self.issue.state is not IssueState.SENDING or not (self.progress.lately or waits):
            return None
        handing = timedelta(seconds=round(self.left / self.rate)) if self.rate else timedelta(0)
        return max(handing, waits)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a cadence stands."""

    cadence: Cadence
    coming: Issue
    by_itself: bool  # a schedule has begun to send it
    paused_because: str
    behind: timedelta
    waits: tuple[str, ...]  # why nothing more is done now


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything a person or a monitor looks at first."""

    at: datetime
    senders: int
    issues: tuple[Watched, ...]
    rhythms: tuple[Rhythm, ...]
    suppressions: Mapping[str, int]
    subscribers: Mapping[str, int]

    @property
    def unknown(self) -> int:
        """Deliveries of these issues of which nobody knows whether they arrived."""
        return sum(one.progress.states[DeliveryState.UNKNOWN] for one in self.issues)


def survey(config: Config, store: Store, now: datetime) -> Survey:
    """Looks, and changes nothing. StoreError when the database does not answer."""
    overview = store.overview
    issues = [found for name in overview.watched() if (found := store.ledger.find(name))]
    return Survey(
        now,
        overview.senders(now),
        tuple(Watched(one, overview.progress(one.number, now)) for one in issues),
        tuple(_rhythm(config, store, cadence, now) for cadence in config.schedule),
        overview.suppressions(),
        overview.subscribers(),
    )


def _rhythm(config: Config, store: Store, cadence: Cadence, now: datetime) -> Rhythm:
    due, zone = config.schedule[cadence].due, closing_zone(config, cadence)
    coming = issue_of(config, store, cadence, next_due(due, zone, now))
    standing = store.schedule.standing(cadence)
    if standing is None:  # looking closer would make it go out by itself
        return Rhythm(cadence, coming, False, "", timedelta(0), ())
    situation = look(config, store, cadence, now)
    step = decide(situation, now)
    waits = step.reasons if isinstance(step, Rest) else ()
    waiting = [
        since
        for begun in store.ledger.in_state(cadence, IssueState.SENDING)
        if (since := store.overview.waiting_since(begun.number, now))
    ]
    late = behind(situation, waiting, now)
    return Rhythm(cadence, coming, True, standing.paused_because, late, waits)
