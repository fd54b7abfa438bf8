"""A sender's commits: one closes a window of deliveries and claims the next.

Whoever may not be mailed any more is found out while claiming, in the same transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from digest.models import Cadence, Preferences, State, Subscriber
from digest.store.audience import suppressed
from digest.store.database import Database
from digest.store.ledger.marks import write_marks
from digest.store.ledger.records import (
    Claim,
    Claimed,
    Closing,
    DeliveryState,
    Held,
    Idle,
    InClaim,
    IssueState,
    Mark,
    Owner,
    Turn,
)
from digest.store.ledger.schema import claim_window, delivery, edition, issue
from digest.store.people import split_languages
from digest.store.schema import subscriber, subscriber_tag, tag

# How long another machine waits for a window's sender before it calls its deliveries unknown.
LEASE = timedelta(hours=1)
_REMEMBERED = 8192  # combinations of tags
COVERED = "an issue with the same stories was handed over"
GONE = "erased"

_GOING_ON = (IssueState.PLANNED.value, IssueState.SENDING.value)
_PLANNED, _CLAIMED = DeliveryState.PLANNED, DeliveryState.CLAIMED
_HANDED_OVER = (DeliveryState.SUBMITTED.value, DeliveryState.UNKNOWN.value)


@dataclass(slots=True)
class Claims:
    """The windows of one issue, for one owner."""

    database: Database
    issue_number: int
    owner: Owner
    number: int = 0  # of our last claim
    _wishes: "_Wishes" = field(default_factory=lambda: _Wishes())  # noqa: PLW0108 - defined below

    def turn(self, closing: Closing | None, now: datetime, limit: int | None = None) -> Turn:
        """Close a window, if one is given, and claim the next; durable when it returns.

        Nothing is claimed at or behind the delivery number `limit`.
        """
        with self.database.writing() as connection:
            if closing is not None:
                close(connection, self.issue_number, closing, now)
            if _state(connection, self.issue_number) not in _GOING_ON:
                return Turn(None, Idle.STOPPED)
            held = self._claim(connection, now, limit)
            if held is None:
                return _idle(connection, self.issue_number, now, limit)
            return Turn(Claim(held, self._deliveries(connection, held, now)))

    def close(self, closing: Closing, now: datetime) -> None:
        """Close a window and claim none."""
        with self.database.writing() as connection:
            close(connection, self.issue_number, closing, now)

    def renew(self, held: Held, now: datetime) -> bool:
        """Keep the window for another while. False when it was taken from us."""
        update = (
            sa.update(claim_window)
            .where(*_is(self.issue_number, held))
            .values(lease_until=now + LEASE)
        )
        with self.database.writing() as connection:
            return connection.execute(update).rowcount == 1

    def going_on(self) -> bool:
        """False when somebody has paused or cancelled the issue."""
        with self.database.reading() as connection:
            return _state(connection, self.issue_number, lock=False) in _GOING_ON

    def held_by_others(self) -> list[Held]:
        """The windows that other owners hold, whether they live or not."""
        query = sa.select(claim_window).where(
            claim_window.c.issue_number == self.issue_number,
            claim_window.c.state == "claimed",
            claim_window.c.owner != str(self.owner),
        )
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(claim_window.c.lo)).all()
        return [
            Held(row.lo, row.hi, Owner.parse(row.owner), row.claim, row.lease_until) for row in rows
        ]

    def claimed_in(self, held: Held) -> list[InClaim]:
        """The deliveries that are claimed in a window."""
        query = sa.select(delivery.c.number, delivery.c.subscriber_id, delivery.c.attempts).where(
            *_within(self.issue_number, held), delivery.c.state == _CLAIMED.value
        )
        with self.database.reading() as connection:
            return [InClaim(*row) for row in connection.execute(query.order_by(delivery.c.number))]

    def _claim(self, connection: sa.Connection, now: datetime, limit: int | None) -> Held | None:
        window = connection.execute(
            sa.select(claim_window.c.lo, claim_window.c.hi)
            .where(*_ready(self.issue_number, now), *_before(limit))
            .order_by(claim_window.c.lo)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if window is None:
            return None
        self.number += 1
        held = Held(window.lo, window.hi, self.owner, self.number, now + LEASE)
        connection.execute(
            sa.update(claim_window)
            .where(claim_window.c.issue_number == self.issue_number, claim_window.c.lo == held.lo)
            .values(
                state="claimed",
                owner=str(held.owner),
                claim=held.claim,
                lease_until=held.lease_until,
            )
        )
        return held

    def _deliveries(
        self, connection: sa.Connection, held: Held, now: datetime
    ) -> tuple[Claimed, ...]:
        """Mark what is ready claimed; suppressed where it may not be mailed any more."""
        retry = delivery.c.retry_at
        ready = (
            *_within(self.issue_number, held),
            delivery.c.state == _PLANNED.value,
            retry.is_(None) | (retry <= now),
        )
        rows = connection.execute(_joined(ready, now)).all()
        connection.execute(
            sa.update(delivery)
            .where(*ready)
            .values(state=_CLAIMED.value, attempts=delivery.c.attempts + 1)
        )
        claimed, barred = [], []
        wishes = self._wishes.on(connection)
        for row, edition_number, attempts, *person, obstacle in rows:
            if obstacle:
                barred.append(Mark(row, DeliveryState.SUPPRESSED, reason=obstacle))
            else:
                who = _subscriber(wishes, *person)
                claimed.append(Claimed(row, edition_number, attempts + 1, who))
        write_marks(connection, self.issue_number, barred, now, expected=_CLAIMED)
        return tuple(claimed)


def close(connection: sa.Connection, number: int, closing: Closing, now: datetime) -> None:
    """Write what became of a window's deliveries and let go of it.

    Where another machine took the window, its deliveries are unknown; what we know settles them.
    """
    held = closing.held
    ours = connection.execute(
        sa.select(claim_window.c.lo).where(*_is(number, held)).with_for_update()
    ).one_or_none()
    expected = _CLAIMED if ours is not None else DeliveryState.UNKNOWN
    write_marks(connection, number, closing.marks, now, expected=expected)
    cover(connection, number, held.lo, held.hi)
    if ours is not None:
        _release_rest(connection, number, held, closing.rest)
        _let_go(connection, number, held)


def split(connection: sa.Connection, number: int, at: int) -> None:
    """Let a window begin at delivery `at`, where that is inside an open one."""
    row = connection.execute(
        sa.select(claim_window)
        .where(
            claim_window.c.issue_number == number,
            claim_window.c.state == "open",
            claim_window.c.lo < at,
            claim_window.c.hi > at,
        )
        .with_for_update()
    ).one_or_none()
    if row is not None:
        where = (claim_window.c.issue_number == number, claim_window.c.lo == row.lo)
        connection.execute(sa.update(claim_window).where(*where).values(hi=at))
        connection.execute(sa.insert(claim_window).values({**row._asdict(), "lo": at}))


def _state(connection: sa.Connection, number: int, *, lock: bool = True) -> str:
    """Locked against pausing and replacing until the claim is committed."""
    query = sa.select(issue.c.state).where(issue.c.number == number)
    return connection.scalar(query.with_for_update(read=True) if lock else query) or ""


def _is(number: int, held: Held) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        claim_window.c.issue_number == number,
        claim_window.c.lo == held.lo,
        claim_window.c.state == "claimed",
        claim_window.c.owner == str(held.owner),
        claim_window.c.claim == held.claim,
    )


def _within(number: int, held: Held) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        delivery.c.issue_number == number,
        delivery.c.number >= held.lo,
        delivery.c.number < held.hi,
    )


def _ready(number: int, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    ready = claim_window.c.ready_at
    return (
        claim_window.c.issue_number == number,
        claim_window.c.state == "open",
        ready.is_(None) | (ready <= now),
    )


def _before(limit: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if limit is None else (claim_window.c.hi <= limit,)


def _idle(connection: sa.Connection, number: int, now: datetime, limit: int | None) -> Turn:
    """Why `_claim` found nothing."""
    query = sa.select(
        claim_window.c.state, sa.func.count(), sa.func.min(claim_window.c.ready_at)
    ).where(claim_window.c.issue_number == number, claim_window.c.state != "done")
    mine = query.where(*_before(limit)).group_by(claim_window.c.state)
    left = {row[0]: row[2] for row in connection.execute(mine)}
    if "open" in left and left["open"] is not None and left["open"] > now:
        return Turn(None, Idle.LATER, left["open"])
    if left:
        return Turn(None, Idle.BUSY)
    more = connection.execute(query.group_by(claim_window.c.state)).first()
    return Turn(None, Idle.LIMIT if more else Idle.DONE)


def _joined(where: Sequence[sa.ColumnElement[bool]], now: datetime) -> sa.Select[Any]:
    """The deliveries with their people, the marks of their tags (`tag id * 2 + muted`), and why
    each must not be handed over any more; empty when it may."""
    mark = sa.cast(subscriber_tag.c.tag_id * 2 + subscriber_tag.c.muted, sa.Text)
    marks = (
        sa.select(sa.func.aggregate_strings(mark, ","))
        .where(subscriber_tag.c.subscriber_id == subscriber.c.id)
        .scalar_subquery()
    )
    obstacle = sa.case(
        (subscriber.c.id.is_(None), GONE),
        (suppressed(), "suppressed"),
        (subscriber.c.state != State.CONFIRMED.value, subscriber.c.state),
        (subscriber.c.pause_until > now, "paused"),
        (_covered(), COVERED),
        else_="",
    )
    return (
        sa.select(
            delivery.c.number,
            delivery.c.edition,
            delivery.c.attempts,
            subscriber.c.id,
            subscriber.c.email,
            subscriber.c.name,
            subscriber.c.timezone,
            subscriber.c.cadence,
            subscriber.c.languages,
            subscriber.c.everything,
            marks,
            obstacle,
        )
        .select_from(delivery)
        .outerjoin(subscriber, subscriber.c.id == delivery.c.subscriber_id)
        .outerjoin(
            edition,
            (edition.c.issue_number == delivery.c.issue_number)
            & (edition.c.number == delivery.c.edition),
        )
        .join(issue, issue.c.number == delivery.c.issue_number)
        .where(*where)
        .order_by(delivery.c.number)
    )


def _covered() -> sa.ColumnElement[bool]:
    """Another issue was handed over that covers a story of the edition.

    Where this one was handed over before (and is sent again), it is its own mark that stands.
    """
    own = (delivery.c.attempts > 0) & (subscriber.c.covered_until == issue.c.window_end)
    return sa.and_(subscriber.c.covered_until > edition.c.oldest, ~own)


class _Wishes:
    """What people want, made of their rows once for each combination there is."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[int, str]] = {}
        self._of = lru_cache(_REMEMBERED)(self._make)

    def on(self, connection: sa.Connection) -> Callable[..., Preferences]:
        """Makes preferences of (languages, everything, marks), with the tags as they are now."""
        rows = connection.execute(sa.select(tag.c.id, tag.c.name).order_by(tag.c.key))
        places = {row.id: (place, row.name) for place, row in enumerate(rows)}
        if places != self._places:
            self._places = places
            self._of.cache_clear()
        return self._of

    def _make(self, languages: str, everything: int, marks: str | None) -> Preferences:
        """Tags are ordered by key, as everywhere."""
        numbers = [int(mark) for mark in marks.split(",")] if marks else []
        found = sorted((*self._places[number // 2], number % 2) for number in numbers)
        return Preferences(
            tuple(name for _, name, muted in found if not muted),
            everything == 1,
            tuple(name for _, name, muted in found if muted),
            split_languages(languages),
        )


_CADENCES = {cadence.value: cadence for cadence in Cadence}


def _subscriber(
    wishes: Callable[..., Preferences],
    person: int,
    email: str,
    name: str,
    zone: str,
    cadence: str,
    *wish: Any,
) -> Subscriber:
    return Subscriber(person, email, name, wishes(*wish), _CADENCES[cadence], zone)


def cover(connection: sa.Connection, number: int, lo: int, hi: int) -> None:
    """Move the mark of everybody in `[lo, hi)` to whom the issue was handed over."""
    end = sa.select(issue.c.window_end).where(issue.c.number == number).scalar_subquery()
    people = sa.select(delivery.c.subscriber_id).where(
        delivery.c.issue_number == number,
        delivery.c.number >= lo,
        delivery.c.number < hi,
        delivery.c.state.in_(_HANDED_OVER),
    )
    mark = subscriber.c.covered_until
    connection.execute(
        sa.update(subscriber)
        .where(subscriber.c.id.in_(people), mark.is_(None) | (mark < end))
        .values(covered_until=end)
    )


def _release_rest(connection: sa.Connection, number: int, held: Held, rest: DeliveryState) -> None:
    """What was claimed and has no mark: planned again as if never claimed, or unknown."""
    values: dict[str, Any] = {"state": rest.value}
    if rest is _PLANNED:
        values["attempts"] = delivery.c.attempts - 1
    claimed = delivery.c.state == _CLAIMED.value
    connection.execute(sa.update(delivery).where(*_within(number, held), claimed).values(values))
    if rest is not _PLANNED:
        cover(connection, number, held.lo, held.hi)
    cancelled = sa.exists(
        sa.select(1).where(issue.c.number == number, issue.c.state == IssueState.CANCELLED.value)
    )
    connection.execute(
        sa.update(delivery)
        .where(*_within(number, held), delivery.c.state == _PLANNED.value, cancelled)
        .values(state=DeliveryState.CANCELLED.value)
    )


def _let_go(connection: sa.Connection, number: int, held: Held) -> None:
    """Done, or open again for what is planned in it, from the first moment there is work."""
    planned = (*_within(number, held), delivery.c.state == _PLANNED.value)
    left, waiting, ready = connection.execute(
        sa.select(
            sa.func.count(), sa.func.count(delivery.c.retry_at), sa.func.min(delivery.c.retry_at)
        ).where(*planned)
    ).one()
    values = {
        "state": "open" if left else "done",
        "ready_at": ready if left and waiting == left else None,
        "owner": None,
        "claim": None,
        "lease_until": None,
    }
    connection.execute(sa.update(claim_window).where(*_is(number, held)).values(values))
