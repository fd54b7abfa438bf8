"""The ledger: issues as they were planned, and where every delivery stands.

    planned → claimed → submitted | failed | unknown        suppressed        cancelled

What is claimed is committed before it is handed over, so that after any crash each delivery is in
one state, and in `unknown` only what may have been on its way.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from digest.clicks import CountedLink
from digest.models import Cadence, Issue, Window
from digest.store.database import Database
from digest.store.ledger import coverage, passing, planning, queueing, windows
from digest.store.ledger.claims import LEASE, Claims
from digest.store.ledger.operator import Operator
from digest.store.ledger.personal import OwnDelivery, deliveries_to
from digest.store.ledger.planning import Draftsman
from digest.store.ledger.queueing import Defer
from digest.store.ledger.records import (
    Canary,
    Contents,
    DeliveryRow,
    DeliveryState,
    IssueState,
    Owner,
    PlannedEdition,
    PlannedIssue,
    PlannedStory,
    Totals,
)
from digest.store.ledger.schema import (
    basis,
    claim_window,
    delivery,
    edition,
    issue,
    issue_story,
    receipt,
    skip,
)
from digest.store.schema import subscriber

__all__ = ["Claims", "Draftsman", "Ledger", "Operator"]

_FACTS = ("delivered", "deferred", "bounced", "dropped", "complained", "unsubscribed")
_PAGE = 1000
_PLANNED, _CLAIMED = DeliveryState.PLANNED.value, DeliveryState.CLAIMED.value
_BEGUN = (IssueState.SENDING, IssueState.PAUSED, IssueState.DONE)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every issue that was planned."""

    database: Database

    @property
    def operator(self) -> Operator:
        """What a person may do to an issue."""
        return Operator(self.database)

    def draw(
        self, planned: Issue, provider: str, now: datetime, listed_from: datetime | None = None
    ) -> Draftsman:
        """Begin to write a plan. It is the issue's from `Draftsman.finish` on.

        `listed_from` is how far back its stories go, if before its window.
        """
        self.settle_coverage()
        return planning.begin(self.database, planned, provider, now, listed_from)

    def settle_marks(self) -> None:
        """Bring all readers' marks up to date, before an issue is planned."""
        self.settle_coverage()
        passing.begin_marks(self.database)

    def settle_coverage(self) -> None:
        """Move the marks of all readers who were handed something since the last time."""
        coverage.settle(self.database)

    def begun(self, number: int) -> bool:
        """Whether any delivery of a plan was claimed or ended."""
        with self.database.reading() as connection:
            return planning.begun(connection, number)

    def renew(
        self,
        number: int,
        parts: Mapping[str, str],
        stories: Sequence[PlannedStory],
        links: Iterable[CountedLink] = (),
    ) -> None:
        """Hold what is left of a plan to other hashes; its deliveries and editions stay."""
        with self.database.writing() as connection:
            planning.renew(connection, number, parts, stories, links)

    def claims(self, number: int, owner: Owner, lease: timedelta = LEASE) -> Claims:
        """The windows of an issue, for one sender."""
        return Claims(self.database, number, owner, lease)

    def enqueue(
        self, number: int, provider: str, defer: Defer, *, most: int, only: int | None = None
    ) -> int:
        """Leave an issue (or one of its windows) to workers: `queueing.enqueue`."""
        jobs = queueing.enqueue(self.database, number, provider, defer, most, only)
        if only is None and jobs:
            passing.cover_passed(self.database, number)
        return jobs

    def with_workers(self) -> list[str]:
        """The ids of the issues that workers are sending, oldest first."""
        return queueing.with_workers(self.database)

    def reserve(self, name: str, worth: float, now: datetime) -> float:
        """Take so many seconds of a rate that senders share; how many to wait before using it."""
        return queueing.reserve(self.database, name, worth, now)

    def find(self, name: str) -> PlannedIssue | None:
        """The issue of this id, like `weekly-2026-11-19`."""
        return next(iter(self._issues(issue.c.id == name)), None)

    def numbered(self, number: int) -> PlannedIssue | None:
        """The issue whose plan has this number; None when another plan has taken its place."""
        where = (issue.c.number == number) & ~issue.c.id.startswith("~")
        return next(iter(self._issues(where)), None)

    def issues(self) -> tuple[PlannedIssue, ...]:
        """All of them, newest first."""
        return tuple(self._issues(~issue.c.id.startswith("~")))

    def before(self, cadence: Cadence, end: datetime) -> PlannedIssue | None:
        """The issue of the same cadence that was planned last for an earlier window."""
        where = (
            (issue.c.cadence == cadence.value)
            & (issue.c.window_end < end)
            & ~issue.c.id.startswith("~")
        )
        return next(iter(self._issues(where)), None)

    def covered(self, cadence: Cadence, before: datetime) -> datetime | None:
        """Where the windows of a cadence end, of the issues earlier than `before` that went out.

        An issue that was planned and never begun, or cancelled, has covered nothing.
        """
        query = sa.select(sa.func.max(issue.c.window_end)).where(
            issue.c.cadence == cadence.value,
            issue.c.window_end < before,
            issue.c.state.in_([state.value for state in _BEGUN]),
        )
        with self.database.reading() as connection:
            end: datetime | None = connection.scalar(query)
        return end

    def in_state(self, cadence: Cadence, state: IssueState) -> tuple[PlannedIssue, ...]:
        """The issues of a cadence that are in a state, oldest first."""
        where = (issue.c.cadence == cadence.value) & (issue.c.state == state.value)
        return tuple(reversed(self._issues(where & ~issue.c.id.startswith("~"))))

    def work_at(self, number: int, now: datetime) -> datetime:
        """When there is something to hand over, to settle or to finish: `now` or later."""
        query = sa.select(claim_window.c.state, claim_window.c.ready_at).where(
            claim_window.c.issue_number == number, claim_window.c.state != "done"
        )
        with self.database.reading() as connection:
            moments = [
                now if row.state == "claimed" or row.ready_at is None else row.ready_at
                for row in connection.execute(query.distinct())
            ]
        return max(now, min(moments, default=now))

    def contents(self, number: int) -> Contents:
        """Everything of a plan but its deliveries."""
        with self.database.reading() as connection:
            stories = _rows(connection, issue_story, number, issue_story.c.place)
            return Contents(
                {row.part: row.digest for row in _rows(connection, basis, number, basis.c.part)},
                tuple(PlannedStory(row.story_id, row.digest, row.omitted) for row in stories),
                tuple(map(_edition, _rows(connection, edition, number, edition.c.number))),
                {row.reason: row.subscribers for row in _rows(connection, skip, number)},
            )

    def edition(self, number: int, edition_number: int) -> PlannedEdition:
        """One edition of a plan."""
        query = sa.select(edition).where(
            edition.c.issue_number == number, edition.c.number == edition_number
        )
        with self.database.reading() as connection:
            return _edition(connection.execute(query).one())

    def begin_sending(self, number: int, provider: str, limit: int | None = None) -> None:
        """Note that it goes out, and through whom; a window ends where the limit is.

        From here on nothing in its window is news to those it holds nothing for.
        """
        with self.database.writing() as connection:
            going_on = (IssueState.PLANNED.value, IssueState.SENDING.value)
            connection.execute(
                sa.update(issue)
                .where(issue.c.number == number, issue.c.state.in_(going_on))
                .values(state=IssueState.SENDING.value, provider=provider, workers=0)
            )
            if limit is not None:
                windows.split(connection, number, limit)
        passing.cover_passed(self.database, number)

    def canary(self, number: int, readers: int, now: datetime) -> Canary:
        """The first so many readers of an issue who are due now."""
        with self.database.reading() as connection:
            due = windows.due(connection, number, now, readers)
            idle = windows.idle(connection, number, now, None)
        return Canary(len(due), due[-1] + 1 if due else 0, idle.ready_at)

    def holding(self) -> set[str]:
        """The tokens of all owners that hold a window of any issue."""
        query = sa.select(claim_window.c.owner).where(claim_window.c.state == "claimed").distinct()
        with self.database.reading() as connection:
            return {Owner.parse(owner).token for owner in connection.scalars(query) if owner}

    def totals(self, number: int) -> Totals:
        """How many deliveries are in each state. They sum to the readers of the plan."""
        of_issue = delivery.c.issue_number == number
        facts = [sa.func.count(delivery.c[f"{fact}_at"]) for fact in _FACTS]
        states = sa.select(delivery.c.state, sa.func.count()).where(of_issue)
        reasons = sa.select(delivery.c.state, delivery.c.reason, sa.func.count()).where(
            of_issue, delivery.c.reason.is_not(None)
        )
        with self.database.reading() as connection:
            by_state = dict(map(tuple, connection.execute(states.group_by(delivery.c.state))))
            why = reasons.group_by(delivery.c.state, delivery.c.reason)
            by_reason = {
                (DeliveryState(state), reason): n for state, reason, n in connection.execute(why)
            }
            told = connection.execute(sa.select(*facts).where(of_issue)).one()
            in_hand = windows.in_hand(connection, number)
            claimed = connection.scalar(sa.select(sa.func.count()).where(of_issue, in_hand)) or 0
        by_state[_PLANNED] = by_state.get(_PLANNED, 0) - claimed
        by_state[_CLAIMED] = claimed
        return Totals(
            {state: by_state.get(state.value, 0) for state in DeliveryState},
            dict(zip(_FACTS, told, strict=True)),
            by_reason,
        )

    def deliveries(self, number: int, state: DeliveryState) -> Iterator[DeliveryRow]:
        """The deliveries in one state, in order, in flat memory."""
        query = (
            sa.select(
                delivery.c.number,
                delivery.c.subscriber_id,
                sa.func.coalesce(subscriber.c.email, ""),
                delivery.c.attempts,
                sa.func.coalesce(receipt.c.receipt, ""),
                sa.func.coalesce(delivery.c.reason, ""),
            )
            .outerjoin(subscriber, subscriber.c.id == delivery.c.subscriber_id)
            .outerjoin(
                receipt,
                (receipt.c.issue_number == delivery.c.issue_number)
                & (receipt.c.number == delivery.c.number),
            )
            .where(delivery.c.issue_number == number)
            .order_by(delivery.c.number)
        )
        with self.database.reading() as connection:
            query = query.where(_in_state(connection, number, state))
            with connection.execution_options(yield_per=_PAGE).execute(query) as rows:
                for n, person, email, *rest in rows:
                    yield DeliveryRow(n, person, email, state, *rest)

    def to_person(self, person: int) -> tuple[OwnDelivery, ...]:
        """Every delivery of one subscriber, oldest issue first."""
        return deliveries_to(self.database, person)

    def _issues(self, where: sa.ColumnElement[bool]) -> list[PlannedIssue]:
        query = sa.select(issue).where(where)
        order = (issue.c.due_at.desc(), issue.c.id)
        with self.database.reading() as connection:
            return [_issue(row) for row in connection.execute(query.order_by(*order))]


def _in_state(
    connection: sa.Connection, number: int, state: DeliveryState
) -> sa.ColumnElement[bool]:
    """Claimed is what is planned in a window that somebody holds."""
    if state is DeliveryState.CLAIMED:
        return windows.in_hand(connection, number)
    here = delivery.c.state == state.value
    return here & ~windows.in_hand(connection, number) if state.value == _PLANNED else here


def _rows(
    connection: sa.Connection, table: sa.Table, number: int, *order: sa.Column[Any]
) -> Sequence[Any]:
    query = sa.select(table).where(table.c.issue_number == number).order_by(*order)
    return connection.execute(query).all()


def _issue(row: Any) -> PlannedIssue:
    return PlannedIssue(
        row.number,
        row.id,
        Cadence(row.cadence),
        Window(row.window_start, row.window_end),
        row.due_at,
        row.planned_at,
        IssueState(row.state),
        row.provider,
        row.paused_because,
        row.readers,
        row.listed_from or row.window_start,
    )


def _edition(row: Any) -> PlannedEdition:
    return PlannedEdition(
        row.number,
        row.id,
        row.language,
        tuple(json.loads(row.stories)),
        tuple(json.loads(row.more)),
        row.oldest,
        row.html_bytes,
        row.readers,
    )
