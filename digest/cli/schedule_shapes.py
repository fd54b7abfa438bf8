"""The schedule as JSON (docs/json.md)."""

from collections.abc import Sequence
from typing import Any

from digest.config import Config
from digest.models import Issue
from digest.scheduler import Outlook


def outlook_json(config: Config, found: Outlook) -> dict[str, Any]:
    """`digest/schedule@1`."""
    return {
        "schema": "digest/schedule@1",
        "issues": [
            {
                **issue_json(one.issue),
                "readers": one.readers,
                "stories": one.stories,
                "state": one.state,
            }
            for one in found.ahead
        ],
        "cadences": [
            {
                "cadence": cadence.value,
                "local_time": settings.local_time,
                "choose": settings.choose,
                "approve": settings.approve,
                "missed": settings.missed.value,
                "late_seconds": int(settings.late.total_seconds()),
                "since": standing.since.isoformat() if standing else None,
                "paused_because": standing.paused_because if standing else "",
                "waits": list(found.reasons.get(cadence, ())),
            }
            for cadence, settings in config.schedule.items()
            for standing in [found.cadences.get(cadence)]
        ],
        "skipped": [
            {"issue": one.id, "due": one.due.isoformat(), "reason": one.reason}
            for one in found.skipped
        ],
    }


def moments_json(issues: Sequence[Issue]) -> dict[str, Any]:
    """`digest/schedule-next@1`."""
    return {"schema": "digest/schedule-next@1", "issues": [issue_json(one) for one in issues]}


def issue_json(issue: Issue) -> dict[str, Any]:
    """An issue to come."""
    return {
        "issue": issue.id,
        "cadence": issue.cadence.value,
        "due": issue.window.end.isoformat(),
        "window": {"start": issue.window.start.isoformat(), "end": issue.window.end.isoformat()},
    }
