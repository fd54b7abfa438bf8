"""CPU of this process and of a database server beside it."""

import time


class Meter:
    """CPU seconds of this process and of the server whose pid is given."""

    def __init__(self, server: int) -> None:
        import psutil

        self._server = psutil.Process(server) if server else None
        self._begin = self._now()

    def _now(self) -> float:
        if self._server is None:
            return time.process_time()
        spent = sum(self._server.cpu_times()[:4])  # with the ended children's
        for child in self._server.children(recursive=True):
            spent += sum(child.cpu_times()[:2])
        return time.process_time() + spent

    def read(self) -> float:
        """CPU seconds since the meter was made."""
        return self._now() - self._begin
