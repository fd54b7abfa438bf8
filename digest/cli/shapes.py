"""The JSON that commands print: documented in docs/json.md, stable, oldest keys first."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from digest.models import Finding, Omission, Plan, Selection, Story

if TYPE_CHECKING:
    from digest.store.ledger.records import PlannedIssue


def story_json(story: Story) -> dict[str, object]:
    """A story on one line; texts are inline Markdown as the author wrote it."""
    return {
        "id": story.id,
        "post": story.post,
        "title": story.title,
        "tldr": story.tldr,
        "takeaways": list(story.takeaways),
        "tradeoffs": list(story.tradeoffs),
        "link": story.link,
        "url": story.url,
        "published": story.published.isoformat(),
        "language": story.language,
        "tags": list(story.tags),
        "markers": list(story.markers),
        "generated": story.generated,
        "pinned": story.pinned,
        "draft": story.draft,
        "words": story.words,
        "line": story.line,
    }


def finding_json(finding: Finding) -> dict[str, object]:
    """One problem at one place."""
    return asdict(finding) | {"severity": finding.severity.value}


def plan_json(
    plan: Plan,
    findings: Iterable[Finding],
    state: str = "",
    previous: "PlannedIssue | None" = None,
) -> dict[str, object]:
    """What will happen when the issue is sent. Without a store there is no `state`."""
    smallest, median, largest = plan.sizes
    last = {"issue": previous.id, "readers": previous.readers} if previous else None
    return {
        "schema": "digest/plan@1",
        "issue": plan.issue.id,
        "cadence": plan.issue.cadence.value,
        "window": {"start": _utc(plan.issue.window.start), "end": _utc(plan.issue.window.end)},
        "readers": plan.readers,
        "editions": [
            {
                "id": edition.id,
                "language": edition.language,
                "readers": edition.readers,
                "stories": [story.id for story in edition.stories],
                "more": [story.id for story in edition.more],
                "html_bytes": edition.html_bytes,
            }
            for edition in plan.editions
        ],
        "stories": {
            "in": [story.id for story in plan.stories],
            "out": [_omission_json(omission) for omission in plan.omitted],
        },
        "skipped": dict(plan.skipped),
        "findings": [finding_json(finding) for finding in findings],
        "state": state,
        "sizes": {"smallest": smallest, "median": median, "largest": largest},
        "previous": last,
    }


def selection_json(
    email: str,
    edition: str | None,
    obstacle: str,
    selection: Selection,
    covered: datetime | None = None,
    listed: Callable[[Story], datetime] = lambda story: story.published,
) -> dict[str, object]:
    """Why one reader gets each story, or why not. `covered` is the mark of a stored reader."""
    return {
        "schema": "digest/explanation@1",
        "reader": email,
        "edition": edition,
        "obstacle": obstacle,
        "in": [
            {
                "id": pick.story.id,
                "matched": list(pick.matched),
                "listed": _utc(listed(pick.story).astimezone(UTC)),
            }
            for pick in selection.picks
        ],
        "out": [
            _omission_json(omission) | {"listed": _utc(listed(omission.story).astimezone(UTC))}
            for omission in selection.omissions
        ],
        "covered_until": _utc(covered) if covered else None,
    }


def _omission_json(omission: Omission) -> dict[str, object]:
    return {"id": omission.story.id, "reason": str(omission)}


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
