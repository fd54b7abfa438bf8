"""SendGrid's Event Webhook: is a request really SendGrid's, and what do its events say?

The official helper is not used: it wants the body as text, which may change bytes, and breaks on
malformed signatures instead of refusing them.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from digest.errors import ConfigError, DigestError
from digest.events import Cause, Event, Kind
from digest.providers.sendgrid.letters import DELIVERY_ARGUMENT, PLACE_ARGUMENT
from digest.providers.sendgrid.words import scrubbed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

# SendGrid tries for 24 hours and does not say whether it signs anew; a narrow window would lose
# bounces. Replays are caught by event ids.
OLDEST = timedelta(hours=25)
NEWEST = timedelta(minutes=5)

_DIGITS = re.compile(r"[0-9]{1,12}")
_DELIVERY = re.compile(r"[A-Za-z0-9._-]{1,200}").fullmatch
_EVENT = re.compile(r"[!-~]{1,200}").fullmatch
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_LONGEST = 320  # characters of an address
_LONG_NUMBER = 20  # digits
_BLOCKED = "blocked"  # a `type` of bounces

# Opens, clicks and news of the account are of no use to us, and left out.
_KINDS: Mapping[str, Kind] = {
    "processed": Kind.PROCESSED,
    "deferred": Kind.DEFERRED,
    "delivered": Kind.DELIVERED,
    "bounce": Kind.BOUNCED,
    "dropped": Kind.DROPPED,
    "spamreport": Kind.COMPLAINED,
    "unsubscribe": Kind.UNSUBSCRIBED,
    "group_unsubscribe": Kind.UNSUBSCRIBED,
}
# Names of our own, because an enum's members take a while to look up.
_PLAIN = (Kind.DELIVERED, Kind.PROCESSED)
_UNCLEAR = Cause.UNCLEAR
_made = tuple.__new__  # a named tuple's own way takes twice as long
# Beginnings, because the words vary in case and grow tails.
_CLASSIFICATIONS: Mapping[str, Cause] = {
    "invalid": Cause.MAILBOX,
    "mailbox": Cause.MAILBOX,
    "content": Cause.SENDER,
    "reputation": Cause.SENDER,
    "technical": Cause.SENDER,
    "frequency": Cause.SENDER,
}
_DROPS: Mapping[str, Cause] = {
    "unsubscribed": Cause.UNSUBSCRIBED,
    "bounced": Cause.BOUNCED,
    "spam reporting": Cause.COMPLAINED,
    "invalid smtpapi": Cause.SENDER,
    "invalid": Cause.MAILBOX,
    "spam content": Cause.SENDER,
    "recipient list": Cause.SENDER,
    "duplicate": Cause.SENDER,
}


def public_keys(texts: Sequence[str]) -> "tuple[EllipticCurvePublicKey, ...]":
    """The keys of `sendgrid.webhook_keys`. ConfigError names the one that is none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    keys = []
    for number, text in enumerate(texts, start=1):
        try:
            key = load_der_public_key(b64decode(text, validate=True))
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise ConfigError(
                f"sendgrid.webhook_keys: number {number} is not a verification key; copy it from "
                "Settings, Mail Settings, Event Webhooks: it begins with MFkw"
            )
        keys.append(key)
    return tuple(keys)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    keys: "Sequence[EllipticCurvePublicKey]",
    now: datetime,
    *,
    oldest: timedelta = OLDEST,
    newest: timedelta = NEWEST,
) -> bool:
    """True when one of `keys` signed these very bytes, not too long ago. Without keys, never."""
    named = {name.lower(): value for name, value in headers.items()}
    timestamp, signature = named.get(TIMESTAMP, ""), named.get(SIGNATURE, "")
    if not _DIGITS.fullmatch(timestamp):
        return False
    age = now.timestamp() - int(timestamp)
    if not -newest.total_seconds() <= age <= oldest.total_seconds():
        return False
    try:
        raw = b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(_signed(key, raw, timestamp.encode() + body) for key in keys)


def _signed(key: "EllipticCurvePublicKey", signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, message, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def parse(body: bytes) -> Iterator[Event]:
    """The events that matter, in order; what cannot be understood is passed over.

    Told twice, an event is given twice, under the same id. DigestError when the body as a whole is
    not a list of events.
    """
    try:
        found = _loaded(body)
    except (ValueError, RecursionError) as error:
        raise DigestError("the events are not JSON") from error
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise DigestError("the events are not a JSON array")
    return filter(None, map(_event, found))


def _loaded(body: bytes) -> Any:
    """What the JSON holds. The second, slower reading bears what one event may spoil for all."""
    try:
        return json.loads(body)
    except ValueError:
        text = body.decode("utf-8-sig", "replace")
        return json.loads(text, strict=False, parse_int=_whole)


def _whole(digits: str) -> int:
    """A number; 0, which says nothing, for one that Python refuses to read for its length."""
    return int(digits) if len(digits) <= _LONG_NUMBER else 0


def _event(raw: Any) -> Event | None:
    """One event in our words; None for one that says nothing to us."""
    if not isinstance(raw, dict) or not isinstance(name := raw.get("event"), str):
        return None
    kind = _KINDS.get(name)
    if kind is None or (at := _moment(raw.get("timestamp"))) is None:
        return None
    delivery, place = raw.get(DELIVERY_ARGUMENT), raw.get(PLACE_ARGUMENT)
    if not isinstance(delivery, str) or not _DELIVERY(delivery):
        delivery = None
    if not isinstance(place, str):
        place = ""
    if kind in _PLAIN and delivery:  # nearly all; they have nothing to explain, and are not kept
        address, event_id = _text(raw, "email")[:_LONGEST], _text(raw, "sg_event_id")
        return _made(Event, (kind, delivery, address, at, event_id, "", "", _UNCLEAR, place))
    if kind is Kind.BOUNCED and _text(raw, "type").lower() == _BLOCKED:
        kind = Kind.BLOCKED
    status = _text(raw, "status")
    return Event(
        kind=kind,
        delivery=delivery,
        address=_address(_text(raw, "email")),
        at=at,
        event_id=_id(_text(raw, "sg_event_id")),
        reason="" if kind in _PLAIN else scrubbed(_text(raw, "reason") or _text(raw, "response")),
        status=status if _STATUS.fullmatch(status) else "",
        cause=_cause(kind, raw),
        place=place,
    )


def _id(text: str) -> str:
    """The name of an event, cut to what ours can be; a strange one as its hash, which names it."""
    if _EVENT(text):
        return text
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest() if text else ""


def _cause(kind: Kind, raw: Mapping[str, Any]) -> Cause:
    if kind is Kind.DROPPED:
        return _beginning(_DROPS, _text(raw, "reason"))
    return _beginning(_CLASSIFICATIONS, _text(raw, "bounce_classification"))


def _beginning(table: Mapping[str, Cause], text: str) -> Cause:
    lowered = text.lower()
    return next((table[word] for word in table if lowered.startswith(word)), Cause.UNCLEAR)


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key, "")
    return value if isinstance(value, str) else ""


def _address(text: str) -> str:
    """The address as it was sent; nothing for what cannot be one."""
    plain = text.strip()
    return plain if "@" in plain and plain.isprintable() and len(plain) <= _LONGEST else ""


def _moment(value: Any) -> datetime | None:
    """Seconds since 1970. Numbers that no event can bear are refused, NaN too."""
    if type(value) is int and 0 < value < 1 << 37:
        return _at(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 < value < 1 << 37:  # until the year 6325
        return None
    return _at(value)


@lru_cache(maxsize=256)  # a batch tells of few different seconds
def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
