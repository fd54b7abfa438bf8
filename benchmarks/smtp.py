"""Messages of about 60 kB to a local mail server: ours against `smtplib`, and over a slow line.

Both send the same ready bytes, so what is measured is the way from bytes to the network. The
server is a process of its own that counts and forgets; it answers at once, or as late as a server
20 ms away would. CPU seconds are those of the sender alone; rates are of the wall clock.
"""

import argparse
import heapq
import multiprocessing
import selectors
import smtplib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from digest.composer import EditionMessage, Reader  # noqa: E402
from digest.config import Security  # noqa: E402
from digest.providers import Batch, Receipt  # noqa: E402
from digest.providers.smtp import Effort, Envelopes, Server, Smtp  # noqa: E402
from tests.handmade import ANA, edition  # noqa: E402

SENDER = "news@example.com"
BYTES = 60_000
DIFFERENT = 64  # messages, so that no cache holds just one
ROUND_TRIP = 0.020  # seconds
LESS_CPU, FASTER, PER_ROUND_TRIP = 8.0, 5.0, 0.9
PER_LINE = 1000  # messages that a connection carries; opening one takes four round trips
REPEATED = 3  # times; the run that others disturbed least counts
HELLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
ANSWERS = {b"EHLO": HELLO, b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
END = b"\r\n.\r\n"


class Sink:
    """A mail server that takes everything and keeps nothing. One envelope per message."""

    def __init__(self, listener: socket.socket, delay: float) -> None:
        self.selector, self.delay, self.taken = selectors.DefaultSelector(), delay, 0
        self.late: list[tuple[float, int, socket.socket, bytes]] = []
        self.lines: dict[socket.socket, bytes] = {}  # what was said and not yet understood
        self.bodies: dict[socket.socket, bytes] = {}  # the last bytes of a message under way
        self.selector.register(listener, selectors.EVENT_READ)
        self.listener = listener

    def run(self, report: Connection) -> None:
        while not report.poll():
            # the system sleeps up to a millisecond longer than asked: look, and do not oversleep
            for key, _ in self.selector.select(min(max(0.0, self.until_next() - 0.001), 0.05)):
                self.serve(cast("socket.socket", key.fileobj))
            while self.late and self.until_next() == 0:
                _, _, caller, answer = heapq.heappop(self.late)
                if caller in self.lines:
                    caller.sendall(answer)
        report.send(self.taken)

    def until_next(self) -> float:
        return max(0.0, self.late[0][0] - time.monotonic()) if self.late else 1.0

    def serve(self, caller: socket.socket) -> None:
        if caller is self.listener:
            caller, _ = caller.accept()
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.selector.register(caller, selectors.EVENT_READ)
            self.lines[caller] = b""
            self.answer(caller, b"220 sink\r\n")
        elif data := caller.recv(1 << 18):
            self.hear(caller, data)
        else:
            self.selector.unregister(caller)
            self.lines.pop(caller)
            self.bodies.pop(caller, None)
            caller.close()

    def hear(self, caller: socket.socket, data: bytes) -> None:
        """The end of a message is near the end of what came: one envelope at most is behind it."""
        answers = b""
        if caller in self.bodies:
            tail = self.bodies[caller] + data[-1000:] if len(data) < 1000 else data[-1000:]
            if (end := tail.rfind(END)) < 0:
                self.bodies[caller] = tail[-4:]
                return
            del self.bodies[caller]
            self.taken += 1
            answers, data = b"250 taken\r\n", tail[end + len(END) :]
        *commands, self.lines[caller] = (self.lines[caller] + data).split(b"\r\n")
        for command in commands:
            verb = command[:4].upper()
            answers += ANSWERS.get(verb, b"250 ok\r\n")
            if verb == b"DATA":
                self.bodies[caller] = b"\r\n"
        if answers:
            self.answer(caller, answers)

    def answer(self, caller: socket.socket, answer: bytes) -> None:
        if self.delay:
            due = time.monotonic() + self.delay
            heapq.heappush(self.late, (due, id(answer), caller, answer))
        else:
            caller.sendall(answer)


@contextmanager
def sink(delay: float, expected: int) -> Iterator[int]:
    """The port of a sink that has to have taken `expected` messages when it ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    ours, its = multiprocessing.Pipe()
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=Sink(listener, delay).run, args=(its,), daemon=True)
    process.start()
    yield listener.getsockname()[1]
    ours.send("stop")
    taken = ours.recv()
    process.join()
    listener.close()
    assert taken == expected, f"{taken} of {expected} messages arrived"


@dataclass(frozen=True, slots=True)
class Ready:
    """An edition whose messages are made already."""

    messages: tuple[bytes, ...]

    def message(self, reader: Reader) -> bytes:
        return self.messages[int(reader.delivery) % DIFFERENT]


def messages() -> tuple[bytes, ...]:
    """Ready messages of about 60 kB; every line is one that our composer writes."""
    small = edition()
    made = []
    for number in range(DIFFERENT):
        reader = replace(ANA, delivery=f"{number:020d}")
        message = small.message(reader)
        head, _, body = message.partition(b"\r\n\r\n")
        filler = body * (1 + (BYTES - len(message)) // len(body))
        made.append(head + b"\r\n\r\n" + filler[: filler.rfind(b"\r\n", 0, BYTES - len(head)) + 2])
    return tuple(made)


def batch_of(ready: Ready, count: int) -> Batch:
    readers = [replace(ANA, delivery=f"{number:020d}") for number in range(count)]
    return Batch("weekly", cast("EditionMessage", ready), readers)


def ours(effort: Effort) -> Callable[[int, Batch], None]:
    def send(port: int, batch: Batch) -> None:
        provider = Smtp(Server("127.0.0.1", port, Security.NONE), Envelopes(SENDER), effort)
        taken = sum(isinstance(answer, Receipt) for answer in provider.hand_over(batch))
        provider.close()
        assert taken == len(batch.readers)

    return send


def with_smtplib(port: int, batch: Batch) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        for reader in batch.readers:
            client.sendmail(SENDER, [reader.recipient], batch.message(reader))


@dataclass(frozen=True, slots=True)
class Run:
    name: str
    count: int
    cpu: float  # seconds of the sender
    wall: float

    @property
    def cpu_each(self) -> float:
        return self.cpu / self.count

    @property
    def rate(self) -> float:
        return self.count / self.wall


def measured(
    name: str, send: Callable[[int, Batch], None], batch: Batch, delay: float = 0.0
) -> Run:
    count = len(batch.readers)
    with sink(delay, count) as port:
        cpu, wall = time.process_time(), time.perf_counter()
        send(port, batch)
        return Run(name, count, time.process_time() - cpu, time.perf_counter() - wall)


def best(runs: list[Run]) -> Run:
    """The one that others on this machine disturbed least."""
    return min(runs, key=lambda run: run.cpu_each)


def row(run: Run, slowest: Run) -> None:
    print(
        f"{run.name:<30}{run.count:>8,}{run.rate:>10,.0f}/s{run.cpu_each * 1e6:>8,.1f} µs CPU"
        f"{slowest.cpu_each / run.cpu_each:>7,.1f} x less{run.rate / slowest.rate:>7,.1f} x rate"
    )


def verdict(name: str, value: str, target: str, met: bool) -> None:
    print(f"{name:<30}{value:>12}   target {target:<12}{'ok' if met else 'MISSED'}")


def at_once(ready: Ready, count: int) -> None:
    fewer, many = batch_of(ready, count // 4), batch_of(ready, count)
    slow = best([measured("smtplib", with_smtplib, fewer) for _ in range(REPEATED)])
    row(slow, slow)
    less = faster = 0.0
    for connections in (1, 4):
        send = ours(Effort(connections, PER_LINE))
        name = f"digest, connections: {connections}"
        run = best([measured(name, send, many) for _ in range(REPEATED)])
        row(run, slow)
        less = max(less, slow.cpu_each / run.cpu_each)
        faster = max(faster, run.rate / slow.rate)
    verdict("CPU against smtplib", f"{less:.1f} x less", f">= {LESS_CPU:.0f} x", less >= LESS_CPU)
    verdict("rate against smtplib", f"{faster:.1f} x", f">= {FASTER:.0f} x", faster >= FASTER)


def far_away(ready: Ready, count: int) -> None:
    print(f"\nround trip {ROUND_TRIP * 1000:.0f} ms")
    slow = measured("smtplib", with_smtplib, batch_of(ready, count // 80), ROUND_TRIP)
    row(slow, slow)
    worst = float("inf")
    for connections in (1, 10):
        many = batch_of(ready, count // 20 * connections)
        name, send = f"digest, connections: {connections}", ours(Effort(connections, PER_LINE))
        runs = [measured(name, send, many, ROUND_TRIP) for _ in range(2)]
        run = max(runs, key=lambda run: run.rate)
        row(run, slow)
        worst = min(worst, run.rate * ROUND_TRIP / connections)
    met = worst >= PER_ROUND_TRIP
    verdict("messages a trip, connection", f"{worst:.2f}", f">= {PER_ROUND_TRIP}", met)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000)
    chosen = parser.parse_args()
    made = Ready(messages())
    print(f"{sum(map(len, made.messages)) / DIFFERENT / 1000:.0f} kB a message, answers at once")
    at_once(made, chosen.messages)
    far_away(made, chosen.messages)
