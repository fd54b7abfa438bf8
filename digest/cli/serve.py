"""`digest serve`: the readers' pages and what goes out by itself, until it is told to stop."""

import signal
import threading
from contextlib import suppress

import click

from digest.cli.audience import keys_of
from digest.cli.exits import Exit
from digest.cli.session import Session, project_command
from digest.cli.stored import required_store
from digest.errors import DigestError


@project_command(name="serve", example="digest serve --port 8000", goes_on=True)
@click.option("--web", is_flag=True, help="The pages alone; nothing is sent.")
@click.option("--schedule", is_flag=True, help="What goes out by itself alone; no pages.")
@click.option("--host", default=None, metavar="ADDRESS", help="Where to listen, not web.host.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="On which port, not web.port; 0: a free one."
)
def command(session: Session, web: bool, schedule: bool, host: str | None, port: int | None) -> int:
    """Serve the readers' own pages, and send each issue when it is due.

    The pages stand behind a reverse proxy that speaks https (docs/pages.md); how issues go out is
    in docs/schedule.md. Ctrl-C or SIGTERM stops it within ten seconds: requests and deliveries
    under way are finished. SIGHUP reads the configuration again.
    """
    if web and schedule:
        raise click.UsageError("--web and --schedule exclude each other; without both, both run")
    hung_up = _hearing()
    store = required_store(session)
    from digest import logs
    from digest.cli.serving import Service, clockwork
    from digest.scheduler.clockwork import LOOKS_AGAIN
    from digest.sender import utc_now
    from digest.web.meters import Meters
    from digest.web.server import listen

    session.sends = True
    config, keys = session.config, keys_of(session)
    listener = None
    if not schedule:
        listener = listen(host or config.web.host, config.web.port if port is None else port)
    logs.adopt_libraries()
    meters = Meters.made()
    clock = None if web else clockwork(config, store, keys, utc_now, LOOKS_AGAIN, meters.batch)
    service = Service(config, store, keys, utc_now, listener, clock, meters)
    if listener is not None:
        bound = listener.getsockname()
        session.say(f"pages at http://{bound[0]}:{bound[1]}, for {config.newsletter.base_url}")
    if clock is not None:
        session.say("issues go out when they are due; see: digest schedule show")
    if not service.run(reload=hung_up.is_set):
        raise DigestError(
            "stopped while deliveries were in flight",
            hint="the next start settles what became of them; see: digest issues show",
        )
    return Exit.DONE


def _hearing() -> threading.Event:
    """Set by a SIGHUP that comes while the service starts, which would end it otherwise."""
    heard = threading.Event()
    with suppress(AttributeError):  # Windows has none
        signal.signal(signal.SIGHUP, lambda *_: heard.set())
    return heard
