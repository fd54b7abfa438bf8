"""What the scheduler remembers beside the ledger: since when, what is paused, skipped, approved.

What is due follows from the clock and the ledger. These rows make each of its decisions one
decision, whichever of several processes comes first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from digest.models import Cadence
from digest.store.database import Database
from digest.store.dialects import insert_new
from digest.store.schedule.records import Answer, Approval, Skipped, Standing
from digest.store.schedule.schema import approval, schedule, skipped_issue

__all__ = ["Answer", "Approval", "Schedule", "Skipped", "Standing"]

# A process that has begun to mail the editors and is not done after so long has died.
_MAILING = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The rows of the schedule."""

    database: Database

    def enrol(self, cadence: Cadence, now: datetime) -> Standing:
        """How a cadence stands; from `now` on it goes out by itself, if it did not before."""
        if (known := self.standing(cadence)) is not None:
            return known
        with self.database.writing() as connection:
            row = {"cadence": cadence.value, "since": now, "paused_because": ""}
            connection.execute(insert_new(connection, schedule).values(row))
        found = self.standing(cadence)
        assert found is not None
        return found

    def standing(self, cadence: Cadence) -> Standing | None:
        """How a cadence stands; None when it never went out by itself."""
        query = sa.select(schedule).where(schedule.c.cadence == cadence.value)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Standing(row.since, row.paused_because)

    def pause(self, cadence: Cadence, because: str, now: datetime) -> None:
        """Let nothing more of it be planned or begun until it is resumed."""
        self.enrol(cadence, now)
        self._set(cadence, because)

    def resume(self, cadence: Cadence) -> None:
        """Let a paused cadence go on."""
        self._set(cadence, "")

    def skip(self, skipped: Skipped) -> bool:
        """Note it. False when it is noted already."""
        with self.database.writing() as connection:
            row = {"id": skipped.id, "due_at": skipped.due, "reason": skipped.reason}
            written = connection.execute(insert_new(connection, skipped_issue).values(row))
            return written.rowcount == 1

    def skipped(self, name: str) -> Skipped | None:
        """The note on this issue, if it was skipped."""
        query = sa.select(skipped_issue).where(skipped_issue.c.id == name)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Skipped(row.id, row.due_at, row.reason)

    def skipped_since(self, moment: datetime) -> tuple[Skipped, ...]:
        """The issues skipped that were due since then, newest first."""
        query = sa.select(skipped_issue).where(skipped_issue.c.due_at >= moment)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(skipped_issue.c.due_at.desc())).all()
        return tuple(Skipped(row.id, row.due_at, row.reason) for row in rows)

    def approval(self, number: int) -> Approval | None:
        """The yes that this plan needs; None when it needs none."""
        query = sa.select(approval).where(approval.c.issue_number == number)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Approval(row.reason, row.asked_at, Answer(row.answer), row.answered_at)

    def require(self, number: int, reason: str) -> None:
        """Let this plan go out only after a yes."""
        with self.database.writing() as connection:
            row = {"issue_number": number, "reason": reason, "answer": Answer.NONE.value}
            connection.execute(insert_new(connection, approval).values(row))

    def may_ask(self, number: int, now: datetime) -> bool:
        """True for the one process that is to mail the editors; `asked` when it is done."""
        free = approval.c.asking_since.is_(None) | (approval.c.asking_since < now - _MAILING)
        update = sa.update(approval).where(
            approval.c.issue_number == number, approval.c.asked_at.is_(None), free
        )
        with self.database.writing() as connection:
            return connection.execute(update.values(asking_since=now)).rowcount == 1

    def asked(self, number: int, reason: str, now: datetime) -> None:
        """The editors were mailed, and told this reason."""
        with self.database.writing() as connection:
            update = sa.update(approval).where(approval.c.issue_number == number)
            connection.execute(update.values(asked_at=now, reason=reason))

    def answer(self, number: int, answer: Answer, now: datetime) -> None:
        """What an editor says of this plan; the last word counts."""
        self.require(number, "an editor's word")
        with self.database.writing() as connection:
            update = sa.update(approval).where(approval.c.issue_number == number)
            connection.execute(update.values(answer=answer.value, answered_at=now))

    def _set(self, cadence: Cadence, because: str) -> None:
        with self.database.writing() as connection:
            update = sa.update(schedule).where(schedule.c.cadence == cadence.value)
            connection.execute(update.values(paused_because=because))
