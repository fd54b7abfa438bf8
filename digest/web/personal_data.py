"""`/d/TOKEN`: all that is kept, to download, delete or move; `/m/TOKEN`: the new mailbox's yes."""

import json
from datetime import datetime

from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.addresses import normalise
from digest.errors import StoreError, TokenError
from digest.store import Request, RequestKind, Subscription
from digest.tokens import Purpose
from digest.web import asking, letters
from digest.web.letters import fresh_preferences
from digest.web.looks import spoken
from digest.web.masking import masked
from digest.web.site import Site
from digest.web.subscribing import INVALID, check_inbox
from digest.web.visits import Visit, route


def routes(site: Site) -> list[BaseRoute]:
    return [
        route(site, "/d/{token}", _see, _act),
        route(site, "/m/{token}", _ask_move, _move),
    ]


def _see(visit: Visit) -> Response:
    return _shown(visit, _reader(visit), "", {})


def _act(visit: Visit) -> Response:
    if visit.text("do") == "delete":
        return _delete(visit)
    found = _reader(visit)
    match visit.text("do"):
        case "download":
            _used(visit, found)
            return _download(visit, found)
        case "move":
            return _ask_to_move(visit, found)
    return _shown(visit, found, "", {})


def _used(visit: Visit, found: Subscription) -> None:
    """The link did something: who asks for another one gets it."""
    email = found.subscriber.email
    visit.site.store.requests.used(RequestKind.OWN, email, visit.site.now())


def _download(visit: Visit, found: Subscription) -> Response:
    kept = json.dumps(everything_kept(visit.site, found), ensure_ascii=False, indent=2)
    name = 'attachment; filename="my-data.json"'
    headers = {"Content-Disposition": name}
    return Response(kept + "\n", media_type="application/json", headers=headers)


def everything_kept(site: Site, found: Subscription) -> dict[str, object]:
    """All that the store has of one person, in plain names."""
    reader, wanted = found.subscriber, found.subscriber.preferences
    events = site.store.subscriptions.history(reader.id)
    useful = site.store.feedback.by(reader.id)
    return {
        "schema": "digest/my-data@1",
        "newsletter": site.config.newsletter.name,
        "email": reader.email,
        "name": reader.name,
        "state": found.state.value,
        "suppressed": [reason.value for reason in found.suppressions],
        "everything": wanted.everything,
        "tags": list(wanted.tags),
        "muted": list(wanted.muted),
        "languages": list(wanted.languages),
        "cadence": reader.cadence.value,
        "timezone": reader.timezone,
        "day": reader.chosen.day,
        "hour": reader.chosen.hour,
        "created": _iso(found.created),
        "pause_until": _iso(found.pause_until),
        "covered_until": _iso(found.covered_until),
        "history": [
            {"at": _iso(one.at), "kind": one.kind.value, "detail": one.detail} for one in events
        ],
        "issues": [
            {
                "issue": one.issue,
                "state": one.state,
                "submitted": _iso(one.submitted),
                "useful": useful.get(one.issue),
            }
            for one in site.store.ledger.to_person(reader.id)
        ],
    }


def _delete(visit: Visit) -> Response:
    """Once they are gone it is done, also for a second press, at the same moment or later."""
    subscriptions, person = visit.site.store.subscriptions, visit.subject(Purpose.OWN)
    found = subscriptions.get(person)
    try:
        if found is not None:
            subscriptions.erase(person, visit.site.now(), "their own page")
    except StoreError:
        if subscriptions.get(person) is not None:
            raise  # the database is busy: nothing was done
    reader = found.subscriber.preferences if found else None
    tr = visit.translations(reader)
    return visit.told(
        tr.gettext("Everything is deleted"),
        tr.gettext(
            "We keep no address, no preferences and no history of yours. All that is left is an "
            "irreversible mark that keeps us from mailing you by mistake."
        ),
        reader=reader,
    )


def _ask_to_move(visit: Visit, found: Subscription) -> Response:
    email, tr = visit.text("email"), visit.translations(found.subscriber.preferences)
    try:
        normalise(email)
    except ValueError:
        wrong = tr.gettext("Enter an email address, like ana@example.com")
        return _shown(visit, found, email, {"email": wrong})
    visit.site.restraint.mail(visit.asker)
    asking.to_move(visit.site, found, email)
    _used(visit, found)
    return check_inbox(visit, email, found.subscriber.preferences)


def _shown(visit: Visit, found: Subscription, email: str, mistakes: dict[str, str]) -> Response:
    reader = found.subscriber
    return visit.page(
        "personal-data.html",
        status=INVALID if mistakes else 200,
        reader=reader.preferences,
        address=masked(reader.email),
        email=email,
        mistakes=mistakes,
    )


def _ask_move(visit: Visit) -> Response:
    found, reader = _request(visit)
    if found.done:
        return _moved(visit, reader, masked(reader.subscriber.email))
    return visit.page(
        "move.html",
        reader=reader.subscriber.preferences,
        old=masked(reader.subscriber.email),
        new=found.email,
        goes_on=reader.goes_on,
    )


def _move(visit: Visit) -> Response:
    site = visit.site
    found, reader = _request(visit)
    if found.done:
        return _moved(visit, reader, masked(reader.subscriber.email))
    tr = visit.translations(reader.subscriber.preferences)
    try:
        moved = site.store.requests.move(found.id, site.now())
    except StoreError:
        return visit.told(
            tr.gettext("This address cannot be used"),
            tr.gettext("Nothing was changed. Ask for another one, or write to us."),
            status=409,
            reader=reader.subscriber.preferences,
        )
    old = reader.subscriber
    site.mail(letters.moved(site, old.email, spoken(site, old), moved.goes_on), lambda: None)
    return _moved(visit, moved, moved.subscriber.email)  # in full to its holder, who pressed


def _moved(visit: Visit, found: Subscription, address: str) -> Response:
    reader = found.subscriber
    tr = visit.translations(reader.preferences)
    title, told = (
        (
            tr.gettext("Your subscription has moved"),
            tr.gettext("From now on it goes to %(address)s."),
        )
        if found.goes_on
        else (
            tr.gettext("Your address has changed"),
            tr.gettext("We know you by %(address)s now. You get no issues, as before."),
        )
    )
    return visit.told(
        title,
        told % {"address": address},
        reader=reader.preferences,
        button=(
            tr.gettext("See and change my preferences"),
            fresh_preferences(visit.site, reader),
        ),
    )


def _reader(visit: Visit) -> Subscription:
    found = visit.site.store.subscriptions.get(visit.subject(Purpose.OWN))
    if found is None:
        raise TokenError("this link is not valid")
    return found


def _request(visit: Visit) -> tuple[Request, Subscription]:
    """What was asked, and by whom. TokenError, as for a bad token, when either is gone."""
    found = visit.site.store.requests.find(visit.subject(Purpose.CHANGE))
    reader = visit.site.store.subscriptions.get(found.person) if found and found.person else None
    if found is None or reader is None:
        raise TokenError("this link is not valid")
    return found, reader


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
