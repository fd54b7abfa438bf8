"""One fault after the other, on a sender of real processes; and what came of every delivery.

`tests/store/test_faults.py` runs each at a small size, `benchmarks/faults.py` at a large one.
"""

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from digest.composer import delivery_id
from digest.issues import Draft
from digest.store import Store
from digest.store.ledger.records import DeliveryState
from tests.store.far import far_side
from tests.store.killed import (
    IN_FLIGHT,
    PERSONALIZATIONS,
    How,
    progress,
    send_until_killed,
    sender,
    taken,
)
from tests.store.sending import find

_RUNS = 40  # of a campaign, at most: each goes on where the one before ended
_A_MOMENT = 0.3  # seconds
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the table."""

    name: str
    carrier: str
    mood: str = "well"
    kills: float = 0.0  # a thousand deliveries
    senders: int = 1
    incidents: Callable[[int], int] = lambda deliveries: 0  # answers that nobody gave
    at_once: int = 1  # deliveries of one incident
    happening: str = ""  # on this side
    answers: float = 60.0


def _every(number: int) -> Callable[[int], int]:
    return lambda deliveries: deliveries // number + 1


def _all_requests(deliveries: int) -> int:
    return deliveries // PERSONALIZATIONS + 1


KILLS = tuple(
    Fault(f"kill -9, {senders} sender{'s' * (senders > 1)}", carrier, kills=2, senders=senders)
    for carrier, senders in (("outbox", 1), ("smtp", 1), ("sendgrid", 1), ("smtp", 2))
)
MOODS = (
    Fault("421 between messages", "smtp", "421"),
    Fault("450 for a third of the readers", "smtp", "450"),
    Fault("550 for a ninth of the readers", "smtp", "550"),
    Fault("closes in the middle of a message", "smtp", "closes", incidents=_every(97)),
    Fault("takes it, and answers after the timeout", "smtp", "late", incidents=_every(97),
          answers=2.0),
    Fault("429 for every third request", "sendgrid", "429"),
    Fault("400 that names readers", "sendgrid", "400"),
    Fault("500, with and without taking it", "sendgrid", "500", incidents=_all_requests,
          at_once=PERSONALIZATIONS),
    Fault("closes in the middle of a request", "sendgrid", "closes", incidents=_all_requests,
          at_once=PERSONALIZATIONS),
    Fault("takes it, and answers after the timeout", "sendgrid", "late", incidents=_all_requests,
          at_once=PERSONALIZATIONS, answers=2.0),
)  # fmt: skip
HERE = tuple(
    Fault(name, carrier, happening=happening)
    for happening, name in (
        ("full", "disk full"),
        ("locked", "database locked"),
        ("clock", "clock set back, and forward"),
    )
    for carrier in ("outbox", "smtp", "sendgrid")
)
ALL = (*KILLS, *MOODS, *HERE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault left behind."""

    deliveries: int
    submitted: int
    failed: int
    unknown: int
    arrived: int  # of the unknown
    twice: int
    lost: int  # counted as submitted and never taken, or taken and not counted, or in no state
    in_flight: int  # what may be unknown

    @property
    def held(self) -> bool:
        """Whether every promise was kept."""
        return not self.twice and not self.lost and self.unknown <= self.in_flight


def campaign(store: Store, draft: Draft, root: Path, fault: Fault, deliveries: int) -> Outcome:
    """Send the planned issue through the fault, and then in peace until nothing is left."""
    url = store.database.engine.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        carrier = fault.carrier
        if carrier != "outbox":
            log = root / "taken.log"
            carrier = stack.enter_context(far_side(carrier, fault.mood, log))
        dead = _through(fault, store, url, root, carrier, deliveries)
        usual = How(answers=fault.answers, retry_after=0)
        for _ in range(_RUNS):
            send_until_killed(url, root, carrier, 10**9, usual)
            if not _left(store, draft):
                break
    allowed = dead * IN_FLIGHT[fault.carrier] + fault.incidents(deliveries) * fault.at_once
    return _counted(store, draft, root, deliveries, allowed)


