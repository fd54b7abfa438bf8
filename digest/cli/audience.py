"""Who a command speaks of: the subscribers, a persona, or tags typed on the command line."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from digest.cli.session import LATEST, Session, moment
from digest.config import STORE_FILE, secret_keys
from digest.dues import issue_at, latest_issue
from digest.errors import DigestError
from digest.issues import Draft
from digest.listing import UNLISTED, Listing
from digest.models import Cadence, Finding, Issue, Preferences, Subscriber
from digest.readership import Found, ListedReaders, Readership, StoredReaders
from digest.roster.cells import EVERYTHING, split_tags
from digest.tokens import Keys

if TYPE_CHECKING:
    from digest.desk import Desk
    from digest.store import Store

_OPEN = "digest.store"  # in click's own memory of a run
OPERATORS = {"and", "or", "not"}
PREVIEW_ADDRESS = "reader@example.com"


def keys_of(session: Session) -> Keys:
    return Keys(secret_keys(session.config, lasting=session.sends))


def store_of(session: Session) -> "Store | None":
    """The open store; None as long as the project has none. Opened once, closed at the end."""
    config, context = session.config, click.get_current_context()
    if not config.database and not (config.root / STORE_FILE).exists():
        return None
    if _OPEN not in context.meta:
        from digest.store import Store, url_of

        store = Store.open(url_of(config.database, config.root), secret_keys(config))
        context.call_on_close(store.close)
        context.meta[_OPEN] = store
    opened: Store = context.meta[_OPEN]
    return opened


def readership(session: Session, *, report: bool = True) -> Readership:
    """Everybody: from the store once there is one, else from the CSV files.

    Rows that cannot be read are told at the end of the command.
    """
    store = store_of(session)
    if store is not None:
        return StoredReaders(store)
    key = keys_of(session).secrets[0]
    return ListedReaders(session.config, key, session.report if report else _silent)


def _silent(finding: Finding) -> None:
    """A second pass over the same rows has nothing new to tell."""


def subscriber(session: Session, email: str) -> Found:
    """The one with this address; DigestError when there is none."""
    try:
        found = readership(session, report=False).find(email, datetime.now(UTC))
    except ValueError as error:
        raise DigestError(f"{email!r} is no address: {error}") from None
    if found is None:
        raise DigestError(f"{email} is not among the subscribers", hint="look for a typing error")
    return found


def somebody(session: Session, who: str) -> Found:
    """`--as`: an address, a persona of digest.toml, `*` for everything, or tags."""
    cadence = session.config.cadence
    if "@" in who:
        return subscriber(session, who)
    personas = session.config.personas
    if who in personas:
        return Found(_invented(personas[who], cadence))
    if OPERATORS & set(who.lower().split()) or "(" in who:
        raise DigestError(
            f"{who!r} is an expression, and --as takes tags",
            hint="name the tags alone: --as 'ai llm'; expressions are for: digest stories --tags",
        )
    everything = who.strip().lower() in EVERYTHING
    tags = () if everything else split_tags(who)
    return Found(_invented(Preferences(tags=tags, everything=everything), cadence))


def _invented(preferences: Preferences, cadence: Cadence) -> Subscriber:
    return Subscriber(0, PREVIEW_ADDRESS, "", preferences, cadence, "")


def cadence_of(session: Session, name: str | None) -> Cadence:
    """The cadence that was named, or the newsletter's; DigestError when it has no schedule."""
    cadence = Cadence(name) if name else session.config.cadence
    if cadence not in session.config.schedule:
        raise DigestError(
            f"{cadence.value} has no schedule",
            hint=f"add to {session.config.path.name}: [cadence.{cadence.value}]  (docs/config.md)",
        )
    return cadence


def issue_of(session: Session, at: str, cadence: Cadence, listing: Listing = UNLISTED) -> Issue:
    """The issue that `--at` means."""
    now = moment(at, session, end_of_day=True)
    if at == LATEST:
        now = latest_issue(
            session.config, cadence, session.content.stories, now, listing
        ).window.end
    store = store_of(session)
    if store is None:
        return issue_at(session.config, cadence, now)
    from digest.planning import issue_of as issue_of_store

    return issue_of_store(session.config, store, cadence, now)


def draft_for(
    session: Session, found: Found, at: str, cadence_name: str | None
) -> tuple[Draft, datetime | None]:
    """The issue that `--at` and `--cadence` mean for one reader: their own cadence, if any is.

    With the reader's mark, as long as the issue is still to come for them. Nothing is written.
    """
    reader = found.subscriber
    own = reader.cadence if reader.cadence in session.config.schedule else None
    cadence = cadence_of(session, cadence_name or own)
    desk = desk_of(session, takes_in=False)
    if desk is None:
        return draft_of(session, at, cadence.value), None
    issue = issue_of(session, at, cadence, desk.listing)
    covered = found.covered if found.covered and found.covered < issue.window.end else None
    return desk.look(issue, covered), covered


def draft_of(session: Session, at: str, cadence_name: str | None) -> Draft:
    """The issue that `--at` and `--cadence` mean, whatever a store may know of it."""
    cadence = cadence_of(session, cadence_name)
    issue = issue_of(session, at, cadence)
    return Draft(session.config, session.content, issue, keys_of(session))


def laid_out(session: Session, at: str, cadence_name: str | None, *, replan: bool) -> Draft:
    """The issue that `--at` and `--cadence` mean, to be planned and sent."""
    desk = desk_of(session)
    if desk is None:
        return draft_of(session, at, cadence_name)
    cadence = cadence_of(session, cadence_name)
    return desk.lay_out(issue_of(session, at, cadence, desk.listing), replan=replan)


def desk_of(session: Session, *, takes_in: bool = True) -> "Desk | None":
    """Where the store's issues are laid out; None without a store."""
    store = store_of(session)
    if store is None:
        return None
    from digest.desk import Desk, glance, take_in

    now = datetime.now(UTC)
    if takes_in:
        content, listing = take_in(store, session.read_anew, now)
    else:
        content, listing = session.content, glance(store, session.content.stories, now)
    return Desk(session.config, content, listing, keys_of(session), store, now)
