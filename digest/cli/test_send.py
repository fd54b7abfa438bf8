"""`digest test-send`: one message of an issue, to oneself."""

import secrets
from dataclasses import replace

import click

from digest.cli.audience import PREVIEW_ADDRESS, somebody
from digest.cli.exits import Exit
from digest.cli.session import Session, project_command
from digest.cli.stored import draft_named
from digest.errors import DigestError

MARK = "[TEST] "


@project_command(
    name="test-send", example="digest test-send weekly-2026-11-19 --to you@example.com"
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
    from digest.addresses import normalise
    from digest.providers import Batch, Receipt, connect

    try:
        to = normalise(address)
    except ValueError as error:
        raise DigestError(f"{address!r} is no address: {error}") from None
    session.sends = True
    draft = draft_named(session, issue)
    found = somebody(session, who).subscriber
    composition = draft.composition(found.preferences)
    if composition is None:
        raise DigestError(f"nothing in {issue} for {who}", hint=f"digest explain {who!r}")
    edition = composition.edition
    stories, more = ([story.id for story in part] for part in (edition.stories, edition.more))
    message = draft.frozen(edition.language, stories, more, before=MARK)
    # the links of a test lead to nobody's preferences
    reader = draft.reader(replace(found, id=0, email=PREVIEW_ADDRESS))
    reader = replace(reader, address=to, delivery=f"test{secrets.token_hex(8)}")
    provider = connect(session.config)
    try:
        answers = list(provider.hand_over(Batch(f"{issue}-test", message, (reader,))))
    finally:
        provider.close()
    answer = answers[0]
    if isinstance(answer, Receipt):
        session.say(f"handed to {provider.name}: {answer.id}")
        return session.finish()
    click.echo(f"{answer.outcome.value}: {answer.reason}", err=True)
    return Exit.PARTLY
