"""Marks of readers whom an issue was not handed to, so that none gets a story twice or loses one.

Who got nothing because nothing was for them has been covered all the same: a tag that they follow
later brings back no old stories. Who is new is marked with the start of their first window, as soon
as a second issue is planned: should the first not have reached them, its stories are in the second.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from digest.store.bulk import write_rows
from digest.store.database import Database
from digest.store.ledger.schema import delivery, issue, passed_over
from digest.store.schema import subscriber

_CHUNK = 20_000  # readers marked in one transaction
_MARK = subscriber.c.covered_until


def pass_over(connection: sa.Connection, number: int, people: Sequence[int]) -> None:
    """Note who gets nothing of an issue that is being planned, for want of a story."""
    write_rows(connection, passed_over, [(number, person) for person in people])


def cover_passed(database: Database, number: int) -> None:
    """Move their marks to the end of the issue's window, now that it goes out as planned."""
    end = sa.select(issue.c.window_end).where(issue.c.number == number).scalar_subquery()
    of_issue = passed_over.c.issue_number == number
    some = sa.select(passed_over.c.subscriber_id).where(of_issue).order_by("subscriber_id")
    while True:
        with database.writing() as connection:
            people = connection.scalars(some.limit(_CHUNK)).all()
            if not people:
                return
            first, last = people[0], people[-1]
            among = of_issue & passed_over.c.subscriber_id.between(first, last)
            connection.execute(
                sa.update(subscriber)
                .where(
                    subscriber.c.id.in_(sa.select(passed_over.c.subscriber_id).where(among)),
                    _MARK.is_(None) | (end > _MARK),
                )
                .values(covered_until=end)
            )
            connection.execute(sa.delete(passed_over).where(among))


def begin_marks(database: Database) -> None:
    """Mark who has a delivery in the newest issue of a cadence, and no mark yet."""
    later = issue.alias("later")
    newest = ~sa.exists(
        sa.select(1).where(
            later.c.cadence == issue.c.cadence,
            later.c.window_end > issue.c.window_end,
            ~later.c.id.startswith("~"),
        )
    )
    query = sa.select(issue.c.number).where(~issue.c.id.startswith("~"), newest)
    with database.reading() as connection:
        numbers = connection.scalars(query).all()
    if not numbers:
        return
    start = (
        sa.select(sa.func.min(issue.c.window_start))
        .join(delivery, delivery.c.issue_number == issue.c.number)
        .where(issue.c.number.in_(numbers), delivery.c.subscriber_id == subscriber.c.id)
        .scalar_subquery()
    )
    with database.writing() as connection:
        connection.execute(
            sa.update(subscriber)
            .where(_MARK.is_(None), start.is_not(None))
            .values(covered_until=start)
        )
