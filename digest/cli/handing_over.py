"""Sending an issue of the store, from the question to the summary."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import click

from digest.cli import judging
from digest.cli.asking import confirmed
from digest.cli.exits import Exit
from digest.cli.issue_shapes import issue_json
from digest.cli.plan import show
from digest.cli.send import say_nothing_new, say_where
from digest.cli.session import Session
from digest.cli.stored import OUTBOX, freeze
from digest.cli.tables import counted
from digest.errors import DigestError
from digest.freshness import Frozen
from digest.issues import Draft
from digest.planning import material, plan_of
from digest.providers import connect
from digest.sender import JOURNALS, OUTAGES, Job, Report, Stopping, run
from digest.store import Store
from digest.store.ledger.records import DeliveryState, Idle, IssueState, PlannedIssue, Totals

_LEFT = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.PLANNED, DeliveryState.CLAIMED)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line said."""

    confirm: str | None = None
    canary: int | None = None
    replan: bool = False
    allowed: tuple[str, ...] = ()  # ids of checks
    as_json: bool = False


def send_planned(session: Session, store: Store, draft: Draft, wishes: Wishes) -> int:
    """Send exactly the plan of the draft's issue; the exit code."""
    frozen = _frozen(session, store, draft, wishes)
    plan = plan_of(draft, frozen)
    if frozen.issue.state is not IssueState.DONE:
        judging.judge(session, draft, plan, store)
    if not session.quiet and not wishes.as_json:
        show(session, plan, frozen.issue.state.value)
    if not plan.readers:
        say_nothing_new(session, plan)
        return session.finish()
    if not _may_start(session, store, frozen.issue, wishes):
        return Exit.DECLINED
    if session.config.workers and wishes.canary is None:
        return _leave_to_workers(session, store, frozen.issue)
    report = _run(session, store, draft, frozen.issue, wishes.canary)
    issue = store.ledger.find(draft.issue.id)
    assert issue is not None
    totals = store.ledger.totals(issue.number)
    if wishes.as_json:
        shape = issue_json(
            issue, totals, frozen.contents, store.ledger.operator.allowed(issue.number)
        )
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
    _say_done(session, issue, report, totals.states, wishes.canary)
    if session.config.provider == OUTBOX:
        say_where(session, draft, plan, anew=report.answered > 0)
    return _exit(session, report, totals)


def _frozen(session: Session, store: Store, draft: Draft, wishes: Wishes) -> Frozen:
    """The plan, if it may go out; the outbox takes one that is made now."""
    name, ledger = draft.issue.id, store.ledger
    known = ledger.find(name)
    if known is None and session.config.provider != OUTBOX:
        day = name.partition("-")[2]
        raise DigestError(
            f"{name} is not planned yet", hint=f"read it first: digest plan --at {day}"
        )
    if known is not None and known.state is IssueState.PAUSED:
        raise DigestError(
            f"{name} is paused: {known.paused_because}",
            hint=f"when it may go on: digest issues resume {name}",
        )
    if known is not None and known.state is IssueState.CANCELLED:
        raise DigestError(f"{name} is cancelled", hint="nothing more of it is sent")
    if known is not None and known.state is IssueState.DONE and not wishes.replan:
        return Frozen(known, ledger.contents(known.number))
    return freeze(session, store, draft, replan=wishes.replan)


def _may_start(session: Session, store: Store, issue: PlannedIssue, wishes: Wishes) -> bool:
    """Whatever leaves the machine is said yes to, by the number of its readers."""
    if session.config.provider == OUTBOX or issue.state is IssueState.DONE:
        return True
    errors = judging.errors_of(session, store, issue, wishes.allowed)
    if errors.blocking:
        session.finish()
        session.refuse(f"Not sent: {judging.blocked(errors.blocking)}.")
        session.refuse("  mend them, or allow each: " + judging.allowing(issue.id, errors.blocking))
        return False
    given = wishes.confirm.replace(",", "") if wishes.confirm else None
    question = f"Send {issue.id} through {session.config.provider}? Type the number of readers"
    if confirmed(str(issue.readers), given, question):
        judging.record(store, issue, errors)
        return True
    wrong = f": {given} is not the number of its readers" if given else ""
    how = f"digest send {issue.id} --confirm {issue.readers}"
    session.refuse(f"Not sent{wrong}. To send it: {how}")
    return False


def _leave_to_workers(session: Session, store: Store, issue: PlannedIssue) -> int:
    from digest.workers import submit

    batches = submit(store, issue.number, session.config.provider)
    session.say(f"{issue.id} is with the workers: {counted(batches, 'batch', 'batches')} more")
    session.say(f"  see how far they are: digest issues watch {issue.id}")
    return session.finish()


def _run(
    session: Session, store: Store, draft: Draft, issue: PlannedIssue, canary: int | None
) -> Report:
    config = session.config
    provider = connect(config)
    try:
        with session.progress("Sending") as advance, Stopping() as stopping:
            done = 0

            def answered(number: int) -> None:
                nonlocal done
                done = number
                advance(done, issue.readers)

            def waits(what: str, until: datetime) -> None:
                moment = until.astimezone(config.newsletter.timezone)
                advance(done, issue.readers, f"Waiting until {moment:%H:%M:%S}, {what}")

            job = Job(
                ledger=store.ledger,
                issue=issue,
                material=material(draft, store.ledger, issue),
                provider=provider,
                journals=config.root / JOURNALS,
                restraint=config.restraint,
                canary=canary,
                outages=() if config.provider == OUTBOX else OUTAGES,
                waits=waits,
            )
            return run(job, stopping, answered)
    finally:
        provider.close()


def _say_done(
    session: Session,
    issue: PlannedIssue,
    report: Report,
    states: Mapping[DeliveryState, int],
    canary: int | None,
) -> None:
    session.say()
    told = ", ".join(f"{n:,} {state.value}" for state, n in states.items() if n)
    session.say(f"{issue.id}: {told}")
    session.say(f"  {report.answered:,} in this run, through {issue.provider}")
    if report.interrupted:
        session.say(f"  stopped; go on with: digest send {issue.id}")
    if issue.state is IssueState.PAUSED:
        session.say(f"  paused: {issue.paused_because}")
        session.say(f"  go on with: digest issues resume {issue.id} && digest send {issue.id}")
    if report.ended is Idle.LATER and report.ready_at:
        zone = session.config.newsletter.timezone
        when = f"{report.ready_at.astimezone(zone):%Y-%m-%d %H:%M}"
        who = "nobody is due yet" if canary else "some wait for their time"
        again = f" --canary {canary}" if canary else ""
        session.say(f"  {who}; at {when} run: digest send {issue.id}{again}")
    if report.ended is Idle.BUSY:
        session.say("  another sender is at work on the rest")
    if states[DeliveryState.UNKNOWN]:
        session.say(f"  settle what is unknown: digest issues resolve {issue.id} --help")


def _exit(session: Session, report: Report, totals: Totals) -> int:
    if report.interrupted:
        return Exit.INTERRUPTED
    if any(totals.states[state] for state in _LEFT):
        return Exit.PARTLY
    return session.finish()
