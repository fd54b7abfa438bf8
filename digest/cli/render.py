"""`digest render`: one reader's digest, to a file or to stdout."""

import sys
from datetime import datetime
from pathlib import Path

import click

from digest.cli.audience import draft_for, draft_of, somebody
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
@click.option(
    "--matrix",
    is_flag=True,
    help="Pictures instead, into the folder --out: every persona, light and dark, 600 and 375 px.",
)
@click.option(
    "--scale",
    type=click.IntRange(1, 4),
    default=1,
    show_default=True,
    help="Dots of a picture for each pixel, with --matrix.",
)
def command(
    session: Session,
    who: str,
    at: str,
    cadence: str | None,
    shape: str,
    out: str,
    matrix: bool,
    scale: int,
) -> int:
    """Render the digest that one reader would get. Sends nothing.

    Pictures need a Chromium on this machine, which fetches nothing for them.
    """
    if matrix:
        return _matrix(session, draft_of(session, at, cadence), out, scale)
    found = somebody(session, who)
    draft, covered = draft_for(session, found, at, cadence)
    data = _rendered(draft, found.subscriber, covered, shape)
    if out == "-":
        sys.stdout.buffer.write(data)
    else:
        Path(out).write_bytes(data)
        session.say(f"wrote {out} ({len(data):,} bytes)")
    return session.finish()


def _matrix(session: Session, draft: Draft, out: str, scale: int) -> int:
    from digest.chromium import browser
    from digest.matrix import write_matrix

    if out == "-":
        raise click.UsageError("--matrix needs a folder: --out pictures")
    with browser() as opened, session.progress("Drawing") as advance:
        index = write_matrix(draft, opened, Path(out), scale=scale, advance=advance)
    session.say(f"wrote {len(list(Path(out).glob('*.png')))} pictures to {out}")
    session.say(f"  look at them: {index.resolve().as_uri()}")
    return session.finish()


def _rendered(draft: Draft, subscriber: Subscriber, covered: datetime | None, shape: str) -> bytes:
    composition = draft.composition(subscriber.preferences, covered)
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
            return draft.mjml(subscriber, covered).encode()
    return message.html(reader).encode()
