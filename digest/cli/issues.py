"""`digest issues`: what was planned and sent, and the plug."""

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from digest.cli.exits import Exit
from digest.cli.groups import command_group
from digest.cli.session import Session, project_command
from digest.cli.stored import planned_issue, required_store
from digest.cli.tables import counted
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.store import Store
    from digest.store.ledger.records import PlannedIssue

json_option = click.option("--json", "as_json", is_flag=True, help="JSON (docs/json.md).")


@project_command(name="list", example="digest issues list --json")
@json_option
def list_issues(session: Session, as_json: bool) -> int:
    """List every issue that was planned, newest first."""
    from digest.cli.issue_shapes import head_json

    store = required_store(session)
    issues, said = store.ledger.issues(), store.archive.said()
    if as_json:
        heads = [head_json(one) | {"visibility": said.get(one.id)} for one in issues]
        shape = {"schema": "digest/issues@1", "issues": heads}
        click.echo(json.dumps(shape, indent=2))
        return session.finish()
    for issue in issues:
        state = click.style(f"{issue.state.value:<9}", bold=True)
        shown = f"  {said[issue.id]}" if issue.id in said else ""
        click.echo(f"{issue.id:<22}{state} {issue.readers:>9,} readers  {issue.provider}{shown}")
    session.say(counted(len(issues), "issue"))
    return session.finish()


@project_command(name="show", example="digest issues show weekly-2026-11-19 --list unknown")
@click.argument("issue")
@click.option(
    "--list",
    "listed",
    type=click.Choice(
        ["planned", "claimed", "submitted", "failed", "unknown", "suppressed", "cancelled"]
    ),
    help="Also the deliveries in this state.",
)
@json_option
def show_issue(session: Session, issue: str, listed: str | None, as_json: bool) -> int:
    """Account for every reader of an issue."""
    from digest.cli.issue_shapes import delivery_json, issue_json
    from digest.store.ledger.records import DeliveryState

    store = required_store(session)
    planned = planned_issue(store, issue)
    ledger, number = store.ledger, planned.number
    allowed = ledger.operator.allowed(number)
    shape = issue_json(planned, ledger.totals(number), ledger.contents(number), allowed)
    if listed:
        rows = ledger.deliveries(number, DeliveryState(listed))
        shape["listed"] = [delivery_json(planned.id, row) for row in rows]
    if as_json:
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
    else:
        _tell(shape)
    return session.finish()


def _tell(shape: dict[str, Any]) -> None:
    """An issue's accounts for a person, from its JSON."""
    because = f": {shape['paused_because']}" if shape["paused_because"] else ""
    click.echo(f"{shape['issue']} is {shape['state']}{because}, through {shape['provider']}")
    click.echo(f"{shape['readers']:>10,} readers of {shape['audience']:,}")
    for state, number in shape["deliveries"].items():
        if number:
            click.echo(f"{number:>12,} {state}")
    for one in shape["reasons"]:
        click.echo(f"{one['deliveries']:>14,} {one['state']}: {one['reason']}")
    for fact, number in shape["facts"].items():
        if number:
            click.echo(f"{number:>12,} {fact}, the provider says")
    for why, number in shape["skipped"].items():
        click.echo(f"{number:>10,} skipped: {why}")
    for one in shape["allowed"]:
        errors = counted(one["findings"], "error")
        click.echo(f"{'allowed':>12}  {errors} of {one['check']}, by {one['by']} at {one['at']}")
    for row in shape.get("listed", ()):
        click.echo(f"{row['delivery']}  {row['email'] or '(erased)'}  {row['reason']}")


@project_command(name="watch", example="digest issues watch weekly-2026-11-19")
@click.argument("issue")
@click.option(
    "--every", type=click.IntRange(min=1), default=2, show_default=True, help="Seconds between."
)
@json_option
def watch(session: Session, issue: str, every: int, as_json: bool) -> int:
    """Tell where an issue stands, again and again, until it goes no further."""
    from digest.store.ledger.records import IssueState

    store = required_store(session)
    while True:
        planned = planned_issue(store, issue)
        states = store.ledger.totals(planned.number).states
        if as_json:
            shape = {"state": planned.state.value, "deliveries": dict(states)}
            click.echo(json.dumps(shape))
        else:
            told = ", ".join(f"{n:,} {state.value}" for state, n in states.items() if n)
            click.echo(f"{datetime.now(UTC):%H:%M:%S} {planned.state.value}: {told}")
        if planned.state is not IssueState.SENDING:
            return session.finish()
        time.sleep(every)


@project_command(name="pause", example="digest issues pause weekly-2026-11-19")
@click.argument("issue")
@click.option("--because", default="by hand", show_default=True, metavar="TEXT", help="Why.")
def pause(session: Session, issue: str, because: str) -> int:
    """Stop an issue; a sender at work finishes what it has in flight."""
    store = required_store(session)
    store.ledger.operator.pause(planned_issue(store, issue).number, because)
    session.say(f"{issue} is paused; go on with: digest issues resume {issue}")
    return Exit.DONE


