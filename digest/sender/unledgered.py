"""Hand the deliveries of an issue to the provider, batch by batch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from digest.providers import Batch, Provider, Receipt, Refusal


@dataclass(frozen=True, slots=True)
class HandOver:
    """What one run did: deliveries taken now, taken before, and not taken."""

    new: int = 0
    already: int = 0
    refused: tuple[Refusal, ...] = ()


def send(provider: Provider, batches: Iterable[Batch], advance: Callable[[int], None]) -> HandOver:
    """Hand every batch over. `advance` gets the number of deliveries answered so far.

    A delivery that is refused is noted, and the others go on. A ProviderError stops the run; what
    was taken stays taken, and a second run takes up from there.
    """
    new = already = 0
    refused: list[Refusal] = []
    for batch in batches:
        for answer in provider.hand_over(batch):
            match answer:
                case Receipt():
                    new, already = new + answer.new, already + (not answer.new)
                case Refusal():
                    refused.append(answer)
        advance(new + already + len(refused))
    return HandOver(new, already, tuple(refused))
