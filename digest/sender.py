"""Hand the deliveries of an issue to the provider, batch by batch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from digest.providers import Batch, Provider


@dataclass(frozen=True, slots=True)
class HandOver:
    """What one run did: deliveries the provider took now, and those it had taken before."""

    new: int = 0
    already: int = 0


def send(provider: Provider, batches: Iterable[Batch], advance: Callable[[int], None]) -> HandOver:
    """Hand every batch over. `advance` gets the number of deliveries done so far.

    Stops at the first ProviderError; what has a receipt stays handed over, and a second run
    takes up where this one stopped.
    """
    new = already = 0
    for batch in batches:
        for receipt in provider.hand_over(batch):
            new, already = new + receipt.new, already + (not receipt.new)
        advance(new + already)
    return HandOver(new, already)
