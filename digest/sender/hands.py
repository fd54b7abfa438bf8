"""A sender's hands: one window of deliveries at a time, claimed, handed over, and committed.

`send_one_batch` is all there is to sending. The loop of one machine calls it until nothing is
left (`run`); a worker among many calls it once for every job (`digest.workers`).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

from digest.config import Restraint
from digest.errors import ProviderError, StoreError
from digest.pace import Breaker, Patience, Rate
from digest.providers import Provider
from digest.sender.handing import Handing, Material
from digest.sender.journal import Journal
from digest.sender.recovery import Recovery
from digest.sender.stopping import Stopping
from digest.store.ledger import Ledger
from digest.store.ledger.claims import LEASE
from digest.store.ledger.records import Claim, Closing, Held, PlannedIssue, Turn

OUTAGES = (1.0, 5.0, 25.0)  # seconds to wait for a provider that is away, before giving up
_LOOK_AGAIN = 1.0  # seconds between questions whether somebody paused the issue


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def unobserved(_deliveries: int, _seconds: float) -> None:
    """Nobody watches."""


def unheard(_what: str, _until: datetime) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be sent, through whom, and with what restraint."""

    ledger: Ledger
    issue: PlannedIssue
    material: Material
    provider: Provider
    journals: Path  # folder
    restraint: Restraint = field(default_factory=Restraint)
    canary: int | None = None  # pause after the first so many readers who are due
    limit: int | None = None  # hand over no delivery of this number or behind it
    outages: tuple[float, ...] = OUTAGES
    lease: timedelta = LEASE  # how long others wait before they give a window up for lost
    now: Callable[[], datetime] = utc_now
    clock: Callable[[], float] = time.monotonic
    observe: Callable[[int, float], None] = unobserved  # a batch: its deliveries, its seconds
    waits: Callable[[str, datetime], None] = unheard  # for what a run waits, and until when

    @property
    def patience(self) -> Patience:
        """As the restraint says."""
        return Patience(self.restraint.attempts, timedelta(seconds=self.restraint.retry_after))


class Hands:
    """One sender of one issue. Its journal is put away when it is closed, however that comes."""

    def __init__(
        self,
        job: Job,
        stopping: Stopping,
        advance: Callable[[int], None] = lambda answered: None,
    ) -> None:
        self.job, self.stopping, self._advance = job, stopping, advance
        self.journal = Journal(job.journals, job.provider.name)
        number = job.issue.number
        self.claims = job.ledger.claims(number, self.journal.owner, job.lease)
        restraint = job.restraint
        together = getattr(job.provider, "together", 1)
        self.breaker = Breaker(restraint.stop_after, restraint.stop_percent / 100, together)
        self._recovery = Recovery(
            job.ledger, self.claims, job.issue.id, job.journals, job.provider, job.patience, job.now
        )
        self._handing = Handing(
            job.material,
            number,
            job.provider,
            self.journal,
            job.patience,
            self.breaker,
            Rate(restraint.rate, job.clock, stopping.sleep, self._reserve),
            job.now,
            self._going_on,
            job.observe,
        )
        self._closing: Closing | None = None  # handed over, and not committed yet
        self._asked_at = -_LOOK_AGAIN
        self.answered = 0

    @property
    def failure(self) -> ProviderError | None:
        """What the last window ended with, where the provider could not go on."""
        return self._handing.failure

    def send_one_batch(self, window: int | None = None) -> Turn:
        """Claim the next window, or the one that begins there, and hand it over.

        In the same commit it closes the window before; the last one is closed by `put_down`. The
        turn has no claim when there is nothing to hand over, and then it says why.
        """
        closing, self._closing = self._closing, None
        turn = self.claims.turn(closing, self.job.now(), self.job.limit, window)
        if turn.claim is None:
            return turn
        self.journal.begin(turn.claim.held.claim)
        try:
            with self._kept(turn.claim.held):
                self._closing = self._handing.hand_over(turn.claim, self._answered)
        except BaseException:
            self.claims.close(self._handing.interrupted(turn.claim), self.job.now())
            raise
        if self.failure or self.breaker.halts:
            self.put_down()
        return turn

    def put_down(self) -> None:
        """Commit what was handed over, and claim nothing."""
        closing, self._closing = self._closing, None
        if closing is not None:
            self.claims.close(closing, self.job.now())

    def recover(self) -> int:
        """Settle what can be settled of the windows of dead senders; how many."""
        return self._recovery.recover()

    def pause(self, because: str) -> None:
        """Let nobody claim any more of the issue."""
        if self.claims.going_on():
            self.job.ledger.operator.pause(self.job.issue.number, because)

    def close(self) -> None:
        """Keep the journal if the last commit failed: our window is still claimed."""
        if self.journal.owner.token in self.job.ledger.holding():
            self.journal.abandon()
        else:
            self.journal.close()

    def __enter__(self) -> "Hands":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answered(self, deliveries: int) -> None:
        self.answered += deliveries
        self._advance(self.answered)

    def _reserve(self, seconds: float) -> float:
        """Of the time of all senders that share the provider's limit."""
        return self.job.ledger.reserve(self.job.provider.name, seconds, self.job.now())

    def _going_on(self, claim: Claim) -> bool:
        """Between batches: nobody stopped us or the issue, and the window is still ours."""
        if self.stopping.requested:
            return False
        now, clock = self.job.now(), self.job.clock()
        left = claim.held.lease_until - now
        if left < self.job.lease / 2 and not self.claims.renew(claim.held, now):
            return False
        if clock - self._asked_at < _LOOK_AGAIN:
            return True
        self._asked_at = clock
        return self.claims.going_on()

    @contextmanager
    def _kept(self, held: Held) -> Iterator[None]:
        """Renew a short lease from beside, as long as the provider is at work on one batch.

        A process that stands still renews nothing. When it goes on, it finds its window taken
        before the next batch; what is left of this one nobody else hands over: it is unknown.
        """
        if self.job.lease >= LEASE:
            yield
            return
        done = Event()

        def renew() -> None:
            while not done.wait(self.job.lease.total_seconds() / 4):
                with suppress(StoreError):
                    if not self.claims.renew(held, self.job.now()):
                        return

        beside = Thread(target=renew, name="lease", daemon=True)
        beside.start()
        try:
            yield
        finally:
            done.set()
            beside.join()
