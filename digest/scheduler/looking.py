"""What there is to decide on: the clock and the store, looked at once for one cadence."""

from datetime import datetime

from digest.cadence import next_due
from digest.config import Config
from digest.dues import closing_zone
from digest.models import Cadence, Issue
from digest.planning import as_planned, issue_of
from digest.scheduler.decision import Begun, Known, Situation
from digest.store import Store
from digest.store.ledger.records import IssueState


def look(config: Config, store: Store, cadence: Cadence, now: datetime) -> Situation:
    """How a cadence stands at `now`. The first look makes it go out by itself from then on."""
    settings = config.schedule[cadence]
    standing = store.schedule.enrol(cadence, now)
    coming = next_due(settings.due, closing_zone(config, cadence), now)
    begun = store.ledger.in_state(cadence, IssueState.SENDING)
    return Situation(
        settings,
        standing,
        _known(store, issue_of(config, store, cadence, now)),
        _known(store, issue_of(config, store, cadence, coming)),
        tuple(
            Begun(as_planned(config, one), store.ledger.work_at(one.number, now))
            for one in begun
            if one.due <= now
        ),
    )


def _known(store: Store, issue: Issue) -> Known:
    planned, skipped = store.ledger.find(issue.id), store.schedule.skipped(issue.id)
    why = skipped.reason if skipped else ""
    if planned is None:
        return Known(issue, skipped=why)
    approval = store.schedule.approval(planned.number)
    return Known(issue, planned.state, planned.paused_because, approval, why)
