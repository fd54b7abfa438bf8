"""One mail of the bounce mailbox: a delivery status (RFC 3464), a complaint (RFC 5965), or neither.

A mail is hostile until proved otherwise: nothing in it raises but ValueError, nothing of it is
kept but a status code and one scrubbed line.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import blake2b

from digest.events import Cause, Event, Kind
from digest.providers.sendgrid.words import scrubbed


class Said(StrEnum):
    """What a mail turned out to be."""

    BOUNCED = "bounced"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    OTHER = "other"  # an automatic reply, a person, an advertisement


@dataclass(frozen=True, slots=True)
class Report:
    """What one mail says."""

    said: Said
    name: str  # the mail's own, the same when it is read again
    deliveries: tuple[str, ...]  # ids that occur in it, the most trustworthy first
    at: datetime
    status: str = ""  # like `5.1.1`
    reason: str = ""

    def event(self, delivery: str, address: str) -> Event:
        """What it means: about our own address of that delivery, not about the one it names."""
        passing = self.status.startswith("4.")
        kind = Kind.BLOCKED if self.said is Said.BOUNCED and passing else _KINDS[self.said]
        cause = _cause(self.status) if self.said is Said.BOUNCED else Cause.UNCLEAR
        return Event(kind, delivery, address, self.at, self.name, self.reason, self.status, cause)


_KINDS = {
    Said.BOUNCED: Kind.BOUNCED,
    Said.DELAYED: Kind.DEFERRED,
    Said.DELIVERED: Kind.DELIVERED,
    Said.COMPLAINED: Kind.COMPLAINED,
    Said.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
}
_ACTIONS = {"failed": Said.BOUNCED, "delayed": Said.DELAYED, "delivered": Said.DELIVERED}
_FEEDBACK = {"not-spam": Said.OTHER, "opt-out": Said.UNSUBSCRIBED}
# Of the codes of RFC 3463: policy, content, size and the sender's address are ours to mend.
_OURS = ("5.7.", "5.6.", "5.3.", "5.2.3", "5.1.7", "5.1.8")
_NO_MAILBOX = ("5.1.", "5.2.1", "5.4.4")

_ID = "([a-z2-7]{20})"
_VERP = re.compile(rf"\+{_ID}@")
_MESSAGE_ID = re.compile(rf"<{_ID}@[A-Za-z0-9.-]+>")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_TO = ("to", "delivered-to", "x-original-to", "envelope-to", "x-rcpt-to")
_ENOUGH = 256 * 1024  # bytes in which patterns are looked for
_PARTS = 50


def understand(raw: bytes, now: datetime) -> Report:
    """What a mail says. ValueError when it cannot be read as one."""
    try:
        return _report(raw, now)
    except Exception as error:  # whatever the library makes of a mail that is none
        raise ValueError(type(error).__name__) from error


def _report(raw: bytes, now: datetime) -> Report:
    mail = message_from_bytes(raw)
    if not mail.keys():
        raise ValueError("no header")
    parts = [part for part, _ in zip(mail.walk(), range(_PARTS), strict=False)]
    said, status, reason = _meaning(mail, parts, raw)
    return Report(said, _name(mail, raw), _ids(mail, raw), _moment(mail, now), status, reason)


def _meaning(mail: Message, parts: list[Message], raw: bytes) -> tuple[Said, str, str]:
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return _complaint(part), "", ""
        if kind == "message/delivery-status" and (found := _status(part)):
            return found
    return _guess(mail) if len(raw) <= _ENOUGH else (Said.OTHER, "", "")


def _status(part: Message) -> tuple[Said, str, str] | None:
    """The first recipient of whom something is said; ours is the only one of its message."""
    for block in _blocks(part):
        said = _ACTIONS.get(_text(block, "action").lower())
        if said is not None:
            code = _STATUS.search(_text(block, "status"))
            words = _text(block, "diagnostic-code").partition(";")
            return said, code[0] if code else "", scrubbed((words[2] or words[0]).strip())
    return None


def _complaint(part: Message) -> Said:
    for block in _blocks(part):
        return _FEEDBACK.get(_text(block, "feedback-type").lower(), Said.COMPLAINED)
    return Said.OTHER


def _guess(mail: Message) -> tuple[Said, str, str]:
    """Bounces of servers that never heard of RFC 3464; who guesses never says `no such mailbox`."""
    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").disabled = True  # it would print what strange mails hold
    temporary, permanent = all_failures(mail)
    if permanent:
        return Said.BOUNCED, "", "an undocumented bounce"
    return (Said.DELAYED if temporary else Said.OTHER), "", ""


def _blocks(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))
    elif isinstance(payload, str):
        for text in payload.split("\n\n"):
            yield message_from_bytes(text.encode("utf-8", "replace"))


def _ids(mail: Message, raw: bytes) -> tuple[str, ...]:
    """Delivery ids: of the address that the bounce came to, then of messages that it quotes."""
    to = " ".join(_text(mail, name) for name in _TO)
    quoted = raw[:_ENOUGH].decode("ascii", "replace")
    return tuple(dict.fromkeys((*_VERP.findall(to), *_MESSAGE_ID.findall(quoted))))


def _name(mail: Message, raw: bytes) -> str:
    own = _text(mail, "message-id").strip().encode() or raw
    return f"mail:{blake2b(own, digest_size=16).hexdigest()}"


def _moment(mail: Message, now: datetime) -> datetime:
    """When it was written, as far as that can be."""
    try:
        at = parsedate_to_datetime(_text(mail, "date"))
    except (ValueError, TypeError):
        return now
    return min(at if at.tzinfo else at.replace(tzinfo=UTC), now)


def _cause(status: str) -> Cause:
    if status.startswith(_OURS):
        return Cause.SENDER
    return Cause.MAILBOX if status.startswith(_NO_MAILBOX) else Cause.UNCLEAR


def _text(mail: Message, name: str) -> str:
    return " ".join(str(value) for value in mail.get_all(name, ())).replace("\ufffd", "?")
