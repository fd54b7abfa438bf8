"""One connection from its first byte to its last: the wire, the talk on it, and patience."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from digest.errors import ProviderError
from digest.providers.smtp.conversation import Conversation, LostError
from digest.providers.smtp.login import (
    SETTLED,
    SETTLING,
    Phase,
    Server,
    broken,
    opening,
    unreachable,
)
from digest.providers.smtp.mailroom import Mailroom
from digest.providers.smtp.replies import GarbledError, Replies, Reply
from digest.providers.smtp.wire import Wire

# Seconds to wait for each. RFC 5321 4.5.3.2, but to connect and to part, of which it says nothing.
# Giving up on the final dot early is what makes duplicates (RFC 1047): ten minutes.
PATIENCE: Mapping[Phase, float] = {
    Phase.CONNECT: 30,
    Phase.TLS: 60,
    Phase.GREETING: 300,
    Phase.COMMAND: 300,
    Phase.MAIL: 300,
    Phase.RCPT: 300,
    Phase.DATA: 120,
    Phase.BLOCK: 180,
    Phase.BODY: 600,
    Phase.NO_BODY: 600,
    Phase.QUIT: 5,
}
FOREVER = float("inf")


class Connection:
    """`closed` when it is over; `failure` says why, when no letter could be sent on it at all."""

    def __init__(
        self,
        wire: Wire,
        server: Server,
        mailroom: Mailroom,
        *,
        most: int,
        patience: Mapping[Phase, float],
        now: float,
    ) -> None:
        """`most` is how many letters it carries before it parts."""
        self.wire, self.closed, self.parting = wire, False, False
        self.failure: ProviderError | None = None
        self.since = now  # when anything last went on
        self.watched = 0  # what of the wire its owner waits for
        self._server, self._mailroom, self._most, self._patience = server, mailroom, most, patience
        self._replies = Replies()
        self._opening = opening(wire, server)
        self._phase = next(self._opening)
        self._conversation: Conversation | None = None  # None while it opens
        self._moved = False  # something went on that `since` does not know of yet

    @property
    def opened(self) -> bool:
        return self._conversation is not None

    @property
    def carrying(self) -> bool:
        """There is a letter on it that somebody waits for."""
        return self._conversation is not None and self._conversation.carrying

    @property
    def connecting(self) -> bool:
        return self._phase is Phase.CONNECT

    @property
    def deadline(self) -> float:
        """When to give up."""
        phase = Phase.BLOCK if self.wire.pending else self._waits_for
        return FOREVER if phase is None else self.since + self._patience[phase]

    def work(self, now: float) -> None:
        """Take up a letter when there is nothing else to do."""
        if self._conversation and not self.parting and self._waits_for is None:
            self._do(self._conversation.send_next, now)

    def part(self, now: float) -> None:
        """Say good-bye; hang up where there is somebody to interrupt."""
        if self._conversation is None or self.carrying:
            self.abandon()
        elif not self.parting:
            self.parting = True
            self._do(self._conversation.part, now)

    def pump(self, now: float) -> None:
        """Something can be read or written: go on as far as that leads."""
        self._do(self._listen, now)
        if self._conversation and self._conversation.spent and not (self.parting or self.closed):
            self.part(now)

    def expire(self, now: float) -> None:
        """The deadline has passed."""
        self._end(f"no answer within {now - self.since:.0f} seconds", patient=False)

    def abandon(self) -> None:
        """Hang up in the middle of anything; nothing is answered."""
        self.closed = True
        self.wire.close()

    @property
    def _waits_for(self) -> Phase | None:
        return self._conversation.waits_for if self._conversation else self._phase

    def _do(self, step: Callable[[], None], now: float) -> None:
        written = self.wire.written
        try:
            self._say_and_hear(step)
        except ProviderError as error:
            self.failure = error
            self._end(str(error))
        except (LostError, GarbledError) as error:
            self._end(str(error))
        except OSError as error:
            if not self.opened:
                self.failure = broken(self._server, error, self._phase)
            self._end(f"the connection broke: {error.strerror or type(error).__name__}")
        if self._moved or self.wire.written != written:
            self.since, self._moved = now, False

    def _say_and_hear(self, step: Callable[[], None]) -> None:
        try:
            step()
            self.wire.flush()
        except OSError as error:
            if self._conversation:  # the server's last words may say why, and count as any
                with suppress(OSError):
                    self._listen()
            raise error

    def _listen(self) -> None:
        """Hear all that has come, and begin what it calls for."""
        while self._settled() and (data := self.wire.read()) is not None:
            if not data:
                raise LostError("the server closed the connection")
            self._replies.feed(data)
            while reply := self._replies.take():
                self._moved = True
                if self._conversation:
                    self._conversation.hear(reply, alone=self._replies.empty)
                else:
                    self._open(reply)
            if self.wire.drained:
                self._settled()  # begins what the last reply may have called for
                break

    def _settled(self) -> bool:
        while self._conversation is None and self._phase in SETTLING:
            if not self.wire.settled():
                return False
            self._moved = True
            self._open(SETTLED)
        return True

    def _open(self, reply: Reply) -> None:
        try:
            self._phase = self._opening.send(reply)
        except StopIteration as done:
            self._conversation = Conversation(self.wire, done.value, self._mailroom, self._most)
            self._conversation.send_next()
        if self._phase is Phase.TLS and not self._replies.empty:
            # what came in the clear would be taken for what comes under TLS
            raise LostError("the server said more than it was asked before TLS began")

    def _end(self, reason: str, *, patient: bool = True) -> None:
        if self._conversation:
            self._conversation.settle(reason, patient=patient)
        elif self.failure is None:
            self.failure = unreachable(self._server, reason)
        self.abandon()
