"""Serves the studio on 127.0.0.1 until Ctrl-C, and ends at once."""

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from digest.studio.bell import Bell
from digest.studio.site import application
from digest.studio.workshop import Workshop

HOST = "127.0.0.1"
PORT = 4747


def listen(port: int | None) -> socket.socket:
    """A socket of this machine alone. Without `port`: the usual one, or any where it is taken."""
    for wanted in (PORT, 0) if port is None else (port,):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((HOST, wanted))
        except OSError:
            made.close()
            if port is not None or wanted == 0:
                raise
        else:
            return made
    raise AssertionError


class Server(uvicorn.Server):
    """Ends the event streams when it is told to stop: uvicorn waits for open answers."""

    def __init__(self, workshop: Workshop, ready: Callable[[], None]) -> None:
        self._bell, self._ready = Bell(), ready
        app = application(workshop, self._bell)
        super().__init__(uvicorn.Config(app, log_level="warning", access_log=False))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._bell.close()
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """What Ctrl-C does, for another thread to call."""
        self._bell.close()
        self.should_exit = True
