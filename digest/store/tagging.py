"""The rows that say who follows and who mutes what."""

from collections.abc import Iterable

import sqlalchemy as sa

from digest.hashtags import fold
from digest.models import Preferences
from digest.store.dialects import insert_new
from digest.store.schema import subscriber_tag, tag


def ids_of(connection: sa.Connection, names: Iterable[str]) -> dict[str, int]:
    """Folded key -> id of each tag, made when new; the first spelling seen is the one kept."""
    wanted = {fold(name): name for name in names}
    found = known_ids(connection, wanted)
    missing = sorted(wanted.keys() - found.keys())  # sorted: two writers never wait in a circle
    if missing:
        rows = [{"key": key, "name": wanted[key]} for key in missing]
        connection.execute(insert_new(connection, tag), rows)
        found |= known_ids(connection, missing)
    return found


def known_ids(connection: sa.Connection, keys: Iterable[str]) -> dict[str, int]:
    """Folded key -> id of those tags that are in the store."""
    query = sa.select(tag.c.key, tag.c.id).where(tag.c.key.in_(list(keys)))
    return {row.key: row.id for row in connection.execute(query)}


def put(connection: sa.Connection, person: int, preferences: Preferences) -> None:
    """Make the person's rows say what the (settled) preferences say."""
    ids = ids_of(connection, (*preferences.tags, *preferences.muted))
    wanted = {ids[fold(name)]: 0 for name in preferences.tags}
    wanted |= {ids[fold(name)]: 1 for name in preferences.muted}
    of_person = subscriber_tag.c.subscriber_id == person
    connection.execute(sa.delete(subscriber_tag).where(of_person))
    if wanted:
        rows = [{"subscriber_id": person, "tag_id": i, "muted": m} for i, m in wanted.items()]
        connection.execute(sa.insert(subscriber_tag), rows)
