"""Tells a person at a form from a program that fills in every form it finds, without asking either.

A field that people do not see, and the time between a form's page and its sending, signed.
"""

from datetime import datetime
from hashlib import blake2b
from hmac import compare_digest

from digest.tokens import Keys
from digest.web.visits import Visit

BAIT = "website"  # filled in by programs alone
STAMP = "shown"
QUICKEST = 2  # seconds; nobody reads, types and picks in less
OLDEST = 24 * 3600  # a form left open longer is shown again, filled in
_PERSON = b"digest form"


def stamp(keys: Keys, now: datetime) -> str:
    """When the form was shown, signed."""
    moment = str(int(now.timestamp()))
    return f"{moment}.{_mark(keys.secrets[0], moment)}"


def baited(visit: Visit) -> bool:
    """A program filled in what nobody sees: it is thanked, and nothing is done."""
    return bool(visit.form.get(BAIT))


def timely(visit: Visit) -> bool:
    """The form was shown by us, and not just now."""
    moment, _, mark = visit.text(STAMP).partition(".")
    secrets = visit.site.keys.secrets
    if not any(compare_digest(mark.encode(), _mark(key, moment).encode()) for key in secrets):
        return False
    return QUICKEST <= visit.site.now().timestamp() - int(moment) <= OLDEST


def _mark(secret: bytes, moment: str) -> str:
    key = blake2b(secret, digest_size=32, person=_PERSON).digest()
    return blake2b(moment.encode(), digest_size=16, key=key).hexdigest()
