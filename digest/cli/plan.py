"""`digest plan`: what the due issue would hold and who would get it."""

import json
from datetime import datetime

import click

from digest.cli.audience import draft_of, readership
from digest.cli.options import at_option, cadence_option
from digest.cli.session import Session, project_command
from digest.cli.shapes import plan_json
from digest.inline import plain
from digest.models import Plan

TITLES = 8  # stories named before "and N more"


@project_command(name="plan", example="digest plan --at '2026-11-19 09:00'")
@at_option
@cadence_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def command(session: Session, at: str, cadence: str | None, as_json: bool) -> int:
    """Show what the due issue would hold and who would get it. Writes and sends nothing."""
    draft = draft_of(session, at, cadence)
    plan = draft.plan(readership(session))
    if as_json:
        shape = plan_json(plan, session.findings)
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
    else:
        show(session, plan)
    return session.finish()


def show(session: Session, plan: Plan) -> None:
    """The plan for a person, on stdout."""
    zone = session.config.newsletter.timezone
    window = plan.issue.window

    def local(when: datetime) -> str:
        return f"{when.astimezone(zone):%a %d %b %Y %H:%M}"

    _row("Issue", click.style(plan.issue.id, bold=True))
    _row("Window", f"{local(window.start)} – {local(window.end)} ({zone.key})")
    _row("Stories", _stories(plan))
    for story in plan.stories[:TITLES]:
        _row("", f"+ {plain(story.title)}")
    if len(plan.stories) > TITLES:
        _row("", f"  and {len(plan.stories) - TITLES} more")
    _row("Readers", _readers(plan))
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


def _editions(plan: Plan) -> str:
    sizes = sorted(edition.html_bytes for edition in plan.editions)
    if len(sizes) == 1:
        return f"1, HTML of {sizes[0] / 1000:.0f} kB"
    smallest, middle, largest = sizes[0], sizes[len(sizes) // 2], sizes[-1]
    return (
        f"{len(sizes):,} different; HTML of {smallest / 1000:.0f} to "
        f"{largest / 1000:.0f} kB, median {middle / 1000:.0f} kB"
    )
