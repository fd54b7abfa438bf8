"""The issue on the desk, its neighbours in time, and everybody it can be looked at as."""

from datetime import datetime

from digest.models import Finding, Issue, Severity
from digest.studio.cast import Role
from digest.studio.workshop import Shot, Workshop, weigh

_RANK = {severity: place for place, severity in enumerate(Severity)}


def issue(shot: Shot, workshop: Workshop) -> dict[str, object]:
    """The issue's names and its window in the newsletter's zone."""
    zone = shot.draft.config.newsletter.timezone
    window, now = shot.issue.window, workshop.opening.now()
    return {
        "id": shot.issue.id,
        "cadence": shot.issue.cadence.value,
        "due": shot.issue.date.isoformat(),
        "start": window.start.astimezone(zone).isoformat(),
        "end": window.end.astimezone(zone).isoformat(),
        "open": window.start <= now < window.end,
        "future": now < window.start,
        "cadences": [cadence.value for cadence in shot.draft.config.schedule],
    }


def calendar(shot: Shot, workshop: Workshop) -> list[dict[str, object]]:
    """Every issue of the cadence with its number of posts, oldest first."""
    now = workshop.opening.now()
    return [
        {"id": one.id, "posts": posts, "when": _when(one, now)}
        for one, posts in workshop.calendar(shot.issue.cadence)
    ]


def roles(found: list[Role], shot: Shot) -> list[dict[str, object]]:
    """Everybody, with what they would get."""
    return [role(one, shot) for one in found]


def role(one: Role, shot: Shot) -> dict[str, object]:
    """One way to look at the issue."""
    return {
        "key": one.key,
        "name": one.name,
        "about": one.about,
        "edge": one.edge,
        "stories": len(shot.draft.selection(one.preferences).picks),
        "bytes": weigh(shot.draft, one.preferences),
    }


def findings(shot: Shot) -> list[dict[str, object]]:
    """What is wrong in posts and templates, the worst first."""
    every = {*shot.content.findings, *shot.draft.renderer.findings()}
    ordered = sorted(every, key=lambda one: (_RANK[one.severity], one))
    return [finding(one) for one in ordered]


def finding(one: Finding) -> dict[str, object]:
    """A finding as the page shows it."""
    return {
        "path": one.path,
        "line": one.line,
        "check": one.check,
        "severity": one.severity.value,
        "message": f"{one.key}: {one.message}" if one.key else one.message,
        "fix": one.fix,
    }


def _when(one: Issue, now: datetime) -> str:
    if one.window.start <= now < one.window.end:
        return "now"
    return "past" if one.window.end <= now else "future"
