"""The restraint of a sender: how fast, how often again, when to stop."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.pace import MOST_WAIT, Breaker, Patience, Rate


class Time:
    """A clock that goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(rate=st.integers(1, 500), batches=st.lists(st.integers(1, 300), min_size=1, max_size=40))
def test_no_more_leave_than_the_rate_and_a_second_in_advance(rate, batches):
    time = Time()
    limit = Rate(rate, time.clock, time.sleep)

    for batch in batches:
        limit.wait(batch)

    assert sum(batches) <= rate * (time.now - 100.0 + 1.0) + 1e-6


def test_a_pause_earns_no_more_than_a_second():
    time = Time()
    limit = Rate(10, time.clock, time.sleep)
    limit.wait(1)
    time.now += 3600

    limit.wait(10)
    limit.wait(10)

    assert time.now == pytest.approx(3700 + 1.0, abs=0.01)


def test_without_a_rate_nobody_waits_and_batches_are_whole():
    time = Time()
    limit = Rate(0, time.clock, time.sleep)

    limit.wait(1_000_000)

    assert time.now == 100.0
    assert (limit.at_once(250), Rate(3, time.clock, time.sleep).at_once(250)) == (250, 3)


@given(delivery=st.text(max_size=20), attempts=st.integers(1, 12), asked=st.floats(0, 10_000))
def test_every_wait_is_longer_and_the_same_in_every_run(delivery, attempts, asked):
    patience = Patience(attempts)
    waits = [patience.after(attempt, delivery) for attempt in range(1, attempts)]

    assert waits == [Patience(attempts).after(n, delivery) for n in range(1, attempts)]
    assert all(early < late for early, late in pairwise(waits[:4]))
    assert all(wait <= MOST_WAIT * 1.25 for wait in waits)
    assert patience.after(attempts, delivery) is None
    if attempts > 1:
        assert patience.after(1, delivery, asked) >= timedelta(seconds=asked)


def test_deliveries_refused_together_are_not_tried_together():
    waits = {Patience().after(1, f"delivery {number}") for number in range(100)}

    assert len(waits) > 90
    assert timedelta(seconds=45) <= min(waits) < max(waits) <= timedelta(seconds=75)


def test_many_failures_in_a_row_are_a_reason_to_stop():
    breaker = Breaker(in_a_row=3, ratio=1.0)
    for failed in (True, True, False, True, True):
        breaker.record(failed)

    assert breaker.because == ""
    breaker.record(True)
    assert breaker.because == "3 deliveries in a row were not taken"


def test_a_large_part_of_the_last_ones_is_a_reason_to_stop():
    breaker = Breaker(in_a_row=1000, ratio=0.3, sample=10)
    for number in range(20):
        breaker.record(number % 4 == 0)
    assert breaker.because == ""

    breaker.record(True)
    breaker.record(True)
    assert breaker.because == "4 of the last 10 deliveries were not taken"
