"""`digest send`: the due issue, handed over."""

import click

from digest.cli.audience import draft_of, readership, store_of
from digest.cli.exits import Exit
from digest.cli.options import at_option, cadence_option
from digest.cli.plan import show
from digest.cli.session import LATEST, Session, project_command
from digest.cli.stored import OUTBOX, draft_named, replan_option
from digest.errors import DigestError
from digest.issues import Draft
from digest.models import Plan

ONLY_STORED = "there is no store of subscribers, which this needs"


@project_command(name="send", example="digest send weekly-2026-11-19 --confirm 4210")
@click.argument("issue", required=False)
@at_option
@cadence_option
@click.option("--confirm", metavar="N", help="The number of readers: yes to sending to so many.")
@click.option(
    "--canary", type=click.IntRange(min=1), metavar="N", help="Pause after the first N readers."
)
@replan_option
@click.option("--allow-errors", is_flag=True, help="Send although posts were left out for errors.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def command(
    session: Session,
    issue: str | None,
    at: str,
    cadence: str | None,
    confirm: str | None,
    canary: int | None,
    replan: bool,
    allow_errors: bool,
    as_json: bool,
) -> int:
    """Hand an issue to the provider: one message per reader, each exactly once.

    The provider is the outbox unless configured otherwise: a folder of .eml files that any mail
    program opens. With a store exactly what was planned is sent; any other provider asks for the
    number of readers before.
    """
    draft = draft_named(session, issue) if issue else draft_of(session, at, cadence)
    store = store_of(session)
    if store is not None:
        from digest.cli.handing_over import Wishes, send_planned

        wishes = Wishes(confirm, canary, replan, allow_errors, as_json)
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
    if not plan.readers:
        say_nothing_new(session, at)
        return session.finish()
    done = _hand_over(session, draft, plan)
    session.say()
    session.say(f"Wrote {done.new:,} messages to {session.config.outbox / draft.issue.id}")
    if done.already:
        session.say(f"  {done.already:,} were there already and are as they were")
    say_where(session, draft, plan)
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


def say_nothing_new(session: Session, at: str = LATEST) -> None:
    if at == LATEST:
        session.say("Nobody follows a tag of these stories; nothing is sent.")
    else:
        session.say("Nothing new for anybody; nothing is sent.")
        session.say("  the newest issue that has stories: digest send --at latest")


def say_where(session: Session, draft: Draft, plan: Plan) -> None:
    """A page with every edition, beside the messages of the outbox."""
    from digest.gallery import write_gallery

    index = write_gallery(draft, plan, session.config.outbox / draft.issue.id)
    session.say(f"  look at them:  {index.resolve().as_uri()}")
    session.say("  your own posts:  digest init   (in the folder of your site)")
