"""The database: it answers, is at our revision, and has our time."""

from collections.abc import Callable, Iterator
from datetime import datetime

from digest.config import Config, secret_keys
from digest.doctor.clocks import clock_result
from digest.doctor.results import Result, failure, ok, skipped, warning
from digest.errors import StoreError
from digest.store import connect, exists, url_of
from digest.store.condition import Condition, condition, require_key
from digest.store.database import Database
from digest.store.migrate import Standing


def examine_database(
    config: Config, now: Callable[[], datetime], *, offline: bool
) -> Iterator[Result]:
    """Nothing is made or upgraded."""
    if offline and config.database:
        yield skipped("database.reachable", "offline")
        return
    url = url_of(config.database, config.root)
    if not exists(url):
        yield _none(config)
        return
    database = connect(url)
    try:
        yield from _database(database, config, now)
    finally:
        database.engine.dispose()


def _database(database: Database, config: Config, now: Callable[[], datetime]) -> Iterator[Result]:
    try:
        found = condition(database)
    except StoreError as error:
        yield failure("database.reachable", str(error), error.hint)
        return
    yield ok("database.reachable", f"{found.place}, {found.product}")
    yield _schema(found)
    if found.standing is Standing.CURRENT:
        yield _key(database, config)
    if found.clock:
        yield clock_result("database.clock", "the database's clock", found.clock, now())


def _key(database: Database, config: Config) -> Result:
    try:
        require_key(database, secret_keys(config, lasting=False))
    except StoreError as error:
        return failure("database.key", str(error), error.hint)
    return ok("database.key", "our secret key is the one that it was begun with")


def _none(config: Config) -> Result:
    if config.provider == "outbox":
        return ok("database.reachable", "there is none yet; readers come from the CSV files")
    return failure(
        "database.reachable",
        "there is none, and only the outbox sends without one",
        "digest subscribers import FILE --consent 'how they agreed'",
    )


def _schema(found: Condition) -> Result:
    if found.standing is Standing.CURRENT:
        return ok("database.schema", f"revision {found.revision}")
    if found.standing is Standing.NEWER:
        seen = f"revision {found.revision} is of a newer digest"
        return failure("database.schema", seen, "install that, or go back to a backup")
    if found.standing is Standing.OLDER and not found.place.startswith("postgresql"):
        seen = f"revision {found.revision} is older than this digest"
        return warning(
            "database.schema", seen, "digest db upgrade does it, and so does any command"
        )
    seen = f"revision {found.revision}" if found.revision else "it has no tables yet"
    return failure("database.schema", seen, "run: digest db upgrade")
