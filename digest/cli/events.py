"""`digest events`: what the provider told of deliveries."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.groups import command_group
from digest.cli.session import Session, project_command
from digest.cli.stored import required_store

if TYPE_CHECKING:
    from digest.events import Event


@project_command(name="import", example="digest events import events.json", goes_on=True)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--provider", default="sendgrid", show_default=True, help="Who told them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def import_events(session: Session, file: Path, provider: str, as_json: bool) -> int:
    """Take in recorded events: a file with a webhook's body, or with one body on each line.

    May be repeated: an event that was heard before changes nothing.
    """
    from digest.store.ledger.hearing import BATCH, Heard

    store, heard = required_store(session), Heard()
    events = _events(file, provider)
    while batch := list(islice(events, BATCH)):
        heard += store.hearing.hear(batch, datetime.now(UTC), provider, thorough=True)
    counts = {
        name: getattr(heard, name)
        for name in ("events", "known", "settled", "stamped", "suppressed", "strange")
    }
    reasons = sorted({fault.reason for fault in heard.faults})
    if as_json:
        shape = {"schema": "digest/events@1", **counts, "faults": reasons}
        click.echo(json.dumps(shape, ensure_ascii=False))
        return session.finish()
    session.say(", ".join(f"{number:,} {name}" for name, number in counts.items()))
    for reason in reasons:
        click.echo(f"refused for our fault: {reason}")
    return session.finish()


def _events(file: Path, provider: str) -> Iterator["Event"]:
    """Of the whole file, or where that is not one body, of each line."""
    from digest.errors import DigestError
    from digest.providers import event_parser

    parse, body = event_parser(provider), file.read_bytes()
    try:
        yield from parse(body)
    except DigestError:
        lines = [(n, line) for n, line in enumerate(body.splitlines(), 1) if line.strip()]
        for number, line in lines:
            try:
                yield from parse(line)
            except DigestError as error:
                place = f"{file}:{number}" if len(lines) > 1 else file
                raise DigestError(f"{place}: {error}") from None
        if not lines:
            raise DigestError(f"{file}: it is empty") from None


command = command_group(
    "events",
    import_events,
    help="Take in what the provider told of deliveries.",
    example="digest events import events.json",
)
