"""`digest explain`: why a reader gets each story, or why not."""

import json
from datetime import datetime

import click

from digest.cli.audience import draft_for, somebody
from digest.cli.options import at_option, cadence_option
from digest.cli.session import Session, project_command
from digest.cli.shapes import selection_json
from digest.errors import DigestError
from digest.issues import Draft
from digest.models import Reason, Selection, Story

FAR = {Reason.BEFORE_WINDOW, Reason.AFTER_WINDOW, Reason.FUTURE}


@project_command(name="explain", example="digest explain ana@example.com --at latest")
@click.argument("who", metavar="EMAIL|PERSONA|TAGS")
@click.argument("story", required=False)
@at_option
@cadence_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def command(
    session: Session, who: str, story: str | None, at: str, cadence: str | None, as_json: bool
) -> int:
    """Say why a reader gets each story of an issue, or why not."""
    found = somebody(session, who)
    reader = found.subscriber
    draft, covered = draft_for(session, found, at, cadence)
    selection = draft.selection(reader.preferences, covered)
    if story:
        selection = _only(selection, story)
    if as_json:
        composition = draft.composition(reader.preferences, covered)
        edition = composition.edition.id if composition else None
        shape = {"issue": draft.issue.id} | selection_json(
            reader.email, edition, found.obstacle, selection, found.covered, draft.listing.of
        )
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
        return session.finish()
    session.say(f"{draft.issue.id}, {draft.issue.window.start:%Y-%m-%d} to {draft.issue.date:%F}")
    if found.obstacle:
        session.say(f"{reader.email} gets nothing at all: {found.obstacle}")
    if reader.cadence is not draft.issue.cadence:
        session.say(f"{reader.email} gets the {reader.cadence} issue, not {draft.issue.id}")
    if found.covered:
        session.say(_reached(found.covered, draft))
    _show(selection, draft, everything=bool(story) or session.verbose)
    return session.finish()


def _only(selection: Selection, story: str) -> Selection:
    picks = tuple(pick for pick in selection.picks if pick.story.id == story)
    omissions = tuple(out for out in selection.omissions if out.story.id == story)
    if not picks and not omissions:
        raise DigestError(f"no story has the id {story!r}", hint="digest stories --json lists them")
    return Selection(picks, omissions)


def _reached(covered: datetime, draft: Draft) -> str:
    """Up to when the reader has been sent everything, and what that means for this issue."""
    until = f"{covered.astimezone(draft.config.newsletter.timezone):%Y-%m-%d %H:%M}"
    window = draft.issue.window
    if covered >= window.end:
        return f"an issue that covers this one was handed over already, until {until}"
    if covered < window.start:
        return f"earlier stories too: the last issue handed over covers until {until}"
    return f"later stories only: the last issue handed over covers until {until}"


def _show(selection: Selection, draft: Draft, *, everything: bool) -> None:
    """In first, then out; what is merely of another time is counted unless asked for."""
    for pick in selection.picks:
        why = " ".join(f"#{tag}" for tag in pick.matched) or "everything"
        told = f"{pick.story.id}  because of {why}{_late(pick.story, draft)}"
        click.echo(f"{click.style('in ', fg='green')}  {told}")
    shown = [out for out in selection.omissions if everything or out.reason not in FAR]
    for out in shown:
        told = f"{out.story.id}  {out}{_late(out.story, draft)}"
        click.echo(f"{click.style('out', fg='yellow')}  {told}")
    if hidden := len(selection.omissions) - len(shown):
        click.echo(f"     {hidden} more of other weeks (-v shows them)", err=True)


def _late(story: Story, draft: Draft) -> str:
    """That a story appeared after its own date, by which alone it would be in another issue."""
    listed, zone = draft.listing.of(story), draft.config.newsletter.timezone
    if listed <= story.published:
        return ""
    return (
        f" (dated {story.published.astimezone(zone):%Y-%m-%d %H:%M}, "
        f"it appeared after {listed.astimezone(zone):%Y-%m-%d %H:%M} and counts from then)"
    )
