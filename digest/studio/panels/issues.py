"""The issue on the desk, its neighbours in time, and everybody it can be looked at as."""

from datetime import datetime

from digest.models import Issue, Severity
from digest.studio.cast import Role
from digest.studio.panels.checks import finding
from digest.studio.workshop import Shot, Workshop, weigh


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


def problems(shot: Shot) -> list[dict[str, object]]:
    """What leaves a post out altogether, wherever it is; told at once, before the checks."""
    errors = [one for one in shot.content.findings if one.severity is Severity.ERROR]
    return [finding(one) for one in errors]


def _when(one: Issue, now: datetime) -> str:
    if one.window.start <= now < one.window.end:
        return "now"
    return "past" if one.window.end <= now else "future"
