"""`/c/TOKEN`: the yes from the mailbox that makes somebody a subscriber."""

from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.errors import StoreError, TokenError
from digest.store import Request
from digest.tokens import Purpose
from digest.web import asking, choices
from digest.web.letters import fresh_preferences
from digest.web.rhythm import in_words, next_moment, summary, zone_of
from digest.web.site import Site
from digest.web.subscribing import consent
from digest.web.visits import Visit, route


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, "/c/{token}", _ask, _answer)]


def _ask(visit: Visit) -> Response:
    found = _request(visit)
    if found.wish is None:
        return _already(visit, found)
    wanted = found.wish.preferences
    tr = visit.translations(wanted)
    return visit.page(
        "confirm.html",
        reader=wanted,
        choice=summary(wanted.everything, wanted.tags, found.wish.cadence, tr),
        email=found.email,
    )


def _answer(visit: Visit) -> Response:
    found = _request(visit)
    if found.wish is None:
        return _already(visit, found)
    if visit.text("do") == "forget":
        return _forget(visit, found)
    site, tr = visit.site, visit.translations(found.wish.preferences)
    given = consent(visit, "confirmation", tr.gettext("Confirm my subscription"), "mailed link")
    try:
        reader = site.store.requests.confirm(found.id, given, site.now()).subscriber
    except StoreError:
        return _refused(visit, found)
    tags = choices.spelled(site, reader.preferences.tags)
    first = next_moment(site.config, reader, site.now())
    return visit.page(
        "confirmed.html",
        reader=reader.preferences,
        choice=summary(reader.preferences.everything, tags, reader.cadence, tr),
        first=in_words(first, zone_of(site.config, reader.timezone), tr),
        preferences=fresh_preferences(site, reader),
    )


def _request(visit: Visit) -> Request:
    """TokenError, as for a bad token, when the request is forgotten."""
    found = visit.site.store.requests.find(visit.subject(Purpose.CONFIRM))
    if found is None:
        raise TokenError("this link is not valid")
    return found


def _forget(visit: Visit, found: Request) -> Response:
    visit.site.store.requests.drop(found.id)
    tr = visit.translations()
    return visit.told(
        tr.gettext("Your address is forgotten"),
        tr.gettext("Nothing of this request is kept, and no mail will come of it."),
    )


def _already(visit: Visit, found: Request) -> Response:
    """They may have left since: this link neither brings them back nor says that they are in."""
    known = visit.site.store.subscriptions.get(found.person) if found.person else None
    reader = known.subscriber.preferences if known else None
    tr = visit.translations(reader)
    if known is not None and asking.active(known):
        return visit.told(
            tr.gettext("Already confirmed"),
            tr.gettext(
                "You are subscribed. To see or change what you get, have a link sent to you."
            ),
            reader=reader,
            button=(tr.gettext("Email me a link to my preferences"), "/link"),
        )
    return visit.told(
        tr.gettext("This link was used already"),
        tr.gettext("The subscription that it confirmed has ended since."),
        reader=reader,
        button=(tr.gettext("Subscribe again"), "/"),
    )


def _refused(visit: Visit, found: Request) -> Response:
    """It was answered at the same moment, or an old no stands against the address."""
    now = visit.site.store.requests.find(found.id)
    if now is None or now.done:
        return _already(visit, now or found)
    tr = visit.translations()
    return visit.told(
        tr.gettext("We cannot mail this address"),
        tr.gettext(
            "It was marked as one that wants no mail from us. If that is a mistake, "
            "write to us and a person will help."
        ),
        status=409,
    )
