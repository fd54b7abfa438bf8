"""Ctrl-C and `kill`: the first asks to stop, the second stops now."""

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """While it is entered, the first signal sets `requested` and the second raises
    KeyboardInterrupt. `sleep` ends early when a stop is requested."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._before: dict[int, Any] = {}

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        """As the first signal does."""
        self._event.set()

    def sleep(self, seconds: float) -> None:
        """Wait so long, or until a stop is requested."""
        self._event.wait(seconds)

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():
            self._before = {one: signal.signal(one, self._signalled) for one in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for one, before in self._before.items():
            signal.signal(one, before)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.request()
