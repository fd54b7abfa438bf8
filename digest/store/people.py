"""Reading subscriptions: rows of five tables put together, in pages, so that memory stays flat."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from digest.addresses import identity
from digest.cadence import fitting
from digest.models import Cadence, Chosen, Preferences, State, Subscriber, SuppressionReason
from digest.store.records import Subscription
from digest.store.schema import subscriber, subscriber_tag, suppression, tag

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which subscriptions to list; everything by default."""

    state: State | None = None
    tag: str = ""  # folded: who follows it
    domain: str = ""  # of the address
    text: str = ""  # in the address or the name


def fetch(connection: sa.Connection, where: Any, *, lock: bool = False) -> tuple[Subscription, ...]:
    """The subscriptions that `where` picks, ordered by address. `lock` holds them until commit."""
    query = sa.select(subscriber).where(where).order_by(subscriber.c.address)
    rows = connection.execute(query.with_for_update() if lock else query).all()
    tags = _tags(connection, [row.id for row in rows])
    reasons = _suppressions(connection, [row.address_hash for row in rows])
    return tuple(
        _subscription(row, *tags.get(row.id, ((), ())), reasons.get(row.address_hash, ()))
        for row in rows
    )


def stream(
    connection: sa.Connection, chosen: Filter, *, limit: int | None = None
) -> Iterator[tuple[Subscription, ...]]:
    """Pages of what the filter chooses, ordered by address, all of one moment."""
    last, left, text = "", limit, _caseless(chosen.text)
    while left is None or left > 0:
        # a search reads on until it finds; its pages are of what is read
        size = PAGE if left is None or text else min(PAGE, left)
        page_of = (
            sa.select(subscriber.c.address, subscriber.c.email, subscriber.c.name)
            .where(subscriber.c.address > last, *_conditions(chosen))
            .order_by(subscriber.c.address)
            .limit(size)
        )
        rows = connection.execute(page_of).all()
        if not rows:
            return
        last = rows[-1].address
        found = [row.address for row in rows if text in _caseless("\n".join(row))][:left]
        if found:
            yield fetch(connection, subscriber.c.address.in_(found))
        left = None if left is None else left - len(found)


def count(connection: sa.Connection) -> dict[State, int]:
    """How many people are in each state."""
    query = sa.select(subscriber.c.state, sa.func.count()).group_by(subscriber.c.state)
    found = {State(state): number for state, number in connection.execute(query)}
    return {state: found.get(state, 0) for state in State}


def split_languages(text: str) -> tuple[str, ...]:
    """`en,pl` as it is kept, to codes in order."""
    return tuple(text.split(",")) if text else ()


def _caseless(text: str) -> str:
    """Here and not in SQL: SQLite knows the case of ASCII alone, PostgreSQL that of its locale."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _conditions(chosen: Filter) -> Iterator[sa.ColumnElement[bool]]:
    if chosen.state is not None:
        yield subscriber.c.state == chosen.state.value
    if chosen.domain:
        yield subscriber.c.address.endswith(identity(f"@{chosen.domain}"), autoescape=True)
    if chosen.tag:
        # EXISTS and not IN: the set is not built again for every page (100 times the work)
        follows = (
            sa.select(1)
            .join(tag, tag.c.id == subscriber_tag.c.tag_id)
            .where(
                subscriber_tag.c.subscriber_id == subscriber.c.id,
                subscriber_tag.c.muted == 0,
                tag.c.key == chosen.tag,
            )
        )
        yield sa.exists(follows)


def _tags(
    connection: sa.Connection, people: Sequence[int]
) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
    """(followed, muted) of each person who has any, ordered by key."""
    query = (
        sa.select(subscriber_tag.c.subscriber_id, subscriber_tag.c.muted, tag.c.name)
        .join(tag, tag.c.id == subscriber_tag.c.tag_id)
        .where(subscriber_tag.c.subscriber_id.in_(people))
        .order_by(tag.c.key)
    )
    found: dict[int, tuple[list[str], list[str]]] = {}
    for person, muted, name in connection.execute(query):
        found.setdefault(person, ([], []))[muted].append(name)
    return {person: (tuple(followed), tuple(muted)) for person, (followed, muted) in found.items()}


def _suppressions(
    connection: sa.Connection, hashes: Sequence[bytes]
) -> dict[bytes, tuple[SuppressionReason, ...]]:
    query = sa.select(suppression.c.address_hash, suppression.c.reason).where(
        suppression.c.address_hash.in_(hashes)
    )
    found: dict[bytes, tuple[SuppressionReason, ...]] = {}
    for key, reason in connection.execute(query.order_by(suppression.c.reason)):
        found[bytes(key)] = (*found.get(bytes(key), ()), SuppressionReason(reason))
    return found


def _subscription(
    row: Any,
    followed: tuple[str, ...],
    muted: tuple[str, ...],
    reasons: tuple[SuppressionReason, ...],
) -> Subscription:
    preferences = Preferences(followed, bool(row.everything), muted, split_languages(row.languages))
    return Subscription(
        subscriber=Subscriber(
            row.id,
            row.email,
            row.name,
            preferences,
            Cadence(row.cadence),
            row.timezone,
            fitting(Chosen(row.day, row.hour), Cadence(row.cadence)),
        ),
        state=State(row.state),
        created=row.created_at,
        pause_until=row.pause_until,
        covered_until=row.covered_until,
        suppressions=reasons,
    )
