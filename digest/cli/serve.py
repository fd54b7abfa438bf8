"""`digest serve`: the readers' pages, until it is told to stop."""

import signal
from datetime import UTC, datetime

import click

from digest.cli.audience import keys_of
from digest.cli.session import Session, project_command
from digest.cli.stored import required_store


@project_command(name="serve", example="digest serve --web --port 8000")
@click.option("--web", is_flag=True, help="The pages alone.")
@click.option("--host", default=None, metavar="ADDRESS", help="Where to listen, not web.host.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="On which port, not web.port; 0: a free one."
)
def command(session: Session, web: bool, host: str | None, port: int | None) -> int:
    """Serve the readers' own pages: subscribe, confirm, preferences, unsubscribe.

    Stands behind a reverse proxy that speaks https (docs/pages.md). Ctrl-C or SIGTERM stops it
    within ten seconds; requests under way are answered.
    """
    from digest import logs
    from digest.web import Site, application
    from digest.web.server import Server, listen
    from digest.web.shelf import Shelf

    session.sends = True
    config = session.config
    site = Site(
        config, required_store(session), keys_of(session), lambda: datetime.now(UTC), Shelf(config)
    )
    server = Server(application(site))
    listener = listen(host or config.web.host, config.web.port if port is None else port)
    logs.adopt_libraries()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    bound = listener.getsockname()
    session.say(f"pages at http://{bound[0]}:{bound[1]}, for {config.newsletter.base_url}")
    server.serve_on(listener)
    return session.finish()
