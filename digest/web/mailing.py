"""Notices leave in the background, one after the other and a moment later, so that an answer never
waits for a mail server, and takes as long whether or not there is anything to mail."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import BoundedSemaphore, Event

from digest import logs
from digest.errors import DigestError
from digest.notices import Notice, Postman

WAITING = 1000  # notices; one more is not taken
# Seconds before work on a notice begins: the answer has left by then. Composing it meanwhile takes
# the answer's processor, and then a known address answers half as slow again as an unknown one.
HOLD = 0.2


class Mailing:
    """Posts notices in a thread of its own."""

    def __init__(self, postman: Postman, now: Callable[[], datetime]) -> None:
        self._postman, self._now = postman, now
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notices")
        self._room = BoundedSemaphore(WAITING)
        self._closing = Event()
        self.hold = HOLD

    def __call__(self, notice: Notice, failed: Callable[[], None]) -> None:
        """Mail it soon; `failed` is called when it was not handed over."""
        if not self._room.acquire(blocking=False):
            logs.get("web").warning("web.notice_failed", reason="too many are waiting")
            failed()
            return
        try:
            self._thread.submit(self._post, notice, failed, time.monotonic() + self.hold)
        except RuntimeError:  # closed: the configuration was read anew while this was answered
            self._room.release()
            failed()

    def flush(self) -> None:
        """Wait until what was given before has been handed over."""
        self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Hand over what waits, and take nothing more."""
        self._closing.set()
        self._thread.shutdown()

    def _post(self, notice: Notice, failed: Callable[[], None], at: float) -> None:
        self._closing.wait(max(0.0, at - time.monotonic()))
        try:
            self._postman.post(notice, self._now())
        except (DigestError, OSError) as error:
            logs.get("web").error("web.notice_failed", failure=error)
            failed()
        finally:
            self._room.release()
