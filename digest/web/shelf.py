"""The posts as the pages know them: read again when a while has passed, by one thread at a time."""

import time
from collections.abc import Callable
from threading import Lock

from digest.config import Config
from digest.content import Content, read_content

FRESH = 60.0  # seconds


class Shelf:
    """Gives the posts; they are at most `FRESH` seconds old, or one reading older."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config, self._clock, self._lock = config, clock, Lock()
        self._content: Content | None = None
        self._read = 0.0

    def __call__(self) -> Content:
        content = self._content
        if content is not None and self._clock() - self._read < FRESH:
            return content
        # the first has to wait; afterwards one reads and the others take what there is
        if not self._lock.acquire(blocking=content is None):
            return content or self()
        try:
            if self._content is None or self._clock() - self._read >= FRESH:
                self._content, self._read = read_content(self._config), self._clock()
            return self._content
        finally:
            self._lock.release()
