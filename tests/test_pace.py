"""The restraint of a sender: how fast, how often again, when to stop."""

from collections import Counter, deque
from datetime import timedelta
from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import Outcome
from digest.pace import DOUBTS, MOST_WAIT, Breaker, Patience, Rate


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


TAKEN = None
REFUSED, PUT_OFF, DOUBT = Outcome.PERMANENT, Outcome.TEMPORARY, Outcome.UNKNOWN


def told(breaker, *outcomes, attempt=1):
    """One hand-over with these answers."""
    breaker.begin()
    for outcome in outcomes:
        breaker.record(outcome, attempt)
    return breaker


def test_many_refusals_in_a_row_are_a_reason_to_stop():
    breaker = told(Breaker(3, 1.0), REFUSED, REFUSED, TAKEN, REFUSED, REFUSED)

    assert breaker.because == ""
    assert told(breaker, REFUSED).because == "3 answers in a row, and nothing was taken"


def test_a_large_part_of_the_last_ones_is_a_reason_to_stop():
    breaker = told(Breaker(1000, 0.3), *(150 * [TAKEN] + 60 * [REFUSED]))
    assert breaker.because == ""

    assert told(breaker, REFUSED).because == "61 of the last 200 deliveries were not taken"


def test_refusals_that_are_long_past_are_no_reason_to_stop():
    breaker = told(Breaker(1000, 0.3), *(60 * [REFUSED] + 200 * [TAKEN] + 60 * [REFUSED]))

    assert breaker.because == ""


def test_doubts_in_a_row_count_once_among_the_last_answers():
    """They are one outage; each is waited for, and the fourth is a reason of its own."""
    breaker = Breaker(1000, 0.5)
    for _ in range(15):
        for outcome in (DOUBT, DOUBT, DOUBT, TAKEN):
            told(breaker, outcome)

    assert breaker.because == ""


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(2, 100))
def test_a_request_without_an_answer_is_one_doubt_however_many_readers_it_has(
    together, readers, in_a_row
):
    breaker = Breaker(in_a_row, 0.3, together)
    told(breaker, *min(together, readers) * [DOUBT])

    assert breaker.because == ""
    assert breaker.at_once(1000) == 1
    assert told(breaker, TAKEN).at_once(1000) == 1000
    assert not breaker.halts


@given(st.integers(1, 64), st.integers(1, 300), st.integers(1, 100))
def test_of_a_provider_that_never_answers_little_more_is_in_doubt_than_was_in_flight(
    requests, together, in_a_row
):
    breaker, in_flight, doubts = Breaker(in_a_row, 1.0, together), requests * together, 0
    while not breaker.because:
        told(breaker, *(many := breaker.at_once(in_flight) * [DOUBT]))
        doubts += len(many)

    assert doubts < in_flight + DOUBTS


@given(st.lists(st.booleans(), min_size=300, max_size=300), st.integers(1, 50))
def test_doubts_that_come_again_and_again_are_a_reason_to_stop(lost, together):
    breaker, doubts, answers = Breaker(10**6, 0.3, together), 0, 0
    for one in lost:
        many = breaker.at_once(together)
        told(breaker, *many * [DOUBT if one else TAKEN])
        doubts, answers = doubts + (one and many > 1), answers + 1
        if breaker.because:
            break

    assert breaker.because or doubts <= 0.35 * answers + 7


class Server:
    """What it says to a delivery at an attempt, and what a sender makes of it."""

    def __init__(self, says, batch=250, in_a_row=50) -> None:
        self.says, self.batch = says, batch
        self.breaker = Breaker(in_a_row, 0.3)
        self.attempts: Counter[int] = Counter()
        self.taken: set[int] = set()
        self.rests = 0

    def send(self, readers):
        """As `run` does, but that who was put off is due after the next rest, or at the end."""
        due = deque(range(readers))
        later: list[int] = []
        while (due or later) and not self.breaker.because:
            if not due or self.breaker.rests:
                if self.breaker.rests:
                    self.rests += 1
                    self.breaker.rested()
                due.extendleft(reversed(later))
                later = []
            many = [due.popleft() for _ in range(min(self.batch, len(due)))]
            self.breaker.begin()
            later += [one for one in many if not self._take(one)]
        return self

    def _take(self, reader):
        self.attempts[reader] += 1
        outcome = self.says(reader, self.attempts[reader])
        self.breaker.record(outcome, self.attempts[reader])
        if outcome is TAKEN:
            self.taken.add(reader)
        return outcome is TAKEN


@given(readers=st.integers(50, 3000), before=st.integers(0, 3000))
def test_a_server_that_puts_everybody_off_is_given_up_early_and_nobodys_attempts_are_used_up(
    readers, before
):
    server = Server(lambda reader, _: TAKEN if reader < before else PUT_OFF)
    server.send(before + readers)

    assert server.breaker.because
    assert len(server.attempts) - before <= 4 * server.batch
    assert max(server.attempts.values()) < Patience().attempts


@given(readers=st.integers(1, 3000), attempts=st.integers(2, 3))
def test_a_server_that_greylists_gets_every_message(readers, attempts):
    server = Server(lambda _, attempt: TAKEN if attempt >= attempts else PUT_OFF).send(readers)

    assert server.breaker.because == ""
    assert len(server.taken) == readers


def test_the_more_a_greylisting_server_takes_the_less_a_sender_rests():
    server = Server(lambda _, attempt: TAKEN if attempt > 1 else PUT_OFF).send(100_000)

    assert len(server.taken) == 100_000
    assert server.rests <= 4


def test_full_mailboxes_of_a_few_readers_stop_nobody():
    full = 60
    server = Server(lambda reader, _: PUT_OFF if reader % 50 == 0 else TAKEN)
    server.attempts.update({one * 50: 0 for one in range(full)})
    while max(server.attempts.values()) < 5 and not server.breaker.because:
        for one in range(full * 50):
            if one not in server.taken:
                server._take(one)

    assert server.breaker.because == ""


@given(st.lists(st.sampled_from([TAKEN, REFUSED, PUT_OFF, DOUBT]), max_size=400), st.integers(1, 9))
def test_whatever_takes_nothing_for_long_is_a_reason_to_stop(outcomes, in_a_row):
    breaker = told(Breaker(in_a_row, 1.0), *outcomes)
    refusals = list(takewhile(lambda one: one is not TAKEN, reversed(outcomes)))

    if sum(one is not PUT_OFF for one in refusals) >= in_a_row:
        assert breaker.because
    if refusals.count(PUT_OFF) >= in_a_row:
        assert breaker.because or breaker.rests
