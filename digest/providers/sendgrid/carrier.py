"""Hands batches to SendGrid: requests of many readers, a few at a time, an answer for each reader.

A request has one fate for all its readers, except that SendGrid may name some of them as the cause
of a refusal. What is refused for a cause that lies in few readers is sent again without them.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import LifoQueue
from typing import TYPE_CHECKING

from digest.composer import EditionMessage
from digest.config import Newsletter
from digest.errors import Outcome, ProviderError
from digest.providers import Answer, Batch, Receipt, Refusal
from digest.providers.sendgrid.letters import Form, Request, Stationery, Unwritable
from digest.providers.sendgrid.line import Line
from digest.providers.sendgrid.replies import (
    CutOff,
    Drop,
    Halve,
    Later,
    Reply,
    Stop,
    Taken,
    Unsure,
    Validated,
    Verdict,
    verdict,
)

if TYPE_CHECKING:
    import ssl

TIMEOUT = 60.0  # seconds without a byte; the readers of a request are unknown after that
_PARTS = 8  # of a body that was cut off: so 250 readers are one after three tries more
_AFTER_END = "not handed over, because the hand-over ended before"
_LATER_HINT = "try again in a while"
_SANDBOX_HINT = "set `sandbox = false` in [sendgrid] to send for real"


@dataclass(frozen=True, slots=True)
class Way:
    """Where requests go, and how many at a time."""

    url: str
    headers: Mapping[str, str] = field(repr=False)  # with the key
    personalizations: int
    connections: int
    tls: "ssl.SSLContext | None"  # None: plain HTTP, to this machine alone


@dataclass(slots=True)
class _Run:
    """One `hand_over`, and why it goes on no further once it does not. Threads write to it."""

    starting: Callable[..., None]  # the batch's
    answered: Callable[[Answer], None]  # the batch's
    stop: Stop | None = None
    pause: Later | None = None
    validated: list[int] = field(default_factory=list)  # readers of each request

    def note(self, request: Request, said: Verdict) -> None:
        match said:
            case Stop():
                self.stop = said
            case Later():
                if self.pause is None or said.retry_after > self.pause.retry_after:
                    self.pause = said
            case CutOff() if len(request.letters) == 1:
                self.pause = self.pause or Later(said.reason)
            case Unsure():  # or a provider in trouble would leave a whole issue in doubt
                self.pause = self.pause or Later(said.reason)
            case Validated():
                self.validated.append(len(request.letters))


class Sendgrid:
    """The provider `sendgrid`. Threads may share one; each batch is to be iterated to its end.

    The readers of a request are taken together, before the first of their answers is given.
    """

    name = "sendgrid"

    def __init__(
        self,
        way: Way,
        newsletter: Newsletter,
        *,
        sandbox: bool = False,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._way, self._clock = way, clock
        self._stationery = Stationery(newsletter, sandbox=sandbox)
        self._lines: LifoQueue[Line] = LifoQueue()
        for _ in range(way.connections):
            self._lines.put(Line(way.url, way.headers, timeout, way.tls))
        self._threads = ThreadPoolExecutor(way.connections, "sendgrid")  # starts none yet
        self._last: tuple[EditionMessage, Form] | None = None
        self._closed = False
        self.at_once = way.personalizations * way.connections  # readers that fill all lines
        self.together = way.personalizations
        self._most = way.personalizations  # readers of a request; fewer after one was cut off

    def hand_over(self, batch: Batch) -> Iterator[Answer]:
        """As `Provider.hand_over`. Nothing is waited for: a limit is told as `retry_after`.

        It is the account's and not the readers', so it ends the batch and is no attempt of theirs.
        """
        if self._closed:
            raise ProviderError("the provider is closed", outcome=Outcome.TEMPORARY)
        run = _Run(batch.starting, batch.answered)
        requests = self._form(batch.edition).requests(batch.readers, self._most)
        left = len(batch.readers)
        for answers in self._answers(run, requests, len(batch.readers)):
            left -= len(answers)
            yield from answers
        if run.stop:
            raise ProviderError(run.stop.reason, outcome=Outcome.PERMANENT, hint=run.stop.hint)
        if run.validated:
            message = f"SendGrid checked {sum(run.validated)} messages and sent none: sandbox mode"
            raise ProviderError(message, outcome=Outcome.PERMANENT, hint=_SANDBOX_HINT)
        if run.pause and left:
            why, wait = run.pause.reason, run.pause.retry_after
            outcome = Outcome.TEMPORARY
            raise ProviderError(why, outcome=outcome, hint=_LATER_HINT, retry_after=wait)

    def close(self) -> None:
        """Wait for requests under way, and hang up."""
        self._closed = True
        self._threads.shutdown()
        for line in [self._lines.get() for _ in range(self._way.connections)]:
            line.close()
            self._lines.put(line)

    def _form(self, edition: EditionMessage) -> Form:
        """Batches of one edition follow each other, and a form is dear: it merges the edition."""
        if self._last is None or self._last[0] is not edition:
            self._last = (edition, Form(self._stationery, edition))
        return self._last[1]

    def _answers(
        self, run: _Run, requests: Iterable[Request | Unwritable], count: int
    ) -> Iterator[list[Answer]]:
        """Of all requests, in their order; ends early when there is a reason to stop."""
        if count <= self._most or self._way.connections == 1:
            yield from self._one_by_one(run, requests)
            return
        flying: deque[Future[list[Answer]]] = deque()
        try:
            for request in requests:
                flying.append(self._threads.submit(self._carry, run, request))
                if len(flying) >= 2 * self._way.connections:
                    yield flying.popleft().result()
                if run.stop or run.pause:
                    break
            while flying:
                yield flying.popleft().result()
        finally:  # nobody iterates any more: what has not begun never does, the rest ends
            if flying:
                run.pause = run.pause or Later(_AFTER_END)
            for future in flying:
                future.cancel()
            wait(flying)

    def _one_by_one(
        self, run: _Run, requests: Iterable[Request | Unwritable]
    ) -> Iterator[list[Answer]]:
        for request in requests:
            yield self._carry(run, request)
            if run.stop or run.pause:
                break

    def _carry(self, run: _Run, request: Request | Unwritable) -> list[Answer]:
        """Every reader's answer; none for those who were not handed over: a Stop or a Later."""
        if isinstance(request, Unwritable):
            return [Refusal(request.delivery, Outcome.PERMANENT, request.reason)]
        answers: list[Answer] = []
        waiting = [request]
        while waiting:
            request = waiting.pop()
            said = run.stop or run.pause or self._post(run, request)
            run.note(request, said)
            self._learn(request, said)
            settled = _settled(request, said)
            for answer in settled:  # before this thread starts another request
                run.answered(answer)
            answers += settled
            waiting += _again(request, said)
        return answers

    def _learn(self, request: Request, said: Verdict) -> None:
        """Begin with one reader where no more got through, until one does."""
        if isinstance(said, CutOff) and len(request.letters) == 1:
            self._most = 1
        elif isinstance(said, Taken) and self._most < self._way.personalizations:
            self._most = min(self._most * _PARTS, self._way.personalizations)

    def _post(self, run: _Run, request: Request) -> Verdict:
        line = self._lines.get()
        try:
            run.starting(*(delivery for delivery, _, _ in request.letters))
            said = line.post(request.body())
        except BaseException:  # its next answer would be this one's
            line.close()
            raise
        finally:
            self._lines.put(line)
        if isinstance(said, Reply):
            return verdict(said, len(request.letters), self._clock())
        return said


