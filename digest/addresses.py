"""What counts as an email address, and when two of them are the same person's.

Syntax is email-validator's (RFC 5321/5322, IDNA 2008, SMTPUTF8); no name server is asked.
"""

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_PLAIN = re.compile(r"[a-z0-9._+-]+@[a-z0-9.-]+\.[a-z0-9]+", re.IGNORECASE | re.ASCII).fullmatch
_LONGEST = 200
LONGEST_LOCAL = 64  # octets before the @: RFC 5321 4.5.3.1.1


def normalise(text: str) -> str:
    """The address as it will be mailed: trimmed, Unicode-normalised, domain in lower case.

    The local part keeps its spelling. ValueError with the reason when it is no address, or one
    that mail servers need not take.
    """
    address = recognised(text)
    octets = len(address.rpartition("@")[0].encode())
    if octets > LONGEST_LOCAL:  # email-validator leaves this out, and would count letters
        raise ValueError(
            f"The email address is too long before the @-sign ({octets} bytes; "
            f"mail servers take {LONGEST_LOCAL})."
        )
    return address


def recognised(text: str) -> str:
    """The same for an address that may be here from before, however long: to find it, or to mail
    it no more. ValueError with the reason when it is none."""
    validator = _validator()
    try:
        checked = validator.validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=True
        )
    except validator.EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return str(checked.normalized)


def identity(address: str) -> str:
    """The key under which a normalised address is unique: case does not make a second person.

    Lower case and no more. Casefolding would take straße.de and strasse.de, two domains of two
    owners (IDNA 2008), for one, and a yes from the one mailbox for the other's.
    """
    if address.isascii():
        return address.lower()
    return unicodedata.normalize("NFC", address.lower())  # J̌ is two characters, ǰ is one


def identity_of(text: str) -> str:
    """The identity of an address as somebody else writes it. ValueError when it is none.

    Nearly all are plain, and need none of the checks, which take a hundred times as long.
    """
    lower = text.lower()
    if len(text) <= _LONGEST and _PLAIN(text) and "xn--" not in lower:
        return lower
    return identity(recognised(text))


@cache
def _validator() -> "ModuleType":
    import email_validator  # 40 ms, and most commands never see an address

    return email_validator
