"""Letters on their way to a connection, and answers on their way back."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from digest.composer import Reader
from digest.errors import Outcome, ProviderError
from digest.providers import Answer, Batch, Receipt, Refusal
from digest.providers.smtp.dkim import Signer
from digest.providers.smtp.login import Features
from digest.providers.smtp.replies import Reply

_SILENT = "ask whoever runs the server whether they were delivered, then resolve them"


class Letter(NamedTuple):
    """One delivery, ready for the wire. One is made for every message, and this is cheapest."""

    delivery: str
    return_path: bytes
    recipient: bytes
    pieces: tuple[bytes, ...]  # the message; its last line ends with CRLF, none begins with a dot
    wide: bool  # there is UTF-8 in its header or envelope (RFC 6531)
    starting: Callable[[str], None]  # the batch's: told before what cannot be taken back
    answered: Callable[[Answer], None]  # and what was said, before anything else starts

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True)
class Envelopes:
    """How a reader's letter is made: who signs it, and where it comes back to."""

    return_path: str
    verp: bool = False
    signer: Signer | None = None

    def letter(self, batch: Batch, reader: Reader) -> Letter:
        """A permanent ProviderError when this reader can have none."""
        message = batch.message(reader)
        recipient = reader.recipient.encode()
        signature = (self.signer.sign(message),) if self.signer else ()
        return Letter(
            delivery=reader.delivery,
            return_path=self._sender(reader).encode(),
            recipient=recipient,
            pieces=(*signature, message),
            wide=not (recipient.isascii() and message[: message.find(b"\r\n\r\n")].isascii()),
            starting=batch.starting,
            answered=batch.answered,
        )

    def _sender(self, reader: Reader) -> str:
        if not self.verp:
            return self.return_path
        local, _, domain = self.return_path.rpartition("@")
        return f"{local}+{reader.delivery}@{domain}"


class Mailroom:
    """What is to be carried, what was said about it, and whether to go on at all."""

    def __init__(self, compose: Callable[[Batch, Reader], Letter], doubts: int) -> None:
        """Nothing more is given out after more than so many `doubts` without a receipt between."""
        self._compose, self._endures, self._doubts = compose, doubts, 0
        self._source: Iterator[tuple[Batch, Reader]] = iter(())
        self._ahead: deque[tuple[Batch, Reader]] = deque()
        self.returned: deque[Letter] = deque()
        self.out = 0  # letters taken and not answered
        self.answers: deque[Answer] = deque()
        self.failure: Exception | None = None

    def load(self, batches: Iterable[Batch]) -> None:
        """Begin anew, with these."""
        self._source = ((batch, reader) for batch in batches for reader in batch.readers)
        self._ahead.clear()
        self.returned.clear()
        self.answers.clear()
        self.out, self.failure, self._doubts = 0, None, 0

    def waiting(self, most: int) -> int:
        """How many letters nobody carries, counted up to `most`; none once something failed."""
        if self.failure:
            return 0
        if len(self._ahead) < most:
            try:
                self._ahead.extend(islice(self._source, most - len(self._ahead)))
            except Exception as error:  # whatever it is, what is on the wire comes first
                self.fail(error)
                return 0
        return len(self.returned) + len(self._ahead)

    def take(self, features: Features) -> Letter | None:
        """The next letter for a server with these features; what it cannot carry is refused."""
        while self.waiting(1):
            letter = self.returned.popleft() if self.returned else self._made()
            if letter is None:
                continue
            self.out += 1
            if not (obstacle := _obstacle(letter, features)):
                return letter
            self.refuse(letter, Outcome.PERMANENT, obstacle)
        return None

    def give_back(self, letter: Letter) -> None:
        """It was certainly not taken, and another connection should try."""
        self.out -= 1
        self.returned.append(letter)

    def receipt(self, letter: Letter, reply: Reply) -> None:
        self._doubts = 0
        self._answer(letter, Receipt(letter.delivery, reply.text, new=True))

    def refuse(self, letter: Letter, outcome: Outcome, reason: str) -> None:
        self._doubts += outcome is Outcome.UNKNOWN
        self._answer(letter, Refusal(letter.delivery, outcome, reason))
        if self._doubts > self._endures:
            message = f"the server does not say what became of {self._doubts} messages: {reason}"
            self.fail(ProviderError(message, outcome=Outcome.TEMPORARY, hint=_SILENT))

    def withdraw(self, failure: ProviderError) -> None:
        """A letter was certainly not taken, for a reason that stands for all: no answer to it."""
        self.out -= 1
        self.fail(failure)

    def fail(self, failure: Exception) -> None:
        """Nothing more is given out; what is on its way is still answered."""
        self.failure = self.failure or failure

    def _answer(self, letter: Letter, answer: Answer) -> None:
        self.out -= 1
        letter.answered(answer)
        self.answers.append(answer)

    def _made(self) -> Letter | None:
        batch, reader = self._ahead.popleft()
        try:
            return self._compose(batch, reader)
        except ProviderError as error:
            self.answers.append(Refusal(reader.delivery, error.outcome, str(error)))
            return None


def _obstacle(letter: Letter, features: Features) -> str:
    """Why a server cannot carry a letter; empty when it can."""
    if letter.wide and not features.smtputf8:
        return "the server cannot carry addresses outside ASCII: it offers no SMTPUTF8"
    if features.most_bytes and features.most_bytes < letter.size:
        return f"{letter.size} bytes, and the server takes {features.most_bytes}"
    return ""
