"""`digest status`: what runs now, how fast, what is paused, and what is next."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING

import click

from digest.cli.exits import Exit
from digest.cli.session import Session, project_command
from digest.cli.stored import required_store
from digest.config import plain_terminal

if TYPE_CHECKING:
    from digest.scheduler import Survey

_WIDE = 110  # columns where there is no terminal


@project_command(name="status", example="digest status --watch")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--every", type=click.IntRange(min=1), default=5, show_default=True, help="Seconds between."
)
@click.option("--json", "as_json", is_flag=True, help="JSON (docs/json.md).")
def command(session: Session, watch: bool, every: int, as_json: bool) -> int:
    """Tell what runs now, how fast, what is paused and why, and what is next.

    Reads the database alone, so any machine that reaches it can tell.
    """
    surveys = _surveys(session, every if watch else 0)
    if as_json:
        _print_json(session, surveys, indent=None if watch else 2)
    else:
        _show(session, surveys, watch)
    return Exit.DONE


def _surveys(session: Session, every: int) -> "Iterator[Survey]":
    """One, or one every so many seconds."""
    from digest.scheduler import survey

    store = required_store(session)
    for _ in repeat(None) if every else (None,):
        yield survey(session.config, store, datetime.now(UTC))
        time.sleep(every)


def _print_json(session: Session, surveys: "Iterator[Survey]", indent: int | None) -> None:
    from digest.cli.status_shapes import status_json

    for found in surveys:
        click.echo(json.dumps(status_json(session.config, found), indent=indent))


def _show(session: Session, surveys: "Iterator[Survey]", watch: bool) -> None:
    """On a terminal each takes the place of the one before; otherwise they follow each other."""
    from rich.console import Console
    from rich.live import Live

    from digest.cli.status_shapes import drawn

    plain = plain_terminal() or click.get_current_context().color is False
    console = Console(no_color=plain, highlight=False)
    if not console.is_terminal:
        console = Console(width=_WIDE, highlight=False)
    first = next(surveys)
    if not (watch and console.is_terminal) or plain:
        console.print(drawn(session.config, first))
        for found in surveys:
            console.print(drawn(session.config, found))
        return
    with Live(drawn(session.config, first), console=console, auto_refresh=False) as live:
        for found in surveys:
            live.update(drawn(session.config, found), refresh=True)
