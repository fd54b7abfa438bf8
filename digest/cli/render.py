"""`digest render`: one reader's digest, to a file or to stdout."""

import sys
from pathlib import Path

import click

from digest.cli.audience import draft_for, somebody
from digest.cli.options import at_option, cadence_option
from digest.cli.session import Session, project_command
from digest.errors import DigestError
from digest.issues import Draft
from digest.models import Subscriber

FORMATS = ("html", "text", "eml", "mjml")


@project_command(name="render", example="digest render --as 'ai llm' --at latest --out digest.html")
@click.option(
    "--as",
    "who",
    metavar="TAGS|EMAIL|PERSONA",
    default="*",
    help="Whose: tags, a subscriber's address, a persona of digest.toml; all tags if left out.",
)
@at_option
@cadence_option
@click.option("--format", "shape", type=click.Choice(FORMATS), default="html", show_default=True)
@click.option("--out", metavar="FILE|-", default="-", show_default=True, help="Where to write it.")
def command(session: Session, who: str, at: str, cadence: str | None, shape: str, out: str) -> int:
    """Render the digest that one reader would get. Sends nothing."""
    reader = somebody(session, who).subscriber
    data = _rendered(draft_for(session, reader, at, cadence), reader, shape)
    if out == "-":
        sys.stdout.buffer.write(data)
    else:
        Path(out).write_bytes(data)
        session.say(f"wrote {out} ({len(data):,} bytes)")
    return session.finish()


def _rendered(draft: Draft, subscriber: Subscriber, shape: str) -> bytes:
    composition = draft.composition(subscriber.preferences)
    if composition is None:
        window = draft.issue.window
        raise DigestError(
            f"nothing in {draft.issue.id} for these tags and languages "
            f"({window.start:%Y-%m-%d} to {window.end:%Y-%m-%d})",
            hint="try --at latest; `digest explain` says why each story is out",
        )
    message, reader = composition.message, draft.reader(subscriber)
    match shape:
        case "text":
            return message.text(reader).encode()
        case "eml":
            return message.message(reader)
        case "mjml":
            return draft.mjml(subscriber).encode()
    return message.html(reader).encode()
