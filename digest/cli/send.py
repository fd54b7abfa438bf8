"""`digest send`: the due issue, handed over."""

from datetime import UTC, datetime

import click

from digest.cli.audience import draft_of, readership
from digest.cli.exits import Exit
from digest.cli.options import at_option, cadence_option
from digest.cli.plan import show
from digest.cli.session import LATEST, Session, project_command
from digest.cli.tables import counted
from digest.issues import Draft
from digest.models import Plan
from digest.scaffold import samples
from digest.sender import HandOver


@project_command(name="send", example="digest send --at latest")
@at_option
@cadence_option
def command(session: Session, at: str, cadence: str | None) -> int:
    """Hand the due issue to the provider: one message per reader.

    The provider is the outbox unless configured otherwise: a folder of .eml files that any mail
    program opens. A message that is there already is never written again.
    """
    session.sends = True
    draft = draft_of(session, at, cadence)
    if at == LATEST and draft.issue.date > datetime.now(UTC):
        _say_not_due(session, draft)
        return session.finish()
    plan = draft.plan(readership(session))
    if not session.quiet:
        show(session, plan)
    if not plan.readers:
        _say_nothing_new(session, plan, at)
        return session.finish()
    done = _hand_over(session, draft, plan)
    _say_done(session, draft, plan, done)
    for refusal in done.refused:
        click.echo(f"refused {refusal.delivery}: {refusal.reason}", err=True)
    return Exit.PARTLY if done.refused else session.finish()


def _hand_over(session: Session, draft: Draft, plan: Plan) -> HandOver:
    from digest.providers import connect
    from digest.sender import send

    provider = connect(session.config)
    try:
        with session.progress("Sending") as advance:
            batches = draft.batches(readership(session, report=False))
            return send(provider, batches, lambda done: advance(done, plan.readers))
    finally:
        provider.close()


def _say_not_due(session: Session, draft: Draft) -> None:
    """All stories are newer than the last due moment; sending now would cut their issue in two."""
    due = draft.issue.date
    session.say(f"Nothing is due yet: {draft.issue.id} is, at {due:%H:%M} on {due:%A %d %B %Y}.")
    session.say("  look at it now:  digest render --at latest --out digest.html")


def _say_nothing_new(session: Session, plan: Plan, at: str) -> None:
    if not plan.skipped:
        session.say(f"There are no subscribers yet: {session.config.subscribers} lists nobody.")
    elif at == LATEST:
        session.say("Nobody follows a tag of these stories; nothing is sent.")
    else:
        session.say("Nothing new for anybody; nothing is sent.")
        session.say("  the newest issue that has stories: digest send --at latest")


def _say_done(session: Session, draft: Draft, plan: Plan, done: HandOver) -> None:
    """What was written; the page of the issue is made when something was, and shows just that."""
    from digest.gallery import INDEX, write_gallery

    folder = session.config.outbox / draft.issue.id
    index = folder / INDEX
    if done.new or not index.exists():
        write_gallery(draft, plan, folder)
    session.say()
    session.say(f"Wrote {counted(done.new, 'message')} to {folder}")
    if done.already:
        session.say(f"  {done.already:,} there already, and left as they were")
    session.say(f"  look at them:     {index.resolve().as_uri()}")
    session.say("  why who gets it:  digest explain EMAIL")
    if session.config.root == samples():
        session.say("  your own posts:   digest init   (in the folder of your site)")
