"""Whatever happens to senders and issues, in whatever order: each delivery is in one state, and
none is handed over twice unless a person says so."""

import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.composer import delivery_id
from digest.errors import DigestError, Outcome
from digest.issues import Draft
from digest.pace import Patience
from digest.providers import Answer, Receipt
from digest.sender.handing import mark
from digest.sender.journal import Journal
from digest.sender.recovery import Recovery
from digest.store import Store, SuppressionReason
from digest.store.ledger import Claims, planning
from digest.store.ledger.records import Claim, Closing, DeliveryState
from tests.store.conftest import NOW
from tests.store.sending import Carrier, draft_of, find, frozen, readers, refused

READERS = 14
PATIENCE = Patience(attempts=3)
ANSWERS: tuple[Answer, ...] = (
    Receipt("", "taken", new=True),
    refused(Outcome.PERMANENT),
    refused(Outcome.TEMPORARY),
    refused(Outcome.UNKNOWN),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["claim", "claim", "answer", "answer", "answer", "close", "crash", "power cut",
             "recover", "recover", "pause", "resume", "cancel", "retry", "accept", "wait",
             "suppress"]
        ),
        st.integers(0, 1),  # which of two senders
        st.integers(0, len(ANSWERS) - 1),
    ),
    min_size=4,
    max_size=40,
)  # fmt: skip


@dataclass
class Sender:
    """One run, step by step, instead of all at once."""

    journal: Journal
    claims: Claims
    claim: Claim | None = None
    marks: list = field(default_factory=list)  # type: ignore[type-arg]


class World:
    """Two senders, an operator, and what the provider saw."""

    def __init__(self, store: Store, root: Path) -> None:
        self.store, self.folder, self.now = store, root / "journal", NOW
        draft = desk(root)
        with patch.object(planning, "WINDOW", 4):
            frozen(store, draft)
        self.issue = find(store, draft)
        self.handed: Counter[int] = Counter()
        self.senders: dict[int, Sender] = {}

    def step(self, what: str, who: int, which: int) -> None:
        try:
            self._do(what, who, ANSWERS[which])
        except DigestError:
            return  # the issue's state forbids it

    def _do(self, what: str, who: int, answer: Answer) -> None:
        operator, number = self.store.ledger.operator, self.issue.number
        match what:
            case "claim" | "close":
                self._turn(self._sender(who), claiming=what == "claim")
            case "answer":
                self._answer(self._sender(who), answer)
            case "crash" | "power cut":
                self._crash(who, power_cut=what == "power cut")
            case "recover":
                self._recover(self._sender(who))
            case "pause":
                operator.pause(number, "a test")
            case "resume":
                operator.resume(number)
            case "cancel":
                operator.cancel(number)
            case "retry":
                operator.retry(number, self.now)
            case "accept":
                operator.accept(number, self.now)
            case "wait":
                self.now += timedelta(hours=2)
            case "suppress":
                address = f"reader{who}@example.com"
                self.store.suppressions.add(address, SuppressionReason.MANUAL, self.now, "test")

    def _sender(self, who: int) -> Sender:
        if who not in self.senders:
            journal = Journal(self.folder, "carrier")
            claims = self.store.ledger.claims(self.issue.number, journal.owner)
            self.senders[who] = Sender(journal, claims)
        return self.senders[who]

    def _turn(self, sender: Sender, *, claiming: bool) -> None:
        closing = Closing(sender.claim.held, tuple(sender.marks)) if sender.claim else None
        sender.marks, sender.claim = [], None
        self.store.ledger.begin_sending(self.issue.number, "carrier")
        if claiming:
            sender.claim = sender.claims.turn(closing, self.now).claim
        elif closing:
            sender.claims.close(closing, self.now)
        if sender.claim:
            sender.journal.begin(sender.claim.held.claim)

    def _answer(self, sender: Sender, answer: Answer) -> None:
        done = len(sender.marks)
        if sender.claim is None or done == len(sender.claim.deliveries):
            return
        one = sender.claim.deliveries[done]
        sender.journal.start(one.number)
        taken = isinstance(answer, Receipt) or answer.outcome is Outcome.UNKNOWN
        self.handed[one.number] += taken
        sender.journal.answer(one.number, answer)
        delivery = delivery_id(self.issue.id, one.subscriber.id)
        sender.marks.append(mark(answer, one.number, one.attempts, delivery, PATIENCE, self.now))

    def _crash(self, who: int, *, power_cut: bool) -> None:
        sender = self.senders.pop(who, None)
        if sender is None:
            return
        if sender.claim and len(sender.marks) < len(sender.claim.deliveries):
            one = sender.claim.deliveries[len(sender.marks)]
            sender.journal.start(one.number)  # on its way when it was killed: nobody knows
            self.handed[one.number] += 1
        sender.journal.abandon()
        if power_cut:  # what was not on disk yet is gone; the file may be gone as well
            sender.journal.path.unlink()

    def _recover(self, sender: Sender) -> None:
        Recovery(
            self.store.ledger,
            sender.claims,
            self.issue.id,
            self.folder,
            Carrier(),
            PATIENCE,
            lambda: self.now,
        ).recover()

    def check(self) -> None:
        totals = self.store.ledger.totals(self.issue.number)
        assert sum(totals.states.values()) == READERS
        assert max(self.handed.values(), default=0) <= 1
        planned = self.store.ledger.deliveries(self.issue.number, DeliveryState.PLANNED)
        assert not [row for row in planned if self.handed[row.number]]

    def end(self) -> None:
        """Everybody dies, and whoever comes later settles it all."""
        for who in list(self.senders):
            self._crash(who, power_cut=False)
        self.now += timedelta(hours=2)
        self._recover(self._sender(7))
        assert self.store.ledger.holding() == set()
        self.check()
        self._crash(7, power_cut=False)


@cache
def desk(root: Path) -> Draft:
    """The draft, compiled once."""
    return draft_of(root)


def begin_anew(store: Store, root: Path) -> None:
    """Forget the example before, but not its readers."""
    planning.discard(store.database, [issue.number for issue in store.ledger.issues()])
    shutil.rmtree(root / "journal", ignore_errors=True)
    with store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM suppression")
        connection.exec_driver_sql("UPDATE subscriber SET covered_until = NULL")
    if not store.subscriptions.find("reader0@example.com"):
        readers(store, READERS)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_each_delivery_is_in_one_state_and_none_is_handed_over_twice(
    store: Store, tmp_path: Path, steps: list[tuple[str, int, int]]
) -> None:
    begin_anew(store, tmp_path)
    world = World(store, tmp_path)
    for what, who, which in steps:
        world.step(what, who, which)
        world.check()
    world.end()
