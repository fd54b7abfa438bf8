"""Purpose-bound signed links: who a link is for, proved, with no address and no database inside.

A token is 25 bytes in 34 characters: 1 byte naming the key, 8 bytes of subject (a subscriber's id),
16 bytes of MAC; 4 bytes of expiry stand before the MAC where there is one. The MAC is keyed BLAKE2b
over the purpose, these bytes and an optional context (such as an issue's id) that the link itself
does not carry. 34 characters, so that `List-Unsubscribe: <url>` keeps to 77 bytes.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest

from digest.addresses import identity
from digest.errors import ConfigError, TokenError

TOKEN_LENGTH = 34  # characters, without expiry
_EXPIRING_LENGTH = 39
_MAC = 16  # bytes: 128 bits
_SUBJECT = slice(1, 9)
_SHORTEST_SECRET = 16  # bytes


class Purpose(StrEnum):
    """What a link may do. A token for one purpose is worthless for any other."""

    UNSUBSCRIBE = (
        "unsubscribe"  # stop this newsletter; never expires (CASL wants 60 days, we: ever)
    )
    PREFERENCES = "preferences"  # see and change tags, cadence, pause
    CONFIRM = "confirm"  # prove that the address asked for the newsletter
    VIEW = "view"  # read one's own edition in a browser
    FEEDBACK = "feedback"  # say whether an issue was useful
    CHANGE = "change"  # move a subscription to another address
    OWN = "own"  # download or delete all that is kept, or ask to move it
    RETURN = "return"  # take back an unsubscribing, in the minutes after it
    APPROVE = "approve"  # say whether one plan of an issue goes out; the subject is its number


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets, newest first: the first signs, all verify. Never shown in a repr."""

    secrets: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.secrets or min(map(len, self.secrets)) < _SHORTEST_SECRET:
            raise ConfigError(f"give signing secrets of {_SHORTEST_SECRET} bytes or more")


def sign(
    keys: Keys,
    purpose: Purpose,
    subject: int,
    *,
    context: str = "",
    expires: datetime | None = None,
) -> str:
    """A token that lets its holder do `purpose` to `subject`, an unsigned 64-bit id.

    `expires` is cut to whole seconds. ValueError for an unsubscribe link that would expire.
    """
    secret = keys.secrets[0]
    body = _key_id(secret) + subject.to_bytes(8)
    if expires is not None:
        if purpose is Purpose.UNSUBSCRIBE:
            raise ValueError("an unsubscribe link never expires")
        body += int(expires.timestamp()).to_bytes(4)
    return urlsafe_b64encode(body + _mac(secret, purpose, body, context)).rstrip(b"=").decode()


def verify(keys: Keys, purpose: Purpose, token: str, *, now: datetime, context: str = "") -> int:
    """The subject of a token that we signed for this purpose and context, and that still holds.

    TokenError otherwise, always the same one: whoever guesses learns nothing from it.
    """
    raw = _decoded(token)
    body, mac = raw[:-_MAC], raw[-_MAC:]
    genuine = any(
        compare_digest(mac, _mac(secret, purpose, body, context))
        for secret in keys.secrets
        if _key_id(secret) == body[:1]
    )
    expiry = body[_SUBJECT.stop :]
    if not genuine or (expiry and now.timestamp() >= int.from_bytes(expiry)):
        raise _refusal()
    return int.from_bytes(body[_SUBJECT])


def subscriber_id(address: str, key: bytes) -> int:
    """The opaque id of a reader who has none of their own, as in a CSV file: 63 bits, keyed.

    The same for every spelling that is the same person's; 63 bits fit a signed database column.
    """
    digest = blake2b(identity(address).encode(), digest_size=8, key=_shortened(key)).digest()
    return int.from_bytes(digest) >> 1


def unsubscribe_url(base_url: str, token: str) -> str:
    """Where one POST unsubscribes (RFC 8058), and a GET shows a page with a button."""
    return f"{base_url}/u/{token}"


def view_url(base_url: str, issue_id: str, token: str) -> str:
    """A reader's own edition of an issue, in a browser. The token's context is the issue's id."""
    return f"{base_url}/i/{issue_id}/{token}"


def feedback_url(base_url: str, issue_id: str, token: str) -> str:
    """Where a reader says whether an issue was useful. The token's context is the issue's id."""
    return f"{base_url}/f/{issue_id}/{token}"


APPROVAL_PATH = "/approve"


def approval_url(base_url: str, token: str) -> str:
    """Where an editor says whether a planned issue goes out; only a POST says it."""
    return f"{base_url}{APPROVAL_PATH}/{token}"


def preferences_url(base_url: str, token: str) -> str:
    """Where a reader changes tags, rhythm and pause."""
    return f"{base_url}/p/{token}"


def pause_url(preferences: str) -> str:
    """The part of the preferences page that pauses."""
    return f"{preferences}#pause"


@lru_cache(maxsize=16)
def _key_id(secret: bytes) -> bytes:
    """Names a key without telling it. Two may share a name; then both are tried."""
    return blake2b(secret, digest_size=1, person=b"digest key id").digest()


def _mac(secret: bytes, purpose: Purpose, body: bytes, context: str) -> bytes:
    # the purpose is BLAKE2's own parameter and the body says its length, so that no two
    # combinations of purpose, body and context give the same input
    message = bytes([len(body)]) + body + context.encode()
    key, person = _shortened(secret), purpose.value.encode()
    return blake2b(message, digest_size=_MAC, key=key, person=person).digest()


def _shortened(secret: bytes) -> bytes:
    """BLAKE2b takes keys of up to 64 bytes; a longer one is hashed first."""
    return secret if len(secret) <= 64 else blake2b(secret).digest()


def _decoded(token: str) -> bytes:
    """The bytes of a token in its only spelling: base64 with loose bits at its end is refused."""
    if len(token) not in (TOKEN_LENGTH, _EXPIRING_LENGTH) or not token.isascii():
        raise _refusal()
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raise _refusal() from None
    if urlsafe_b64encode(raw).rstrip(b"=") != token.encode():
        raise _refusal()
    return raw


def _refusal() -> TokenError:
    return TokenError("this link is not valid", hint="ask for a new one")
