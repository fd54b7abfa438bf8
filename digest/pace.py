"""How fast, how often again, and when to stop: the restraint of a sender. Pure.

Clock and sleep are arguments. A wait before the next attempt is the same in every run, because it
is made of the delivery's id: after a crash nothing is tried sooner.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b

from digest.errors import Outcome

MOST_WAIT = timedelta(hours=6)
DOUBTS = 4  # hand-overs; the first, and one after each wait for a provider that is away
RESTS = 2  # a minute and four: greylisting takes no longer, most often
_GREYLISTED = 3  # attempts that it may take, as waits differ by a half


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

    def ends(self, attempt: int) -> bool:
        """Whether the attempt of this number (from 1) is the last."""
        return attempt >= self.attempts

    def rest(self, number: int) -> timedelta:
        """Until all that were put off are due: before their second attempt (1), or third."""
        longest: timedelta = self.first * 4 ** (number - 1) * 1.25
        return longest

    def after(self, attempt: int, delivery: str, asked: float = 0.0) -> timedelta | None:
        """How long to wait after the attempt of this number (from 1); None: no more.

        Four times as long every time, give or take a quarter; at least what the provider `asked`
        for, in seconds.
        """
        if self.ends(attempt):
            return None
        draw = blake2b(f"{delivery}\0{attempt}".encode(), digest_size=2).digest()
        jitter = 0.75 + int.from_bytes(draw) / 0x2_0000
        wait: timedelta = min(self.first * 4 ** min(attempt - 1, 16), MOST_WAIT) * jitter
        return max(wait, timedelta(seconds=asked))


@dataclass(slots=True)
class _Share:
    """How many of the last were bad. Nearly all are good, and cost an addition."""

    sample: int
    seen: int = 0
    _bad: deque[int] = field(default_factory=deque)  # which of those seen

    def note_bad(self) -> None:
        self.seen += 1
        self._bad.append(self.seen)

    @property
    def bad(self) -> int:
        while self._bad and self._bad[0] <= self.seen - self.sample:
            self._bad.popleft()
        return len(self._bad)

    def above(self, ratio: float) -> bool:
        """Nothing is above any ratio before there are enough to tell."""
        return self.seen >= self.sample and self.bad > ratio * self.sample


@dataclass(slots=True)
class Breaker:
    """Says when to stop, when to rest, and when to go carefully, by what a provider answers.

    Refusals are counted by reader, because each is about one. Doubts are counted by answer: one
    that never came leaves all readers of its request in doubt. To be put off is no failure before
    the fourth time: a server that greylists does it to everybody whom it does not know yet.
    """

    in_a_row: int
    ratio: float
    together: int = 1  # readers that one answer may be for
    _row: int = 0  # refusals and doubts since something was taken
    _refused: _Share = field(default_factory=lambda: _Share(200))  # of readers
    _doubted: _Share = field(default_factory=lambda: _Share(20))  # of answers; doubts in a row: one
    doubts: int = 0  # hand-overs in a row that ended in one
    _in_doubt: bool = False  # the hand-over of now
    _told: int = 0  # readers to whom the answer of now was told; 0: the next begins one
    _is_doubt: bool = False  # that answer
    _put_off: int = 0  # in a row, and with nothing taken between
    _rests: int = 0  # since something was taken
    _relented: int = 0  # taken that were put off before
    _taken: int = 0
    _again: int = 0  # put off more often than by greylisting

    def begin(self) -> None:
        """A hand-over begins: its first answer is one of its own."""
        self._in_doubt, self._told = False, 0

    def record(self, outcome: Outcome | None, attempt: int = 1) -> None:
        """Note what came of the next delivery at this attempt; None: it was taken."""
        if outcome is None:  # nearly all
            self._take(attempt)
            return
        match outcome:
            case Outcome.UNKNOWN:
                self._doubt()
            case Outcome.PERMANENT:
                self._refuse()
            case Outcome.TEMPORARY:
                self._wait(attempt)

    def at_once(self, most: int) -> int:
        """How many to hand over together: one, as long as the last answer left a doubt."""
        return 1 if self.doubts else most

    @property
    def halts(self) -> bool:
        """Whether to put the work down: to stop, to rest, or to wait before a careful try."""
        return bool(self.because or self.rests or self.doubts)

    @property
    def rests(self) -> int:
        """Which rest is due (from 1), until those that were put off are tried again; 0: none."""
        tired = self._put_off >= self._endures and self._rests < RESTS
        return self._rests + 1 if tired else 0

    def rested(self) -> None:
        """The rest is over."""
        self._put_off, self._rests = 0, self._rests + 1

    @property
    def because(self) -> str:
        """Why to stop; empty: go on."""
        return self._refuses or self._leaves_in_doubt or self._puts_off

    @property
    def _refuses(self) -> str:
        if self._row >= self.in_a_row:
            return f"{self._row} answers in a row, and nothing was taken"
        if self._refused.above(self.ratio):
            return (
                f"{self._refused.bad} of the last {self._refused.sample} deliveries were not taken"
            )
        return ""

    @property
    def _leaves_in_doubt(self) -> str:
        if self.doubts >= DOUBTS:
            return f"{self.doubts} times in a row nobody can say whether anything was taken"
        if self._doubted.above(self.ratio):
            return f"{self._doubted.bad} of the last {self._doubted.sample} answers left a doubt"
        return ""

    @property
    def _puts_off(self) -> str:
        tried = self._taken + self._again
        if self._again >= self.in_a_row and self._again > self.ratio * tried:
            return f"{self._again} were put off again and again, {self._taken} were taken"
        if self._rests >= RESTS and self._put_off >= self._endures:
            return f"{self._put_off} deliveries in a row were put off, after {self._rests} rests"
        return ""

    @property
    def _endures(self) -> int:
        """Put off in a row: more, the more it took of those whom it had put off."""
        return self.in_a_row + 10 * self._relented

    def _take(self, attempt: int) -> None:
        self._row = self.doubts = self._put_off = self._rests = 0
        self._in_doubt = False
        self._taken += 1
        self._relented += attempt > 1
        self._refused.seen += 1
        if self._is_new(doubt=False):
            self._doubted.seen += 1

    def _doubt(self) -> None:
        if not self._is_new(doubt=True):
            return
        self._row += 1
        self._refused.note_bad()
        if not self.doubts:
            self._doubted.note_bad()
        if not self._in_doubt:
            self.doubts, self._in_doubt = self.doubts + 1, True

    def _refuse(self) -> None:
        self._is_clear()
        self._row += 1
        self._refused.note_bad()

    def _wait(self, attempt: int) -> None:
        self._is_clear()
        # Who is put off again without a rest before was so among others who were taken.
        self._put_off += attempt <= self._rests + 1
        self._again += attempt > _GREYLISTED

    def _is_clear(self) -> None:
        self.doubts, self._in_doubt, self._told = 0, False, 0

    def _is_new(self, *, doubt: bool) -> bool:
        """Whether this is an answer of its own, and not more readers of the one before."""
        if 0 < self._told < self.together and doubt is self._is_doubt:
            self._told += 1
            return False
        self._told, self._is_doubt = 1, doubt
        return True
