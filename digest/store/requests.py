"""What was asked for on the pages and waits for a yes from the mailbox itself.

Anybody can type anybody's address: nothing of a person changes, and nobody becomes a subscriber,
before `confirm` or `move`. One open request per address and kind, and one mail a day for it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from digest.addresses import identity, recognised
from digest.errors import StoreError
from digest.models import NOTHING_CHOSEN, Cadence, Preferences, State, Subscriber
from digest.preferences import settled
from digest.store import people
from digest.store.bulk import new_ids
from digest.store.dialects import insert_new
from digest.store.history import add_consent, record
from digest.store.records import (
    LIFTED_BY_CONFIRMING,
    STAYS_BEHIND,
    Consent,
    EventKind,
    Request,
    RequestKind,
    Subscription,
    Wish,
)
from digest.store.schema import request, subscriber
from digest.store.subscriptions import Subscriptions, refuse_suppressed, set_columns, write_change
from digest.store.suppressions import insert_suppression, lift, reasons_for

_NOTHING = (Preferences(), Cadence.WEEKLY, "")
BETWEEN_MAILS = timedelta(days=1)
MAILS_IN_TURN = 3  # to one address, when several readers ask for it; then a day without any


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking: the request that a link may name, and whether to mail that link."""

    id: int
    mail: bool


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests, and what a yes does."""

    subscriptions: Subscriptions

    def ask(
        self,
        kind: RequestKind,
        email: str,
        now: datetime,
        *,
        person: int | None = None,
        wish: Wish | None = None,
        between: timedelta = BETWEEN_MAILS,
    ) -> Asked:
        """Note a request; the newest wish counts. The same work whether or not anybody knows them.

        What was answered is over: asking again is a new request with a new id, and a new mail. So
        is what another `person` asks for. A link that was mailed never comes to mean another
        address or another person: either it stands for those it was mailed for, or it is dead.
        Beyond `MAILS_IN_TURN` another person's asking changes nothing. `between`: two mails of it.
        ValueError when it is no address.
        """
        address = recognised(email)
        key = self.subscriptions.hasher(address)
        where = (request.c.address_hash == key) & (request.c.kind == kind.value)
        with self.subscriptions.database.writing() as connection:
            fresh = new_ids(1)[0]
            blank = {"id": fresh, "address_hash": key, "kind": kind.value, "asked_at": now}
            empty = {"email": "", "wish": ""}
            connection.execute(insert_new(connection, request).values({**blank, **empty}))
            row = connection.execute(sa.select(request).where(where).with_for_update()).one()
            done, other = row.done_at is not None, row.subscriber_id != person
            mailed = row.mailed_at is not None and not done
            mails = 0 if done or _long_ago(row.mailed_at, now) else row.mails
            if other and mails >= MAILS_IN_TURN:
                return Asked(row.id, mail=False)
            mail = other or not mailed or now - row.mailed_at >= between
            again = done or other or (mail and row.email != address)
            connection.execute(
                sa.update(request)
                .where(where)
                .values(
                    id=fresh if again else row.id,
                    email=address if mail else row.email,
                    subscriber_id=person,
                    wish=_written(wish) if wish else "",
                    asked_at=now,
                    mailed_at=now if mail else row.mailed_at,
                    done_at=None,
                    mails=mails + mail,
                )
            )
            return Asked(fresh if again else row.id, mail)

    def not_mailed(self, asked: int) -> None:
        """The mail could not be handed over: the next who asks gets one."""
        with self.subscriptions.database.writing() as connection:
            values = {"mailed_at": None, "mails": request.c.mails - 1}
            connection.execute(
                sa.update(request).where(request.c.id == asked, request.c.mails > 0).values(values)
            )

    def used(self, kind: RequestKind, email: str, now: datetime) -> None:
        """The mailed link did what it was mailed for: the next who asks gets a new one."""
        key = self.subscriptions.hasher(recognised(email))
        where = (request.c.address_hash == key) & (request.c.kind == kind.value)
        values = {"done_at": now, "email": "", "wish": ""}
        with self.subscriptions.database.writing() as connection:
            connection.execute(sa.update(request).where(where).values(values))

    def find(self, asked: int) -> Request | None:
        """The request with this id, answered or not."""
        with self.subscriptions.database.reading() as connection:
            row = connection.execute(sa.select(request).where(request.c.id == asked)).first()
        return None if row is None else _read(row)

    def confirm(self, asked: int, given: Consent, now: datetime) -> Subscription:
        """The mailbox says yes: they are subscribed as they wished, with both consents kept.

        Once only. StoreError when it is answered or gone, or when a complaint or the publisher's
        own no stands against the address.
        """
        with self._open(asked, RequestKind.SUBSCRIBE) as (connection, found):
            assert found.wish is not None
            where = subscriber.c.address == identity(found.email)
            if not people.fetch(connection, where, lock=True):
                new = _wished(Subscriber(new_ids(1)[0], found.email, "", *_NOTHING), found.wish)
                self.subscriptions.insert(connection, new, State.PENDING, now)
            (known,) = people.fetch(connection, where, lock=True)
            person = known.subscriber
            add_consent(connection, person.id, found.wish.consent)
            self.subscriptions.revive(connection, known, LIFTED_BY_CONFIRMING, given, now)
            write_change(connection, person, _wished(person, found.wish), now)
            set_columns(connection, person.id, pause_until=None)
            _answered(connection, asked, person.id, now)
            return people.fetch(connection, where)[0]

    def move(self, asked: int, now: datetime) -> Subscription:
        """The new mailbox says yes: the subscription is under that address from now on.

        One that has ended stays so: a leaving, a complaint and the publisher's no move with their
        reader. StoreError as for `confirm`, and when somebody is subscribed under it already.
        """
        with self._open(asked, RequestKind.CHANGE) as (connection, found):
            if people.fetch(connection, subscriber.c.address == identity(found.email)):
                raise StoreError("somebody is subscribed under this address already")
            of_person = subscriber.c.id == found.person
            known = people.fetch(connection, of_person, lock=True)
            if not known:
                raise StoreError("this subscriber is not here any more")
            key = self.subscriptions.hasher(found.email)
            every = self.subscriptions.hasher.every(found.email)
            reasons = set(reasons_for(connection, *every)) - set(LIFTED_BY_CONFIRMING)
            refuse_suppressed(tuple(reasons), found.email)
            if known[0].goes_on:
                lift(connection, LIFTED_BY_CONFIRMING, key)
            for reason in set(known[0].suppressions) - set(STAYS_BEHIND):
                insert_suppression(connection, key, reason, now, "moved with its reader")
            person = known[0].subscriber.id
            place = {"address": identity(found.email), "address_hash": key, "email": found.email}
            set_columns(connection, person, **place)
            record(connection, person, now, EventKind.CHANGED, "moved to another address")
            _answered(connection, asked, person, now)
            return people.fetch(connection, of_person)[0]

    def drop(self, asked: int) -> None:
        """Forget one request and the address in it."""
        with self.subscriptions.database.writing() as connection:
            connection.execute(sa.delete(request).where(request.c.id == asked))

    def purge(self, before: datetime) -> int:
        """Forget what was asked before this moment, answered or not; gives how many there were.

        Cheap when there is nothing, so that it may be called as often as one likes.
        """
        old = request.c.asked_at < before
        with self.subscriptions.database.reading() as connection:
            if connection.scalar(sa.select(sa.exists().where(old))) in (False, 0):
                return 0
        with self.subscriptions.database.writing() as connection:
            return int(connection.execute(sa.delete(request).where(old)).rowcount)

    @contextmanager
    def _open(self, asked: int, kind: RequestKind) -> Iterator[tuple[sa.Connection, Request]]:
        try:
            with self.subscriptions.database.writing() as connection:
                query = sa.select(request).where(request.c.id == asked)
                row = connection.execute(query.with_for_update()).first()
                if row is None or row.kind != kind.value or row.done_at is not None:
                    raise StoreError("this request is answered, or not here any more")
                yield connection, _read(row)
        except sa.exc.IntegrityError:  # somebody was added under the address at the same moment
            raise StoreError("the address was taken a moment ago", hint="try again") from None


def _long_ago(mailed: datetime | None, now: datetime) -> bool:
    return mailed is not None and now - mailed >= BETWEEN_MAILS


def _wished(person: Subscriber, wish: Wish) -> Subscriber:
    return replace(
        person,
        preferences=settled(wish.preferences),
        cadence=wish.cadence,
        timezone=wish.timezone,
        chosen=person.chosen if wish.cadence is person.cadence else NOTHING_CHOSEN,
    )


def _answered(connection: sa.Connection, asked: int, person: int, now: datetime) -> None:
    """Whose it was is kept for a while; what was asked is in their subscription now."""
    values = {"done_at": now, "email": "", "wish": "", "subscriber_id": person}
    connection.execute(sa.update(request).where(request.c.id == asked).values(values))


def _written(wish: Wish) -> str:
    return json.dumps({**asdict(wish), "consent": {**asdict(wish.consent), "at": _at(wish)}})


def _at(wish: Wish) -> str:
    return wish.consent.at.isoformat()


def _read(row: sa.Row[tuple[object, ...]]) -> Request:
    return Request(
        id=row.id,
        kind=RequestKind(row.kind),
        email=row.email,
        person=row.subscriber_id,
        wish=_wish(row.wish) if row.wish else None,
        asked=row.asked_at,
        done=row.done_at,
    )


def _wish(text: str) -> Wish:
    kept = json.loads(text)
    wanted, given = kept["preferences"], kept["consent"]
    lists = {name: tuple(wanted[name]) for name in ("tags", "muted", "languages")}
    return Wish(
        preferences=Preferences(everything=wanted["everything"], **lists),
        cadence=Cadence(kept["cadence"]),
        timezone=kept["timezone"],
        consent=Consent(**{**given, "at": datetime.fromisoformat(given["at"])}),
    )
