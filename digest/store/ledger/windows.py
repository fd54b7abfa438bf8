"""Windows of deliveries: which are open, who holds one, and what is left in it when they let go."""

from datetime import datetime

import sqlalchemy as sa

from digest.store.ledger.records import DeliveryState, Held, Idle, Turn
from digest.store.ledger.schema import claim_window, delivery

Conditions = tuple[sa.ColumnElement[bool], ...]

_PLANNED = DeliveryState.PLANNED.value


def take(connection: sa.Connection, number: int, held: Held, now: datetime) -> None:
    """Write down who holds a window, from now on."""
    connection.execute(
        sa.update(claim_window)
        .where(claim_window.c.issue_number == number, claim_window.c.lo == held.lo)
        .values(
            state="claimed",
            owner=str(held.owner),
            claim=held.claim,
            lease_until=held.lease_until,
            claimed_at=now,
        )
    )


def next_open(
    connection: sa.Connection, number: int, now: datetime, limit: int | None, lo: int | None = None
) -> tuple[int, int] | None:
    """The bounds of the first window with work in it, locked. Others' locked ones are passed by.

    Where `lo` is given, of the window that begins there, or None.
    """
    this = () if lo is None else (claim_window.c.lo == lo,)
    row = connection.execute(
        sa.select(claim_window.c.lo, claim_window.c.hi)
        .where(*_ready(number, now), *_before(limit), *this)
        .order_by(claim_window.c.lo)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else (row.lo, row.hi)


def due(connection: sa.Connection, number: int, now: datetime, most: int) -> list[int]:
    """The first deliveries that may be handed over now and that nobody holds, by number."""
    query = (
        sa.select(delivery.c.number)
        .join(
            claim_window,
            (claim_window.c.issue_number == delivery.c.issue_number)
            & (delivery.c.number >= claim_window.c.lo)
            & (delivery.c.number < claim_window.c.hi),
        )
        .where(*_ready(number, now), delivery.c.issue_number == number, *ready(now))
        .order_by(delivery.c.number)
        .limit(most)
    )
    return list(connection.scalars(query))


def released(connection: sa.Connection, number: int, held: Held) -> datetime | None:
    """When the deliveries of a window were released, if they had to wait for it."""
    query = sa.select(claim_window.c.release_at).where(
        claim_window.c.issue_number == number, claim_window.c.lo == held.lo
    )
    moment: datetime | None = connection.scalar(query)
    return moment


def idle(connection: sa.Connection, number: int, now: datetime, limit: int | None) -> Turn:
    """Why `next_open` found nothing."""
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


def let_go(connection: sa.Connection, number: int, held: Held) -> None:
    """Done, or open again for what is planned in it, from the first moment there is work."""
    planned = (*within(number, held.lo, held.hi), delivery.c.state == _PLANNED)
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
        "claimed_at": None,
    }
    connection.execute(sa.update(claim_window).where(*is_held(number, held)).values(values))


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


def is_held(number: int, held: Held) -> Conditions:
    """The window is held by this owner, by this claim."""
    return (
        claim_window.c.issue_number == number,
        claim_window.c.lo == held.lo,
        claim_window.c.state == "claimed",
        claim_window.c.owner == str(held.owner),
        claim_window.c.claim == held.claim,
    )


def within(number: int, lo: int, hi: int) -> Conditions:
    """The deliveries of a window."""
    return (
        delivery.c.issue_number == number,
        delivery.c.number >= lo,
        delivery.c.number < hi,
    )


def ready(now: datetime) -> Conditions:
    """The deliveries that may be handed over at a moment."""
    retry = delivery.c.retry_at
    return (delivery.c.state == _PLANNED, retry.is_(None) | (retry <= now))


def in_hand(connection: sa.Connection, number: int) -> sa.ColumnElement[bool]:
    """The deliveries of an issue that are claimed: those that were ready in a window when somebody
    took it. As many ranges as there are senders."""
    query = sa.select(claim_window.c.lo, claim_window.c.hi, claim_window.c.claimed_at).where(
        claim_window.c.issue_number == number, claim_window.c.state == "claimed"
    )
    held = connection.execute(query).all()
    return sa.or_(
        sa.false(),
        *(sa.and_(*within(number, row.lo, row.hi), *ready(row.claimed_at)) for row in held),
    )


def _ready(number: int, now: datetime) -> Conditions:
    moment = claim_window.c.ready_at
    return (
        claim_window.c.issue_number == number,
        claim_window.c.state == "open",
        moment.is_(None) | (moment <= now),
    )


def _before(limit: int | None) -> Conditions:
    return () if limit is None else (claim_window.c.hi <= limit,)
