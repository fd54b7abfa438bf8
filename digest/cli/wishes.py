"""`digest subscribers tag | untag | mute | unmute | when | pause | resume`: one person's wishes."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from digest.cadence import day_in_words, hour_in_words
from digest.cli.people import cadence_choice, day_and_hour
from digest.cli.session import Moment, Session, moment, project_command
from digest.cli.storage import aliases_of, open_store, person
from digest.cli.tables import safe
from digest.errors import DigestError
from digest.hashtags import fold
from digest.models import NOTHING_CHOSEN, Cadence, Preferences, Subscriber
from digest.preferences import Edit, canonical, everything, follow, unfollow
from digest.preferences import mute as never_show
from digest.preferences import unmute as show_again

if TYPE_CHECKING:
    from digest.store import Subscription

tags_argument = click.argument("tags", nargs=-1, metavar="TAG...")


@project_command(name="tag", example="digest subscribers tag ana@example.com ai open-source")
@click.argument("email")
@tags_argument
@click.option("--everything", "all_tags", is_flag=True, help="All tags but the muted ones.")
@click.option("--cadence", type=cadence_choice, help="Change how often as well.")
def tag(
    session: Session, email: str, tags: tuple[str, ...], all_tags: bool, cadence: str | None
) -> int:
    """Let someone follow tags. Who got everything gets just these from then on."""
    if bool(tags) == all_tags:
        raise click.UsageError("name tags to follow, or --everything")
    edit = everything() if all_tags else follow(_canonical(session, tags))
    return _change(session, email, edit, Cadence(cadence) if cadence else None)


@project_command(name="untag", example="digest subscribers untag ana@example.com ai")
@click.argument("email")
@tags_argument
def untag(session: Session, email: str, tags: tuple[str, ...]) -> int:
    """Let someone follow tags no more."""
    names = _canonical(session, tags)
    return _change(session, email, unfollow((*names, *tags)), known="tags", names=tags)


@project_command(name="mute", example="digest subscribers mute ana@example.com crypto")
@click.argument("email")
@tags_argument
def mute(session: Session, email: str, tags: tuple[str, ...]) -> int:
    """Never show someone a story with one of these tags."""
    return _change(session, email, never_show(_canonical(session, tags)))


@project_command(name="unmute", example="digest subscribers unmute ana@example.com crypto")
@click.argument("email")
@tags_argument
def unmute(session: Session, email: str, tags: tuple[str, ...]) -> int:
    """Show someone stories with these tags again."""
    names = _canonical(session, tags)
    return _change(session, email, show_again((*names, *tags)), known="muted", names=tags)


@project_command(
    name="when", example="digest subscribers when ana@example.com --day tue --hour 07:00"
)
@click.argument("email")
@click.option("--cadence", type=cadence_choice, help="How often; a new one forgets day and hour.")
@click.option("--day", metavar="DAY", help="mon to sun, or 1 to 28; '': the newsletter's.")
@click.option("--hour", metavar="HOUR", help="7 or 07:00; '': the newsletter's.")
@click.option("--timezone", metavar="ZONE", help="IANA name; '': the newsletter's.")
def when(
    session: Session,
    email: str,
    cadence: str | None,
    day: str | None,
    hour: str | None,
    timezone: str | None,
) -> int:
    """Set how often, on which day and at which hour someone gets their digest."""
    from digest.roster.rows import read_timezone

    if (cadence, day, hour, timezone) == (None,) * 4:
        raise click.UsageError("say what to change: --cadence, --day, --hour or --timezone")
    store = open_store(session)
    before = person(store, email).subscriber
    wanted = Cadence(cadence) if cadence else before.cadence
    kept = before.chosen if wanted is before.cadence else NOTHING_CHOSEN
    try:
        chosen = day_and_hour(wanted, day, hour, kept)
        zone = None if timezone is None else read_timezone(timezone)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    now = datetime.now(UTC)
    store.subscriptions.change(before.id, now, cadence=wanted, timezone=zone, chosen=chosen)
    after = person(store, email).subscriber
    session.say(f"{after.email} {_rhythm(after)}")
    if after.chosen != NOTHING_CHOSEN and not _may_choose(session, wanted):
        session.say(f"no effect yet: `choose` is not set in [cadence.{wanted}]")
    return session.finish()


def _rhythm(reader: Subscriber) -> str:
    day, hour = day_in_words(reader.chosen, reader.cadence), hour_in_words(reader.chosen)
    named = [f"day {day}" if day else "", f"hour {hour}" if hour else "", reader.timezone]
    own = ", ".join(filter(None, named))
    return f"gets {reader.cadence} issues, {own or 'when the newsletter sends them'}"


def _may_choose(session: Session, cadence: Cadence) -> bool:
    configured = session.config.schedule.get(cadence)
    return configured is not None and configured.choose


@project_command(
    name="pause", example="digest subscribers pause ana@example.com --until 2027-01-07"
)
@click.argument("email")
@click.option("--until", type=Moment(), required=True, help="When mail begins again.")
def pause(session: Session, email: str, until: str) -> int:
    """Mail someone nothing until a time."""
    when, now = moment(until, session), datetime.now(UTC)
    if when <= now:
        raise click.UsageError(f"--until {until} is in the past")
    store = open_store(session)
    found = person(store, email)
    store.subscriptions.pause(found.subscriber.id, when, now)
    session.say(f"{found.subscriber.email} is paused until {until}{_kept_from(found)}")
    return session.finish()


@project_command(name="resume", example="digest subscribers resume ana@example.com")
@click.argument("email")
def resume(session: Session, email: str) -> int:
    """End a pause."""
    store = open_store(session)
    found = person(store, email)
    ended = store.subscriptions.resume(found.subscriber.id, datetime.now(UTC))
    kept = _kept_from(found)
    now = "is paused no more" if kept else "is due again"
    session.say(f"{found.subscriber.email} {now if ended else 'was not paused'}{kept}")
    return session.finish()


def _kept_from(found: "Subscription") -> str:
    """What keeps mail from someone whether they pause or not."""
    why = [reason.value for reason in found.suppressions]
    if found.state.value != "confirmed" and found.state.value not in why:
        why.insert(0, found.state.value)
    return f", but gets no mail anyway: {', '.join(why)}" if why else ""


def _canonical(session: Session, tags: tuple[str, ...]) -> tuple[str, ...]:
    """The tags by the aliases of digest.toml, so that people and posts mean the same."""
    if not tags:
        raise click.UsageError("name at least one tag")
    try:
        return canonical(tags, aliases_of(session))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _change(
    session: Session,
    email: str,
    edit: Edit,
    cadence: Cadence | None = None,
    *,
    known: str = "",
    names: tuple[str, ...] = (),
) -> int:
    """Apply an edit and say what holds now. `names` must be among the tags that `known` names."""
    store = open_store(session)
    found = person(store, email)
    if known:
        _require(found, known, names)
    store.subscriptions.change(found.subscriber.id, datetime.now(UTC), edit, cadence=cadence)
    kept = person(store, email).subscriber  # with the spellings that the store has
    session.say(safe(f"{kept.email} {_sentence(kept.preferences)}"))
    return session.finish()


def _require(found: "Subscription", known: str, names: tuple[str, ...]) -> None:
    wanted = found.subscriber.preferences
    have = wanted.tags if known == "tags" else wanted.muted
    keys = {fold(tag) for tag in have}
    unknown = [tag for tag in names if fold(tag) not in keys]
    if unknown:
        verb = "follows" if known == "tags" else "mutes"
        raise DigestError(
            f"{found.subscriber.email} does not {verb.removesuffix('s')} #{unknown[0]}",
            hint=f"{verb}: {' '.join(f'#{tag}' for tag in have) or 'nothing'}",
        )


def _sentence(wanted: Preferences) -> str:
    tags = " ".join(f"#{tag}" for tag in wanted.tags)
    follows = "everything" if wanted.everything else tags or "nothing, and so gets no mail"
    mutes = " ".join(f"#{tag}" for tag in wanted.muted)
    return f"follows {follows}" + (f", and mutes {mutes}" if mutes else "")
