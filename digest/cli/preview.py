"""`digest preview`: every reader's digest in a browser, before anybody gets it."""

import webbrowser
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

import click

from digest.cli.audience import cadence_of, issue_of, keys_of, readership, somebody, store_of
from digest.cli.exits import Exit
from digest.cli.options import cadence_option
from digest.cli.session import IssueMoment, Session, project_command
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.studio.cast import Role
    from digest.studio.workshop import Opening


@project_command(name="preview", example="digest preview --as ana --drafts")
@click.option(
    "--as",
    "who",
    metavar="TAGS|EMAIL|PERSONA",
    default="",
    help="Whose digest to open: tags, a subscriber's address, a persona of digest.toml.",
)
@click.option(
    "--at",
    type=IssueMoment(),
    help="Open the issue due at this time; the one you are writing for if left out.",
)
@cadence_option
@click.option("--drafts", is_flag=True, help="Show drafts as if they were published.")
@click.option("--with-subscribers", is_flag=True, help="Count how many readers each edition has.")
@click.option("--port", type=click.IntRange(0, 65535), help="4747, or any that is free.")
@click.option("--no-open", is_flag=True, help="Open no browser; print the address alone.")
def command(
    session: Session,
    who: str,
    at: str | None,
    cadence: str | None,
    drafts: bool,
    with_subscribers: bool,
    port: int | None,
    no_open: bool,
) -> int:
    """Look at an issue as each of its readers, in a browser, while you write.

    The page changes when a post, a template or digest.toml is saved. Only this machine can open
    it, and nothing on it asks another one for anything.
    """
    from digest.studio.serving import HOST, Server, listen
    from digest.studio.workshop import Workshop

    try:
        listening = listen(port)
    except OSError as error:
        raise DigestError(f"port {port}: {error.strerror}", hint="leave --port out") from None
    opening = _opening(session, who, at, cadence, drafts, with_subscribers)
    with session.progress("Reading posts") as advance:
        workshop = Workshop(replace(opening, progress=advance))
    address = f"http://{HOST}:{listening.getsockname()[1]}/"

    def ready() -> None:
        session.say(f"{workshop.config.newsletter.name} is at {address} (Ctrl-C to stop)")
        if not no_open:
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    try:
        Server(workshop, ready).run(sockets=[listening])
    except KeyboardInterrupt:  # uvicorn has stopped in good order and raises it again
        session.say("stopped")
    return Exit.DONE


def _opening(
    session: Session, who: str, at: str | None, cadence: str | None, drafts: bool, counted: bool
) -> "Opening":
    from digest.config import load
    from digest.studio.state import TAGS, Look
    from digest.studio.workshop import Opening, guest

    guests: tuple[Role, ...] = ()
    if "@" in who:
        found = somebody(session, who).subscriber
        guests, who = (guest(found),), guest(found).key
        if cadence is None and found.cadence in session.config.schedule:
            cadence = found.cadence
    elif who and who not in session.config.personas:
        who = f"{TAGS}{who}"
    wanted = cadence_of(session, cadence)
    readers = readership(session, report=False) if counted else None
    store, listing = store_of(session) if counted else None, None
    if store is not None:
        from digest.desk import glance

        listing = partial(glance, store)
    return Opening(
        load=lambda: load(session.config_path),
        keys=keys_of(session),
        now=lambda: datetime.now(UTC),
        default=Look(who, issue_of(session, at, wanted).id if at else "", drafts),
        cadence=wanted,
        guests=guests,
        readers=(lambda: readers) if readers else None,
        listing=listing,
    )
