"""A database's URL: read, named to people, and kept out of what others say of it.

A URL may hold a password in its user info and in its query, and a mistyped one holds it anywhere.
So a database is named by scheme, host, port and database alone, and what a driver says is quoted
only when it cannot repeat the rest.
"""

import sqlalchemy as sa

from digest.errors import StoreError

# options of libpq that are no secret and make none of its messages one
_HARMLESS = {"connect_timeout", "dbname", "host", "passfile", "port", "service", "sslmode", "user"}
_HARMLESS |= {"application_name", "gssencmode", "sslrootcert", "target_session_attrs"}
_UNQUOTED = "what the driver says of it may hold a secret, and is not shown"


def parsed(url: str) -> sa.URL:
    """The URL in its parts. StoreError, which quotes nothing of it, when it cannot be one."""
    try:
        parts = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise refused("this setting is not a URL") from None
    except ValueError:  # by SQLAlchemy's int(port)
        raise refused(
            "the port is not a number, or a password holds “:”, “/” or “?” (write %3A, %2F, %3F)"
        ) from None
    kind = parts.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise refused("neither a SQLite nor a PostgreSQL URL")
    if kind == "postgresql" and "@" in f"{parts.host}{parts.database}":
        raise refused("there is an “@” too many: in a user or a password write %40")
    return parts


def refused(message: str) -> StoreError:
    """The setting cannot be used, with one that could."""
    return StoreError(
        f"database: {message}",
        hint='leave it out for SQLite, or write under [store]: database = "postgresql://user@host/name"',
    )


def named(url: sa.URL) -> str:
    """What to call the database."""
    if url.get_backend_name() == "sqlite":
        return url.database or "the database in memory"
    bare = sa.URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return f"the database {bare.render_as_string()}"


def quotable(url: sa.URL, words: str) -> str:
    """What a driver or `pg_dump` said, as far as it cannot hold a secret of the URL."""
    if not url.query.keys() <= _HARMLESS or (url.password and str(url.password) in words):
        return _UNQUOTED
    return words
