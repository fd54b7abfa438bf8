"""`/p/TOKEN`: a reader's preferences. Seen before they are saved, undone after.

What only the mailbox's owner may do (another address, all data, deletion, coming back) is behind a
link that is mailed first: mails get forwarded, and the links in them with it.
"""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from digest.cadence import days
from digest.errors import TokenError
from digest.models import Cadence, Preferences, State, Subscriber
from digest.store import Subscription, Wish
from digest.tokens import Purpose, preferences_url, sign, unsubscribe_url
from digest.translations import Translations
from digest.web import asking, choices
from digest.web.choices import Choice
from digest.web.guards import POLICY
from digest.web.looking import Look
from digest.web.masking import masked
from digest.web.rhythm import choosable, in_words, next_moment, summary, when, zone_of
from digest.web.site import Site
from digest.web.subscribing import INVALID, consent, consent_text
from digest.web.visits import Visit, route
from digest.web.zones import offered, zones

PAUSES = (14, 30, 90)  # days
LONGEST = timedelta(days=3660)  # of a pause that is brought back; a publisher may have made it
PAUSED, NOT_PAUSED = "paused", ""  # of the field `pause`, beside numbers of days
# A mail has its styles in it; what it may do is said by the frame's sandbox: nothing.
LOOK_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, "/p/{token}", _see, _act)]


def _see(visit: Visit) -> Response:
    found = _reader(visit)
    if not asking.active(found):
        return _inactive(visit, found)
    return _shown(visit, found, choices.of(found.subscriber), _pause(found))


def _act(visit: Visit) -> Response:
    found = _reader(visit)
    match visit.text("do"):
        case "own":
            visit.site.restraint.mail(visit.asker)
            mailed = asking.for_own_data(visit.site, found.subscriber)
            return _mailed(visit, found, "mailed" if mailed else "waiting")
        case "again":
            visit.site.restraint.mail(visit.asker)
            return _again(visit, found)
    if not asking.active(found):
        return _inactive(visit, found)
    topics = choices.offered(visit.site, found.subscriber.preferences)
    choice = choices.read(visit, topics, choices.of(found.subscriber))
    pause = visit.text("pause")
    mistakes = choices.mistakes(choice, visit.translations(found.subscriber.preferences))
    if mistakes:
        return _shown(visit, found, choice, pause, mistakes=mistakes)
    if visit.text("do") == "look":
        visit.site.restraint.rendering(visit.asker)
        return _looked(visit, found, choice, pause)
    return _save(visit, found, choice, pause)


def _save(visit: Visit, found: Subscription, choice: Choice, pause: str) -> Response:
    site, person, now = visit.site, found.subscriber.id, visit.site.now()
    site.store.subscriptions.change(
        person,
        now,
        lambda _: choice.preferences,
        cadence=choices.cadence_of(choice, site),
        timezone=choice.timezone,
        chosen=choice.chosen,
    )
    if until := _until(pause, now):
        site.store.subscriptions.pause(person, until, now)
    elif pause == NOT_PAUSED and found.pause_until:
        site.store.subscriptions.resume(person, now)
    was = [*choices.of(found.subscriber).fields(), ("pause", _paused_until(found, now))]
    # what was before goes along in the address, for the button that undoes
    return RedirectResponse(f"{visit.request.url.path}?saved&{urlencode(was)}", 303)


def _looked(visit: Visit, found: Subscription, choice: Choice, pause: str) -> Response:
    site = visit.site
    reader = _with(found.subscriber, choice, site)
    here = preferences_url(site.config.newsletter.base_url, visit.token)
    look = site.look(site.content(), reader, found.covered_until, site.now(), here)
    return _shown(visit, found, choice, pause, looked=True, look=look, headers={_CSP: LOOK_POLICY})


