"""How things stand, in few and cheap queries: for whoever watches. Nothing here locks anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from digest.store.database import Database
from digest.store.ledger.records import DeliveryState
from digest.store.ledger.schema import claim_window, delivery, issue
from digest.store.schema import subscriber, suppression

LATELY = timedelta(minutes=1)
_OPEN = ("planned", "sending", "paused")


@dataclass(frozen=True, slots=True)
class Progress:
    """The deliveries of one issue by state; they sum to its readers."""

    states: Mapping[DeliveryState, int]
    lately: int  # submitted within the last minute
    within: float  # seconds in which these were; a minute, or less when it has just begun
    waits: timedelta = timedelta(0)  # until the last zone, or next attempt, has its moment


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts. A delivery has no index on its state, so an issue of a million takes 0.4 s."""

    database: Database

    def watched(self) -> tuple[str, ...]:
        """Ids of the issues that are not over, and of the last one of each cadence that is; by
        their due moments."""
        last = (
            sa.select(sa.func.max(issue.c.number))
            .where(issue.c.state == "done", ~issue.c.id.startswith("~"))
            .group_by(issue.c.cadence)
        )
        query = sa.select(issue.c.id).where(
            ~issue.c.id.startswith("~"),
            issue.c.state.in_(_OPEN) | issue.c.number.in_(last),
        )
        with self.database.reading() as connection:
            return tuple(connection.scalars(query.order_by(issue.c.due_at, issue.c.number)))

    def progress(self, number: int, now: datetime) -> Progress:
        """One look at every delivery of an issue."""
        recent = delivery.c.submitted_at > now - LATELY
        first = sa.func.min(delivery.c.submitted_at).filter(recent)
        query = (
            sa.select(delivery.c.state, sa.func.count(), sa.func.count().filter(recent), first)
            .where(delivery.c.issue_number == number)
            .group_by(delivery.c.state)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        counts = {state: every for state, every, _, _ in rows}
        states = {state: counts.get(state.value, 0) for state in DeliveryState}
        begun = min((moment for *_, moment in rows if moment), default=now - LATELY)
        within = max(1.0, (now - begun).total_seconds())
        waits = self._waits(number, now)
        return Progress(states, sum(new for _, _, new, _ in rows), within, waits)

    def _waits(self, number: int, now: datetime) -> timedelta:
        query = sa.select(sa.func.max(claim_window.c.ready_at)).where(
            claim_window.c.issue_number == number, claim_window.c.state != "done"
        )
        with self.database.reading() as connection:
            last: datetime | None = connection.scalar(query)
        return max(timedelta(0), last - now) if last else timedelta(0)

    def waiting_since(self, number: int, now: datetime) -> datetime | None:
        """Since when readers of an issue wait: from its due moment, their zone's, or the moment
        of their next attempt. None when nobody waits now."""
        since = sa.func.min(sa.func.coalesce(claim_window.c.ready_at, issue.c.due_at))
        query = sa.select(since).where(
            issue.c.number == number,
            claim_window.c.issue_number == issue.c.number,
            claim_window.c.state != "done",
            claim_window.c.ready_at.is_(None) | (claim_window.c.ready_at <= now),
        )
        with self.database.reading() as connection:
            found: datetime | None = connection.scalar(query)
        return found

    def senders(self, now: datetime) -> int:
        """How many senders have deliveries in hand, and have lately shown that they live."""
        query = sa.select(sa.func.count(claim_window.c.owner.distinct())).where(
            claim_window.c.state == "claimed", claim_window.c.lease_until > now
        )
        with self.database.reading() as connection:
            return connection.scalar(query) or 0

    def suppressions(self) -> dict[str, int]:
        """Addresses that are never mailed, by reason."""
        return self._counted(suppression.c.reason)

    def subscribers(self) -> dict[str, int]:
        """Subscribers by state."""
        return self._counted(subscriber.c.state)

    def _counted(self, column: "sa.Column[str]") -> dict[str, int]:
        query = sa.select(column, sa.func.count()).group_by(column).order_by(column)
        with self.database.reading() as connection:
            return {str(name): int(number) for name, number in connection.execute(query)}
