"""`digest check --impact`: what changed posts will do, in the form that findings have."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from digest.cli.reports import data, in_repository, property_of
from digest.cli.session import Session
from digest.cli.tables import counted

if TYPE_CHECKING:
    from digest.impact import Impact


def impacts_of(session: Session, base: str) -> "list[Impact]":
    """Of the posts that differ from `base`, or from where the main branch was left."""
    from digest.changes import changes, is_shallow
    from digest.cli.audience import desk_of, keys_of, readership
    from digest.impact import impacts

    config = session.config
    changed = changes(config.content.folder, base)
    if not changed and not base and is_shallow(config.content.folder):
        session.say("this clone lacks its history, in which the branch began")
        session.say("  name what to compare with: --base; in CI, fetch it: fetch-depth: 0")
    people, desk = readership(session, report=False), desk_of(session, takes_in=False)
    keys, now = keys_of(session), datetime.now(UTC)
    return impacts(config, session.content, changed, people, keys, now, desk)


def tell(session: Session, found: "Sequence[Impact]", shape: str) -> None:
    """In one of the formats of `digest check`; SARIF has no place for it."""
    named = in_repository(session.config.root) if shape == "github" else str
    for impact in found:
        if shape == "json":
            click.echo(json.dumps(impact_json(impact), ensure_ascii=False))
        elif shape == "github":
            text = "; ".join(_sentences(session, impact))
            place = f"file={property_of(named(impact.path))},line=1,title=impact"
            click.echo(f"::notice {place}::{data(text)}")
        elif shape == "text":
            click.echo(f"{click.style('impact', fg='cyan')}  {impact.path}")
            for sentence in _sentences(session, impact):
                click.echo(f"          {sentence}")
    if not found:
        session.say("no post has changed")


def impact_json(impact: "Impact") -> dict[str, object]:
    """One changed post."""
    return {
        "schema": "digest/impact@1",
        "path": impact.path,
        "new": impact.new,
        "stories": impact.stories,
        "tags": list(impact.tags),
        "added": list(impact.added),
        "removed": list(impact.removed),
        "html_bytes": impact.size,
        "html_bytes_more": impact.grown,
        "issues": [
            {
                "issue": reach.issue.id,
                "due": reach.issue.date.isoformat(),
                "readers": reach.readers,
                "of": reach.of,
            }
            for reach in impact.reaches
        ],
        "note": impact.note,
    }


def _sentences(session: Session, impact: "Impact") -> list[str]:
    """Which tags, who gets it and when, what it adds."""
    zone = session.config.newsletter.timezone
    told = [f"{'new' if impact.new else 'edited'}, {counted(impact.stories, 'story', 'stories')}"]
    tags = " ".join(f"#{tag}" for tag in impact.tags) or "no tags"
    for words, changed in (("with", impact.added), ("without", impact.removed)):
        if changed and not impact.new:
            tags += f" ({words} {' '.join(f'#{tag}' for tag in changed)} now)"
    told.append(tags)
    if impact.note:
        told.append(impact.note)
    for reach in impact.reaches:
        due = reach.issue.date.astimezone(zone)
        when = f"in {reach.issue.id}, {due:%a %d %b %Y %H:%M}"
        if reach.of:
            told.append(f"{when}: {reach.readers:,} of {counted(reach.of, 'reader')} get it")
    if impact.reaches and not any(reach.of for reach in impact.reaches):
        told.append(f"in {impact.reaches[0].issue.id}; no readers are known here")
    more = "" if impact.new else f", {impact.grown / 1000:+.1f} kB against before"
    told.append(f"adds {impact.size / 1000:.1f} kB to their digest{more}")
    return told
