"""`digest db`: the database's revision and its copies."""

from datetime import UTC, datetime
from pathlib import Path

import click

from digest.cli.groups import command_group
from digest.cli.session import Session, project_command
from digest.cli.storage import open_store
from digest.errors import DigestError


@project_command(name="upgrade", example="digest db upgrade")
def upgrade(session: Session) -> int:
    """Bring the database to this program's revision; a SQLite file is copied before."""
    from digest.store import connect, exists, migrate, url_of
    from digest.store.schema import HEAD

    url = url_of(session.config.database, session.config.root)
    database = connect(url)
    click.get_current_context().call_on_close(database.engine.dispose)
    if database.file and not (
        exists(url) and migrate.standing(database) is not migrate.Standing.EMPTY
    ):
        raise migrate.no_store(database)
    if migrate.standing(database) is migrate.Standing.CURRENT:
        session.say(f"{database.place} is at revision {HEAD} already")
        return session.finish()
    copy = migrate.upgrade(database)
    session.say(f"{database.place} is at revision {HEAD}")
    if copy:
        session.say(f"a copy of what it was: {copy}")
    return session.finish()


@project_command(name="current", example="digest db current")
def current(session: Session) -> int:
    """Say which revision the database is at."""
    from digest.store import connect, exists, migrate, url_of
    from digest.store.schema import HEAD

    url = url_of(session.config.database, session.config.root)
    if not exists(url):
        raise DigestError("there is no database yet", hint="digest subscribers import makes it")
    database = connect(url)
    click.get_current_context().call_on_close(database.engine.dispose)
    with database.reading() as connection:
        at = migrate.revision(connection)
    click.echo(f"{at or 'none'} ({migrate.standing(database).value}; this program's is {HEAD})")
    return session.finish()


@project_command(name="backup", example="digest db backup monday.sqlite3")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def backup(session: Session, file: Path | None) -> int:
    """Copy the database to a new file while it is in use (PostgreSQL: by pg_dump)."""
    store = open_store(session)
    ending = "sqlite3" if store.database.file else "dump"
    target = file or session.config.root / f"digest-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{ending}"
    store.backup(target)
    session.say(f"wrote {target} ({target.stat().st_size:,} bytes)")
    return session.finish()


command = command_group(
    "db",
    upgrade,
    current,
    backup,
    help="Upgrade and back up the database.",
    example="digest db backup monday.sqlite3",
)
