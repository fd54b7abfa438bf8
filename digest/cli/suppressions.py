"""`digest suppressions`: addresses that are never mailed."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from digest.cli.exits import Exit
from digest.cli.groups import command_group
from digest.cli.people import BY_COMMAND, json_option
from digest.cli.session import Session, project_command
from digest.cli.storage import open_store
from digest.cli.subscriber_shapes import utc
from digest.cli.tables import counted, safe
from digest.errors import DigestError

REASONS = ("manual", "bounced", "complained", "unsubscribed")

reason_option = click.option(
    "--reason", type=click.Choice(REASONS), default="manual", show_default=True
)


@project_command(name="list", example="digest suppressions list")
@json_option
def list_suppressions(session: Session, as_json: bool) -> int:
    """List them, oldest first; who was erased is a hash and nothing else."""
    number = 0
    for one in open_store(session).suppressions.stream():
        number += 1
        if as_json:
            shape = {
                "address_hash": one.address_hash.hex(),
                "email": one.email,
                "reason": one.reason.value,
                "at": utc(one.at),
                "source": one.source,
            }
            click.echo(json.dumps(shape, ensure_ascii=False))
            continue
        who = one.email or f"(unknown {one.address_hash.hex()[:8]})"
        click.echo(safe(f"{one.at:%Y-%m-%d}  {one.reason.value:<12}  {who}  {one.source}"))
    session.say(counted(number, "suppression"))
    return session.finish()


@project_command(name="add", example="digest suppressions add ana@example.com --reason complained")
@click.argument("email")
@reason_option
def add(session: Session, email: str, reason: str) -> int:
    """Never mail an address again, whoever adds or imports it."""
    from digest.store import SuppressionReason

    suppressions = open_store(session, makes=True).suppressions
    try:
        new = suppressions.add(email, SuppressionReason(reason), datetime.now(UTC), BY_COMMAND)
    except ValueError as error:
        raise click.UsageError(f"{email!r} is no address: {error}") from None
    session.say(f"{email} {'is suppressed' if new else 'was suppressed already'}")
    return session.finish()


@project_command(name="remove", example="digest suppressions remove ana@example.com")
@click.argument("email")
def remove(session: Session, email: str) -> int:
    """Let an address be mailed again. Who unsubscribed stays unsubscribed."""
    store = open_store(session)
    try:
        reasons = store.suppressions.remove(email, datetime.now(UTC), BY_COMMAND)
    except ValueError as error:
        raise click.UsageError(f"{email!r} is no address: {error}") from None
    if not reasons:
        raise DigestError(f"{email} is not suppressed", hint="see: digest suppressions list")
    session.say(f"{email} was suppressed ({', '.join(reasons)}), and is no more")
    found = store.subscriptions.find(email)
    if found and found.state.value == "unsubscribed":
        session.say(
            "they stay unsubscribed; only when they ask to come back: "
            f"digest subscribers add {email} --back --consent 'how they asked'"
        )
    return session.finish()


@project_command(
    name="import", example="digest suppressions import bounces.csv --reason bounced", goes_on=True
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@reason_option
def import_suppressions(session: Session, file: Path, reason: str) -> int:
    """Take in addresses never to mail: a CSV file with an address column, or one a line."""
    from digest.store import SuppressionReason

    store = open_store(session, makes=True)
    rejected: list[str] = []
    new = 0
    addresses = _addresses(file, rejected)
    source = f"import of {file.name}"
    for number in store.suppressions.add_all(
        addresses, SuppressionReason(reason), datetime.now(UTC), source
    ):
        new += number
    for line in rejected:
        session.say(safe(line))
    session.say(f"{counted(new, 'new suppression')}, {counted(len(rejected), 'row')} left out")
    return Exit.CHECKS if rejected else session.finish()


def _addresses(file: Path, rejected: list[str]) -> Iterator[str]:
    """The good addresses of a file; `rejected` gets a line for each other row."""
    from digest.roster.cells import unguarded
    from digest.roster.reading import Broken, open_source
    from digest.roster.screening import screened
    from digest.roster.vendors import recognise

    with file.open("rb") as stream:
        bare = b"@" in stream.readline(1000)
        stream.seek(0)
        source = open_source(stream, file.name)
        place = 0 if bare else recognise(source.header, {}, file.name).places["email"]
        if bare:  # no header: its first line is an address too
            yield from _screened(source.header[0], 1, screened, rejected)
        for row in source.rows():
            if isinstance(row, Broken):
                rejected.append(f"line {row.line}: {row.reason}")
            else:
                yield from _screened(
                    unguarded(row.cells[place].strip()), row.line, screened, rejected
                )


def _screened(
    text: str, line: int, screen: Callable[[str], str], rejected: list[str]
) -> Iterator[str]:
    try:
        yield screen(text)
    except ValueError as error:
        rejected.append(f"line {line}: {text[:100]!r}: {error}")


command = command_group(
    "suppressions",
    list_suppressions,
    add,
    remove,
    import_suppressions,
    help="Keep the list of addresses that are never mailed.",
    example="digest suppressions import bounces.csv --reason bounced",
)
