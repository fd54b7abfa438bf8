"""One run of a sender over one issue: a loop of claim, hand over, commit."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.config import Restraint
from digest.errors import Outcome, ProviderError
from digest.pace import Breaker, Patience, Rate
from digest.providers import Provider
from digest.sender.handing import Handing, Material
from digest.sender.journal import Journal
from digest.sender.recovery import Recovery
from digest.sender.stopping import Stopping
from digest.store.ledger import Ledger
from digest.store.ledger.claims import LEASE
from digest.store.ledger.records import Claim, Idle, PlannedIssue

GIVES_UP_WAITING = timedelta(minutes=10)  # until the next retry; a later run takes it up
OUTAGES = (1.0, 5.0, 25.0)  # seconds to wait for a provider that is away, before giving up
_LOOK_AGAIN = 1.0  # seconds between questions whether somebody paused the issue
_NAP = 5.0  # seconds; then see whether another sender has died


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def unobserved(_deliveries: int, _seconds: float) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be sent, through whom, and with what restraint."""

    ledger: Ledger
    issue: PlannedIssue
    material: Material
    provider: Provider
    journals: Path  # folder
    restraint: Restraint = field(default_factory=Restraint)
    limit: int | None = None  # pause after the first so many readers
    outages: tuple[float, ...] = OUTAGES
    now: Callable[[], datetime] = utc_now
    clock: Callable[[], float] = time.monotonic
    observe: Callable[[int, float], None] = unobserved  # a batch: its deliveries, its seconds

    @property
    def patience(self) -> Patience:
        """As the restraint says."""
        return Patience(self.restraint.attempts, timedelta(seconds=self.restraint.retry_after))


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended. The ledger says what became of the deliveries."""

    answered: int  # deliveries, in this run
    ended: Idle
    interrupted: bool = False
    paused_because: str = ""
    ready_at: datetime | None = None  # when the next retry is due


def run(
    job: Job, stopping: Stopping, advance: Callable[[int], None] = lambda answered: None
) -> Report:
    """Send what is left of the issue. `advance` gets the number of deliveries answered so far.

    ProviderError when the provider is away for longer than `outages`, or needs somebody to mend
    something (the issue is paused then). Whatever is raised, every delivery is accounted for.
    """
    journal = Journal(job.journals, job.provider.name)
    try:
        job.ledger.begin_sending(job.issue.number, job.provider.name, job.limit)
        report = _Run(job, journal, stopping, advance).go()
    except BaseException:
        _put_away(job, journal)
        raise
    job.ledger.operator.finish(job.issue.number)
    _put_away(job, journal)
    job.ledger.settle_coverage()
    return report


def _put_away(job: Job, journal: Journal) -> None:
    """Keep the journal if the last commit failed: our window is still claimed."""
    if journal.owner.token in job.ledger.holding():
        journal.abandon()
    else:
        journal.close()


class _Run:
    def __init__(
        self, job: Job, journal: Journal, stopping: Stopping, advance: Callable[[int], None]
    ) -> None:
        self.job, self.stopping, self.advance, self.journal = job, stopping, advance, journal
        self.claims = job.ledger.claims(job.issue.number, journal.owner)
        self.breaker = Breaker(job.restraint.stop_after, job.restraint.stop_percent / 100)
        self.recovery = Recovery(
            job.ledger, self.claims, job.issue.id, job.journals, job.provider, job.patience, job.now
        )
        self.handing = Handing(
            job.material,
            job.provider,
            journal,
            job.patience,
            self.breaker,
            Rate(job.restraint.rate, job.clock, stopping.sleep),
            job.now,
            self._going_on,
            job.observe,
        )
        self.answered = self.outages = 0
        self.asked_at = -_LOOK_AGAIN

    def go(self) -> Report:
        self.recovery.recover()
        closing = None
        while not self.stopping.requested:
            turn = self.claims.turn(closing, self.job.now(), self.job.limit)
            closing = None
            if turn.claim is None:
                if not self._waits(turn.idle, turn.ready_at):
                    return self._end(turn.idle, turn.ready_at)
                continue
            self.journal.begin(turn.claim.held.claim)
            try:
                closing = self.handing.hand_over(turn.claim, self._advance)
            except BaseException:
                self.claims.close(self.handing.interrupted(turn.claim), self.job.now())
                raise
            if self.handing.failure or self.breaker.because:
                self.claims.close(closing, self.job.now())
                closing = None
                if self.handing.failure:
                    self._outage(self.handing.failure)
                else:
                    return self._paused(self.breaker.because)
        if closing is not None:
            self.claims.close(closing, self.job.now())
        return Report(self.answered, Idle.STOPPED, interrupted=True)

    def _advance(self, answered: int) -> None:
        self.answered += answered
        self.outages = 0
        self.advance(self.answered)

    def _going_on(self, claim: Claim) -> bool:
        """Between batches: nobody stopped us or the issue, and the window is still ours."""
        if self.stopping.requested:
            return False
        now, clock = self.job.now(), self.job.clock()
        if claim.held.lease_until - now < LEASE / 2 and not self.claims.renew(claim.held, now):
            return False
        if clock - self.asked_at < _LOOK_AGAIN:
            return True
        self.asked_at = clock
        return self.claims.going_on()

    def _waits(self, idle: Idle, ready_at: datetime | None) -> bool:
        """Wait a little, if something may be left to do for us soon."""
        if idle is Idle.BUSY:
            return self.recovery.recover() > 0
        if idle is not Idle.LATER or ready_at is None or self.job.limit is not None:
            return False
        left = ready_at - self.job.now()
        if left > GIVES_UP_WAITING:
            return False
        self.stopping.sleep(min(_NAP, max(0.0, left.total_seconds())))
        return True

    def _outage(self, failure: ProviderError) -> None:
        """Wait for a provider that is away, or give up."""
        if failure.outcome is Outcome.PERMANENT:
            self._paused(str(failure))
        if failure.outcome is not Outcome.TEMPORARY or self.outages >= len(self.job.outages):
            raise failure
        self.stopping.sleep(self.job.outages[self.outages])
        self.outages += 1

    def _end(self, idle: Idle, ready_at: datetime | None) -> Report:
        if self.job.limit is not None and idle in (Idle.LIMIT, Idle.LATER):
            return self._paused(f"canary of {self.job.limit} readers")
        return Report(self.answered, idle, ready_at=ready_at)

    def _paused(self, because: str) -> Report:
        if self.claims.going_on():
            self.job.ledger.operator.pause(self.job.issue.number, because)
        return Report(self.answered, Idle.STOPPED, paused_because=because)
