"""What counts as an email address, and when two of them are the same person's.

Syntax is email-validator's (RFC 5321/5322, IDNA 2008, SMTPUTF8); no name server is asked.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def normalise(text: str) -> str:
    """The address as it will be mailed: trimmed, Unicode-normalised, domain in lower case.

    The local part keeps its spelling. ValueError with the reason when it is no address.
    """
    validator = _validator()
    try:
        checked = validator.validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=True
        )
    except validator.EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return str(checked.normalized)


def identity(address: str) -> str:
    """The key under which a normalised address is unique: case does not make a second person."""
    return address.casefold()


@cache
def _validator() -> "ModuleType":
    import email_validator  # 40 ms, and most commands never see an address

    return email_validator
