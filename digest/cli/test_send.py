"""`digest test-send`: one message of an issue, to oneself."""

import click

from digest.cli.audience import somebody
from digest.cli.exits import Exit
from digest.cli.session import Session, project_command
from digest.cli.stored import draft_named


@project_command(
    name="test-send",
    example="digest test-send weekly-2026-11-19 --to you@example.com",
    goes_on=True,
)
@click.argument("issue")
@click.option("--to", "address", required=True, metavar="ADDRESS", help="Who gets it.")
@click.option(
    "--as",
    "who",
    default="*",
    show_default="everything",
    metavar="PERSONA|TAGS|EMAIL",
    help="Whose edition.",
)
def command(session: Session, issue: str, address: str, who: str) -> int:
    """Mail one message of an issue to an address, with [TEST] in its subject.

    It goes through the configured provider and is in no ledger: nobody counts as reached.
    """
    from digest.providers import Receipt
    from digest.sender.trial import hand_over_test

    session.sends = True
    draft = draft_named(session, issue)
    provider, answer = hand_over_test(draft, somebody(session, who).subscriber, address)
    if isinstance(answer, Receipt):
        session.say(f"handed to {provider}: {answer.id}")
        return session.finish()
    click.echo(f"{answer.outcome.value}: {answer.reason}", err=True)
    return Exit.PARTLY
