"""A store from before revision 0015, to which `ß` was `ss` and `ς` was `σ`.

Its people are given the hash of their own address when it is first opened. The mark of somebody who
was erased cannot be: the address is gone. So such a store takes a mark of either kind for a no.
"""

from dataclasses import replace

import sqlalchemy as sa

from digest.addresses import identity
from digest.store.database import Database
from digest.store.dialects import insert_new
from digest.store.hashing import Hasher
from digest.store.schema import request, setting, subscriber, suppression

_SETTING = setting.c.name == "former-hashes"
_EVERYWHERE, _SUPPRESSIONS = "everywhere", "suppressions"  # where there still are any


def settled(database: Database, hasher: Hasher) -> Hasher:
    """The hasher for what the store holds, after its people have hashes of today's kind."""
    with database.reading() as connection:
        where = connection.scalar(sa.select(setting.c.value).where(_SETTING))
    if where is None:
        return hasher
    if where == _EVERYWHERE:
        with database.writing() as connection:
            _hash_anew(connection, hasher)
    return replace(hasher, former=True)


def _hash_anew(connection: sa.Connection, hasher: Hasher) -> None:
    first = sa.update(setting).where(_SETTING, setting.c.value == _EVERYWHERE)
    if not connection.execute(first.values(value=_SUPPRESSIONS)).rowcount:
        return  # another process was first
    columns = (subscriber.c.id, subscriber.c.email, subscriber.c.address_hash)
    people = sa.select(*columns).execution_options(yield_per=1000)
    with connection.execute(people) as rows:
        changed = [row for row in rows if hasher.former_of(row.email) is not None]
    for row in changed:
        key, former = hasher(row.email), bytes(row.address_hash)
        place = {"address": identity(row.email), "address_hash": key}
        update = sa.update(subscriber).where(subscriber.c.id == row.id)
        connection.execute(update.values(place))
        _copy(connection, former, key)
    for asked, email in connection.execute(sa.select(request.c.id, request.c.email)).all():
        if hasher.former_of(email) is not None:  # whoever asked can ask again
            connection.execute(sa.delete(request).where(request.c.id == asked))


def _copy(connection: sa.Connection, former: bytes, key: bytes) -> None:
    """Whatever stood against the old hash stands against the new one."""
    query = sa.select(suppression).where(suppression.c.address_hash == former)
    for row in connection.execute(query).all():
        values = {**row._mapping, "address_hash": key}
        connection.execute(insert_new(connection, suppression).values(values))
