"""What a mail server says: bytes to replies, and replies to words that may be kept.

RFC 5321 4.2 for replies of one line or several, RFC 2034 for the enhanced status code in them.
"""

import re
from collections import deque
from dataclasses import dataclass
from functools import lru_cache

from digest.errors import Outcome

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

LONGEST = 64 * 1024  # bytes of one reply; RFC 5321 4.5.3.1.5 has 512 a line
_WORDS = 300  # characters of a reply that are worth keeping


class GarbledError(Exception):
    """What the server sent is no reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its code, and the text of each of its lines."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def outcome(self) -> Outcome:
        """What a refusal means. The basic code decides, as RFC 5321 4.2.1 has it."""
        return Outcome.PERMANENT if self.code >= 500 else Outcome.TEMPORARY

    @property
    def status(self) -> str:
        """The enhanced status code, like `5.1.1`; empty when there is none of the code's class."""
        match = _STATUS.match(_plain(self.lines[0])) if self.lines else None
        return match[1] if match and match[1][0] == str(self.code)[0] else ""

    @property
    def text(self) -> str:
        """What is said beside the codes: one line of printable ASCII without an address."""
        texts = [_plain(line) for line in self.lines]
        if status := self.status:
            texts = [text.removeprefix(status).strip() for text in texts]
        told = " ".join(filter(None, texts))
        return (_ADDRESS.sub("<address>", told) if "@" in told else told)[:_WORDS].rstrip()

    @property
    def words(self) -> str:
        """All of it, for a person: `550 5.1.1 No such user`."""
        return " ".join(filter(None, (str(self.code), self.status, self.text)))


class Replies:
    """Bytes in, in pieces of any size; whole replies out, in order."""

    def __init__(self) -> None:
        self._rest = b""  # of a line
        self._lines: deque[bytes] = deque()  # whole, and not looked at
        self._begun: list[bytes] = []  # texts of a reply whose last line has not come
        self._code = 0

    @property
    def empty(self) -> bool:
        """Nothing has come that was not taken."""
        return not (self._lines or self._rest or self._begun)

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(lines)

    def take(self) -> Reply | None:
        """The next reply, or None until there is a whole one. GarbledError for anything else."""
        while self._lines:
            reply, last = _line(self._lines.popleft())
            if last and not self._begun:
                return reply
            if self._begun and reply.code != self._code:
                raise GarbledError("the server's reply changes its code")
            self._code = reply.code
            self._begun += reply.lines
            if last:
                lines, self._begun = tuple(self._begun), []
                return Reply(self._code, lines)
        if len(self._rest) + sum(map(len, self._begun)) > LONGEST:
            raise GarbledError("the server's reply does not end")
        return None


@lru_cache(maxsize=64)  # most lines of a server are the same few
def _line(line: bytes) -> tuple[Reply, bool]:
    """A line as a reply of its own, and whether it is a reply's last."""
    if (match := _LINE.fullmatch(line.rstrip(b"\r"))) is None:
        raise GarbledError("the server sent something that is no SMTP reply")
    return Reply(int(match[1]), (match[3] or b"",)), match[2] != b"-"


def _plain(line: bytes) -> str:
    text = line.decode("ascii", "replace")
    if not (text.isprintable() and text.isascii()):
        text = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return text.strip()
