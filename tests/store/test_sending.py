"""Sending a planned issue: each delivery once, and every answer accounted for."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.config import Restraint
from digest.errors import Outcome, ProviderError
from digest.providers import Receipt, Refusal
from digest.sender import Stopping
from digest.store import Store, SuppressionReason
from digest.store.ledger.records import DeliveryState, Idle, IssueState
from digest.store.ledger.schema import claim_window
from tests.invented import ISSUE
from tests.store.conftest import NOW
from tests.store.people import add
from tests.store.sending import (
    Carrier,
    Clock,
    Patient,
    draft_of,
    find,
    frozen,
    in_state,
    readers,
    refused,
    send,
    states,
)


def planned(store: Store, root: Path, number: int = 12):  # type: ignore[no-untyped-def]
    readers(store, number)
    draft = draft_of(root)
    frozen(store, draft)
    return draft


def test_every_reader_gets_one_message_and_the_issue_is_done(store: Store, tmp_path: Path) -> None:
    draft, carrier = planned(store, tmp_path), Carrier()

    report = send(store, draft, carrier, tmp_path)

    assert (report.answered, report.ended) == (12, Idle.DONE)
    assert sorted(carrier.taken) == sorted(f"reader{n}@example.com" for n in range(12))
    assert states(store, draft) == {"submitted": 12}
    assert find(store, draft).state is IssueState.DONE
    assert not list((tmp_path / "journal").iterdir())


def test_sending_again_hands_nothing_over(store: Store, tmp_path: Path) -> None:
    draft, again = planned(store, tmp_path), Carrier()
    send(store, draft, Carrier(), tmp_path)

    send(store, draft, again, tmp_path)

    assert again.taken == []


def test_who_got_the_issue_is_covered_until_its_windows_end(store: Store, tmp_path: Path) -> None:
    draft = planned(store, tmp_path, 3)
    send(store, draft, Carrier(reader1=refused(Outcome.PERMANENT)), tmp_path)

    marks = [store.subscriptions.find(f"reader{n}@example.com") for n in range(3)]
    assert [one and one.covered_until for one in marks] == [
        ISSUE.window.end,
        None,
        ISSUE.window.end,
    ]


def test_who_left_between_plan_and_claim_gets_nothing(store: Store, tmp_path: Path) -> None:
    draft, carrier = planned(store, tmp_path, 6), Carrier()
    people = [store.subscriptions.find(f"reader{n}@example.com") for n in range(6)]
    ids = [one.subscriber.id for one in people if one]
    store.subscriptions.unsubscribe(ids[0], NOW, "test")
    store.subscriptions.pause(ids[1], NOW + timedelta(days=9), NOW)
    store.subscriptions.erase(ids[2], NOW, "test")
    store.suppressions.add("reader3@example.com", SuppressionReason.COMPLAINED, NOW, "test")
    store.subscriptions.cover([ids[4]], ISSUE.window.end)

    send(store, draft, carrier, tmp_path)

    assert carrier.taken == ["reader5@example.com"]
    totals = store.ledger.totals(find(store, draft).number)
    assert {reason for state, reason in totals.reasons if state == "suppressed"} == {
        "an issue with the same stories was handed over",
        "erased",
        "paused",
        "suppressed",
    }
    assert states(store, draft) == {"submitted": 1, "suppressed": 5}


def test_a_delivery_outlives_its_erased_subscriber_without_an_address(
    store: Store, tmp_path: Path
) -> None:
    draft = planned(store, tmp_path, 1)
    send(store, draft, Carrier(), tmp_path)
    found = store.subscriptions.find("reader0@example.com")
    assert found is not None
    store.subscriptions.erase(found.subscriber.id, NOW, "test")

    assert in_state(store, draft, DeliveryState.SUBMITTED) == [""]


def test_a_refusal_for_good_is_kept_with_the_providers_words(store: Store, tmp_path: Path) -> None:
    draft = planned(store, tmp_path)
    send(store, draft, Carrier(reader4=refused(Outcome.PERMANENT)), tmp_path)

    (row,) = store.ledger.deliveries(find(store, draft).number, DeliveryState.FAILED)

    assert (row.email, row.reason) == ("reader4@example.com", "no such mailbox")
    assert find(store, draft).state is IssueState.DONE


def test_a_refusal_for_now_is_tried_again_later_and_then_given_up(
    store: Store, tmp_path: Path
) -> None:
    draft, clock = planned(store, tmp_path, 3), Clock()
    carrier = Carrier(reader0=refused(Outcome.TEMPORARY, "busy"))
    patient = Restraint(attempts=3, retry_after=60)

    report = send(store, draft, carrier, tmp_path, clock=clock, restraint=patient)

    (row,) = store.ledger.deliveries(find(store, draft).number, DeliveryState.FAILED)
    assert (row.attempts, row.reason) == (3, "given up after 3 attempts: busy")
    waited = (clock.now - NOW).total_seconds()
    assert 60 * 5 * 0.75 <= waited <= 60 * 5 * 1.25 + 10
    assert report.ended is Idle.DONE


def test_a_long_wait_is_left_to_a_later_run(store: Store, tmp_path: Path) -> None:
    draft, clock = planned(store, tmp_path, 2), Clock()
    busy = Carrier(reader0=refused(Outcome.TEMPORARY, "busy", wait=3600.0))

    report = send(store, draft, busy, tmp_path, clock=clock)
    sooner = send(store, draft, Carrier(), tmp_path, clock=clock)
    clock.sleep(3600.0)
    later = send(store, draft, Carrier(), tmp_path, clock=clock)

    assert (report.ended, report.ready_at) == (Idle.LATER, NOW + timedelta(hours=1))
    assert (sooner.answered, later.answered) == (0, 1)
    assert states(store, draft) == {"submitted": 2}


def test_an_unknown_delivery_is_never_tried_again_by_itself(store: Store, tmp_path: Path) -> None:
    draft, again = planned(store, tmp_path, 3), Carrier()
    send(store, draft, Carrier(reader1=refused(Outcome.UNKNOWN, "no answer")), tmp_path)

    send(store, draft, again, tmp_path)

    assert again.taken == []
    assert in_state(store, draft, DeliveryState.UNKNOWN) == ["reader1@example.com"]


def test_an_operator_settles_what_is_unknown(store: Store, tmp_path: Path) -> None:
    draft, again = planned(store, tmp_path, 4), Carrier()
    silent = refused(Outcome.UNKNOWN, "no answer")
    send(store, draft, Carrier(reader1=silent, reader2=silent), tmp_path)
    number = find(store, draft).number
    first, second = (row.number for row in store.ledger.deliveries(number, DeliveryState.UNKNOWN))

    assert store.ledger.operator.accept(number, NOW, [first]) == 1
    assert store.ledger.operator.resend(number, NOW, [second]) == 1
    send(store, draft, again, tmp_path)

    assert len(again.taken) == 1
    assert states(store, draft) == {"submitted": 4}


def test_failed_deliveries_are_tried_again_when_a_person_says_so(
    store: Store, tmp_path: Path
) -> None:
    draft, again = planned(store, tmp_path, 4), Carrier()
    send(store, draft, Carrier(reader3=refused(Outcome.PERMANENT)), tmp_path)

    assert store.ledger.operator.retry(find(store, draft).number, NOW) == 1
    send(store, draft, again, tmp_path)

    assert again.taken == ["reader3@example.com"]
    assert states(store, draft) == {"submitted": 4}


def test_a_canary_pauses_after_the_first_readers(store: Store, tmp_path: Path) -> None:
    draft, rest = planned(store, tmp_path), Carrier()
    report = send(store, draft, Carrier(), tmp_path, canary=5)
    held = send(store, draft, rest, tmp_path)

    assert report.paused_because == "canary of 5 readers"
    assert (find(store, draft).state, held.answered) == (IssueState.PAUSED, 0)
    assert states(store, draft) == {"planned": 7, "submitted": 5}

    store.ledger.operator.resume(find(store, draft).number)
    send(store, draft, rest, tmp_path)

    assert len(rest.taken) == 7


def test_a_second_canary_is_of_the_next_readers(store: Store, tmp_path: Path) -> None:
    draft, carrier = planned(store, tmp_path), Carrier()
    send(store, draft, carrier, tmp_path, canary=5)
    store.ledger.operator.resume(find(store, draft).number)

    report = send(store, draft, carrier, tmp_path, canary=3)

    assert report.paused_because == "canary of 3 readers"
    assert len(set(carrier.taken)) == 8


def waits(store: Store, number: int, until: datetime, *first: int) -> None:
    """Let deliveries of these windows wait for their hour."""
    with store.database.writing() as connection:
        mine = (claim_window.c.issue_number == number, claim_window.c.lo.in_(first))
        values = {"ready_at": until, "release_at": until}
        connection.execute(sa.update(claim_window).where(*mine).values(**values))


def test_a_canary_is_of_readers_who_are_due(store: Store, tmp_path: Path) -> None:
    draft, carrier = planned(store, tmp_path), Carrier()
    number = find(store, draft).number
    store.ledger.begin_sending(number, "carrier", limit=4)
    waits(store, number, NOW + timedelta(hours=1), 0)

    report = send(store, draft, carrier, tmp_path, canary=5)

    assert report.paused_because == "canary of 5 readers"
    sent = store.ledger.deliveries(number, DeliveryState.SUBMITTED)
    assert [row.number for row in sent] == [4, 5, 6, 7, 8]


def test_where_nobody_is_due_a_canary_begins_nothing(store: Store, tmp_path: Path) -> None:
    draft, later = planned(store, tmp_path), NOW + timedelta(hours=1)
    waits(store, find(store, draft).number, later, 0)

    report = send(store, draft, Carrier(), tmp_path, canary=5)

    assert (report.answered, report.ended, report.ready_at) == (0, Idle.LATER, later)
    assert find(store, draft).state is IssueState.PLANNED


def test_too_many_failures_in_a_row_pause_the_issue(store: Store, tmp_path: Path) -> None:
    draft = planned(store, tmp_path, 600)
    down = Carrier(**{f"reader{n}": refused(Outcome.PERMANENT) for n in range(600)})

    report = send(store, draft, down, tmp_path, restraint=Restraint(stop_after=20))

    assert "in a row, and nothing was taken" in report.paused_because
    assert find(store, draft).state is IssueState.PAUSED
    assert states(store, draft)["planned"] > 300


class Whole(Carrier):
    """One answer for all readers of a request, at most two in flight; `lost` says which none came
    of."""

    together, at_once = 100, 200

    def __init__(self, lost) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.lost, self.requests = lost, 0

    def hand_over(self, batch):  # type: ignore[no-untyped-def]
        for first in range(0, len(batch.readers), self.together):
            readers = batch.readers[first : first + self.together]
            self.requests += 1
            batch.starting(*[reader.delivery for reader in readers])
            for reader in readers:
                if self.lost(self.requests):
                    yield Refusal(reader.delivery, Outcome.UNKNOWN, "no answer")
                else:
                    self.taken.append(reader.address)
                    yield Receipt(reader.delivery, "r", new=True)


def test_one_request_without_an_answer_does_not_pause_an_issue(
    store: Store, tmp_path: Path
) -> None:
    draft = planned(store, tmp_path, 1000)
    report = send(store, draft, Whole(lambda request: request == 2), tmp_path)

    assert report.ended is Idle.DONE
    assert states(store, draft) == {"submitted": 900, "unknown": 100}


def test_a_provider_that_never_answers_leaves_what_was_in_flight_in_doubt_and_pauses_the_issue(
    store: Store, tmp_path: Path
) -> None:
    draft, clock = planned(store, tmp_path, 1000), Clock()
    silent = Whole(lambda request: True)

    report = send(store, draft, silent, tmp_path, clock=clock)

    assert report.paused_because == "4 times in a row nobody can say whether anything was taken"
    assert states(store, draft)["unknown"] == 200 + 3
    assert clock.now - NOW == timedelta(seconds=31)


class Greylisting(Carrier):
    """Puts everybody off at first, and for a while."""

    def __init__(self, clock: Clock, minutes: float = 3) -> None:
        super().__init__()
        self.clock, self.minutes, self.known = clock, minutes, {}

    def hand_over(self, batch):  # type: ignore[no-untyped-def]
        for reader, answer in zip(batch.readers, super().hand_over(batch), strict=True):
            since = self.known.setdefault(reader.address, self.clock.now)
            if self.clock.now - since < timedelta(minutes=self.minutes):
                self.taken.pop()
                yield Refusal(reader.delivery, Outcome.TEMPORARY, "greylisted")
            else:
                yield answer


def test_a_server_that_greylists_gets_every_message(store: Store, tmp_path: Path) -> None:
    draft, clock = planned(store, tmp_path, 100), Clock()
    strict = Restraint(stop_after=20)

    report = send(store, draft, Greylisting(clock), tmp_path, clock=clock, restraint=strict)

    assert report.ended is Idle.DONE
    assert states(store, draft) == {"submitted": 100}


def test_a_server_that_puts_everybody_off_pauses_the_issue_and_nobody_has_failed(
    store: Store, tmp_path: Path
) -> None:
    draft, clock = planned(store, tmp_path, 1500), Clock()

    carrier = Greylisting(clock, minutes=10**6)
    report = send(store, draft, carrier, tmp_path, clock=clock)

    assert "put off" in report.paused_because
    assert states(store, draft) == {"planned": 1500}
    assert len(carrier.known) <= 1000


def test_a_provider_that_is_away_is_waited_for_and_then_told(store: Store, tmp_path: Path) -> None:
    draft, clock = planned(store, tmp_path, 3), Clock()
    away = ProviderError("no route", outcome=Outcome.TEMPORARY)
    waits: list[tuple[str, datetime]] = []

    with pytest.raises(ProviderError, match="no route"):
        send(
            store, draft, Carrier(reader0=away), tmp_path, clock=clock,
            waits=lambda *one: waits.append(one),
        )  # fmt: skip

    assert waits == [
        ("for carrier: no route", NOW + timedelta(seconds=seconds)) for seconds in (1, 6, 31)
    ]
    assert clock.now - NOW == timedelta(seconds=31)
    assert "claimed" not in states(store, draft)
    assert find(store, draft).state is IssueState.SENDING


class Limited(Carrier):
    """Takes so many, then says when it will take more, and takes as many again."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def hand_over(self, batch):  # type: ignore[no-untyped-def]
        for taken, answer in enumerate(super().hand_over(batch), 1):
            yield answer
            if taken == self.most < len(batch.readers):
                message = "too many requests"
                raise ProviderError(message, outcome=Outcome.TEMPORARY, retry_after=60.0)