@project_command(name="resume", example="digest issues resume weekly-2026-11-19")
@click.argument("issue")
def resume(session: Session, issue: str) -> int:
    """Let a paused issue go on with the next `digest send`."""
    store = required_store(session)
    store.ledger.operator.resume(planned_issue(store, issue).number)
    session.say(f"{issue} may go on: digest send {issue}")
    return Exit.DONE


@project_command(name="cancel", example="digest issues cancel weekly-2026-11-19")
@click.argument("issue")
def cancel(session: Session, issue: str) -> int:
    """Never send the rest of an issue. There is no way back."""
    store = required_store(session)
    number = store.ledger.operator.cancel(planned_issue(store, issue).number)
    session.say(f"{issue} is cancelled, and {counted(number, 'delivery', 'deliveries')} with it")
    return Exit.DONE


@project_command(name="retry", example="digest issues retry weekly-2026-11-19")
@click.argument("issue")
def retry(session: Session, issue: str) -> int:
    """Plan the failed deliveries of an issue again."""
    store = required_store(session)
    number = store.ledger.operator.retry(planned_issue(store, issue).number, datetime.now(UTC))
    session.say(f"planned again: {counted(number, 'delivery', 'deliveries')}; digest send {issue}")
    return Exit.DONE


@project_command(name="resolve", example="digest issues resolve weekly-2026-11-19 --accept")
@click.argument("issue")
@click.argument("deliveries", nargs=-1, metavar="[DELIVERY]...")
@click.option("--accept", is_flag=True, help="They arrived: count them as submitted.")
@click.option("--resend", is_flag=True, help="They did not arrive: plan them again.")
def resolve(
    session: Session, issue: str, deliveries: tuple[str, ...], accept: bool, resend: bool
) -> int:
    """Settle unknown deliveries: all of an issue, or those named.

    Unknown is what was handed over without an answer. Whoever got the message and is settled
    with --resend gets it twice.
    """
    if accept == resend:
        raise click.UsageError("say --accept or --resend")
    store = required_store(session)
    planned = planned_issue(store, issue)
    chosen = _numbers(store, planned, deliveries) if deliveries else None
    operator = store.ledger.operator
    if accept:
        number = operator.accept(planned.number, datetime.now(UTC), chosen)
        session.say(f"counted as submitted: {counted(number, 'delivery', 'deliveries')}")
    else:
        number = operator.resend(planned.number, datetime.now(UTC), chosen)
        session.say(
            f"planned again: {counted(number, 'delivery', 'deliveries')}; digest send {issue}"
        )
    return Exit.DONE


def _numbers(store: "Store", planned: "PlannedIssue", deliveries: tuple[str, ...]) -> list[int]:
    """The numbers of these unknown deliveries; DigestError when one is not unknown."""
    from digest.composer import delivery_id
    from digest.store.ledger.records import DeliveryState

    unknown = {
        delivery_id(planned.id, row.subscriber_id): row.number
        for row in store.ledger.deliveries(planned.number, DeliveryState.UNKNOWN)
    }
    if strange := [one for one in deliveries if one not in unknown]:
        raise DigestError(
            f"not among the unknown deliveries: {', '.join(strange)}",
            hint=f"digest issues show {planned.id} --list unknown",
        )
    return [unknown[one] for one in deliveries]


def _visibility_command(name: str, value: str, help_: str, said: str) -> click.Command:
    """`publish`, `unlist` and `hide` differ in a word."""

    @project_command(name=name, help=help_, example=f"digest issues {name} weekly-2026-11-19")
    @click.argument("issue")
    def say(session: Session, issue: str) -> int:
        from digest.models import Visibility

        store = required_store(session)
        planned = planned_issue(store, issue)
        store.archive.say(planned.id, Visibility(value), datetime.now(UTC))
        session.say(said.format(issue=issue))
        return Exit.DONE

    return say


publish = _visibility_command(
    "publish",
    "public",
    "Show an issue in the archive, its feeds and the sitemap, from its first message on.",
    "{issue} is public",
)
unlist = _visibility_command(
    "unlist",
    "unlisted",
    "Show an issue only to who knows its address.",
    "{issue} is unlisted",
)
hide = _visibility_command(
    "hide",
    "hidden",
    "Take an issue out of the archive; each reader still sees the edition they were sent.",
    "{issue} is hidden",
)


command = command_group(
    "issues",
    list_issues,
    show_issue,
    watch,
    pause,
    resume,
    cancel,
    retry,
    resolve,
    publish,
    unlist,
    hide,
    help="See what was planned and sent; pause, resume, cancel, retry, publish, hide.",
    example="digest issues show weekly-2026-11-19",
)
