"""The talk about letters on one connection: what was asked, and what each reply answers.

Where the server offers PIPELINING the next envelope rides behind the dot of a message (RFC 2920
3.1 lets message text begin a group of commands): one round trip a message. Without it the same
code says one command at a time. At most one message is on the wire unanswered.
"""

from collections import deque
from dataclasses import dataclass

from digest.errors import Outcome, ProviderError
from digest.providers.smtp.login import Features, Phase
from digest.providers.smtp.mailroom import Letter, Mailroom
from digest.providers.smtp.replies import Reply
from digest.providers.smtp.wire import Wire

_DOT = b".\r\n"
_GO_AHEAD = 354
_CLOSING = 421  # may answer anything, and ends the connection


class LostError(Exception):
    """The connection is of no more use; the text says why, in the server's words if it has any."""


@dataclass(slots=True)
class Transaction:
    """A letter on its way."""

    letter: Letter
    refusal: tuple[Phase, Reply] | None = None  # of its envelope
    body_end: int = 0  # where on the wire its final dot ends; 0: no body was queued


class Conversation:
    """Letters out, answers in, on a wire that is open. It writes, and never waits."""

    def __init__(self, wire: Wire, features: Features, mailroom: Mailroom, most: int) -> None:
        """`most` is how many letters it takes up before it is `spent`."""
        self._wire, self._features, self._mailroom, self._most = wire, features, mailroom, most
        self._expected: deque[tuple[Phase, Transaction | None]] = deque()
        self._unsaid: deque[tuple[Phase, bytes, Transaction | None]] = deque()
        self._under_way: deque[Transaction] = deque()  # at most two, and the elder has its body
        self._begun = self._answered = 0  # letters
        self._stale = False  # the server remembers an envelope that led to nothing

    @property
    def waits_for(self) -> Phase | None:
        """What the next reply answers; None when everything is answered."""
        return self._expected[0][0] if self._expected else None

    @property
    def carrying(self) -> bool:
        """There is a letter on its way."""
        return bool(self._under_way)

    @property
    def spent(self) -> bool:
        """It has taken up all that it may, and has nothing left to hear about them."""
        return self._begun >= self._most and not self._expected

    def part(self) -> None:
        """Say good-bye; the reply to it is `LostError`."""
        self._say((Phase.QUIT, b"QUIT\r\n", None))

    def send_next(self, *before: bytes) -> None:
        """Write `before` and, where there is one and it may, the next letter's envelope behind."""
        if before:
            self._wire.write(*before)
        if self._begun >= self._most or (before and not self._features.pipelining):
            return
        if (letter := self._mailroom.take(self._features)) is None:
            return
        transaction = Transaction(letter)
        self._begun += 1
        self._under_way.append(transaction)
        self._say(*self._envelope(transaction))

    def hear(self, reply: Reply, *, alone: bool) -> None:
        """A reply came. `alone`: nothing came behind it. LostError when that is the end."""
        if not self._expected or reply.code == _CLOSING:
            raise LostError(reply.words)
        phase, transaction = self._expected.popleft()
        if reply.code == 250 and (phase is Phase.MAIL or phase is Phase.RCPT):
            if self._unsaid:
                self._say()
            return
        if phase is Phase.QUIT:
            raise LostError(reply.words)
        if transaction is None:  # RSET, or an empty message that nobody was to get
            if not self._expected and not self._unsaid:
                self.send_next()
        elif phase is Phase.BODY:
            self._hear_of_body(transaction, reply)
        else:
            if phase is Phase.DATA and reply.code == _GO_AHEAD:
                self._hear_go_ahead(transaction, alone)
                return
            self._hear_of_envelope(phase, transaction, reply)
        if self._unsaid:
            self._say()

    def settle(self, reason: str, *, patient: bool = True) -> None:
        """The connection is gone: answer for every letter that was on its way.

        Where the dot of a message has left, nobody knows. A letter whose envelope alone did goes
        to another connection: this one had grown old. Not so when it was the first, or when the
        server left us waiting (`patient` is False): then the letter itself may be why.
        """
        for transaction in self._under_way:
            letter = transaction.letter
            if transaction.refusal:
                self._refuse(transaction)
            elif 0 < transaction.body_end <= self._wire.written:
                self._mailroom.refuse(letter, Outcome.UNKNOWN, reason)
            elif patient and self._answered and not transaction.body_end:
                self._mailroom.give_back(letter)
            else:
                self._mailroom.refuse(letter, Outcome.TEMPORARY, reason)
        self._under_way.clear()
        self._expected.clear()

    def _envelope(self, transaction: Transaction) -> list[tuple[Phase, bytes, Transaction | None]]:
        letter, parameters = transaction.letter, b""
        if letter.wide:
            parameters = b" BODY=8BITMIME SMTPUTF8" if self._features.eight_bit else b" SMTPUTF8"
        commands: list[tuple[Phase, bytes, Transaction | None]] = [
            (Phase.MAIL, b"MAIL FROM:<%b>%b\r\n" % (letter.return_path, parameters), transaction),
            (Phase.RCPT, b"RCPT TO:<%b>\r\n" % letter.recipient, transaction),
            (Phase.DATA, b"DATA\r\n", transaction),
        ]
        if self._stale:
            self._stale = False
            commands.insert(0, (Phase.COMMAND, b"RSET\r\n", None))
        return commands

    def _say(self, *commands: tuple[Phase, bytes, Transaction | None]) -> None:
        """Write these at once, or one after the other's reply where the server wants it so."""
        if self._features.pipelining:
            self._wire.write(b"".join([command for _, command, _ in commands]))
            self._expected.extend([(phase, transaction) for phase, _, transaction in commands])
            return
        self._unsaid.extend(commands)
        if self._unsaid and not self._expected:
            phase, command, transaction = self._unsaid.popleft()
            self._wire.write(command)
            self._expected.append((phase, transaction))

    def _hear_of_envelope(self, phase: Phase, transaction: Transaction, reply: Reply) -> None:
        if phase is Phase.DATA or not reply.positive:
            if reply.code < 400:
                raise LostError(f"the server is out of step: {reply.words}")
            transaction.refusal = transaction.refusal or (phase, reply)
        if transaction.refusal and (phase is Phase.DATA or not self._features.pipelining):
            self._unsaid.clear()
            self._under_way.remove(transaction)
            self._refuse(transaction)
            self._stale = True
            self.send_next()

    def _hear_go_ahead(self, transaction: Transaction, alone: bool) -> None:
        if transaction.refusal:  # RFC 2920 3.1: an empty message, which is not taken for anybody
            self._under_way.remove(transaction)
            self._refuse(transaction)
            self._expected.append((Phase.NO_BODY, None))
            self.send_next(_DOT)
            return
        if not alone:
            raise LostError("the server is out of step: it answers what was not said")
        letter = transaction.letter
        letter.starting(letter.delivery)
        transaction.body_end = self._wire.queued + letter.size + len(_DOT)
        self._expected.append((Phase.BODY, transaction))
        self.send_next(*letter.pieces, _DOT)

    def _hear_of_body(self, transaction: Transaction, reply: Reply) -> None:
        """Before the dot has left a refusal is one, and anything else makes no sense."""
        early = self._wire.written < transaction.body_end
        if reply.code < 300 and not early:
            self._mailroom.receipt(transaction.letter, reply)
        elif reply.code >= 400:
            self._mailroom.refuse(transaction.letter, reply.outcome, reply.words)
        else:
            raise LostError(f"the server is out of step: {reply.words}")
        self._under_way.remove(transaction)
        self._answered += 1
        if early:
            raise LostError(reply.words)
        if not self._expected:
            self.send_next()

    def _refuse(self, transaction: Transaction) -> None:
        """Answer for a letter whose envelope was refused.

        A sender that is refused for good is so for all: no letter is to blame, and none is
        answered. Only a letter with UTF-8 in it may itself be why.
        """
        assert transaction.refusal is not None
        phase, reply = transaction.refusal
        letter = transaction.letter
        self._answered += 1
        if phase is Phase.MAIL and reply.outcome is Outcome.PERMANENT and not letter.wide:
            self._mailroom.withdraw(
                ProviderError(
                    f"the server refuses the sender: {reply.words}",
                    outcome=Outcome.PERMANENT,
                    hint="smtp.user may need the right to send as newsletter.sender",
                )
            )
        else:
            self._mailroom.refuse(letter, reply.outcome, reply.words)
