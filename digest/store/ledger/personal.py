"""What the ledger has of one person: for them to see."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from digest.store.database import Database
from digest.store.ledger.schema import delivery, issue


class OwnDelivery(NamedTuple):
    """One issue to one person."""

    issue: str
    state: str
    submitted: datetime | None


def deliveries_to(database: Database, person: int) -> tuple[OwnDelivery, ...]:
    """Every delivery of one subscriber, oldest issue first: one look-up an issue."""
    query = (
        sa.select(issue.c.id, delivery.c.state, delivery.c.submitted_at)
        .join(
            delivery,
            (delivery.c.issue_number == issue.c.number) & (delivery.c.subscriber_id == person),
        )
        .where(~issue.c.id.startswith("~"))
        .order_by(issue.c.due_at, issue.c.id)
    )
    with database.reading() as connection:
        return tuple(OwnDelivery(*row) for row in connection.execute(query))
