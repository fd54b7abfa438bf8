"""What a batch of events means for addresses: who is never mailed again, and what that remembers.

Rows are locked and written in one order: people by their ids, then suppressions by address.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from digest.addresses import identity_of
from digest.events import Changes, SoftBounce, Telling, worn_out
from digest.models import SuppressionReason
from digest.store.dialects import insert_new
from digest.store.hashing import Hasher
from digest.store.history import record_all
from digest.store.ledger.schema import soft_bounce
from digest.store.records import EventKind
from digest.store.schema import subscriber, suppression
from digest.store.suppressions import known_suppressions

Bans = dict[tuple[str, SuppressionReason], Telling]  # by the identity of the address


@dataclass(frozen=True, slots=True)
class Barring:
    """Writes down, in somebody's transaction, who is not to be mailed any more."""

    connection: sa.Connection
    hasher: Hasher
    source: str

    def bar(self, changes: Changes) -> int:
        """How many entries of the do-not-mail list are new. Of two tellings the earlier counts."""
        bans: Bans = {}
        told = [
            ((to, SuppressionReason(ban.value)), t) for (to, ban), t in changes.suppressed.items()
        ]
        worn = self._soften(changes.soft)
        for (address, reason), telling in (*told, *worn):
            if (identity := _identity(address)) is not None:
                key = (identity, reason)
                bans[key] = min(telling, bans.get(key, telling))
        return self._write(bans) if bans else 0

    def _soften(
        self, bounces: Iterable[SoftBounce]
    ) -> list[tuple[tuple[str, SuppressionReason], Telling]]:
        """Note refusals that may pass; too many of them are a bounce."""
        keys = {
            one: self.hasher(identity)
            for one in bounces
            if (identity := _identity(one.address)) is not None
        }
        if not keys:
            return []
        rows = [
            {"address_hash": key, "event_id": one.event_id, "at": one.at}
            for one, key in sorted(keys.items(), key=lambda pair: (pair[1], pair[0].event_id))
        ]
        self.connection.execute(insert_new(self.connection, soft_bounce), rows)
        moments = self._moments(set(keys.values()))
        addresses = {key: one.address for one, key in keys.items()}
        return [
            ((address, SuppressionReason.BOUNCED), Telling(at, "refused again and again"))
            for key, address in sorted(addresses.items())
            if (at := _worn_out_at(moments[key])) is not None
        ]

    def _moments(self, keys: Iterable[bytes]) -> Mapping[bytes, list[datetime]]:
        query = sa.select(soft_bounce.c.address_hash, soft_bounce.c.at)
        moments: dict[bytes, list[datetime]] = {}
        for key, at in self.connection.execute(query.where(soft_bounce.c.address_hash.in_(keys))):
            moments.setdefault(bytes(key), []).append(at)
        return moments

    def _write(self, bans: Bans) -> int:
        addresses = {address for address, _ in bans}
        people = self._lock_people(addresses)
        keys = {address: self.hasher(address) for address in addresses}
        known = known_suppressions(self.connection, list(keys.values()))
        new = sorted(
            (keys[address], reason, address, telling.at)
            for (address, reason), telling in bans.items()
            if (keys[address], reason) not in known
        )
        if not new:
            return 0
        rows = [
            {"address_hash": key, "reason": reason.value, "at": at, "source": self.source}
            for key, reason, _, at in new
        ]
        self.connection.execute(insert_new(self.connection, suppression), rows)
        record_all(
            self.connection,
            EventKind.SUPPRESSED,
            [
                (people[address], at, f"{reason} ({self.source})")
                for _, reason, address, at in new
                if address in people
            ],
        )
        return len(new)

    def _lock_people(self, addresses: Iterable[str]) -> dict[str, int]:
        """Who has these addresses. Whoever writes somebody's history has locked them."""
        query = (
            sa.select(subscriber.c.address, subscriber.c.id)
            .where(subscriber.c.address.in_(addresses))
            .order_by(subscriber.c.id)
            .with_for_update()
        )
        return {row.address: row.id for row in self.connection.execute(query)}


def _identity(address: str) -> str | None:
    """None for what is no address: a provider's word is not ours."""
    try:
        return identity_of(address)
    except ValueError:
        return None


def _worn_out_at(moments: Iterable[datetime]) -> datetime | None:
    """When there had been too many of them."""
    told = sorted(moments)
    return next((at for n, at in enumerate(told, 1) if worn_out(told[:n])), None)
