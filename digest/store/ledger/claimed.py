"""The deliveries of a window with their people, and why some may not be handed over any more."""

from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from digest.models import Cadence, Preferences, State, Subscriber
from digest.store.audience import suppressed
from digest.store.ledger import coverage
from digest.store.ledger.records import Claimed, DeliveryState, Held, Mark
from digest.store.ledger.schema import delivery, edition, issue
from digest.store.ledger.windows import Conditions, ready, within
from digest.store.people import split_languages
from digest.store.schema import subscriber, subscriber_tag, tag

COVERED = "an issue with the same stories was handed over"
GONE = "erased"
_REMEMBERED = 8192  # combinations of tags
_CADENCES = {cadence.value: cadence for cadence in Cadence}


class People:
    """Reads the people of windows; what they want is made once for each combination there is."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[int, str]] = {}
        self._wishes = lru_cache(_REMEMBERED)(self._make)

    def read(
        self, connection: sa.Connection, number: int, held: Held, now: datetime
    ) -> tuple[list[Claimed], list[Mark]]:
        """What is ready in a window, and marks for those who may not be mailed any more."""
        self._learn_tags(connection)
        where = (*within(number, held.lo, held.hi), *ready(now))
        claimed, barred = [], []
        wishes = self._wishes
        for row, edition_number, attempts, obstacle, *person in _rows(
            connection, number, where, now
        ):
            if obstacle:
                barred.append(Mark(row, DeliveryState.SUPPRESSED, reason=obstacle))
                continue
            who, email, name, zone, cadence, *wish = person
            reader = Subscriber(who, email, name, wishes(*wish), _CADENCES[cadence], zone)
            claimed.append(Claimed(row, edition_number, attempts + 1, reader))
        return claimed, barred

    def _learn_tags(self, connection: sa.Connection) -> None:
        """As they are now: one that got another name makes every combination anew."""
        rows = connection.execute(sa.select(tag.c.id, tag.c.name).order_by(tag.c.key))
        places = {row.id: (place, row.name) for place, row in enumerate(rows)}
        if places != self._places:
            self._places = places
            self._wishes.cache_clear()

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


def _rows(
    connection: sa.Connection, number: int, where: Conditions, now: datetime
) -> list[tuple[Any, ...]]:
    """Deliveries with why they must not be handed over any more (empty: they may), and their
    people with the marks of their tags (`tag id * 2 + muted`)."""
    mark = sa.cast(subscriber_tag.c.tag_id * 2 + subscriber_tag.c.muted, sa.Text)
    marks = (
        sa.select(sa.func.aggregate_strings(mark, ","))
        .where(subscriber_tag.c.subscriber_id == subscriber.c.id)
        .scalar_subquery()
    )
    query = (
        sa.select(
            delivery.c.number,
            delivery.c.edition,
            delivery.c.attempts,
            _obstacle(connection, number, now),
            subscriber.c.id,
            subscriber.c.email,
            subscriber.c.name,
            subscriber.c.timezone,
            subscriber.c.cadence,
            subscriber.c.languages,
            subscriber.c.everything,
            marks,
        )
        .select_from(delivery)
        .outerjoin(subscriber, subscriber.c.id == delivery.c.subscriber_id)
        .outerjoin(
            edition,
            (edition.c.issue_number == delivery.c.issue_number)
            & (edition.c.number == delivery.c.edition),
        )
        .where(*where)
        .order_by(delivery.c.number)
    )
    # numbers and texts: the driver's rows, SQLAlchemy's take half as long again
    with connection.execute(query) as result:
        return list(result.cursor.fetchall())


def _obstacle(connection: sa.Connection, number: int, now: datetime) -> sa.Case[str]:
    end = connection.scalar(sa.select(issue.c.window_end).where(issue.c.number == number))
    return sa.case(
        (subscriber.c.id.is_(None), GONE),
        (suppressed(), "suppressed"),
        (subscriber.c.state != State.CONFIRMED.value, subscriber.c.state),
        (subscriber.c.pause_until > now, "paused"),
        (_covered(end), COVERED),
        (coverage.elsewhere(connection, number), COVERED),
        else_="",
    )


def _covered(end: datetime | None) -> sa.ColumnElement[bool]:
    """Another issue was handed over that covers a story of the edition.

    Where this one was handed over before (and is sent again), it is its own mark that stands.
    """
    own = (delivery.c.attempts > 0) & (subscriber.c.covered_until == end)
    return sa.and_(subscriber.c.covered_until > edition.c.oldest, ~own)