def _shown(
    visit: Visit,
    found: Subscription,
    choice: Choice,
    pause: str,
    *,
    mistakes: dict[str, str] | None = None,
    looked: bool = False,
    look: Look | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    site, reader = visit.site, found.subscriber
    tr = visit.translations(reader.preferences)
    leave = unsubscribe_url(site.path, sign(site.keys, Purpose.UNSUBSCRIBE, reader.id))
    saved = "saved" in visit.request.query_params
    return visit.page(
        "preferences.html",
        status=INVALID if mistakes else 200,
        reader=reader.preferences,
        headers=headers,
        address=masked(reader.email),
        choice=choice,
        own=choices.of(reader),
        mistakes=mistakes or {},
        topics=choices.offered(site, reader.preferences),
        known=site.topics(),
        mixed=choices.mixed(site, tr.code),
        cadences=[(one, when(site.config, one, tr)) for one in site.config.schedule],
        own_hour=any(one.local_time or one.choose for one in site.config.schedule.values()),
        choosable=[(one, _days_of(one, tr)) for one in choosable(site.config)],
        zones=zones(tr.code),
        other_zone="" if offered(reader.timezone) else reader.timezone,
        pause=pause,
        pauses=PAUSES,
        paused=_day(visit, found, found.pause_until),
        nothing_until=_day(visit, found, _until(pause, site.now()) or _kept(pause, found)),
        leave=leave,
        saved=_sentence(visit, reader) if saved and not looked and not mistakes else "",
        was=_was(visit) if saved else [],
        looked=looked,
        look=look,
        arrival="" if mistakes else _arrival(site, _with(reader, choice, site), tr),
    )


def _inactive(visit: Visit, found: Subscription) -> Response:
    """They left, or never confirmed, or their mailbox refused us: coming back is one mail away."""
    reader = found.subscriber
    return visit.page(
        "inactive.html",
        reader=reader.preferences,
        address=masked(reader.email),
        left=found.state is State.UNSUBSCRIBED,
        reasons=[reason.value for reason in found.suppressions],
    )


def _again(visit: Visit, found: Subscription) -> Response:
    """A link to the mailbox: a forwarded mail must not bring back who left."""
    site, reader = visit.site, found.subscriber
    tr = visit.translations(reader.preferences)
    given = consent(visit, "form", consent_text(site, tr), "preferences page")
    wanted = reader.preferences
    if not wanted.everything and not wanted.tags:
        wanted = Preferences(everything=True, muted=wanted.muted, languages=wanted.languages)
    wish = Wish(wanted, reader.cadence, reader.timezone, given)
    asking.to_subscribe(site, reader.email, wish, tr)
    return _mailed(visit, found)


def _mailed(visit: Visit, found: Subscription, own: str = "") -> Response:
    email = masked(found.subscriber.email)
    reader = found.subscriber.preferences
    return visit.page("check-inbox.html", reader=reader, email=email, webmail=None, own=own)


def _reader(visit: Visit) -> Subscription:
    """TokenError, as for a bad token, when the reader is not here any more."""
    found = visit.site.store.subscriptions.get(visit.subject(Purpose.PREFERENCES))
    if found is None:
        raise TokenError("this link is not valid")
    return found


def _with(reader: Subscriber, choice: Choice, site: Site) -> Subscriber:
    """The reader as they would be."""
    cadence = choices.cadence_of(choice, site)
    return Subscriber(
        reader.id,
        reader.email,
        reader.name,
        choice.preferences,
        cadence,
        choice.timezone,
        choice.chosen,
    )


def _days_of(cadence: Cadence, tr: Translations) -> list[tuple[str, str]]:
    """The days to choose from, as they are sent and as they are read."""
    weekly = cadence is Cadence.WEEKLY
    return [(str(day), tr.weekday(day) if weekly else str(day)) for day in days(cadence)]


def _pause(found: Subscription) -> str:
    return PAUSED if found.pause_until else NOT_PAUSED


def _paused_until(found: Subscription, now: datetime) -> str:
    """The same as a field that brings it back: a moment, for a day would be another one."""
    until = found.pause_until
    return until.isoformat() if until and until > now else NOT_PAUSED


def _until(pause: str, now: datetime) -> datetime | None:
    """When a pause that the form asks for ends; None when it asks for none that we give."""
    if pause.isdecimal() and int(pause) in PAUSES:
        return now + timedelta(days=int(pause))
    try:
        until = datetime.fromisoformat(pause)
    except ValueError:
        return None
    return until if until.tzinfo and now < until <= now + LONGEST else None


def _kept(pause: str, found: Subscription) -> datetime | None:
    """When the pause that they have ends, if the form leaves it as it is."""
    return found.pause_until if pause == PAUSED else None


def _day(visit: Visit, found: Subscription, until: datetime | None) -> str:
    """Until when nothing comes; empty when no pause is under way."""
    if until is None or until <= visit.site.now():
        return ""
    tr = visit.translations(found.subscriber.preferences)
    return tr.format_date(until, visit.site.config.newsletter.timezone)


def _sentence(visit: Visit, reader: Subscriber) -> str:
    """`You now get Platform Weekly weekly, about #ai and #python.`"""
    tr = visit.translations(reader.preferences)
    tags = choices.spelled(visit.site, reader.preferences.tags)
    chosen = summary(reader.preferences.everything, tags, reader.cadence, tr)
    named = {"newsletter": visit.site.config.newsletter.name, "choice": chosen}
    return tr.gettext("You now get %(newsletter)s: %(choice)s.") % named


def _arrival(site: Site, reader: Subscriber, tr: Translations) -> str:
    """When their next issue comes."""
    moment = next_moment(site.config, reader, site.now())
    return in_words(moment, zone_of(site.config, reader.timezone), tr)


def _was(visit: Visit) -> list[tuple[str, str]]:
    """The fields that the address carries: they only fill in a form, which is read like any."""
    allowed = {"what", "tag", "mute", "cadence", "language", "timezone", "pause", *choices.FIELDS}
    return [(n, v) for n, v in visit.request.query_params.multi_items() if n in allowed]


_CSP = "Content-Security-Policy"
