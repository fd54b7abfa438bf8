"""What is to be done for a cadence now. Pure: the settings, what the ledger knows, and `now`.

| the due issue | goes on by |
|---|---|
| not planned, in time | plan, then send |
| not planned, late | `missed`: send it up to the limit, skip it, or ask |
| planned, needs a yes | ask the editors, then wait; what is approved is sent |
| begun | send, until nothing is left of it |
| held, paused, skipped, done | nothing |

Asked again after each step, and by whatever process: the same ledger gives the same answer, so a
tick too many does nothing, and a missed one is made up for by the next.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.config import CadenceConfig, Missed
from digest.models import Issue
from digest.store.ledger.records import IssueState
from digest.store.schedule.records import Answer, Approval, Standing

GRACE = timedelta(minutes=10)  # a restart or a slow night is not "late"
APPROVE = "approve is set"


@dataclass(frozen=True, slots=True)
class Known:
    """An issue, as far as the store knows it."""

    issue: Issue
    state: IssueState | None = None  # None: not planned
    paused_because: str = ""
    approval: Approval | None = None
    skipped: str = ""  # why


@dataclass(frozen=True, slots=True)
class Begun:
    """An issue that has begun to go out and is not done."""

    issue: Issue
    work_at: datetime  # when there is something to do


@dataclass(frozen=True, slots=True)
class Situation:
    """One cadence, before a decision."""

    settings: CadenceConfig
    standing: Standing
    due: Known  # the newest that is due
    coming: Known  # the one after it
    begun: tuple[Begun, ...] = ()  # oldest first


@dataclass(frozen=True, slots=True)
class Plan:
    """Freeze an issue."""

    issue: Issue


@dataclass(frozen=True, slots=True)
class Ask:
    """Let the editors say whether an issue goes out."""

    issue: Issue
    reason: str


@dataclass(frozen=True, slots=True)
class Send:
    """Hand over what may be handed over of an issue."""

    issue: Issue


@dataclass(frozen=True, slots=True)
class Skip:
    """Note that an issue does not go out by itself."""

    issue: Issue
    reason: str


@dataclass(frozen=True, slots=True)
class Rest:
    """There is nothing to do; `reasons` when somebody might expect that there were."""

    reasons: tuple[str, ...] = ()
    asked: Issue | None = None  # its plan is with the editors: worth a look whether it stands


Step = Plan | Ask | Send | Skip | Rest


def decide(situation: Situation, now: datetime) -> Step:
    """The next step. Begun issues go on also while the cadence is paused."""
    for begun in situation.begun:
        if begun.work_at <= now:
            return Send(begun.issue)
    waiting = [
        f"{begun.issue.id} goes on at {begun.work_at:%Y-%m-%d %H:%M} UTC"
        for begun in situation.begun
    ]
    if situation.standing.paused_because:
        return Rest((*waiting, f"paused: {situation.standing.paused_because}"))
    reasons, asked = waiting, None
    for step in (_due(situation, now), _coming(situation, now)):
        if not isinstance(step, Rest):
            return step
        reasons += step.reasons
        asked = asked or step.asked
    return Rest(tuple(reasons), asked)


def lateness(issue: Issue, now: datetime) -> timedelta:
    """How long the issue has been due; negative before."""
    return now - issue.window.end


def _due(situation: Situation, now: datetime) -> Step:
    """The step for the issue that is due."""
    known, settings = situation.due, situation.settings
    issue, late = known.issue, lateness(known.issue, now)
    if known.skipped:
        return Rest((f"{issue.id} was skipped: {known.skipped}",))
    if known.state is IssueState.PAUSED:
        return Rest((f"{issue.id} is paused: {known.paused_because}",))
    before = known.state is None and issue.window.end < situation.standing.since
    if before or known.state not in (None, IssueState.PLANNED):
        return Rest()
    if why := _too_late(settings, known, late):
        return Skip(issue, why)
    if known.state is None:
        return Plan(issue)
    return _planned(known, _reason(settings, known, late)) or Send(issue)


def _too_late(settings: CadenceConfig, known: Known, late: timedelta) -> str:
    """Why a missed issue does not go out at all; empty when it may.

    Where a person is asked, the person decides.
    """
    if late <= GRACE or known.approval is not None:
        return ""
    if settings.missed is Missed.SKIP:
        return f"{in_words(late)} late, and missed issues are skipped"
    if settings.missed is Missed.SEND and not settings.approve and late > settings.late:
        return f"{in_words(late)} late, and {in_words(settings.late)} is the limit"
    return ""


def _coming(situation: Situation, now: datetime) -> Step:
    """The step for the issue that is planned ahead, so that somebody can look at it."""
    known, settings = situation.coming, situation.settings
    begins = known.issue.window.end - settings.plan_ahead
    if not settings.approve or now < begins or known.skipped:
        return Rest()
    if known.state is None:
        return Plan(known.issue)
    if known.state is not IssueState.PLANNED:
        return Rest()
    approved = f"{known.issue.id} is approved and not due yet"
    return _planned(known, APPROVE) or Rest((approved,), known.issue)


def _reason(settings: CadenceConfig, known: Known, late: timedelta) -> str:
    """Why a planned issue needs a yes; empty when it needs none."""
    if known.approval is not None:
        return known.approval.reason
    if settings.approve:
        return APPROVE
    if settings.missed is Missed.ASK and late > GRACE:
        return f"{in_words(late)} late, and missed issues are asked about"
    return ""


def _planned(known: Known, reason: str) -> Step | None:
    """What is to be done before a planned issue may go out; None when nothing is."""
    if not reason:
        return None
    name, approval = known.issue.id, known.approval
    if approval is None or (approval.asked is None and approval.answer is Answer.NONE):
        return Ask(known.issue, reason)
    if approval.answer is Answer.NONE:
        return Rest((f"{name} waits for an editor's yes: {reason}",), known.issue)
    if approval.answer is Answer.HELD:
        return Rest((f"{name} is held: {reason}",))
    return None


def in_words(span: timedelta) -> str:
    """`90 min`, `13 h` or `3 days`."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
