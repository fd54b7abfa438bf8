"""One tick of the schedule: look at the clock and the ledger, decide, do it, and look again.

It may come at any moment, in any number of processes, as often as one likes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from digest import logs, providers
from digest.config import Config
from digest.content import read_content
from digest.desk import Desk, take_in
from digest.errors import DigestError, StaleError, StoreError
from digest.freshness import Frozen, require_fresh
from digest.issues import Draft
from digest.models import Cadence, Issue, Severity
from digest.planning import freeze, material, plan_of
from digest.proofs import before, blocking, inspect_plan
from digest.scheduler.decision import Ask, Plan, Rest, Send, Skip, Step, decide
from digest.scheduler.looking import look
from digest.scheduler.pulse import Pulse
from digest.sender import JOURNALS, OUTAGES, Job, Report, Stopping, run, utc_now
from digest.store import Store
from digest.store.ledger.records import Idle, IssueState, PlannedIssue
from digest.store.schedule.records import Skipped
from digest.tokens import Keys
from digest.workers import submit

OUTBOX = "outbox"
_MOST_STEPS = 20  # of one tick; it takes a few
_CHECKED = "digest check"  # says what the errors are that a reason names
_LEFT_ALONE = timedelta(minutes=10)  # editors are not asked again sooner, before an issue is due

_log = logs.get("scheduler")

Asking = Callable[[Draft, Frozen, str], int]


Observing = Callable[[str, int, float], None]  # a batch: its provider, deliveries, seconds


def unobserved(_provider: str, _deliveries: int, _seconds: float) -> None:
    """Nobody watches."""


def nobody(_draft: Draft, _frozen: Frozen, _reason: str) -> int:
    """Mails no editor: they say yes by command."""
    return 0


@dataclass(slots=True)
class Done:
    """What a tick came to."""

    steps: list[Step] = field(default_factory=list)
    reasons: tuple[str, ...] = ()  # why nothing more is to be done
    answered: int = 0  # deliveries
    failed: bool = False  # something is in the log that somebody should look at


@dataclass(frozen=True, slots=True)
class Scheduler:
    """The schedule of one newsletter, in one process. Cadences may tick in different threads."""

    config: Config
    store: Store
    keys: Keys
    stopping: Stopping = field(default_factory=Stopping)
    now: Callable[[], datetime] = utc_now
    ask: Asking = nobody  # mails the editors; how many
    pulse: Pulse = field(default_factory=lambda: Pulse(utc_now))
    observe: Observing = unobserved
    outages: tuple[float, ...] = OUTAGES
    told: dict[Cadence, tuple[str, ...]] = field(default_factory=dict)  # the last reasons

    def tick(self, cadence: Cadence, at: datetime | None = None) -> Done:
        """Do for a cadence whatever is to be done now, or what was to be done `at` a moment.

        What can go wrong in one run is in the log and in `failed`; the next tick tries again.
        """
        done = Done()
        try:
            with self.pulse.ticking():
                self._steps(cadence, at, done)
        except DigestError as error:
            done.failed = True
            _log.error("tick.failed", cadence=cadence, failure=error, hint=error.hint)
        return done

    def _steps(self, cadence: Cadence, at: datetime | None, done: Done) -> None:
        while len(done.steps) < _MOST_STEPS and not self.stopping.requested:
            now = at or self.now()
            step = decide(look(self.config, self.store, cadence, now), now)
            if isinstance(step, Rest):
                if step.asked and self._planned_anew(step.asked, now):
                    done.steps.append(Plan(step.asked))
                    continue
                self._rest(cadence, step)
                self._forget(now)
                done.reasons = step.reasons
                break
            done.steps.append(step)
            if not self._do(step, done):
                break

    def _do(self, step: Step, done: Done) -> bool:
        """Take a step. False when it is better to look again at the next tick."""
        match step:
            case Plan(issue):
                self._plan(issue)
            case Ask(issue, reason):
                return self._ask(issue, reason)
            case Skip(issue, reason):
                self._skip(issue, reason)
            case Send(issue):
                return self._send(issue, done)
        return True

    def _rest(self, cadence: Cadence, step: Rest) -> None:
        """Say why nothing is done, once."""
        if self.told.get(cadence, ()) != step.reasons:
            self.told[cadence] = step.reasons
            for reason in step.reasons:
                _log.info("schedule.waits", cadence=cadence, reason=reason)

    def _forget(self, now: datetime) -> None:
        """Addresses that nobody confirmed in time, and what was counted of links long ago."""
        waited = timedelta(days=self.config.web.confirm_days)
        if number := self.store.requests.purge(now - waited):
            _log.info("requests.forgotten", number=number)
        if number := self.store.links.purge(now):
            _log.info("clicks.forgotten", number=number)

    def _plan(self, issue: Issue, outdated: int = 0) -> Frozen:
        """Freeze an issue, in place of the plan with the number `outdated` if that is given."""
        replan = outdated > 0
        draft, errors = self._draft(issue, replan=replan)
        provider, now = self.config.provider, self.now()
        frozen = freeze(
            draft, self.store, provider=provider, now=now,
            replan=replan, outdated=outdated,
        )  # fmt: skip
        if frozen.issue.planned == now:  # by us, and not by another process that was first
            readers = frozen.issue.readers
            _log.info("issue.planned", issue=issue.id, readers=readers, left_out=errors)
        for earlier in self.store.ledger.in_state(issue.cadence, IssueState.PLANNED):
            if earlier.due < issue.window.end:
                skipped = Skipped(
                    earlier.id, earlier.due, f"not sent before {issue.id} was planned"
                )
                self._note(skipped)
        return frozen

    def _needs_a_yes(self, draft: Draft, frozen: Frozen) -> bool:
        """Whether errors keep an issue from going out by itself; what was approved goes."""
        number = frozen.issue.number
        begun = frozen.issue.state is not IssueState.PLANNED
        if begun or self.store.schedule.approval(number):
            return False
        if errors := self._errors(draft, frozen):
            self.store.schedule.require(number, errors)
        return bool(errors)

    def _errors(self, draft: Draft, frozen: Frozen) -> str:
        """What the checks find that stops a send, in words; empty when nothing does."""
        if self.config.provider == OUTBOX or not frozen.issue.readers:
            return ""
        plan, last = plan_of(draft, frozen), before(self.store, draft.issue)
        errors = blocking(inspect_plan(draft, plan, last))
        if not errors:
            return ""
        checks = sorted({finding.check for finding in errors})
        _log.warning("issue.errors", issue=draft.issue.id, checks=checks, errors=len(errors))
        number = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        return f"{number} ({', '.join(checks)}): {_CHECKED}"

    def _ask(self, issue: Issue, reason: str) -> bool:
        """Let the editors know of a planned issue, by the one process that is the first to try."""
        planned, schedule = self.store.ledger.find(issue.id), self.store.schedule
        if planned is None:
            return True
        if known := schedule.approval(planned.number):
            reason = known.reason
        schedule.require(planned.number, reason)
        if not schedule.may_ask(planned.number, self.now()):
            return False
        draft, _ = self._draft(issue)
        frozen = Frozen(planned, self.store.ledger.contents(planned.number))
        if not self._fresh(draft, frozen):
            return True
        looked = known is not None and reason.endswith(_CHECKED)
        errors = "" if looked else self._errors(draft, frozen)
        reason = "; ".join(filter(None, (reason, errors)))
        editors = self.ask(draft, frozen, reason)
        schedule.asked(planned.number, reason, self.now())
        _log.info("issue.asked", issue=issue.id, editors=editors, reason=reason)
        return True

    def _planned_anew(self, issue: Issue, now: datetime) -> bool:
        """Whether what the editors were asked about is not what would go out, and they are to be
        asked again: while there is time, and not once for every key that an author presses."""
        planned = self.store.ledger.find(issue.id)
        approval = planned and self.store.schedule.approval(planned.number)
        if not planned or not approval or not approval.seen or now - approval.seen < _LEFT_ALONE:
            return False
        draft, _ = self._draft(issue)
        return not self._fresh(draft, Frozen(planned, self.store.ledger.contents(planned.number)))

    def _skip(self, issue: Issue, reason: str) -> None:
        self._note(Skipped(issue.id, issue.window.end, reason))

    def _note(self, skipped: Skipped) -> None:
        if self.store.schedule.skip(skipped):
            _log.warning("issue.skipped", issue=skipped.id, reason=skipped.reason)

    def _send(self, issue: Issue, done: Done) -> bool:
        """Hand over what may be handed over now. True when the issue is done."""
        planned = self.store.ledger.find(issue.id)
        if planned is None:
            return True
        draft, _ = self._draft(issue)
        frozen = Frozen(planned, self.store.ledger.contents(planned.number))
        if not self._fresh(draft, frozen):
            done.failed = planned.state is IssueState.SENDING
            return not done.failed
        if self._needs_a_yes(draft, frozen):
            return True
        _log.info("issue.sending", issue=issue.id, readers=planned.readers)
        report = self._run(draft, frozen)
        done.answered += report.answered
        return self._tell(issue, report, done)

    def _fresh(self, draft: Draft, frozen: Frozen) -> bool:
        """Whether the plan still stands. Otherwise the log says what has changed, and it is made
        anew, where nothing of it left; to one that took a yes the new one takes another."""
        approval = self.store.schedule.approval(frozen.issue.number)
        try:
            require_fresh(draft, frozen, ahead=approval is not None)
        except StaleError as error:
            issue, changes = frozen.issue, error.changes
            _log.warning("issue.stale", issue=issue.id, changes=changes)
            if issue.state is not IssueState.PLANNED:
                return False
            anew = self._in_place_of(issue, draft.issue)
            if approval is not None and anew is not None:
                why = f"changed since you were asked: {'; '.join(changes)}"
                self.store.schedule.require(anew.issue.number, why)
            return False
        return True

    def _in_place_of(self, old: PlannedIssue, issue: Issue) -> Frozen | None:
        """A new plan; None when another process was at it at the same time, and first."""
        try:
            return self._plan(issue, outdated=old.number)
        except StoreError:
            there = self.store.ledger.find(old.id)
            if there is None or there.number == old.number:
                raise
            return None

    def _run(self, draft: Draft, frozen: Frozen) -> Report:
        config, ledger = self.config, self.store.ledger
        if config.workers:
            submit(self.store, frozen.issue.number, config.provider)
            return Report(0, Idle.BUSY)
        provider = providers.connect(config)
        try:
            job = Job(
                ledger=ledger,
                issue=frozen.issue,
                material=material(draft, ledger, frozen.issue),
                provider=provider,
                journals=config.root / JOURNALS,
                restraint=config.restraint,
                outages=() if config.provider == OUTBOX else self.outages,
                now=self.now,
                observe=self._observed,
            )
            return run(job, self.stopping)
        finally:
            provider.close()

    def _observed(self, deliveries: int, seconds: float) -> None:
        self.pulse.beat()
        self.observe(self.config.provider, deliveries, seconds)

    def _tell(self, issue: Issue, report: Report, done: Done) -> bool:
        name, answered = issue.id, report.answered
        if report.paused_because:
            _log.error("issue.paused", issue=name, answered=answered, reason=report.paused_because)
            done.failed = True
        elif report.ended is Idle.DONE:
            _log.info("issue.sent", issue=name, answered=answered)
        else:
            why = "stopping" if report.interrupted else report.ended
            _log.info(
                "issue.waits", issue=name, answered=answered, reason=why, ready_at=report.ready_at
            )
        return report.ended is Idle.DONE

    def _draft(self, issue: Issue, *, replan: bool = False) -> tuple[Draft, int]:
        """The issue on the desk, with the posts as they are now; and how many are left out."""
        now = self.now()
        content, listing = take_in(self.store, partial(read_content, self.config), now)
        errors = sum(finding.severity is Severity.ERROR for finding in content.findings)
        desk = Desk(self.config, content, listing, self.keys, self.store, now)
        return desk.lay_out(issue, replan=replan), errors
