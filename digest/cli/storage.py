"""The project's store, for commands that work on it; made on first use."""

from typing import TYPE_CHECKING

import click

from digest.cli.session import Session
from digest.config import secret_keys
from digest.errors import DigestError
from digest.hashtags import fold

if TYPE_CHECKING:
    from digest.store import Store, Subscription


def open_store(session: Session, *, makes: bool = False, imports: bool = False) -> "Store":
    """The open store; closed when the command ends.

    Once there is a store, plan and send read it and no longer the CSV files. So only what fills it
    makes it: an import, or (`makes`) whatever adds to it in a project that has no CSV files.
    """
    from digest.store import Store, exists, url_of

    config = session.config
    url = url_of(config.database, config.root)
    listed = next(iter(sorted(config.subscribers.glob("*.csv"))), None)
    may_make = imports or (makes and not listed)
    if not exists(url):
        if not may_make:
            file = listed.relative_to(config.root) if listed else "FILE"
            raise DigestError(
                "there is no store of subscribers yet",
                hint=f"make it: digest subscribers import {file} --consent 'how they agreed'",
            )
        session.say(
            f"made {url.removeprefix('sqlite:///')}; "
            "from now on plan and send read it, and no longer the CSV files"
        )
    store = Store.open(url, secret_keys(config), makes=may_make)
    click.get_current_context().call_on_close(store.close)
    return store


def person(store: "Store", email: str) -> "Subscription":
    """The subscription of an address; DigestError when there is none."""
    try:
        found = store.subscriptions.find(email)
    except ValueError as error:
        raise DigestError(f"{email!r} is no address: {error}") from None
    if found is None:
        gone = store.suppressions.reasons(email)
        hint = (
            f"the address is suppressed: {', '.join(gone)}" if gone else "look for a typing error"
        )
        raise DigestError(f"{email} is not among the subscribers", hint=hint)
    return found


def aliases_of(session: Session) -> dict[str, str]:
    """Folded alias -> the tag it stands for, as digest.toml says."""
    return {fold(alias): name for alias, name in session.config.tags.aliases.items()}
