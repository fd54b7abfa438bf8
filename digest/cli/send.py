"""`digest send`: the due issue, handed over."""

from datetime import UTC, datetime

import click

from digest.cli.audience import laid_out, readership, store_of
from digest.cli.exits import Exit
from digest.cli.judging import known_checks
from digest.cli.options import at_option, cadence_option
from digest.cli.plan import show
from digest.cli.session import LATEST, Session, project_command
from digest.cli.stored import OUTBOX, draft_named, replan_option
from digest.cli.tables import counted
from digest.errors import DigestError
from digest.issues import Draft
from digest.models import Plan
from digest.scaffold import samples

ONLY_STORED = "there is no store of subscribers, which this needs"


@project_command(name="send", example="digest send weekly-2026-11-19 --confirm 4210", goes_on=True)
@click.argument("issue", required=False)
@at_option
@cadence_option
@click.option("--confirm", metavar="N", help="The number of readers: yes to sending to so many.")
@click.option(
    "--canary", type=click.IntRange(min=1), metavar="N", help="Pause after the first N who are due."
)
@replan_option
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    metavar="ID",
    callback=known_checks,
    help="Send although this check found errors; repeatable, and recorded.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def command(
    session: Session,
    issue: str | None,
    at: str,
    cadence: str | None,
    confirm: str | None,
    canary: int | None,
    replan: bool,
    allowed: tuple[str, ...],
    as_json: bool,
) -> int:
    """Hand an issue to the provider: one message per reader, each exactly once.

    The provider is the outbox unless configured otherwise: a folder of .eml files that any mail
    program opens. With a store exactly what was planned is sent; any other provider asks for the
    number of readers before.
    """
    session.sends = True
    draft = (
        draft_named(session, issue, replan=replan)
        if issue
        else laid_out(session, at, cadence, replan=replan)
    )
    if at == LATEST and not issue and draft.issue.date > datetime.now(UTC):
        _say_not_due(session, draft)
        return session.finish()
    store = store_of(session)
    if store is not None:
        from digest.cli.handing_over import Wishes, send_planned

        wishes = Wishes(confirm, canary, replan, allowed, as_json)
        return send_planned(session, store, draft, wishes)
    if session.config.provider != OUTBOX or canary is not None or as_json:
        raise DigestError(
            ONLY_STORED, hint="make one: digest subscribers import FILE --consent 'how they agreed'"
        )
    return _send_listed(session, draft, at)


def _send_listed(session: Session, draft: Draft, at: str) -> int:
    """To the readers of the CSV files, through the outbox, which remembers what it took."""
    plan = draft.plan(readership(session))
    if not session.quiet:
        show(session, plan)
    if session.config.stats.clicks:
        session.say("Clicks are counted where there is a store; these links lead straight on.")
    if not plan.readers:
        say_nothing_new(session, plan, at)
        return session.finish()
    done = _hand_over(session, draft, plan)
    session.say()
    session.say(f"Wrote {counted(done.new, 'message')} to {session.config.outbox / draft.issue.id}")
    if done.already:
        session.say(f"  {done.already:,} there already, and left as they were")
    say_where(session, draft, plan, anew=bool(done.new))
    for refusal in done.refused:
        click.echo(f"refused {refusal.delivery}: {refusal.reason}", err=True)
    return Exit.PARTLY if done.refused else session.finish()


def _hand_over(session: Session, draft: Draft, plan: Plan) -> "HandOver":  # type: ignore[name-defined]  # noqa: F821
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


def say_nothing_new(session: Session, plan: Plan, at: str = LATEST) -> None:
    if not plan.skipped:
        session.say(f"There are no subscribers yet: {session.config.subscribers} lists nobody.")
    elif at == LATEST:
        session.say("Nobody follows a tag of these stories; nothing is sent.")
    else:
        session.say("Nothing new for anybody; nothing is sent.")
        session.say("  the newest issue that has stories: digest send --at latest")


def say_where(session: Session, draft: Draft, plan: Plan, *, anew: bool) -> None:
    """The page of the issue is made when something was written, and shows just that."""
    from digest.gallery import INDEX, write_gallery

    folder = session.config.outbox / draft.issue.id
    index = folder / INDEX
    if anew or not index.exists():
        write_gallery(draft, plan, folder)
    session.say(f"  look at them:     {index.resolve().as_uri()}")
    session.say("  why who gets it:  digest explain EMAIL")
    if session.config.root == samples():
        session.say("  your own posts:   digest init   (in the folder of your site)")
