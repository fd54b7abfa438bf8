"""How fast, how often again, and when to stop: the restraint of a sender. Pure.

Clock and sleep are arguments. A wait before the next attempt is the same in every run, because it
is made of the delivery's id: after a crash nothing is tried sooner.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b

MOST_WAIT = timedelta(hours=6)


@dataclass(slots=True)
class Rate:
    """At most so many messages a second; a second's worth may leave at once."""

    messages: float  # a second; 0: no limit
    clock: Callable[[], float]  # seconds, from any moment, never backwards
    sleep: Callable[[float], object]
    # Takes so many seconds' worth of what several senders share, and says how long to wait.
    reserve: Callable[[float], float] | None = None
    _free_at: float = 0.0  # when everything that left would have left one by one

    def wait(self, messages: int) -> None:
        """Sleep until so many more may leave."""
        if self.messages <= 0:
            return
        worth = messages / self.messages
        left = self.reserve(worth) if self.reserve else self._alone(worth)
        if left > 0:
            self.sleep(left)

    def _alone(self, worth: float) -> float:
        now = self.clock()
        self._free_at = max(self._free_at, now - 1.0) + worth
        return self._free_at - now

    def at_once(self, most: int) -> int:
        """How many to hand over together: never more than a second's worth."""
        return max(1, min(most, int(self.messages))) if self.messages > 0 else most


@dataclass(frozen=True, slots=True)
class Patience:
    """What a delivery is worth that was refused for now."""

    attempts: int = 5
    first: timedelta = timedelta(minutes=1)

    def after(self, attempt: int, delivery: str, asked: float = 0.0) -> timedelta | None:
        """How long to wait after the attempt of this number (from 1); None: no more.

        Four times as long every time, give or take a quarter; at least what the provider `asked`
        for, in seconds.
        """
        if attempt >= self.attempts:
            return None
        draw = blake2b(f"{delivery}\0{attempt}".encode(), digest_size=2).digest()
        jitter = 0.75 + int.from_bytes(draw) / 0x2_0000
        wait: timedelta = min(self.first * 4 ** min(attempt - 1, 16), MOST_WAIT) * jitter
        return max(wait, timedelta(seconds=asked))


@dataclass(slots=True)
class Breaker:
    """Says stop when too many deliveries fail: all of many in a row, or most of the last ones."""

    in_a_row: int
    ratio: float  # of the last `sample`
    sample: int = 200
    _row: int = 0
    _last: deque[bool] = field(default_factory=deque)
    _failures: int = 0

    def record(self, failed: bool) -> None:
        """Note the next answer."""
        self._row = self._row + 1 if failed else 0
        self._last.append(failed)
        self._failures += failed
        if len(self._last) > self.sample:
            self._failures -= self._last.popleft()

    @property
    def because(self) -> str:
        """Why to stop; empty: go on."""
        if self._row >= self.in_a_row:
            return f"{self._row} deliveries in a row were not taken"
        if len(self._last) >= self.sample and self._failures > self.ratio * len(self._last):
            return f"{self._failures} of the last {len(self._last)} deliveries were not taken"
        return ""
