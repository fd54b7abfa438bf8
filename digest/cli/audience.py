"""Who a command speaks of: the subscribers, a persona, or tags typed on the command line."""

from collections.abc import Iterator
from difflib import get_close_matches

from digest.addresses import identity, normalise
from digest.cli.session import LATEST, Session, moment
from digest.config import secret_keys
from digest.errors import DigestError
from digest.issues import Draft, issue_at, latest_issue
from digest.models import Cadence, Issue, Preferences, Subscriber
from digest.subscribers import EVERYTHING, read_subscribers, split_tags
from digest.tokens import Keys

PREVIEW_ADDRESS = "reader@example.com"
COMPARED = 2000  # addresses looked through for the one that was meant


def keys_of(session: Session) -> Keys:
    return Keys(secret_keys(session.config))


def subscribers(session: Session, *, report: bool = True) -> Iterator[Subscriber]:
    """Everybody, streamed; rows that cannot be read are told at the end of the command."""
    config = session.config
    tell = session.report if report else (lambda finding: None)
    return read_subscribers(config.subscribers, config.root, keys_of(session).secrets[0], tell)


def subscriber(session: Session, email: str) -> Subscriber:
    """The one with this address; DigestError with the nearest when there is none."""
    try:
        wanted = identity(normalise(email))
    except ValueError as error:
        raise DigestError(f"{email!r} is no address: {error}") from None
    known = []
    for one in subscribers(session, report=False):
        if identity(one.email) == wanted:
            return one
        if len(known) < COMPARED:
            known.append(one.email)
    near = get_close_matches(email, known, n=1)
    raise DigestError(
        f"{email} is not among the subscribers",
        hint=f"did you mean {near[0]}?"
        if near
        else f"they are read from {session.config.subscribers}",
    )


def somebody(session: Session, who: str) -> Subscriber:
    """`--as`: an address, a persona of digest.toml, `*` for everything, or tags."""
    cadence = session.config.cadence
    if "@" in who:
        return subscriber(session, who)
    personas = session.config.personas
    if who in personas:
        return _invented(personas[who], cadence)
    everything = who.strip().lower() in EVERYTHING
    tags = () if everything else split_tags(who)
    return _invented(Preferences(tags=tags, everything=everything), cadence)


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


def issue_of(session: Session, at: str, cadence: Cadence) -> Issue:
    """The issue that `--at` means."""
    now = moment(at, session, end_of_day=True)
    if at == LATEST:
        return latest_issue(session.config, cadence, session.content, now)
    return issue_at(session.config, cadence, now)


def draft_for(session: Session, reader: Subscriber, at: str, cadence_name: str | None) -> Draft:
    """The issue that `--at` and `--cadence` mean for one reader: their own cadence, if any is."""
    own = reader.cadence if reader.cadence in session.config.schedule else None
    return draft_of(session, at, cadence_name or own)


def draft_of(session: Session, at: str, cadence_name: str | None) -> Draft:
    """The issue that `--at` and `--cadence` mean, on the desk."""
    cadence = cadence_of(session, cadence_name)
    issue = issue_of(session, at, cadence)
    return Draft(session.config, session.content, issue, keys_of(session))
