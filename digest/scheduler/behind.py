"""How far a cadence is behind its schedule. Pure, as the decision is."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.scheduler.decision import Situation, lateness
from digest.store.ledger.records import IssueState

_OVER = (IssueState.DONE, IssueState.CANCELLED)
_IN_TIME = timedelta(0)


def behind(situation: Situation, waiting: Sequence[datetime], now: datetime) -> timedelta:
    """How long ago the oldest issue was due that should be out, wholly, and is not; or nothing.

    `waiting`: since when readers wait for the issues that have begun. What waits for a person
    counts, and so does an issue that was paused: the readers wait as well. What somebody decided
    against does not: a cadence that is paused, an issue that was skipped.
    """
    late = [now - since for since in waiting]
    due = situation.due
    due_by_itself = due.issue.window.end >= situation.standing.since or due.state is not None
    waits = due.state not in (*_OVER, IssueState.SENDING) and not due.skipped
    if due_by_itself and waits and not situation.standing.paused_because:
        late.append(lateness(due.issue, now))
    return max((_IN_TIME, *late))
