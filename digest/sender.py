"""Hand the deliveries of an issue to the provider, batch by batch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from digest.errors import Outcome, ProviderError
from digest.providers import Batch, Provider


@dataclass(frozen=True, slots=True)
class HandOver:
    """What one run did: deliveries taken now, taken before, and refused for good."""

    new: int = 0
    already: int = 0
    refused: tuple[tuple[str, str], ...] = ()  # (delivery, the provider's reason)


def send(provider: Provider, batches: Iterable[Batch], advance: Callable[[int], None]) -> HandOver:
    """Hand every batch over. `advance` gets the number of deliveries done so far.

    A delivery that is refused for good is noted, and the others go on. Any other ProviderError
    stops the run; what has a receipt stays handed over, and a second run takes up from there.
    """
    done = HandOver()
    for batch in batches:
        rest = batch
        while rest.readers:
            done, taken = _hand_over(provider, rest, done)
            rest = replace(rest, readers=rest.readers[taken:])
        advance(done.new + done.already + len(done.refused))
    return done


def _hand_over(provider: Provider, batch: Batch, done: HandOver) -> tuple[HandOver, int]:
    """Up to the first refusal: what was done by then, and how many of the batch that settles."""
    new, already, taken = done.new, done.already, 0
    refused = done.refused
    try:
        for receipt in provider.hand_over(batch):
            taken += 1
            new, already = new + receipt.new, already + (not receipt.new)
    except ProviderError as error:
        if error.outcome is not Outcome.PERMANENT or taken == len(batch.readers):
            raise
        refused = (*refused, (batch.readers[taken].delivery, str(error)))
        taken += 1
    return HandOver(new, already, refused), taken
