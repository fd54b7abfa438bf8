"""The provider `smtp`: a few connections, one thread, one loop that runs while somebody iterates.

No threads: between two answers nothing moves, so whoever stops asking has stopped the sending,
and what is on the wire at any moment is known.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from digest.errors import Outcome, ProviderError
from digest.providers import Answer, Batch
from digest.providers.smtp.connection import PATIENCE, Connection
from digest.providers.smtp.login import Phase, Server, unreachable
from digest.providers.smtp.mailroom import Envelopes, Mailroom
from digest.providers.smtp.wire import Address, Wire

# Seconds after which an unused connection is not trusted any more: servers hang up at will.
_FRESH = 60.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done at a time, and how long anything may take."""

    connections: int = 4
    messages: int = 100  # that one connection carries before another takes its place
    patience: Mapping[Phase, float] = field(default_factory=lambda: PATIENCE)


class Smtp:
    """One server, a few connections that stay open from batch to batch. Not for two threads."""

    name = "smtp"

    def __init__(
        self,
        server: Server,
        envelopes: Envelopes,
        effort: Effort | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server, self._effort, self._clock = server, effort or Effort(), clock
        self._mailroom = Mailroom(envelopes.letter, self._effort.connections)
        self._selector = selectors.DefaultSelector()
        self._connections: list[Connection] = []
        self._addresses: list[Address] = []  # of the server, but those that failed
        # Deadlines are looked at when the first passes, and not at every turn, in which none may be
        # new: so at least as often as the shortest patience lasts.
        self._tick, self._look_at = min(self._effort.patience.values()), 0.0
        self._most = self._effort.connections  # fewer once the server refused one of several

    def hand_over(self, batch: Batch) -> Iterator[Answer]:
        """One answer a delivery, as the contract of providers has it."""
        return self.hand_over_all([batch])

    def hand_over_all(self, batches: Iterable[Batch]) -> Iterator[Answer]:
        """The same for batches that follow each other without a pause on the wire.

        The next batch is asked for while letters of the last are still unanswered; what `batches`
        raises comes out when those are answered. Whoever drops the iterator early hangs up on what
        is under way: its deliveries are then unknown.
        """
        self._look_after_old_ones()
        self._mailroom.load(batches)
        self._work()
        try:
            while self._turn():
                yield from self._answers()
            yield from self._answers()
            if self._mailroom.failure:
                raise self._mailroom.failure
        finally:
            for connection in self._connections:
                if connection.carrying:
                    connection.abandon()
            self._tend(self._connections)

    def greet(self) -> None:
        """Open a connection as for mail, and hand nothing over. ProviderError when that fails."""
        while not any(connection.opened for connection in self._connections):
            self._dial(1)
            if self._mailroom.failure:
                raise self._mailroom.failure
            self._wait()

    def close(self) -> None:
        """Say good-bye on every connection, and hang up where that takes long."""
        for connection in self._connections:
            connection.part(self._clock())
        self._tend(self._connections)
        while self._connections:
            self._wait()
        self._selector.close()

    def _answers(self) -> Iterator[Answer]:
        while self._mailroom.answers:
            yield self._mailroom.answers.popleft()

    def _turn(self) -> bool:
        """One step of everything: give out work, wait for the network. False when all is done."""
        room = self._mailroom
        if room.returned:
            self._work()
        if len(self._connections) < self._most and (waiting := room.waiting(self._most)):
            self._dial(waiting)
        if not room.out and not room.waiting(1):
            return False
        self._wait()
        return True

    def _work(self) -> None:
        """Give letters to the connections that have none. Later they ask by themselves."""
        now = self._clock()
        for connection in self._connections:
            connection.work(now)
        self._tend(self._connections)

    def _wait(self) -> None:
        """Until something can be read or written, or it is time to look at the deadlines."""
        ready = self._selector.select(max(0.0, self._look_at - self._clock()))
        now = self._clock()
        touched: list[Connection] = [key.data for key, _ in ready]
        for connection in touched:
            connection.pump(now)
        if now >= self._look_at:
            late = [c for c in self._connections if not c.closed and c.deadline <= now]
            for connection in late:
                connection.expire(now)
            touched += late
            self._look_at = min((c.deadline for c in self._connections), default=now)
            self._look_at = min(self._look_at, now + self._tick)
        self._tend(touched)

    def _tend(self, connections: Iterable[Connection]) -> None:
        """Watch for what each of these needs next; forget those that are over."""
        for connection in list(connections):
            if not connection.closed:
                if connection.watched != (interest := connection.wire.interest):
                    connection.watched = interest
                    self._selector.modify(connection.wire, interest, connection)
            elif connection in self._connections:
                self._selector.unregister(connection.wire)
                self._connections.remove(connection)
                if connection.failure:
                    self._note(connection, connection.failure)

    def _note(self, connection: Connection, failure: ProviderError) -> None:
        """A connection did not come about. Others go on; without any, nothing does.

        What is wrong for good is wrong for all, unless one of them got in: then it is their number.
        """
        if connection.connecting:
            address = connection.wire.address
            self._addresses = [other for other in self._addresses if other != address]
            if self._addresses:
                return
        one_too_many = any(other.opened for other in self._connections)
        if self._connections and (one_too_many or failure.outcome is Outcome.TEMPORARY):
            self._most = len(self._connections)
        else:
            self._most = self._effort.connections
            self._mailroom.fail(failure)

    def _dial(self, waiting: int) -> None:
        """Begin connections: one for each letter that none of those being made will take."""
        now = self._clock()
        waiting -= sum(not connection.opened for connection in self._connections)
        while waiting > 0 and len(self._connections) < self._most:
            try:
                self._addresses = self._addresses or _resolved(self._server)
                wire = Wire(self._addresses[0])
            except OSError as error:
                self._addresses = self._addresses[1:]
                if not self._addresses:
                    self._mailroom.fail(unreachable(self._server, error.strerror or str(error)))
                    return
                continue
            connection = Connection(
                wire,
                self._server,
                self._mailroom,
                most=self._effort.messages,
                patience=self._effort.patience,
                now=now,
            )
            self._selector.register(wire, wire.interest, connection)
            connection.watched = wire.interest
            self._connections.append(connection)
            waiting -= 1

    def _look_after_old_ones(self) -> None:
        """What earlier batches left open: part with what is stale, see who hung up meanwhile."""
        now = self._clock()
        for connection in self._connections:
            if connection.carrying or now - connection.since > _FRESH:
                connection.part(now)
            elif not connection.opened:
                connection.since = now  # the time when nobody listened does not count
        self._tend(self._connections)
        self._look_at = now
        self._wait()


def _resolved(server: Server) -> list[Address]:
    """Where the server is. socket.gaierror, which is an OSError, when nobody knows."""
    found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    return [(family, place) for family, _, _, _, place in found]
