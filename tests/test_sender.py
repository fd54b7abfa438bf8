"""Handing over: what is refused for good is noted, what is uncertain stops the run."""

from dataclasses import replace

import pytest

from digest.errors import Outcome, ProviderError
from digest.providers import Batch, Receipt, Refusal
from digest.sender import HandOver, send
from tests.handmade import ANA


class Carrier:
    """Takes what it is given, but refuses some deliveries and breaks down at others."""

    name = "carrier"

    def __init__(self, *, refuses: str = "", breaks: str = "", had: str = ""):
        self.refuses, self.breaks, self.had = refuses, breaks, had
        self.taken: list[str] = []

    def hand_over(self, batch):
        for one in batch.readers:
            if one.delivery in self.breaks:
                raise ProviderError("no connection", outcome=Outcome.TEMPORARY)
            if one.delivery in self.refuses:
                yield Refusal(one.delivery, Outcome.PERMANENT, "no such mailbox")
                continue
            self.taken.append(one.delivery)
            yield Receipt(one.delivery, one.delivery, one.delivery not in self.had)

    def close(self):
        """Nothing to let go of."""


def batches(*deliveries: str) -> list[Batch]:
    readers = [replace(ANA, delivery=name) for name in deliveries]
    return [Batch("issue", None, readers[:2]), Batch("issue", None, readers[2:])]


def test_every_delivery_is_handed_over_and_counted():
    carrier, steps = Carrier(had="b"), []

    done = send(carrier, batches("a", "b", "c"), steps.append)

    assert done == HandOver(new=2, already=1)
    assert carrier.taken == ["a", "b", "c"]
    assert steps == [2, 3]


@pytest.mark.parametrize("bad", ["a", "b", "c", "d"])
def test_a_delivery_refused_for_good_is_noted_and_the_others_go_on(bad):
    carrier = Carrier(refuses=bad)

    done = send(carrier, batches("a", "b", "c", "d"), lambda count: None)

    assert done == HandOver(new=3, refused=(Refusal(bad, Outcome.PERMANENT, "no such mailbox"),))
    assert bad not in carrier.taken


def test_a_provider_that_breaks_down_stops_the_run():
    carrier = Carrier(breaks="b")

    with pytest.raises(ProviderError):
        send(carrier, batches("a", "b", "c"), lambda count: None)

    assert carrier.taken == ["a"]
