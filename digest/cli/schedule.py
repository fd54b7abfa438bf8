"""`digest schedule`: what goes out by itself, and when."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from digest.cli.exits import Exit
from digest.cli.groups import command_group
from digest.cli.session import Moment, Session, moment, project_command
from digest.cli.stored import OUTBOX, planned_issue, required_store
from digest.cli.tables import counted
from digest.errors import DigestError
from digest.models import Cadence

if TYPE_CHECKING:
    from digest.scheduler import Outlook

json_option = click.option("--json", "as_json", is_flag=True, help="JSON (docs/json.md).")
number_option = click.option(
    "-n", "number", type=click.IntRange(1, 100), default=5, show_default=True, help="How many."
)
cadence_argument = click.argument(
    "cadence", type=click.Choice([one.value for one in Cadence]), required=False
)


@project_command(name="show", example="digest schedule show --json")
@number_option
@json_option
def show(session: Session, number: int, as_json: bool) -> int:
    """Show the next issues: window, readers, and the stories there are so far."""
    from digest.cli.audience import keys_of
    from digest.cli.schedule_shapes import outlook_json
    from digest.scheduler import outlook

    store, now = required_store(session), datetime.now(UTC)
    found = outlook(session.config, store, session.content, keys_of(session), now, number)
    if as_json:
        click.echo(json.dumps(outlook_json(session.config, found), indent=2))
    else:
        _tell(session, found)
    return session.finish()


def _tell(session: Session, found: "Outlook") -> None:
    for ahead in found.ahead:
        issue = ahead.issue
        state = f"  {ahead.state}" if ahead.state else ""
        name = click.style(f"{issue.id:<20}", bold=True)
        click.echo(
            f"{name}  {issue.date:%a %d %b %Y %H:%M}{_zone_note(session, issue.cadence)}{state}"
        )
        start = issue.window.start.astimezone(issue.date.tzinfo)
        click.echo(
            f"{'':<20}  since {start:%a %d %b %H:%M}, {counted(ahead.stories, 'story', 'stories')}"
            f" so far, {counted(ahead.readers, 'reader')}"
        )
    for cadence in session.config.schedule:
        if cadence not in found.cadences:
            session.say(f"{cadence.value} does not go out by itself yet; start: digest serve")
    for cadence, reasons in found.reasons.items():
        for reason in reasons:
            session.say(f"{cadence.value}: {reason}")
    for skipped in found.skipped:
        session.say(f"{skipped.id} was skipped: {skipped.reason}")


def _zone_note(session: Session, cadence: Cadence) -> str:
    settings, zone = session.config.schedule[cadence], session.config.newsletter.timezone
    note = " in every reader's own zone" if settings.local_time else f" ({zone.key})"
    return f"{note}, or when they chose" if settings.choose else note


@project_command(name="next", example="digest schedule next -n 3")
@number_option
@json_option
def next_moments(session: Session, number: int, as_json: bool) -> int:
    """Name the moments at which issues are due next. Needs no store."""
    from digest.cli.audience import store_of
    from digest.cli.schedule_shapes import moments_json
    from digest.scheduler import issues_ahead

    issues = issues_ahead(session.config, datetime.now(UTC), number, store_of(session))
    if as_json:
        click.echo(json.dumps(moments_json(issues), indent=2))
        return Exit.DONE
    for issue in issues:
        note = _zone_note(session, issue.cadence)
        click.echo(f"{issue.date:%Y-%m-%d %H:%M}  {issue.id}{note}")
    return Exit.DONE


@project_command(name="pause", example="digest schedule pause weekly --because holidays")
@cadence_argument
@click.option("--because", default="by hand", show_default=True, metavar="TEXT", help="Why.")
def pause(session: Session, cadence: str | None, because: str) -> int:
    """Let no further issue go out by itself; one that has begun goes on to its end.

    All cadences, or the one that is named. To stop a begun issue: digest issues pause.
    """
    store = required_store(session)
    if not because.strip():
        raise click.UsageError("--because is empty; say why, for whoever looks at it")
    for one in _named(session, cadence):
        store.schedule.pause(one, because, datetime.now(UTC))
        session.say(f"{one.value} is paused; go on with: digest schedule resume {one.value}")
    return Exit.DONE


@project_command(name="resume", example="digest schedule resume weekly")
@cadence_argument
def resume(session: Session, cadence: str | None) -> int:
    """Let issues go out by themselves again.

    An issue that was due meanwhile is a missed one: see `missed` and `late` in docs/config.md.
    """
    store = required_store(session)
    for one in _named(session, cadence):
        store.schedule.resume(one)
        session.say(f"{one.value} goes on")
    return Exit.DONE


@project_command(name="run-once", example="digest schedule run-once", goes_on=True)
@click.option(
    "--at",
    type=Moment(),
    default="now",
    show_default=True,
    help="Do what was due at this time, as if it had been done then.",
)
def run_once(session: Session, at: str) -> int:
    """Plan and send whatever is due, then end: for cron and CI, in place of `digest serve`.

    Safe to call every minute and from several machines. The first call sends nothing that was due
    before it.
    """
    from digest.cli.audience import keys_of
    from digest.scheduler import Editors, Scheduler
    from digest.sender import Stopping, utc_now

    session.sends = True
    now = moment(at, session)
    if now > datetime.now(UTC) and session.config.provider != OUTBOX:
        raise DigestError(f"{at} is not yet", hint="only the outbox takes an issue before its time")
    store = required_store(session)
    with Stopping() as stopping:
        keys = keys_of(session)
        scheduler = Scheduler(session.config, store, keys, stopping, ask=Editors(keys, utc_now))
        when = None if at == "now" else now
        done = [scheduler.tick(cadence, when) for cadence in session.config.schedule]
        if stopping.requested:
            return Exit.INTERRUPTED
    return Exit.FAILED if any(one.failed for one in done) else Exit.DONE


@project_command(name="approve", example="digest schedule approve weekly-2026-11-19")
@click.argument("issue")
def approve(session: Session, issue: str) -> int:
    """Let a planned issue go out when it is due, as an editor's yes does."""
    due = _answer(session, issue, "approved")
    when = "when it is due" if due > datetime.now(UTC) else "at the next look of the schedule"
    session.say(f"{issue} is approved, and goes out {when}")
    return Exit.DONE


