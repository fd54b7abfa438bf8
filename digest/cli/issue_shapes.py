"""The JSON of planned issues: documented in docs/json.md, stable, oldest keys first."""

from collections.abc import Sequence
from datetime import datetime

from digest.composer import delivery_id
from digest.store.ledger.records import Allowance, Contents, DeliveryRow, PlannedIssue, Totals


def head_json(issue: PlannedIssue) -> dict[str, object]:
    """An issue in a list."""
    return {
        "issue": issue.id,
        "cadence": issue.cadence.value,
        "window": {"start": _utc(issue.window.start), "end": _utc(issue.window.end)},
        "planned": _utc(issue.planned),
        "state": issue.state.value,
        "paused_because": issue.paused_because,
        "provider": issue.provider,
        "readers": issue.readers,
    }


def issue_json(
    issue: PlannedIssue, totals: Totals, contents: Contents, allowed: Sequence[Allowance] = ()
) -> dict[str, object]:
    """Everything known of an issue. `deliveries` sum to `readers`; with `skipped`: the audience."""
    return {
        "schema": "digest/issue@1",
        **head_json(issue),
        "audience": issue.readers + sum(contents.skipped.values()),
        "deliveries": {state.value: number for state, number in totals.states.items()},
        "facts": dict(totals.facts),
        "reasons": [
            {"state": state.value, "reason": reason, "deliveries": number}
            for (state, reason), number in sorted(totals.reasons.items())
        ],
        "editions": len(contents.editions),
        "stories": {
            "in": [story.id for story in contents.stories if not story.omitted],
            "out": [
                {"id": story.id, "reason": story.omitted}
                for story in contents.stories
                if story.omitted
            ],
        },
        "skipped": dict(contents.skipped),
        "allowed": [
            {"check": one.check, "findings": one.findings, "by": one.by, "at": _utc(one.at)}
            for one in allowed
        ],
    }


def delivery_json(issue_id: str, row: DeliveryRow) -> dict[str, object]:
    """One delivery; the address is empty when its subscriber was erased."""
    return {
        "delivery": delivery_id(issue_id, row.subscriber_id),
        "email": row.email,
        "attempts": row.attempts,
        "receipt": row.receipt,
        "reason": row.reason,
    }


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
