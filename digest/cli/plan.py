"""`digest plan`: what the due issue holds and who gets it, frozen where there is a store."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

import click

from digest.cli.audience import laid_out, readership, store_of
from digest.cli.judging import judge
from digest.cli.options import at_option, cadence_option
from digest.cli.session import Session, project_command
from digest.cli.shapes import plan_json
from digest.cli.stored import freeze, replan_option
from digest.inline import plain
from digest.models import Plan

if TYPE_CHECKING:
    from digest.store.ledger.records import PlannedIssue

TITLES = 8  # stories named before "and N more"


@project_command(name="plan", example="digest plan --at '2026-11-19 09:00'")
@at_option
@cadence_option
@replan_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def command(session: Session, at: str, cadence: str | None, replan: bool, as_json: bool) -> int:
    """Show what the due issue holds and who gets it, and send nothing.

    With a store the issue is frozen: `digest send` does exactly this, or refuses. Planning it
    again shows the same plan. Without a store nothing is written.
    """
    draft = laid_out(session, at, cadence, replan=replan)
    store, state, previous = store_of(session), "", None
    if store is None:
        plan = draft.plan(readership(session))
    else:
        from digest.planning import plan_of

        frozen = freeze(session, store, draft, replan=replan)
        plan, state = plan_of(draft, frozen), frozen.issue.state.value
        previous = store.ledger.before(draft.issue.cadence, draft.issue.window.end)
    judge(session, draft, plan, store)
    if as_json:
        shape = plan_json(plan, session.findings, state, previous)
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
    else:
        show(session, plan, state, previous)
    return session.finish()


def show(
    session: Session, plan: Plan, state: str = "", previous: "PlannedIssue | None" = None
) -> None:
    """The plan for a person, on stdout."""
    zone = session.config.newsletter.timezone
    window = plan.issue.window

    def local(when: datetime) -> str:
        return f"{when.astimezone(zone):%a %d %b %Y %H:%M}"

    _row("Issue", click.style(plan.issue.id, bold=True) + (f" ({state})" if state else ""))
    _row("Window", f"{local(window.start)} – {local(window.end)} ({zone.key})")
    _row("Stories", _stories(plan))
    for story in plan.stories[:TITLES]:
        _row("", f"+ {plain(story.title)}")
    if len(plan.stories) > TITLES:
        _row("", f"  and {len(plan.stories) - TITLES} more")
    _row("Readers", _readers(plan) + _change(plan, previous))
    for reason, count in plan.skipped.items():
        _row("", f"{count:,} skipped: {reason}")
    if plan.editions:
        _row("Editions", _editions(plan))


def _row(label: str, text: str) -> None:
    click.echo(f"{label:<10}{text}")


def _stories(plan: Plan) -> str:
    left_out: dict[str, int] = {}
    for omission in plan.omitted:
        left_out[omission.reason.value] = left_out.get(omission.reason.value, 0) + 1
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    return f"{len(plan.stories)} in" + (f"; out: {reasons}" if reasons else "")


def _readers(plan: Plan) -> str:
    total = plan.readers + sum(plan.skipped.values())
    return f"{plan.readers:,} of {total:,} get a digest"


def _change(plan: Plan, previous: "PlannedIssue | None") -> str:
    if previous is None:
        return ""
    return f" ({plan.readers - previous.readers:+,} against {previous.id})"


def _editions(plan: Plan) -> str:
    sizes = plan.sizes
    if len(plan.editions) == 1:
        return f"1, HTML of {sizes[0] / 1000:.0f} kB"
    smallest, middle, largest = sizes
    return (
        f"{len(plan.editions):,} different; HTML of {smallest / 1000:.0f} to "
        f"{largest / 1000:.0f} kB, median {middle / 1000:.0f} kB"
    )