def test_a_limit_is_waited_for_as_often_as_it_takes_and_fails_nobody(
    store: Store, tmp_path: Path
) -> None:
    draft, clock, carrier = planned(store, tmp_path, 40), Clock(), Limited(1)
    strict = Restraint(attempts=2, stop_after=2)

    report = send(store, draft, carrier, tmp_path, clock=clock, restraint=strict)

    assert (report.answered, report.ended) == (40, Idle.DONE)
    assert len(set(carrier.taken)) == 40
    assert clock.now - NOW > timedelta(minutes=10)


def test_who_watches_is_told_until_when_a_sender_waits_for_readers(
    store: Store, tmp_path: Path
) -> None:
    draft, clock = planned(store, tmp_path, 3), Clock()
    carrier = Carrier(reader0=refused(Outcome.TEMPORARY, "later", 60))
    waits: list[tuple[str, datetime]] = []

    send(
        store, draft, carrier, tmp_path, clock=clock,
        restraint=Restraint(attempts=2), waits=lambda *one: waits.append(one),
    )  # fmt: skip

    assert {what for what, _ in waits} == {"for readers who are due then"}
    assert waits[0][1] >= NOW + timedelta(seconds=60)
    assert len(set(waits)) == 1


def test_a_provider_that_needs_mending_pauses_the_issue(store: Store, tmp_path: Path) -> None:
    draft = planned(store, tmp_path, 3)
    wrong = ProviderError("the key is wrong", outcome=Outcome.PERMANENT)

    with pytest.raises(ProviderError):
        send(store, draft, Carrier(reader0=wrong), tmp_path)

    assert find(store, draft).paused_because == "the key is wrong"


