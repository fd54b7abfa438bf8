"""`digest subscribers add | list | show | history | unsubscribe | erase`."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from digest.cadence import day_in_words, hour_in_words
from digest.cli.asking import confirmed
from digest.cli.exits import Exit
from digest.cli.session import Session, project_command
from digest.cli.storage import aliases_of, open_store, person
from digest.cli.subscriber_shapes import history_json, subscription_json
from digest.cli.tables import counted, safe, table
from digest.models import NOTHING_CHOSEN, Cadence, Chosen, Preferences
from digest.preferences import canonical

if TYPE_CHECKING:
    from digest.store import Subscription

BY_COMMAND = "command line"

cadence_choice = click.Choice([cadence.value for cadence in Cadence])
json_option = click.option("--json", "as_json", is_flag=True, help="JSON (docs/json.md).")


@project_command(
    name="add",
    example="digest subscribers add ana@example.com --tag ai --tag python --consent 'on paper'",
)
@click.argument("email")
@click.option("--name", default="", help="How to greet them.")
@click.option("--tag", "tags", multiple=True, help="A tag to follow; none: everything.")
@click.option("--mute", "muted", multiple=True, help="A tag never to show.")
@click.option("--cadence", type=cadence_choice, default=Cadence.WEEKLY.value, show_default=True)
@click.option("--language", default="", metavar="CODES", help="In order: 'pl en'; none: any.")
@click.option("--timezone", default="", metavar="ZONE", help="IANA name; none: the newsletter's.")
@click.option("--day", metavar="DAY", help="mon to sun, or 1 to 28; none: the newsletter's.")
@click.option("--hour", metavar="HOUR", help="7 or 07:00; none: the newsletter's.")
@click.option("--consent", required=True, metavar="TEXT", help="How and when they agreed.")
@click.option("--back", is_flag=True, help="They left, and ask to come back as they were.")
def add(
    session: Session,
    email: str,
    name: str,
    tags: tuple[str, ...],
    muted: tuple[str, ...],
    cadence: str,
    language: str,
    timezone: str,
    day: str | None,
    hour: str | None,
    consent: str,
    back: bool,
) -> int:
    """Subscribe someone who agreed to it."""
    if back:
        return _take_back(session, email, consent)
    from digest.roster.rows import read_languages, read_name, read_timezone
    from digest.store import Consent

    if not consent.strip():
        raise click.UsageError("--consent is blank: say how and when they agreed")
    now = datetime.now(UTC)
    try:
        wanted = Preferences(
            canonical(tags, aliases_of(session)),
            not tags,
            canonical(muted, aliases_of(session)),
            read_languages(language),
        )
        added = open_store(session, makes=True).subscriptions.add(
            email,
            Consent(now, "command", consent, source=BY_COMMAND),
            now,
            name=read_name(name),
            preferences=wanted,
            cadence=Cadence(cadence),
            timezone=read_timezone(timezone),
            chosen=day_and_hour(Cadence(cadence), day, hour),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    session.say(f"added {added.subscriber.email}")
    return session.finish()


def day_and_hour(
    cadence: Cadence, day: str | None, hour: str | None, kept: Chosen = NOTHING_CHOSEN
) -> Chosen:
    """What the options say, as lists do; what they leave out is `kept`. ValueError for nonsense."""
    from digest.roster.rows import read_day, read_hour

    if day and cadence is Cadence.DAILY:
        raise ValueError("a daily issue has no day to choose")
    return Chosen(
        kept.day if day is None else read_day(cadence, day),
        kept.hour if hour is None else read_hour(hour),
    )


def _take_back(session: Session, email: str, consent: str) -> int:
    from digest.store import Consent

    context = click.get_current_context()
    for option in ("name", "tags", "muted", "cadence", "language", "timezone", "day", "hour"):
        if context.get_parameter_source(option) is not click.core.ParameterSource.DEFAULT:
            raise click.UsageError("--back brings them back as they were: change that afterwards")
    store, now = open_store(session), datetime.now(UTC)
    found = person(store, email)
    given = Consent(now, "command", consent, source=BY_COMMAND)
    store.subscriptions.take_back(found.subscriber.id, given, now)
    session.say(f"{found.subscriber.email} is back, as they were")
    return session.finish()


@project_command(name="list", example="digest subscribers list --tag ai --state confirmed")
@click.option("--state", type=click.Choice(["pending", "confirmed", "unsubscribed"]))
@click.option("--tag", default="", help="Who follows this tag.")
@click.option("--domain", default="", help="Whose address is there: example.com")
@click.option("--search", default="", metavar="TEXT", help="In address or name.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many.")
@json_option
def list_people(
    session: Session,
    state: str | None,
    tag: str,
    domain: str,
    search: str,
    limit: int | None,
    as_json: bool,
) -> int:
    """List subscribers, by address."""
    from digest.hashtags import fold
    from digest.store import Filter, State

    tag = aliases_of(session).get(fold(tag), tag)
    chosen = Filter(State(state) if state else None, fold(tag), domain, search)
    shown = 0
    for one in open_store(session).subscriptions.stream(chosen, limit=limit):
        shown += 1
        shape = subscription_json(one)
        click.echo(json.dumps(shape, ensure_ascii=False) if as_json else _line(one))
    session.say(counted(shown, "subscriber"))
    return session.finish()


@project_command(name="show", example="digest subscribers show ana@example.com")
@click.argument("email")
@json_option
def show(session: Session, email: str, as_json: bool) -> int:
    """Show one subscriber: preferences, state, and what keeps mail from them."""
    found = person(open_store(session), email)
    if as_json:
        click.echo(json.dumps(subscription_json(found), ensure_ascii=False, indent=2))
        return session.finish()
    for label, text in _facts(found):
        click.echo(f"{label:<12}{safe(text)}")
    return session.finish()


@project_command(name="history", example="digest subscribers history ana@example.com")
@click.argument("email")
@json_option
def history(session: Session, email: str, as_json: bool) -> int:
    """Tell what happened to a subscription, with the evidence that they agreed."""
    store = open_store(session)
    found = person(store, email)
    events = store.subscriptions.history(found.subscriber.id)
    if as_json:
        shape = history_json(found.subscriber.email, events)
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
        return session.finish()
    zone = session.config.newsletter.timezone
    rows = [(f"{e.at.astimezone(zone):%Y-%m-%d %H:%M}", e.kind.value, e.detail) for e in events]
    for line in table(rows):
        click.echo(line)
    return session.finish()


@project_command(name="unsubscribe", example="digest subscribers unsubscribe ana@example.com")
@click.argument("email")
def unsubscribe(session: Session, email: str) -> int:
    """Mail someone no more. Their preferences are kept in case they come back."""
    store = open_store(session)
    found = person(store, email)
    left = store.subscriptions.unsubscribe(found.subscriber.id, datetime.now(UTC), BY_COMMAND)
    session.say(f"{found.subscriber.email} {'is unsubscribed' if left else 'had left already'}")
    return session.finish()


@project_command(name="erase", example="digest subscribers erase ana@example.com")
@click.argument("email")
@click.option("--confirm", metavar="EMAIL", help="The address again, where nobody can be asked.")
def erase(session: Session, email: str, confirm: str | None) -> int:
    """Forget a person for good. A keyed hash stays, so that no import brings them back."""
    store = open_store(session)
    found = person(store, email)
    address = found.subscriber.email
    session.say(
        f"This deletes {address} with preferences, consent and history. It cannot be undone."
    )
    if not confirmed(address, confirm, "Type the address to erase it"):
        session.refuse(f"{address} was not erased")
        return Exit.DECLINED
    store.subscriptions.erase(found.subscriber.id, datetime.now(UTC), BY_COMMAND)
    session.say(f"{address} is erased")
    return session.finish()


def _line(one: "Subscription") -> str:
    reader, wanted = one.subscriber, one.subscriber.preferences
    tags = "everything" if wanted.everything else " ".join(f"#{tag}" for tag in wanted.tags)
    state = "" if one.state.value == "confirmed" else f" ({one.state.value})"
    return f"{safe(reader.email)}{state}  {reader.cadence.value}  {safe(tags)}"


def _facts(one: "Subscription") -> list[tuple[str, str]]:
    reader, wanted = one.subscriber, one.subscriber.preferences
    tags = "everything" if wanted.everything else " ".join(f"#{tag}" for tag in wanted.tags)
    facts = [
        ("Address", reader.email),
        ("Name", reader.name),
        ("State", one.state.value),
        ("Suppressed", ", ".join(one.suppressions)),
        ("Follows", tags or "nothing"),
        ("Mutes", " ".join(f"#{tag}" for tag in wanted.muted)),
        ("Cadence", reader.cadence.value),
        ("Paused", f"until {one.pause_until:%Y-%m-%d %H:%M} UTC" if one.pause_until else ""),
        ("Languages", " ".join(wanted.languages)),
        ("Time zone", reader.timezone),
        ("Day", day_in_words(reader.chosen, reader.cadence)),
        ("Hour", hour_in_words(reader.chosen)),
        ("Since", f"{one.created:%Y-%m-%d}"),
    ]
    return [(label, text) for label, text in facts if text]
