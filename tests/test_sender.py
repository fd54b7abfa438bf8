"""Handing over: what is refused for good is noted, what is uncertain stops the run."""

from dataclasses import replace

import pytest

from digest.errors import Outcome, ProviderError
from digest.providers import Batch, Receipt
from digest.sender import HandOver, send
from tests.handmade import ANA


class Carrier:
    """Takes what it is given, but answers some deliveries with an error."""

    name = "carrier"

    def __init__(self, *, refuses: dict[str, Outcome] | None = None, had: tuple[str, ...] = ()):
        self.refuses, self.had = refuses or {}, had
        self.taken: list[str] = []

    def hand_over(self, batch):
        for one in batch.readers:
            if one.delivery in self.refuses:
                raise ProviderError("no such mailbox", outcome=self.refuses[one.delivery])
            self.taken.append(one.delivery)
            yield Receipt(one.delivery, one.delivery, one.delivery not in self.had)

    def close(self):
        """Nothing to let go of."""


def batches(*deliveries: str) -> list[Batch]:
    readers = [replace(ANA, delivery=name) for name in deliveries]
    return [Batch("issue", None, readers[:2]), Batch("issue", None, readers[2:])]


def test_every_delivery_is_handed_over_and_counted():
    carrier, steps = Carrier(had=("b",)), []

    done = send(carrier, batches("a", "b", "c"), steps.append)

    assert done == HandOver(new=2, already=1)
    assert carrier.taken == ["a", "b", "c"]
    assert steps == [2, 3]


@pytest.mark.parametrize("bad", ["a", "b", "c", "d"])
def test_a_delivery_refused_for_good_is_noted_and_the_others_go_on(bad):
    carrier = Carrier(refuses={bad: Outcome.PERMANENT})

    done = send(carrier, batches("a", "b", "c", "d"), lambda count: None)

    assert done == HandOver(new=3, refused=((bad, "no such mailbox"),))
    assert bad not in carrier.taken


@pytest.mark.parametrize("outcome", [Outcome.TEMPORARY, Outcome.UNKNOWN])
def test_any_other_failure_stops_the_run(outcome):
    carrier = Carrier(refuses={"b": outcome})

    with pytest.raises(ProviderError):
        send(carrier, batches("a", "b", "c"), lambda count: None)

    assert carrier.taken == ["a"]