class Impatient(Carrier):
    """Somebody stops the sender at the so-manyth message."""

    def __init__(self, stopping: Stopping, at: int, *, now: bool = False) -> None:
        super().__init__()
        self.stopping, self.at, self.now_ = stopping, at, now

    def hand_over(self, batch):  # type: ignore[no-untyped-def]
        for answer in super().hand_over(batch):
            if len(self.taken) == self.at:
                self.stopping.request()
                if self.now_:
                    raise KeyboardInterrupt
            yield answer


def test_a_stop_finishes_what_is_in_flight_and_leaves_the_rest_planned(
    store: Store, tmp_path: Path
) -> None:
    draft = planned(store, tmp_path, 600)
    stopping = Patient(Clock())
    carrier = Impatient(stopping, 10)

    report = send(store, draft, carrier, tmp_path, stopping=stopping)

    assert report.interrupted
    assert states(store, draft)["submitted"] == len(carrier.taken) < 300
    assert set(states(store, draft)) == {"planned", "submitted"}


def test_stopping_now_leaves_only_what_was_in_flight_unknown(store: Store, tmp_path: Path) -> None:
    draft = planned(store, tmp_path, 20)
    stopping = Patient(Clock())

    with pytest.raises(KeyboardInterrupt):
        send(store, draft, Impatient(stopping, 4, now=True), tmp_path, stopping=stopping)

    assert states(store, draft) == {"planned": 16, "submitted": 3, "unknown": 1}


