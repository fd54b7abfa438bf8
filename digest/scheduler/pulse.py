"""Whether the schedule of this process is alive: when it last did anything."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

_IDLE = timedelta(minutes=3)  # between two ticks, which come every minute
_BUSY = timedelta(minutes=15)  # a mail server may take ten to answer to one message


class Pulse:
    """Any thread may touch it. Each cadence ticks in a thread of its own."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._lock = now, threading.Lock()
        self._ticking: dict[int, datetime] = {}  # thread -> when it last did anything
        self.last: datetime | None = None  # None: no schedule runs here

    def beat(self) -> None:
        """Something was done just now, in this thread."""
        thread = threading.get_ident()
        with self._lock:
            self.last = self._now()
            if thread in self._ticking:
                self._ticking[thread] = self.last

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Round one tick, which may send for hours."""
        with self._lock:
            self._ticking[threading.get_ident()] = self._now()
        self.beat()
        try:
            yield
        finally:
            with self._lock:
                self._ticking.pop(threading.get_ident(), None)
            self.beat()

    @property
    def alive(self) -> bool:
        """False when a schedule ran here, and it or one of its ticks does nothing any more."""
        with self._lock:
            last, at_work = self.last, tuple(self._ticking.values())
        now = self._now()
        if last is None:
            return True
        if at_work:
            return all(now - since <= _BUSY for since in at_work)
        return now - last <= _IDLE
