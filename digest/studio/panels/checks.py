"""What is wrong in posts, templates, settings and editions: what `digest check` says of them."""

from digest.checks import find, in_order
from digest.models import Finding
from digest.proofs import inspect_content, inspect_issue
from digest.studio.workshop import Shot, Workshop

WHOLE = 2_000  # posts; in a larger folder only those of the window are looked at after each save


def checks(workshop: Workshop, shot: Shot) -> dict[str, object]:
    """Every finding, blocking ones first, and what each check is for."""
    whole = shot.content.posts <= WHOLE
    content = workshop.content() if whole else shot.content
    found = in_order(
        (
            *content.findings,
            *shot.draft.renderer.findings(),
            *inspect_content(shot.draft.config, content),
            *inspect_issue(shot.draft),
        )
    )
    posts = {pick.story.post for pick in shot.selection.picks}
    return {
        "whole": whole,
        "findings": [{**finding(one), "here": one.path in posts} for one in found],
        "rules": {one.check: _rule(one.check) for one in found},
    }


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


def _rule(check: str) -> dict[str, str]:
    rule = find(check)
    return {"title": rule.title, "why": rule.why, "fix": rule.fix} if rule else {}
