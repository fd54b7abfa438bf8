"""CPU of this process and of a database server beside it."""

import time
from typing import NamedTuple


class Spent(NamedTuple):
    """CPU seconds, user and system."""

    own: float  # this process alone, with its threads and without its children
    server: float


class Meter:
    """CPU seconds of this process and of the server whose pid is given."""

    def __init__(self, server: int) -> None:
        import psutil

        self._server = psutil.Process(server) if server else None
        self._begin = self._now()

    def _now(self) -> Spent:
        spent = 0.0
        if self._server is not None:
            spent = sum(self._server.cpu_times()[:4])  # with the ended children's
            for child in self._server.children(recursive=True):
                spent += sum(child.cpu_times()[:2])
        return Spent(time.process_time(), spent)

    def parts(self) -> Spent:
        """What was spent since the meter was made."""
        now = self._now()
        return Spent(now.own - self._begin.own, now.server - self._begin.server)

    def read(self) -> float:
        """The same, in one sum."""
        return sum(self.parts())
