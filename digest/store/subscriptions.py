"""Every change to one person's subscription: each is one transaction that locks the person first.

Who left or is suppressed is never made due by anything here but `confirm`, which is the reader's
own act, and `take_back`, which is their own request with its evidence.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from digest.addresses import identity, normalise, recognised
from digest.cadence import day_in_words, fitting, hour_in_words
from digest.errors import StoreError
from digest.models import (
    NOTHING_CHOSEN,
    Cadence,
    Chosen,
    Preferences,
    State,
    Subscriber,
    SuppressionReason,
)
from digest.preferences import Edit, settled
from digest.store import people, tagging
from digest.store.bulk import new_ids
from digest.store.database import Database
from digest.store.hashing import Hasher
from digest.store.history import add_consent, consents_of, history_of, record
from digest.store.people import Filter
from digest.store.records import (
    LIFTED_BY_CONFIRMING,
    Consent,
    EventKind,
    HistoryEvent,
    Subscription,
)
from digest.store.schema import request, subscriber
from digest.store.suppressions import insert_suppression, lift, reasons_for

EVERYTHING = Preferences(everything=True)
_AWAY = timedelta(days=62)  # two of the longest windows: after it, who comes back is new


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """People and their preferences."""

    database: Database
    hasher: Hasher

    def find(self, email: str) -> Subscription | None:
        """The subscription of an address, whatever its case. ValueError when it is no address."""
        return self._one(subscriber.c.address == identity(recognised(email)))

    def get(self, person: int) -> Subscription | None:
        """The subscription with this id."""
        return self._one(subscriber.c.id == person)

    def stream(
        self, chosen: Filter | None = None, *, limit: int | None = None
    ) -> Iterator[Subscription]:
        """Subscriptions ordered by address, all of one moment, in flat memory."""
        with self.database.reading() as connection:
            for page in people.stream(connection, chosen or Filter(), limit=limit):
                yield from page

    def count(self) -> dict[State, int]:
        """How many people are in each state."""
        with self.database.reading() as connection:
            return people.count(connection)

    def history(self, person: int) -> tuple[HistoryEvent, ...]:
        """What happened to a subscription, oldest first, with the evidence of consent."""
        with self.database.reading() as connection:
            return history_of(connection, person)

    def consents(self, persons: Sequence[int]) -> dict[int, tuple[Consent, ...]]:
        """The evidence of each of these people, oldest first."""
        with self.database.reading() as connection:
            return consents_of(connection, persons)

    def add(
        self,
        email: str,
        consent: Consent,
        now: datetime,
        *,
        name: str = "",
        preferences: Preferences = EVERYTHING,
        cadence: Cadence = Cadence.WEEKLY,
        timezone: str = "",
        chosen: Chosen = NOTHING_CHOSEN,
        state: State = State.CONFIRMED,
    ) -> Subscription:
        """Subscribe someone. A suppressed address can only be added as pending.

        ValueError when it is no address; StoreError when it is here already or suppressed.
        """
        address = normalise(email)
        wanted = settled(preferences)
        person = Subscriber(new_ids(1)[0], address, name, wanted, cadence, timezone, chosen)
        try:
            with self.database.writing() as connection:
                reasons = reasons_for(connection, *self.hasher.every(address))
                if set(reasons) <= {SuppressionReason.UNSUBSCRIBED}:
                    _refuse_left(connection, address)
                if state is not State.PENDING:
                    refuse_suppressed(reasons, address)
                self.insert(connection, person, state, now)
                add_consent(connection, person.id, consent)
        except sa.exc.IntegrityError:
            raise StoreError(
                f"{address} is here already", hint=f"see: digest subscribers show {address}"
            ) from None
        return Subscription(person, state, now)

    def change(
        self,
        person: int,
        now: datetime,
        edit: Edit | None = None,
        *,
        name: str | None = None,
        cadence: Cadence | None = None,
        timezone: str | None = None,
        chosen: Chosen | None = None,
    ) -> Subscription:
        """Apply the edit to the preferences, set what is given; no event when nothing changes.

        With another cadence a chosen day and hour are forgotten, unless they are given with it.
        """
        with self._locked(person) as (connection, found):
            before = found.subscriber
            if chosen is None:
                chosen = before.chosen if cadence in (None, before.cadence) else NOTHING_CHOSEN
            after = replace(
                before,
                preferences=settled((edit or _same)(before.preferences)),
                name=before.name if name is None else name,
                cadence=cadence or before.cadence,
                timezone=before.timezone if timezone is None else timezone,
                chosen=fitting(chosen, cadence or before.cadence),
            )
            write_change(connection, before, after, now)
            return replace(found, subscriber=after)

    def pause(self, person: int, until: datetime, now: datetime) -> None:
        """Nothing is due for this person before `until`."""
        with self._locked(person) as (connection, _):
            set_columns(connection, person, pause_until=until)
            record(connection, person, now, EventKind.PAUSED, f"until {until.isoformat()}")

    def resume(self, person: int, now: datetime) -> bool:
        """End a pause; False when there was none."""
        with self._locked(person) as (connection, found):
            if found.pause_until is None:
                return False
            set_columns(connection, person, pause_until=None)
            record(connection, person, now, EventKind.RESUMED)
            return True

    def confirm(self, person: int, consent: Consent, now: datetime) -> None:
        """The reader says yes from their own mailbox.

        StoreError when the address complained about us or the publisher shut it out: these stand.
        """
        with self._locked(person) as (connection, found):
            self.revive(connection, found, LIFTED_BY_CONFIRMING, consent, now)

    def take_back(self, person: int, consent: Consent, now: datetime) -> None:
        """They left, and asked the publisher to come back; `consent` says how. Preferences stay.

        StoreError when they have not left, or when more than their own leaving stands against it.
        """
        with self._locked(person) as (connection, found):
            if found.state is not State.UNSUBSCRIBED:
                email = found.subscriber.email
                raise StoreError(
                    f"{email} has not left ({found.state.value})",
                    hint=f"see what stands: digest subscribers show {email}",
                )
            self.revive(connection, found, (SuppressionReason.UNSUBSCRIBED,), consent, now)

    def unsubscribe(self, person: int, now: datetime, source: str) -> bool:
        """They leave: nothing is due any more, and a later import does not bring them back.

        `source` says by which way. False when they had left before.
        """
        with self._locked(person) as (connection, found):
            key = self.hasher(found.subscriber.email)
            insert_suppression(connection, key, SuppressionReason.UNSUBSCRIBED, now, source)
            if found.state is State.UNSUBSCRIBED:
                return False
            set_columns(connection, person, state=State.UNSUBSCRIBED.value)
            record(connection, person, now, EventKind.UNSUBSCRIBED, source)
            return True

    def erase(self, person: int, now: datetime, source: str) -> None:
        """Forget the person; only the keyed hash stays, so that nobody mails them again."""
        with self._locked(person) as (connection, found):
            key = self.hasher(found.subscriber.email)
            insert_suppression(connection, key, SuppressionReason.ERASED, now, source)
            connection.execute(sa.delete(subscriber).where(subscriber.c.id == person))
            connection.execute(sa.delete(request).where(request.c.address_hash == key))

    def cover(self, persons: Iterable[int], until: datetime) -> None:
        """Move the mark of these people to the end of a window handed over; never backwards."""
        mark = subscriber.c.covered_until
        update = (
            sa.update(subscriber)
            .where(subscriber.c.id == sa.bindparam("person"), mark.is_(None) | (mark < until))
            .values(covered_until=until)
        )
        rows = [{"person": person} for person in persons]
        if rows:
            with self.database.writing() as connection:
                connection.execute(update, rows)

    def insert(
        self, connection: sa.Connection, person: Subscriber, state: State, now: datetime
    ) -> None:
        """A new row, with its tags and its first line of history."""
        connection.execute(sa.insert(subscriber).values(self._row(person, state, now)))
        tagging.put(connection, person.id, person.preferences)
        record(connection, person.id, now, EventKind.ADDED, state.value)

    def revive(
        self,
        connection: sa.Connection,
        found: Subscription,
        lifted: tuple[SuppressionReason, ...],
        consent: Consent,
        now: datetime,
    ) -> None:
        """Make due again whoever these suppressions alone keep from it; StoreError otherwise."""
        person, email = found.subscriber.id, found.subscriber.email
        refuse_suppressed(tuple(set(found.suppressions) - set(lifted)), email)
        lift(connection, lifted, self.hasher(email))
        mark = found.covered_until
        if mark and found.state is State.UNSUBSCRIBED and mark < now - _AWAY:
            mark = None
        set_columns(connection, person, state=State.CONFIRMED.value, covered_until=mark)
        record(connection, person, now, EventKind.CONFIRMED, consent.how)
        add_consent(connection, person, consent)

    def _one(self, where: sa.ColumnElement[bool]) -> Subscription | None:
        with self.database.reading() as connection:
            return next(iter(people.fetch(connection, where)), None)

    @contextmanager
    def _locked(self, person: int) -> Iterator[tuple[sa.Connection, Subscription]]:
        with self.database.writing() as connection:
            found = people.fetch(connection, subscriber.c.id == person, lock=True)
            if not found:
                raise StoreError("this subscriber is not here any more")
            yield connection, found[0]

    def _row(self, person: Subscriber, state: State, now: datetime) -> dict[str, object]:
        return {
            "id": person.id,
            "address": identity(person.email),
            "address_hash": self.hasher(person.email),
            "email": person.email,
            "state": state.value,
            "created_at": now,
            **_columns(person),
        }


def write_change(
    connection: sa.Connection,
    before: Subscriber,
    after: Subscriber,
    now: datetime,
    kind: EventKind = EventKind.CHANGED,
) -> bool:
    """Save what differs, with a line of history; False when nothing does."""
    if before == after:
        return False
    set_columns(connection, after.id, **_columns(after))
    if before.preferences != after.preferences:
        tagging.put(connection, after.id, after.preferences)
    record(connection, after.id, now, kind, "; ".join(_differences(before, after)))
    return True


def _columns(person: Subscriber) -> dict[str, object]:
    return {
        "name": person.name,
        "languages": ",".join(person.preferences.languages),
        "timezone": person.timezone,
        "cadence": person.cadence.value,
        "everything": int(person.preferences.everything),
        "day": person.chosen.day,
        "hour": person.chosen.hour,
    }


def set_columns(connection: sa.Connection, person: int, **values: object) -> None:
    """Write these columns of one person."""
    connection.execute(sa.update(subscriber).where(subscriber.c.id == person).values(**values))


def _same(preferences: Preferences) -> Preferences:
    return preferences


def _refuse_left(connection: sa.Connection, address: str) -> None:
    query = sa.select(subscriber.c.state).where(subscriber.c.address == identity(address))
    if connection.scalar(query) == State.UNSUBSCRIBED.value:
        raise StoreError(
            f"{address} has left",
            hint="only when they ask to come back: "
            f"digest subscribers add {address} --back --consent 'how they asked'",
        )


def refuse_suppressed(reasons: tuple[SuppressionReason, ...], address: str) -> None:
    """StoreError when anything stands against mailing the address."""
    if reasons:
        raise StoreError(
            f"{address} is suppressed ({', '.join(sorted(reasons))})",
            hint=f"only when you are sure: digest suppressions remove {address}",
        )


def _differences(before: Subscriber, after: Subscriber) -> Iterator[str]:
    old, new = before.preferences, after.preferences
    yield from _listed("follows", set(new.tags) - set(old.tags))
    yield from _listed("follows no more", set(old.tags) - set(new.tags))
    yield from _listed("mutes", set(new.muted) - set(old.muted))
    yield from _listed("mutes no more", set(old.muted) - set(new.muted))
    if old.everything != new.everything:
        yield "gets everything" if new.everything else "gets followed tags only"
    for name, was, now in (
        ("name", before.name, after.name),
        ("languages", " ".join(old.languages), " ".join(new.languages)),
        ("cadence", before.cadence, after.cadence),
        ("time zone", before.timezone, after.timezone),
        ("day", *(day_in_words(one.chosen, one.cadence) for one in (before, after))),
        ("hour", hour_in_words(before.chosen), hour_in_words(after.chosen)),
    ):
        if was != now:
            yield f"{name} {was or '(none)'} → {now or '(none)'}"


def _listed(verb: str, tags: set[str]) -> Iterator[str]:
    if tags:
        yield f"{verb} {' '.join(f'#{tag}' for tag in sorted(tags))}"
