"""One run of a sender over one issue: hand over one window after the other, until none is left."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.errors import Outcome, ProviderError
from digest.sender.hands import Hands, Job
from digest.sender.stopping import Stopping
from digest.store.ledger.records import Idle, Turn

GIVES_UP_WAITING = timedelta(minutes=10)  # until the next retry; a later run takes it up
_NAP = 5.0  # seconds; then see whether another sender has died


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

    Where the first readers are wanted and nobody is due yet, nothing is begun.
    """
    if job.canary is not None:
        first = job.ledger.canary(job.issue.number, job.canary, job.now())
        if not first.readers and first.ready_at is not None:
            return Report(0, Idle.LATER, ready_at=first.ready_at)
        job = replace(job, canary=first.readers, limit=first.limit)
    with Hands(job, stopping, advance) as hands:
        job.ledger.begin_sending(job.issue.number, job.provider.name, job.limit)
        report = _Run(hands).go()
        job.ledger.operator.finish(job.issue.number)
    job.ledger.settle_coverage()
    return report


class _Run:
    def __init__(self, hands: Hands) -> None:
        self.hands, self.job, self.stopping = hands, hands.job, hands.stopping
        self.outages = 0

    def go(self) -> Report:
        self.hands.recover()
        while not self.stopping.requested:
            before = self.hands.answered
            turn = self.hands.send_one_batch()
            if self.hands.answered > before and not self.hands.breaker.doubts:
                self.outages = 0
            failure, because = self.hands.failure, self.hands.breaker.because
            if because and (failure is None or failure.outcome is Outcome.TEMPORARY):
                return self._paused(because)
            if failure:
                self._outage(failure)
            elif turn.claim is not None:
                if self.hands.breaker.halts and (over := self._rest()):
                    return over
            elif not self._waits(turn):
                return self._end(turn)
        self.hands.put_down()
        return Report(self.hands.answered, Idle.STOPPED, interrupted=True)

    def _waits(self, turn: Turn) -> bool:
        """Wait a little, if something may be left to do for us soon."""
        if turn.idle is Idle.BUSY:
            return self.hands.recover() > 0
        if turn.idle is not Idle.LATER or turn.ready_at is None or self.job.limit is not None:
            return False
        left = turn.ready_at - self.job.now()
        if left > GIVES_UP_WAITING:
            return False
        self.job.waits("for readers who are due then", turn.ready_at)
        self.stopping.sleep(min(_NAP, max(0.0, left.total_seconds())))
        return True

    def _outage(self, failure: ProviderError) -> None:
        """Wait for a provider that is away or has had enough for now, or give up."""
        if failure.outcome is Outcome.PERMANENT:
            self._paused(str(failure))
        if failure.outcome is not Outcome.TEMPORARY or self.outages >= len(self.job.outages):
            raise failure
        wait = max(self.job.outages[self.outages], failure.retry_after)
        self._sleep(wait, f"for {self.job.provider.name}: {failure}")
        self.outages += 1

    def _rest(self) -> Report | None:
        """Wait until those that were put off are due again, or a little before the next probe."""
        breaker = self.hands.breaker
        if not breaker.rests:
            waits = self.job.outages[self.outages :] or (0.0,)
            self._sleep(waits[0], f"for {self.job.provider.name}: it gave no answer")
            self.outages += 1
            return None
        wait = self.job.patience.rest(breaker.rests)
        if wait > GIVES_UP_WAITING:
            ready_at = self.job.now() + wait
            return Report(self.hands.answered, Idle.LATER, ready_at=ready_at)
        self._sleep(wait.total_seconds(), f"{self.job.provider.name} puts readers off")
        breaker.rested()
        return None

    def _sleep(self, seconds: float, what: str) -> None:
        self.job.waits(what, self.job.now() + timedelta(seconds=seconds))
        self.stopping.sleep(seconds)

    def _end(self, turn: Turn) -> Report:
        if self.job.limit is not None and turn.idle in (Idle.LIMIT, Idle.LATER):
            return self._paused(f"canary of {self.job.canary} readers")
        return Report(self.hands.answered, turn.idle, ready_at=turn.ready_at)

    def _paused(self, because: str) -> Report:
        self.hands.pause(because)
        return Report(self.hands.answered, Idle.STOPPED, paused_because=because)