def test_cancelling_leaves_nothing_planned(store: Store, tmp_path: Path) -> None:
    draft, rest = planned(store, tmp_path), Carrier()
    send(store, draft, Carrier(), tmp_path, canary=5)

    assert store.ledger.operator.cancel(find(store, draft).number) == 7
    send(store, draft, rest, tmp_path)

    assert rest.taken == []
    assert states(store, draft) == {"cancelled": 7, "submitted": 5}


class Meddler(Carrier):
    """Somebody else does something to the issue at the first message."""

    def __init__(self, act) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.act = act

    def hand_over(self, batch):  # type: ignore[no-untyped-def]
        if not self.taken:
            self.act()
        yield from super().hand_over(batch)


@pytest.mark.parametrize("what", ["pause", "cancel"])
def test_the_plug_can_be_pulled_while_a_sender_is_at_work(
    store: Store, tmp_path: Path, what: str
) -> None:
    draft, clock = planned(store, tmp_path, 1500), Clock()
    number, operator = find(store, draft).number, store.ledger.operator

    def act() -> None:
        clock.sleep(2)
        operator.pause(number, "by hand") if what == "pause" else operator.cancel(number)

    carrier = Meddler(act)
    send(store, draft, carrier, tmp_path, clock=clock)

    left = {"pause": "planned", "cancel": "cancelled"}[what]
    assert states(store, draft) == {"submitted": 250, left: 1250}


