"""What an imported row changes for someone who is in the store already."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from digest.addresses import identity
from digest.cadence import fitting
from digest.hashtags import fold
from digest.models import NOTHING_CHOSEN, Cadence, Chosen, Preferences, State, Subscriber
from digest.preferences import settled
from digest.store import people
from digest.store.history import add_consent, record
from digest.store.records import EventKind, Subscription
from digest.store.schema import subscriber
from digest.store.subscriptions import write_change
from digest.store.suppressions import insert_suppression

if TYPE_CHECKING:
    from digest.store.intake import Entry, Intake


def absorb(connection: sa.Connection, entries: Sequence["Entry"], intake: "Intake") -> set[int]:
    """Write what differs; gives the lines of the entries that changed something.

    On a dry run nothing is written, and people whom the same file would add are left out.
    """
    addresses = [entry.address for entry in entries]
    # no lock: the batch holds the whole table
    found = people.fetch(connection, subscriber.c.address.in_(addresses))
    present = {identity(one.subscriber.email): one for one in found}
    changed = set()
    for entry in entries:
        known = present.get(entry.address)
        if known is not None and _absorb_one(connection, known, entry, intake):
            changed.add(entry.line)
    return changed


def _absorb_one(
    connection: sa.Connection, known: Subscription, entry: "Entry", intake: "Intake"
) -> bool:
    before, now = known.subscriber, intake.now
    if entry.left:
        if not intake.dry_run:
            _leave(connection, known, entry, intake)
        return True
    after = _replaced(before, entry, intake.replaces) if intake.replaces else _merged(before, entry)
    confirms = known.state is State.PENDING and entry.state is State.CONFIRMED
    if intake.dry_run:
        return confirms or after != before
    changed = write_change(connection, before, after, now, EventKind.IMPORTED)
    if confirms:
        _confirm(connection, before.id, entry, now)
    return changed or confirms


def _leave(
    connection: sa.Connection, known: Subscription, entry: "Entry", intake: "Intake"
) -> None:
    person = known.subscriber
    for reason in entry.suppressed:
        key = intake.hasher(person.email)
        insert_suppression(connection, key, reason, intake.now, intake.source)
    if entry.state is State.UNSUBSCRIBED:
        _set_state(connection, person.id, State.UNSUBSCRIBED)
    record(connection, person.id, intake.now, EventKind.UNSUBSCRIBED, intake.source)


def _confirm(connection: sa.Connection, person: int, entry: "Entry", now: datetime) -> None:
    _set_state(connection, person, State.CONFIRMED)
    record(connection, person, now, EventKind.CONFIRMED, "import")
    for given in entry.consents:
        add_consent(connection, person, given)


def _set_state(connection: sa.Connection, person: int, state: State) -> None:
    update = sa.update(subscriber).where(subscriber.c.id == person).values(state=state.value)
    connection.execute(update)


def _merged(before: Subscriber, entry: "Entry") -> Subscriber:
    """Gains tags and fills what was empty; takes nothing away."""
    old, new = before.preferences, entry.preferences
    preferences = Preferences(
        tags=(*old.tags, *(tag for tag in new.tags if not old.everything)),
        everything=old.everything,
        muted=(*old.muted, *new.muted),
        languages=old.languages or new.languages,
    )
    return replace(
        before,
        name=before.name or entry.name,
        preferences=settled(preferences),
        timezone=before.timezone or entry.timezone,
        chosen=_filled(before, entry),
    )


def _replaced(before: Subscriber, entry: "Entry", given: frozenset[str]) -> Subscriber:
    """Says what the file says, in the columns that the file has."""
    old, new = before.preferences, entry.preferences
    preferences = Preferences(
        tags=_respelled(new.tags, old) if "tags" in given else old.tags,
        everything=new.everything if "tags" in given else old.everything,
        muted=_respelled(new.muted, old) if "muted" in given else old.muted,
        languages=new.languages if "language" in given else old.languages,
    )
    cadence = Cadence(entry.cadence) if "cadence" in given else before.cadence
    old_choice = before.chosen if cadence is before.cadence else NOTHING_CHOSEN
    chosen = Chosen(
        entry.chosen.day if "day" in given else old_choice.day,
        entry.chosen.hour if "hour" in given else old_choice.hour,
    )
    return replace(
        before,
        name=entry.name if "name" in given else before.name,
        preferences=settled(preferences),
        cadence=cadence,
        timezone=entry.timezone if "timezone" in given else before.timezone,
        chosen=fitting(chosen, cadence),
    )


def _filled(before: Subscriber, entry: "Entry") -> Chosen:
    """The choice of the file where there was none, and where it is of the same cadence."""
    if before.chosen != NOTHING_CHOSEN or entry.cadence != before.cadence.value:
        return before.chosen
    return entry.chosen


def _respelled(tags: Iterable[str], known: Preferences) -> tuple[str, ...]:
    """The tags in the store's spelling: another one alone is no change."""
    spellings = {fold(tag): tag for tag in (*known.tags, *known.muted)}
    return tuple(spellings.get(fold(tag), tag) for tag in tags)
