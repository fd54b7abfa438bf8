"""What a worker does of a job: one batch of an issue, which it keeps at hand since the first."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest import logs
from digest.config import Config
from digest.content import read_content
from digest.desk import Desk, glance
from digest.errors import DigestError, Outcome
from digest.freshness import Frozen, require_fresh
from digest.planning import as_planned, material
from digest.providers import Provider
from digest.sender import JOURNALS, OUTAGES, Hands, Job, Stopping, utc_now
from digest.store import Store
from digest.store.ledger.records import IssueState, PlannedIssue
from digest.tokens import Keys
from digest.workers import BATCH

# Within a minute the window of a machine that was lost is another's to settle; a batch that takes
# longer keeps its lease as long as its process runs.
LEASE = timedelta(seconds=30)
AGAIN = timedelta(seconds=30)  # later, where a provider is away or something is to be mended

_log = logs.get("worker")


@dataclass(slots=True)
class Workplace:
    """The issues that one worker is at. Not for two threads."""

    config: Config
    store: Store
    keys: Keys
    provider: Provider
    stopping: Stopping = field(default_factory=Stopping)
    _hands: dict[int, Hands] = field(default_factory=dict)
    _not_before: dict[int, datetime] = field(default_factory=dict)  # of issues that failed here
    _outages: int = 0  # in a row

    def send(self, number: int, window: int) -> None:
        """Claim a window of an issue, hand it over and commit it. Whatever else holds it, or has
        done it already, makes this nothing.

        What is left open gets a job at its time. What goes wrong is in the log, and tried again.
        """
        until = self._not_before.get(number)
        if until is None or until <= utc_now():
            try:
                self._send(number, window)
            except DigestError as error:
                _log.error("worker.failed", issue=number, failure=error, hint=error.hint)
                self._not_before[number] = until = utc_now() + AGAIN
            else:
                return
        self._leave(number, window, until)

    def close(self) -> None:
        """Put everything away."""
        for hands in self._hands.values():
            hands.close()
        self._hands.clear()

    def _send(self, number: int, window: int) -> None:
        hands = self._at(number)
        if hands is None:
            return
        turn = hands.send_one_batch(window)
        hands.put_down()
        if turn.claim is not None:  # else it is another's, or done
            self._leave(number, window, self._trouble(hands))
        if self.store.ledger.operator.finish(number):
            self.store.ledger.settle_coverage()
            _log.info("issue.sent", issue=hands.job.issue.id)
            self._clear(number)

    def _trouble(self, hands: Hands) -> datetime | None:
        """Pause the issue where somebody has to mend something; else when to go on, or at once."""
        failure = hands.failure
        because = hands.breaker.because
        if failure is not None and failure.outcome is Outcome.PERMANENT:
            because = str(failure)
        if because:
            hands.pause(because)
            _log.error("issue.paused", issue=hands.job.issue.id, reason=because)
            self._clear(hands.job.issue.number)
            return None
        if failure is None and hands.breaker.rests:
            return self._rest(hands)
        if failure is None and not hands.breaker.doubts:
            self._outages = 0
            return None
        _log.warning("worker.waits", issue=hands.job.issue.id, failure=failure)
        usual = OUTAGES[min(self._outages, len(OUTAGES) - 1)]
        self.stopping.sleep(max(usual, failure.retry_after if failure else 0.0))
        self._outages += 1
        return utc_now() + AGAIN

    def _rest(self, hands: Hands) -> datetime:
        """Leave the issue alone until those that were put off are due again."""
        number, breaker = hands.job.issue.number, hands.breaker
        until = utc_now() + hands.job.patience.rest(breaker.rests)
        _log.warning("worker.waits", issue=hands.job.issue.id, until=until)
        breaker.rested()
        self._not_before[number] = until
        return until

    def _leave(self, number: int, window: int, not_before: datetime | None) -> None:
        """Put back what is still open of a window."""
        from digest.workers.queue import defer

        name = self.provider.name
        self.store.ledger.enqueue(number, name, defer(not_before), most=BATCH, only=window)

    def _at(self, number: int) -> Hands | None:
        """Our hands at an issue that is being sent, with everything that it was made of.

        StaleError where what is here is not what was planned: another machine has the right one.
        """
        planned = self.store.ledger.numbered(number)
        if planned is None or planned.state is not IssueState.SENDING:
            self._clear(number)
            return None
        if number not in self._hands:
            self._hands[number] = self._pick_up(planned)
        return self._hands[number]

    def _pick_up(self, planned: PlannedIssue) -> Hands:
        content, now = read_content(self.config), utc_now()
        listing = glance(self.store, content.stories, now)
        desk = Desk(self.config, content, listing, self.keys, self.store, now)
        draft = desk.lay_out(as_planned(self.config, planned))
        require_fresh(draft, Frozen(planned, self.store.ledger.contents(planned.number)))
        return Hands(
            Job(
                ledger=self.store.ledger,
                issue=planned,
                material=material(draft, self.store.ledger, planned),
                provider=self.provider,
                journals=self.config.root / JOURNALS,
                restraint=self.config.restraint,
                lease=LEASE,
            ),
            self.stopping,
        )

    def _clear(self, number: int) -> None:
        hands = self._hands.pop(number, None)
        if hands is not None:
            hands.close()