def test_an_edition_that_another_issue_covered_meanwhile_is_not_repeated(
    store: Store, tmp_path: Path
) -> None:
    """Planned for two cadences, because the reader changed theirs between the two plans."""
    person = add(store, "ana@example.com")
    draft, carrier = draft_of(tmp_path), Carrier()
    frozen(store, draft)
    store.subscriptions.cover([person], ISSUE.window.end + timedelta(days=1))

    send(store, draft, carrier, tmp_path)

    assert carrier.taken == []


def test_two_senders_share_one_rate(store: Store) -> None:
    """A second's worth may leave at once; from then on each waits for the other as well."""
    waits = [store.ledger.reserve("smtp", 0.5, NOW) for _ in range(4)]
    other = store.ledger.reserve("sendgrid", 0.5, NOW)
    later = store.ledger.reserve("smtp", 0.5, NOW + timedelta(seconds=60))

    assert waits == pytest.approx([0.0, 0.0, 0.5, 1.0])
    assert (other, later) == (0.0, 0.0)


def test_a_rate_makes_a_sender_wait(store: Store, tmp_path: Path) -> None:
    draft, clock = planned(store, tmp_path, 30), Clock()

    send(store, draft, Carrier(), tmp_path, clock=clock, restraint=Restraint(rate=5))

    assert 4.9 <= (clock.now - NOW).total_seconds() <= 5.1
