"""The keyed hash by which a suppression knows an address that may be gone from the store.

A plain hash could be undone by trying addresses; this one only by who holds the secret as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import sqlalchemy as sa

from digest.addresses import identity
from digest.errors import StoreError
from digest.store.schema import HASH_BYTES, setting

_SETTING = "suppression-key"


@dataclass(frozen=True, slots=True)
class Hasher:
    """Hashes addresses with one secret, which it never shows."""

    key: bytes = field(repr=False)
    former: bool = False  # True: suppressions may have hashes of before revision 0015

    @classmethod
    def of(cls, secret: bytes) -> "Hasher":
        """From a secret of any length; not as the tokens' keys are, so neither tells the other."""
        return cls(blake2b(secret, digest_size=32, person=b"digest suppress").digest())

    def __call__(self, address: str) -> bytes:
        """16 bytes for a normalised address, the same for every spelling of one person's."""
        return self._hash(identity(address))

    def every(self, address: str) -> tuple[bytes, ...]:
        """The hashes under which something may stand against an address."""
        former = self.former_of(address) if self.former else None
        return (self(address),) if former is None else (self(address), former)

    def former_of(self, address: str) -> bytes | None:
        """The hash of before revision 0015, where it is another one."""
        if address.isascii() or (folded := address.casefold()) == identity(address):
            return None
        return self._hash(folded)

    def _hash(self, text: str) -> bytes:
        return blake2b(text.encode(), digest_size=HASH_BYTES, key=self.key).digest()

    @property
    def fingerprint(self) -> str:
        """Names the secret without telling it."""
        return blake2b(self.key, digest_size=8, person=b"digest which key").hexdigest()


def matching_hasher(connection: sa.Connection, secrets: Sequence[bytes]) -> Hasher | None:
    """The hasher of the secret that this database was begun with; None before its first use.

    StoreError when it was another one: with a wrong secret everyone who was erased is forgotten.
    """
    known = connection.scalar(sa.select(setting.c.value).where(setting.c.name == _SETTING))
    if known is None:
        return None
    for hasher in map(Hasher.of, secrets):
        if hasher.fingerprint == known:
            return hasher
    raise StoreError(
        "the secret key is not the one that this database was begun with",
        hint="put the old key back, last in DIGEST_SECRET_KEY: its suppressions need it",
    )


def adopt(connection: sa.Connection, hasher: Hasher) -> None:
    """Note which secret makes this database's hashes, from its first use on."""
    values = {"name": _SETTING, "value": hasher.fingerprint}
    connection.execute(sa.insert(setting).values(values))
