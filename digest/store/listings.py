"""Content syncs: which stories were seen, and when each was listed (`digest.listing` decides)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from digest import listing
from digest.listing import Known
from digest.models import Story
from digest.store.database import Database
from digest.store.ledger.schema import issue, issue_story
from digest.store.schema import content_sync, story


@dataclass(frozen=True, slots=True)
class Listings:
    """The stories that the newsletter knows."""

    database: Database

    def number(self) -> int:
        """How many syncs there were. Ask before reading what `record` will be given."""
        with self.database.reading() as connection:
            return _last(connection)[0]

    def record(
        self, stories: Sequence[Story], now: datetime, since: int
    ) -> Mapping[str, datetime] | None:
        """Note a sync of all stories there are; gives when each is listed.

        None, and nothing is noted, when a sync later than `since` saw a story that is not among
        them: they were read before it was there, and its moment may be in a window of theirs.
        """
        with self.database.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"LOCK TABLE {content_sync.name} IN EXCLUSIVE MODE")
            number, _ = _last(connection)
            seen = sa.select(story.c.id).where(story.c.seen_in > since, story.c.gone_at.is_(None))
            if set(connection.scalars(seen)) - {one.id for one in stories}:
                return None
            made = _sync(connection, stories, now)
            _write(connection, made, number + 1)
            return made.times

    def look(self, stories: Iterable[Story], now: datetime) -> Mapping[str, datetime]:
        """When each story is listed, as if they were noted now."""
        with self.database.reading() as connection:
            return _sync(connection, tuple(stories), now).times


def _sync(connection: sa.Connection, stories: Sequence[Story], now: datetime) -> listing.Sync:
    columns = (story.c.id, story.c.link, story.c.listed_at, story.c.gone_at)
    rows = connection.execute(sa.select(*columns).order_by(story.c.id)).all()
    known = [Known(row.id, row.link, row.listed_at, row.gone_at is not None) for row in rows]
    planned = sa.select(sa.func.max(issue.c.window_end)).where(~issue.c.id.startswith("~"))
    return listing.sync(
        stories,
        known,
        _last(connection)[1],
        now,
        planned_until=connection.scalar(planned),
        missed=_missed(connection, _back(stories, known)),
    )


def _back(stories: Sequence[Story], known: Sequence[Known]) -> list[str]:
    """Those that were gone and may be here again, under their id or by their link."""
    ids = {one.id for one in stories if not one.draft}
    links = {listing.link_key(one) for one in stories if not one.draft}
    return [one.id for one in known if one.gone and (one.id in ids or one.link in links)]


def _missed(connection: sa.Connection, ids: Collection[str]) -> set[str]:
    """Of these, gone ones whose moment an issue passed over meanwhile, and that none ever held."""
    if not ids:
        return set()
    real = ~issue.c.id.startswith("~")
    held = (
        sa.select(issue_story.c.story_id)
        .join(issue, issue.c.number == issue_story.c.issue_number)
        .where(issue_story.c.story_id == story.c.id, issue_story.c.omitted == "", real)
    )
    passed = sa.select(issue.c.number).where(
        issue.c.window_start <= story.c.listed_at,
        issue.c.window_end > story.c.listed_at,
        issue.c.planned_at >= story.c.gone_at,
        real,
    )
    query = sa.select(story.c.id).where(
        story.c.gone_at.is_not(None), sa.exists(passed), ~sa.exists(held)
    )
    return set(connection.scalars(query)) & set(ids)


def _write(connection: sa.Connection, made: listing.Sync, number: int) -> None:
    connection.execute(sa.delete(content_sync))
    connection.execute(sa.insert(content_sync).values(number=number, at=made.at))
    known = set(connection.scalars(sa.select(story.c.id)))
    new = [one for one in made.changed if one.id not in known]
    if new:
        rows = [
            {
                "id": one.id,
                "link": one.link,
                "listed_at": one.listed,
                "seen_at": made.at,
                "seen_in": number,
            }
            for one in new
        ]
        connection.execute(sa.insert(story), rows)
    for one in made.changed:
        if one.id in known:
            _change(connection, one, made, number)
    if made.gone:
        values = [{"which": name, "at": made.at} for name in made.gone]
        gone = sa.update(story).where(story.c.id == sa.bindparam("which"))
        connection.execute(gone.values(gone_at=sa.bindparam("at")), values)


def _change(connection: sa.Connection, one: Known, made: listing.Sync, number: int) -> None:
    values: dict[str, object] = {"link": one.link, "listed_at": one.listed}
    if one.id in made.times:
        values |= {"gone_at": None, "seen_in": number}
    connection.execute(sa.update(story).where(story.c.id == one.id).values(**values))


def _last(connection: sa.Connection) -> tuple[int, datetime | None]:
    """The number and the moment of the last sync."""
    row = connection.execute(sa.select(content_sync.c.number, content_sync.c.at)).one_or_none()
    return (row.number, row.at) if row is not None else (0, None)
