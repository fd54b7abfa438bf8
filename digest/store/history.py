"""Append-only: what happened to a subscription, and the evidence that its reader agreed."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa

from digest.store.dialects import insert_new
from digest.store.records import Consent, EventKind, HistoryEvent
from digest.store.schema import consent, event, statement


def record(
    connection: sa.Connection, person: int, at: datetime, kind: EventKind, detail: str = ""
) -> None:
    """Add a line to a person's history."""
    values = {"at": at, "kind": kind.value, "detail": detail}
    connection.execute(
        sa.insert(event).values(number=_next(event, person), **_of(person), **values)
    )


def record_all(
    connection: sa.Connection, kind: EventKind, lines: Sequence[tuple[int, datetime, str]]
) -> None:
    """Add lines of one kind, each to the history of a person: who, when, the detail."""
    if not lines:
        return
    add = sa.insert(event).values(
        number=_next(event, sa.bindparam("person")),
        subscriber_id=sa.bindparam("person"),
        kind=kind.value,
        at=sa.bindparam("moment"),
        detail=sa.bindparam("words"),
    )
    rows = [{"person": who, "moment": at, "words": words} for who, at, words in lines]
    connection.execute(add, rows)


def add_consent(connection: sa.Connection, person: int, given: Consent) -> None:
    """Add evidence. Statements are kept once, however many agreed to them."""
    values = {
        "given_at": given.at,
        "how": given.how,
        "statement_id": statement_id(connection, given),
    }
    connection.execute(
        sa.insert(consent).values(number=_next(consent, person), **_of(person), **values)
    )


def statement_id(connection: sa.Connection, given: Consent) -> int:
    """The row that holds the text, made when there is none yet."""
    texts = (given.text, given.version, given.source)
    digest = sha256("\0".join(texts).encode()).digest()
    connection.execute(
        insert_new(connection, statement).values(
            digest=digest, text=given.text, version=given.version, source=given.source
        )
    )
    found = connection.scalar(sa.select(statement.c.id).where(statement.c.digest == digest))
    assert found is not None
    return int(found)


def consents_of(connection: sa.Connection, people: Sequence[int]) -> dict[int, tuple[Consent, ...]]:
    """The evidence of each of these people, oldest first."""
    query = (
        sa.select(consent, statement.c.text, statement.c.version, statement.c.source)
        .join(statement, statement.c.id == consent.c.statement_id)
        .where(consent.c.subscriber_id.in_(people))
        .order_by(consent.c.subscriber_id, consent.c.number)
    )
    found: dict[int, tuple[Consent, ...]] = {}
    for row in connection.execute(query):
        given = Consent(row.given_at, row.how, row.text, row.version, row.source)
        found[row.subscriber_id] = (*found.get(row.subscriber_id, ()), given)
    return found


def history_of(connection: sa.Connection, person: int) -> tuple[HistoryEvent, ...]:
    """Everything known to have happened, evidence included, oldest first."""
    rows = connection.execute(
        sa.select(event).where(event.c.subscriber_id == person).order_by(event.c.number)
    )
    events = [HistoryEvent(row.at, EventKind(row.kind), row.detail) for row in rows]
    for given in consents_of(connection, [person]).get(person, ()):
        origin = ", ".join(filter(None, (given.how, given.source, given.version)))
        events.append(HistoryEvent(given.at, EventKind.CONSENT, f"{given.text} ({origin})"))
    return tuple(sorted(events, key=lambda event: event.at))


def _of(person: int) -> dict[str, int]:
    return {"subscriber_id": person}


def _next(table: sa.Table, person: int | sa.BindParameter[int]) -> sa.ScalarSelect[int]:
    """One more than the last number; the person's row is locked by whoever writes history."""
    last = sa.func.coalesce(sa.func.max(table.c.number), 0)
    return sa.select(last + 1).where(table.c.subscriber_id == person).scalar_subquery()
