"""What differs from reader to reader of an edition."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from digest.composer.headers import wire_address
from digest.layout import Slot
from digest.tokens import pause_url

# Base32 (RFC 4648) in lower case, ten bits at a time: a third of the time of `base64.b32encode`.
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [one + other for one in _LETTERS for other in _LETTERS]


def delivery_id(issue_id: str, subscriber_id: int) -> str:
    """The stable id of one issue to one subscriber: 20 base32 characters, 100 bits."""
    name = f"{issue_id}\0{subscriber_id}".encode()
    bits = int.from_bytes(blake2b(name, digest_size=15).digest()) >> 20
    p = _PAIRS
    return (
        f"{p[bits >> 90]}{p[bits >> 80 & 1023]}{p[bits >> 70 & 1023]}{p[bits >> 60 & 1023]}"
        f"{p[bits >> 50 & 1023]}{p[bits >> 40 & 1023]}{p[bits >> 30 & 1023]}"
        f"{p[bits >> 20 & 1023]}{p[bits >> 10 & 1023]}{p[bits & 1023]}"
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a message, and what it says to them alone: plain text, the composer escapes it."""

    delivery: str  # delivery id
    address: str
    name: str  # may be empty
    salutation: str
    why: str
    preferences_url: str
    unsubscribe_url: str
    view_url: str
    feedback_url: str
    place: str = ""  # the ledger's name for the row of the delivery; empty where there is none

    @property
    def recipient(self) -> str:
        """The address for the envelope: its domain in ASCII."""
        return wire_address(self.address)

    def values(self) -> dict[Slot, str]:
        """Plain values for the reader's slots."""
        return {
            Slot.SALUTATION: self.salutation,
            Slot.WHY: self.why,
            Slot.VIEW_URL: self.view_url,
            Slot.FEEDBACK_URL: self.feedback_url,
            Slot.PREFERENCES_URL: self.preferences_url,
            Slot.PAUSE_URL: pause_url(self.preferences_url),
            Slot.UNSUBSCRIBE_URL: self.unsubscribe_url,
        }


def edition_id(language: str, stories: Iterable[str], more: Iterable[str]) -> str:
    """8 hex digits that name the content: the same stories in the same order, the same language."""
    names = "\0".join((language, *stories, "", *more))
    return blake2b(names.encode(), digest_size=4).hexdigest()
