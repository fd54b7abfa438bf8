"""Tags as the whole list of readers sees them: counts, renaming, merging."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from digest.errors import StoreError
from digest.hashtags import fold
from digest.models import State
from digest.preferences import clean_tag
from digest.store import tagging
from digest.store.database import Database
from digest.store.records import EventKind, TagReaders
from digest.store.schema import event, subscriber, subscriber_tag, tag

_Counts = dict[tuple[int, int], int]  # (tag id, muted) -> people


@dataclass(frozen=True, slots=True)
class TagList:
    """Every tag that somebody follows or mutes, or once did."""

    database: Database

    def readers(self) -> tuple[TagReaders, ...]:
        """All tags with their confirmed followers and muters; most followed first.

        The count of everyone comes from an index alone; the few who are not confirmed are
        subtracted. A join with a million people takes 20 times as long.
        """
        with self.database.reading() as connection:
            counts = _subtract(_all_counts(connection), _unconfirmed_counts(connection))
            rows = connection.execute(sa.select(tag)).all()
        found = [
            TagReaders(row.key, row.name, counts.get((row.id, 0), 0), counts.get((row.id, 1), 0))
            for row in rows
        ]
        return tuple(sorted(found, key=lambda one: (-one.followers, -one.muters, one.key)))

    def names(self) -> tuple[tuple[str, str], ...]:
        """(key, name) of every tag, ordered by key."""
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(tag.c.key, tag.c.name).order_by(tag.c.key))
            return tuple((row.key, row.name) for row in rows)

    def everything(self) -> int:
        """How many confirmed subscribers get everything."""
        query = sa.select(sa.func.count()).where(
            subscriber.c.state == State.CONFIRMED.value, subscriber.c.everything == 1
        )
        with self.database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def named(self, keys: Iterable[str]) -> dict[str, str]:
        """Folded key -> name of those tags that somebody has followed or muted."""
        query = sa.select(tag.c.key, tag.c.name).where(tag.c.key.in_(list(keys)))
        with self.database.reading() as connection:
            return {row.key: row.name for row in connection.execute(query)}

    def rename(self, old: str, new: str) -> None:
        """Show a tag in another spelling. StoreError when that is another tag: posts keep theirs,
        so its readers would silently lose every story.
        """
        name = clean_tag(new)
        with self.database.writing() as connection:
            shown, row = _require(connection, old)
            if fold(name) != fold(shown):
                raise StoreError(
                    f"#{name} is another tag than #{shown}, not another spelling of it: posts with "
                    f"#{shown} would not reach its readers any more",
                    hint=f"to move its readers: digest tags merge {_word(shown)} {_word(name)}; to "
                    "let posts with either tag reach them: [tags.aliases] in digest.toml",
                )
            connection.execute(sa.update(tag).where(tag.c.id == row).values(name=name))

    def merge(self, old: str, into: str, now: datetime) -> int:
        """Who follows or mutes `old` now does so with `into`; gives how many people changed.

        Where someone has both, what they said about `into` stands. ValueError when it is no tag.
        """
        name = clean_tag(into)
        with self.database.writing() as connection:
            gone, source = _require(connection, old)
            target = tagging.ids_of(connection, [name])[fold(name)]
            if source == target:
                raise StoreError(f"#{gone} and #{name} are the same tag")
            connection.execute(_merged_events(source, f"#{gone} merged into #{name}", now))
            connection.execute(_merged_rows(source, target))
            of_source = subscriber_tag.c.tag_id == source
            changed = connection.execute(sa.delete(subscriber_tag).where(of_source)).rowcount
            connection.execute(sa.delete(tag).where(tag.c.id == source))
            return int(changed)


def _all_counts(connection: sa.Connection) -> _Counts:
    group = (subscriber_tag.c.tag_id, subscriber_tag.c.muted)
    query = sa.select(*group, sa.func.count()).group_by(*group)
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def _unconfirmed_counts(connection: sa.Connection) -> _Counts:
    # the literal and not a parameter: the partial index serves no unknown state. IN and not a
    # join: SQLite would begin with the tags of everyone.
    unconfirmed = sa.select(subscriber.c.id).where(
        subscriber.c.state != sa.literal_column(f"'{State.CONFIRMED.value}'")
    )
    group = (subscriber_tag.c.tag_id, subscriber_tag.c.muted)
    query = (
        sa.select(*group, sa.func.count())
        .where(subscriber_tag.c.subscriber_id.in_(unconfirmed))
        .group_by(*group)
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def _subtract(everyone: _Counts, some: _Counts) -> _Counts:
    return {group: number - some.get(group, 0) for group, number in everyone.items()}


def _require(connection: sa.Connection, name: str) -> tuple[str, int]:
    query = sa.select(tag.c.name, tag.c.id).where(tag.c.key == fold(name))
    row = connection.execute(query.with_for_update()).first()
    if row is None:
        raise StoreError(
            f"nobody follows or mutes #{name.removeprefix('#')}", hint="see: digest tags list"
        )
    return row.name, row.id


def _word(name: str) -> str:
    return fold(name) if " " in name else name


def _merged_events(source: int, detail: str, now: datetime) -> sa.Insert:
    last = sa.func.coalesce(sa.func.max(event.c.number), 0)
    number = (
        sa.select(last + 1)
        .where(event.c.subscriber_id == subscriber_tag.c.subscriber_id)
        .correlate(subscriber_tag)
        .scalar_subquery()
    )
    columns = ["subscriber_id", "number", "at", "kind", "detail"]
    values = sa.select(
        subscriber_tag.c.subscriber_id,
        number,
        sa.literal(now, event.c.at.type),
        sa.literal(EventKind.CHANGED.value),
        sa.literal(detail),
    ).where(subscriber_tag.c.tag_id == source)
    return sa.insert(event).from_select(columns, values)


def _merged_rows(source: int, target: int) -> sa.Insert:
    other = subscriber_tag.alias("other")
    has_target = sa.exists(
        sa.select(1)
        .where(other.c.subscriber_id == subscriber_tag.c.subscriber_id, other.c.tag_id == target)
        .correlate(subscriber_tag)
    )
    moved = sa.select(
        subscriber_tag.c.subscriber_id, sa.literal(target), subscriber_tag.c.muted
    ).where(subscriber_tag.c.tag_id == source, ~has_target)
    return sa.insert(subscriber_tag).from_select(["subscriber_id", "tag_id", "muted"], moved)