@project_command(name="hold", example="digest schedule hold weekly-2026-11-19")
@click.argument("issue")
def hold(session: Session, issue: str) -> int:
    """Let a planned issue not go out by itself, unless somebody approves it."""
    _answer(session, issue, "held")
    session.say(f"{issue} is held; let it go out with: digest schedule approve {issue}")
    return Exit.DONE


def _answer(session: Session, issue: str, answer: str) -> datetime:
    """When the issue is due that the answer is about."""
    from digest.store.ledger.records import IssueState
    from digest.store.schedule.records import Answer

    store = required_store(session)
    planned = planned_issue(store, issue)
    if planned.state is not IssueState.PLANNED:
        raise DigestError(f"{issue} is {planned.state.value}", hint=f"digest issues show {issue}")
    if (skipped := store.schedule.skipped(issue)) is not None:
        raise DigestError(
            f"{issue} was skipped: {skipped.reason}",
            hint=f"send it all the same: digest send {issue}",
        )
    store.schedule.answer(planned.number, Answer(answer), datetime.now(UTC))
    return planned.due


def _named(session: Session, cadence: str | None) -> list[Cadence]:
    from digest.cli.audience import cadence_of

    return [cadence_of(session, cadence)] if cadence else list(session.config.schedule)


command = command_group(
    "schedule",
    show,
    next_moments,
    pause,
    resume,
    run_once,
    approve,
    hold,
    help="See what goes out by itself and when; pause, resume, approve it, do it once.",
    example="digest schedule show",
)
