"""What becomes of the windows of senders that died.

| who held the window | an answer was noted | started, no answer | not started |
|---|---|---|---|
| a run of this machine, killed | as answered | unknown | planned |
| a run before this machine's last start (power cut) | as answered | unknown | unknown |
| a run of another machine, its lease over | - | unknown | unknown |
| any, where the provider can say what it took | as answered | submitted or planned | the same |
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from digest.composer import delivery_id
from digest.pace import Patience
from digest.providers import Answer, Provider, Remembers
from digest.sender.handing import mark
from digest.sender.journal import Remains, boot_id, sweep
from digest.store.ledger import Claims, Ledger
from digest.store.ledger.records import Closing, DeliveryState, Held, InClaim, Mark

UNANSWERED = "handed over by a run that was killed before the answer"
LOST = "claimed by a run of which nothing is left; it may have been handed over"


@dataclass(frozen=True, slots=True)
class Recovery:
    """Settles the windows of dead senders of one issue."""

    ledger: Ledger
    claims: Claims
    issue_id: str
    folder: Path  # of the journals
    provider: Provider
    patience: Patience
    now: Callable[[], datetime]

    def recover(self) -> int:
        """Settle what can be settled now. Gives the number of windows."""
        settled = 0
        for held in self.claims.held_by_others():
            remains = Remains(self.folder, held.owner)
            try:
                closing = self._closing(held, remains)
            finally:
                remains.close()
            if closing is not None:
                self.claims.close(closing, self.now())
                settled += 1
        sweep(self.folder, self.ledger.holding())
        return settled

    def _closing(self, held: Held, remains: Remains) -> Closing | None:
        """None while the sender may be alive."""
        if remains.lives:
            return None
        rows = self.claims.claimed_in(held)
        if not remains.readable:
            over = self.now() >= held.lease_until
            return Closing(held, _unknown(rows, LOST)) if over else None
        started = remains.read(held.claim)
        answered, open_ends = [], []
        for row in rows:
            if answer := started.get(row.number):
                answered.append(self._mark(row, answer))
            else:
                open_ends.append(row)
        return Closing(held, (*answered, *self._without_answer(held, open_ends, started.keys())))

    def _without_answer(
        self, held: Held, rows: Sequence[InClaim], started: Container[int]
    ) -> tuple[Mark, ...]:
        """Marks of those that are not simply planned again."""
        if isinstance(self.provider, Remembers) and held.owner.provider == self.provider.name:
            names = {delivery_id(self.issue_id, row.subscriber_id): row.number for row in rows}
            taken = self.provider.look_up(self.issue_id, list(names))
            return tuple(
                Mark(names[name], DeliveryState.SUBMITTED, receipt.id)
                for name, receipt in taken.items()
            )
        if held.owner.boot and held.owner.boot == boot_id():
            return _unknown([row for row in rows if row.number in started], UNANSWERED)
        return _unknown(rows, LOST)

    def _mark(self, row: InClaim, answer: Answer) -> Mark:
        delivery = delivery_id(self.issue_id, row.subscriber_id)
        return mark(answer, row.number, row.attempts, delivery, self.patience, self.now())


def _unknown(rows: Sequence[InClaim], reason: str) -> tuple[Mark, ...]:
    return tuple(Mark(row.number, DeliveryState.UNKNOWN, reason=reason) for row in rows)
