"""One claimed window: its deliveries by edition, to the provider, and what became of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from digest.composer import EditionMessage, Reader
from digest.errors import Outcome, ProviderError
from digest.models import Subscriber
from digest.pace import Breaker, Patience, Rate
from digest.providers import Answer, Batch, Provider, Receipt, Refusal
from digest.sender.journal import Journal
from digest.store.ledger.places import place_name
from digest.store.ledger.records import Claim, Claimed, Closing, DeliveryState, Mark

BATCH = 250  # deliveries of one edition handed over together, unless a provider says otherwise
KILLED = "interrupted while it was handed over"


@dataclass(frozen=True, slots=True)
class Material:
    """What the rest of the program does for a sender, so that it knows no more of an issue."""

    issue_id: str
    # by number, and by the moment that its readers' deliveries were released, if they had to wait
    edition: Callable[[int, datetime | None], EditionMessage]
    reader: Callable[[Subscriber, str], Reader]  # with the place of the delivery


@dataclass(slots=True)
class Handing:
    """Hands windows over. `going_on` is asked between batches; where it is false, work stops."""

    material: Material
    issue_number: int
    provider: Provider
    journal: Journal
    patience: Patience
    breaker: Breaker
    rate: Rate
    now: Callable[[], datetime]
    going_on: Callable[[Claim], bool]
    observe: Callable[[int, float], None]  # a batch: its deliveries, the seconds it took
    failure: ProviderError | None = None  # that the last window ended with
    answered: list[Mark] = field(default_factory=list)  # of the window in hand

    def hand_over(self, claim: Claim, advance: Callable[[int], None]) -> Closing:
        """Hand a window over as far as possible.

        Whatever interrupts it (it is raised again by `run`) is in `failure` or ends in marks: what
        had started without an answer is unknown, what had not started is planned as before.
        """
        self.answered, self.failure = [], None
        for edition, people in self._batches(claim.deliveries):
            self.rate.wait(len(people))
            if not self.going_on(claim):
                break
            began, before = self.rate.clock(), len(self.answered)
            try:
                self._hand_over(edition, claim.released, people)
            except ProviderError as error:
                self.failure = error
                advance(len(self.answered) - before)
                break
            self.observe(len(people), self.rate.clock() - began)
            advance(len(people))
            if self.breaker.halts:
                break
        return Closing(claim.held, tuple(self.answered))

    def interrupted(self, claim: Claim) -> Closing:
        """The end of a window in whose midst an exception was raised."""
        return Closing(claim.held, tuple(self.answered))

    def _batches(self, deliveries: Sequence[Claimed]) -> Iterator[tuple[int, list[Claimed]]]:
        """Neighbours of one edition, no more than may leave at once."""
        most = self.rate.at_once(getattr(self.provider, "at_once", BATCH))
        for edition, group in groupby(deliveries, lambda one: one.edition):
            left = list(group)
            while left:
                many = self.breaker.at_once(most)
                yield edition, left[:many]
                left = left[many:]

    def _hand_over(
        self, edition: int, released: datetime | None, claimed: Sequence[Claimed]
    ) -> None:
        reader, issue = self.material.reader, self.issue_number
        readers = [reader(one.subscriber, place_name(issue, one.number)) for one in claimed]
        people = {reader.delivery: one for reader, one in zip(readers, claimed, strict=True)}
        started: set[str] = set()
        known: set[str] = set()

        def starting(*deliveries: str) -> None:
            self.journal.start(*[people[delivery].number for delivery in deliveries])
            started.update(deliveries)

        def answered(answer: Answer) -> None:
            one = people[answer.delivery]
            self.journal.answer(one.number, answer)
            self.answered.append(self._mark(answer, one))
            known.add(answer.delivery)

        self.breaker.begin()
        message = self.material.edition(edition, released)
        batch = Batch(self.material.issue_id, message, readers, starting, answered)
        try:
            for answer in self.provider.hand_over(batch):
                if answer.delivery not in known:
                    answered(answer)
                self._record(answer, people[answer.delivery].attempts)
        except ProviderError:  # whatever has no answer was certainly not taken
            raise
        except BaseException:
            for name in started - known:
                doubt = Refusal(name, Outcome.UNKNOWN, KILLED)
                self.answered.append(self._mark(doubt, people[name]))
            raise

    def _record(self, answer: Answer, attempt: int) -> None:
        outcome = answer.outcome if isinstance(answer, Refusal) else None
        if outcome is Outcome.TEMPORARY and self.patience.ends(attempt):
            outcome = Outcome.PERMANENT
        self.breaker.record(outcome, attempt)

    def _mark(self, answer: Answer, one: Claimed) -> Mark:
        if isinstance(answer, Receipt):  # nearly all, and the time is of no matter to them
            return Mark(one.number, DeliveryState.SUBMITTED, answer.id)
        return mark(answer, one.number, one.attempts, answer.delivery, self.patience, self.now())


def mark(
    answer: Answer, number: int, attempts: int, delivery: str, patience: Patience, now: datetime
) -> Mark:
    """What an answer to this attempt (from 1) makes of a delivery."""
    if isinstance(answer, Receipt):
        return Mark(number, DeliveryState.SUBMITTED, answer.id)
    if answer.outcome is Outcome.UNKNOWN:
        return Mark(number, DeliveryState.UNKNOWN, reason=answer.reason)
    if answer.outcome is Outcome.PERMANENT:
        return Mark(number, DeliveryState.FAILED, reason=answer.reason)
    wait = patience.after(attempts, delivery, answer.retry_after)
    if wait is None:
        reason = f"given up after {attempts} attempts: {answer.reason}"
        return Mark(number, DeliveryState.FAILED, reason=reason)
    return Mark(number, DeliveryState.PLANNED, reason=answer.reason, retry_at=now + wait)