def _through(
    fault: Fault, store: Store, url: str, root: Path, carrier: str, deliveries: int
) -> int:
    """Play the fault. Gives how many senders died without a word."""
    match fault.happening:
        case "full":
            return _disk_full(url, root, carrier, deliveries)
        case "locked":
            return _locked(store, url, root, carrier, deliveries)
        case "clock":
            return _clock(url, root, carrier, deliveries)
    return _kills(fault, url, root, carrier, deliveries)


def _kills(fault: Fault, url: str, root: Path, carrier: str, deliveries: int) -> int:
    chance, killed = random.Random(fault.name + fault.carrier), 0
    kills = round(fault.kills * deliveries / 1000)
    while killed < kills:
        others = [sender(url, root, carrier) for _ in range(fault.senders - 1)]
        at = progress(root) + chance.randint(1, max(2, 2 * deliveries // (kills + 2)))
        ended = send_until_killed(url, root, carrier, at)
        for other in others:  # one dies, the others a moment later
            time.sleep(chance.random() / 20)
            other.kill()
            other.wait()
        killed += fault.senders - ended  # who was done before it could be killed left nothing
        if ended:
            break
    return killed


def _disk_full(url: str, root: Path, carrier: str, deliveries: int) -> int:
    """No file may grow beyond a size: the journal, the outbox's mails, SQLite's log and file.

    The run ends by itself, and can note nothing any more: it is as if it were killed.
    """
    died = 0
    for kilobytes in (1, 40, 120):
        how = How(largest=kilobytes * 1000, answers=60)
        died += not send_until_killed(url, root, carrier, 10**9, how)
    return died


def _locked(store: Store, url: str, root: Path, carrier: str, deliveries: int) -> int:
    """Somebody holds the database for longer than a sender waits, again and again."""
    how, died = How(patience=0.05), 0
    for part in (1,):
        with sender(url, root, carrier, how) as process:
            while process.poll() is None and progress(root) < part * deliveries // 5:
                time.sleep(0.002)
            with _holding(store):
                time.sleep(_A_MOMENT)
                while store.database.dialect == "sqlite" and process.poll() is None:
                    time.sleep(_A_MOMENT)
            died += process.wait() != 0
    return died


@contextmanager
def _holding(store: Store) -> Iterator[None]:
    if store.database.dialect == "sqlite":
        connection = sqlite3.connect(str(store.database.file), timeout=30, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()
        return
    with store.database.writing() as connection:
        connection.exec_driver_sql("LOCK TABLE claim_window, delivery IN ACCESS EXCLUSIVE MODE")
        yield


def _clock(url: str, root: Path, carrier: str, deliveries: int) -> int:
    """Each sender is killed, and the next one's clock tells another day."""
    killed = 0
    for part, clock in enumerate((0.0, -3 * DAY), 1):
        at = part * deliveries // 6
        killed += not send_until_killed(url, root, carrier, at, How(clock=clock))
    return killed


def _left(store: Store, draft: Draft) -> bool:
    states = store.ledger.totals(find(store, draft).number).states
    return bool(states[DeliveryState.PLANNED] or states[DeliveryState.CLAIMED])


def _counted(store: Store, draft: Draft, root: Path, deliveries: int, allowed: int) -> Outcome:
    issue = find(store, draft)

    def ids(state: DeliveryState) -> set[str]:
        rows = store.ledger.deliveries(issue.number, state)
        return {delivery_id(issue.id, row.subscriber_id) for row in rows}

    submitted, failed, unknown = map(
        ids, (DeliveryState.SUBMITTED, DeliveryState.FAILED, DeliveryState.UNKNOWN)
    )
    counts = Counter(taken(root))
    nowhere = deliveries - len(submitted) - len(failed) - len(unknown)
    return Outcome(
        deliveries,
        len(submitted),
        len(failed),
        len(unknown),
        len(unknown & counts.keys()),
        sum(1 for times in counts.values() if times > 1),
        len(submitted - counts.keys()) + len(counts.keys() - submitted - unknown) + nowhere,
        allowed,
    )
