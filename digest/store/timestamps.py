"""One moment in time, the same on both databases: always aware, always UTC, to the microsecond."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa


@lru_cache(maxsize=1024)  # an import writes one moment a million times
def to_text(moment: datetime) -> str:
    """`2026-11-19T09:00:00.000000Z`: one width, so that texts compare as the moments do."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def to_driver(moment: datetime | None, dialect: str) -> datetime | str | None:
    """What the bulk paths, which pass by SQLAlchemy's types, bind for a moment."""
    return to_text(moment) if moment is not None and dialect == "sqlite" else moment


def from_driver(value: datetime | str | None) -> datetime | None:
    """The moment in a value read past SQLAlchemy's types."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """TIMESTAMPTZ on PostgreSQL; ISO text on SQLite, whose STRICT tables have no time type."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """The column type of this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """ValueError for a naive time: it would mean another moment on every machine."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value.isoformat()}")
        return to_driver(value, dialect.name)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """An aware datetime in UTC."""
        moment = from_driver(value)
        return moment.astimezone(UTC) if moment is not None else None
