"""All checks of one kind of thing, in one go, each finding told once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from digest.checks import (
    accessibility,
    content,
    editions,
    headers,
    links,
    privacy,
    rendering,
    tags,
)
from digest.checks.places import Places
from digest.checks.proof import Before, Copy, Proof
from digest.hashtags import Vocabulary
from digest.models import Finding, Severity, Story

_BLOCKING_FIRST = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def check_stories(
    stories: Sequence[Story], places: Places, vocabulary: Vocabulary
) -> Iterator[Finding]:
    """What can be told from the posts alone."""
    yield from check_texts(stories, places)
    yield from tags.check_stories(stories, places, vocabulary)


def check_texts(stories: Sequence[Story], places: Places) -> Iterator[Finding]:
    """What stories say and where they link; each finding is about one post."""
    yield from content.check_stories(stories, places)
    yield from links.check_stories(stories, places)


def check_proof(proof: Proof) -> list[Finding]:
    """What can be told from one language's message; what many stories share is told once."""
    found = (
        *rendering.check_proof(proof),
        *accessibility.check_proof(proof),
        *privacy.check_proof(proof),
        *headers.check_proof(proof),
        *editions.check_proof(proof),
    )
    return list(dict.fromkeys(found))


def check_issue(issue: str, copies: Sequence[Copy], before: Before | None = None) -> list[Finding]:
    """What can be told from the editions; the worst of each kind stands for the others."""
    found = list(editions.check_copies(issue, copies, before))
    numbers = Counter(finding.check for finding in found)
    first: dict[str, Finding] = {}
    for finding in found:
        first.setdefault(finding.check, finding)
    return [
        _standing_for(one, numbers[check] - 1) if numbers[check] > 1 else one
        for check, one in first.items()
    ]


def _standing_for(finding: Finding, others: int) -> Finding:
    more = f"{finding.message}; and {others:,} more edition{'s' if others > 1 else ''}"
    return Finding(
        finding.path, finding.line, finding.check, finding.severity, more, finding.key, finding.fix
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Blocking ones first, then by place."""
    return sorted(set(findings), key=lambda one: (_BLOCKING_FIRST[one.severity], one))
