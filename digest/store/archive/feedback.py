"""Whether readers found an issue useful: one vote a delivery, and the last one counts."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from digest.store.archive.schema import feedback
from digest.store.database import Database
from digest.store.dialects import insert
from digest.store.ledger.records import IssueState
from digest.store.ledger.schema import delivery, issue

OF_DELIVERY = (feedback.c.issue_number == delivery.c.issue_number) & (
    feedback.c.number == delivery.c.number
)  # joins a vote to what it is about


@dataclass(frozen=True, slots=True)
class Feedback:
    """The votes."""

    database: Database

    def vote(self, name: str, person: int, useful: bool, now: datetime) -> bool:
        """Count a reader's vote on an issue, in the place of an earlier one.

        False when the reader was not sent it: then nothing is counted.
        """
        with self.database.writing() as connection:
            row = connection.execute(_delivered(name, person)).one_or_none()
            if row is None:
                return False
            values = {"useful": int(useful), "at": now}
            vote = insert(feedback, connection.dialect.name).values(
                issue_number=row.issue_number, number=row.number, **values
            )
            key = [feedback.c.issue_number, feedback.c.number]
            connection.execute(vote.on_conflict_do_update(index_elements=key, set_=values))
        return True

    def of(self, name: str, person: int) -> bool | None:
        """How a reader voted; None: not yet."""
        query = _delivered(name, person).add_columns(feedback.c.useful)
        with self.database.reading() as connection:
            row = connection.execute(query.join(feedback, OF_DELIVERY)).one_or_none()
        return None if row is None else bool(row.useful)

    def by(self, person: int) -> dict[str, bool]:
        """Every answer of one reader: issue -> useful."""
        query = (
            sa.select(issue.c.id, feedback.c.useful)
            .join(delivery, delivery.c.issue_number == issue.c.number)
            .join(feedback, OF_DELIVERY)
            .where(delivery.c.subscriber_id == person)
        )
        with self.database.reading() as connection:
            return {name: bool(useful) for name, useful in connection.execute(query)}

    def known(self, name: str, person: int) -> bool:
        """The reader was sent this issue."""
        with self.database.reading() as connection:
            return connection.execute(_delivered(name, person)).one_or_none() is not None


def _delivered(name: str, person: int) -> sa.Select[tuple[int, int]]:
    return (
        sa.select(delivery.c.issue_number, delivery.c.number)
        .join(issue, issue.c.number == delivery.c.issue_number)
        .where(
            issue.c.id == name,
            issue.c.state != IssueState.PLANNED.value,
            delivery.c.subscriber_id == person,
        )
    )
