"""uvicorn in this process: it listens, says so, and stops within ten seconds of being asked."""

import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from digest import logs
from digest.errors import DigestError

PATIENCE = 10  # seconds that requests under way are given, once we are to stop
BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve on; port 0 takes a free one. DigestError when it cannot be had."""
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(places[0][4][:2], family=places[0][0], backlog=BACKLOG)
    except OSError as error:
        raise DigestError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            hint="end what listens there, or name another: --port N, or web.port in digest.toml",
        ) from error


class Server(uvicorn.Server):
    """Serves until `stop`. Signals are whoever's who made it."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,  # its lines would hold tokens; guards.py writes ours
                proxy_headers=False,  # guards.py believes the configured proxies alone
                server_header=False,
                timeout_graceful_shutdown=PATIENCE,
                timeout_keep_alive=20,
                h11_max_incomplete_event_size=32 * 1024,
            )
        )

    def serve_on(self, listener: socket.socket) -> None:
        """Returns when everything has stopped; in any thread."""
        host, port = listener.getsockname()[:2]
        # what is there by now stays: no collection has to look through it again while it serves
        gc.collect()
        gc.freeze()
        logs.get("web").info("web.listening", host=host, port=port)
        with suppress(KeyboardInterrupt):
            self.run(sockets=[listener])
        logs.get("web").info("web.stopped")

    def stop(self) -> None:
        """Take nothing new; from any thread or signal handler."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of ours: uvicorn would end the process by the signal, and lose its exit code."""
        yield