def _settled(request: Request, said: Verdict) -> list[Answer]:
    """The answers that are final with this verdict."""
    deliveries = [delivery for delivery, _, _ in request.letters]
    match said:
        case Taken(name):
            return [Receipt(delivery, name, True) for delivery in deliveries]
        case Unsure(reason):
            return [Refusal(delivery, Outcome.UNKNOWN, reason) for delivery in deliveries]
        case Drop(reasons):
            return [Refusal(deliveries[n], Outcome.PERMANENT, why) for n, why in reasons.items()]
        case Halve(reason) if len(deliveries) == 1:
            return [Refusal(deliveries[0], Outcome.PERMANENT, reason)]
        case CutOff(reason) if len(deliveries) == 1:
            why = f"{reason}, with no other reader and {len(request.body())} bytes in it"
            return [Refusal(deliveries[0], Outcome.TEMPORARY, why)]
    return []


def _again(request: Request, said: Verdict) -> list[Request]:
    """What is to be sent at once, the first part last."""
    letters = request.letters
    match said:
        case Drop(reasons):
            left = [letter for n, letter in enumerate(letters) if n not in reasons]
            parts = [tuple(left)]
        case Halve() if len(letters) > 1:
            middle = len(letters) // 2
            parts = [letters[middle:], letters[:middle]]
        case CutOff() if len(letters) > 1:
            size = -(-len(letters) // _PARTS)
            parts = [letters[n : n + size] for n in range(0, len(letters), size)][::-1]
        case _:
            parts = []
    return [Request(part, request.rest) for part in parts if part]
