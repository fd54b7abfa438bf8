"""`/u/TOKEN`: stop the mail; by a button, or by the one POST of a mail provider (RFC 8058).

A GET shows a page and changes nothing. The token does this alone and never expires; a token of
another purpose, good for half an hour and given to who pressed the button, takes that leaving back
and no later one.
"""

from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.errors import StoreError
from digest.models import State, SuppressionReason
from digest.store import EventKind, Subscription
from digest.tokens import Purpose, sign
from digest.web.letters import fresh_preferences
from digest.web.masking import masked
from digest.web.site import UNDO, Site
from digest.web.subscribing import consent
from digest.web.visits import Visit, route

FIELD, ONE_CLICK = "List-Unsubscribe", "One-Click"  # RFC 8058 3.1
BY_PROVIDER, BY_PAGE = "one-click", "their own page"


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, "/u/{token}", _ask, _leave), route(site, "/b/{token}", post=_return)]


def _ask(visit: Visit) -> Response:
    return _shown(visit, visit.site.store.subscriptions.get(visit.subject(Purpose.UNSUBSCRIBE)))


def _leave(visit: Visit) -> Response:
    person = visit.subject(Purpose.UNSUBSCRIBE)
    if visit.text(FIELD) != ONE_CLICK:
        return _shown(visit, visit.site.store.subscriptions.get(person))
    by_hand = bool(visit.text("page"))
    try:
        left = visit.site.store.subscriptions.unsubscribe(
            person, visit.site.now(), BY_PAGE if by_hand else BY_PROVIDER
        )
    except StoreError:
        if visit.site.store.subscriptions.get(person) is not None:
            raise  # the database is busy: nothing was done, and the provider will ask again
        return _gone(visit, None)
    if not by_hand:  # a machine: nobody sees the page
        return _gone(visit, None)
    undo = _undo(visit.site, person) if left else ""
    return _gone(visit, visit.site.store.subscriptions.get(person), undo, done=True)


def _undo(site: Site, person: int) -> str:
    """What stands behind `/b/`."""
    leaving, expires = _leaving(site, person), site.now() + UNDO
    token = sign(site.keys, Purpose.RETURN, person, context=leaving, expires=expires)
    return f"{token}?leaving={leaving}"


def _leaving(site: Site, person: int) -> str:
    """Which of their leavings is the last one: the first, the second."""
    events = site.store.subscriptions.history(person)
    return str(sum(one.kind is EventKind.UNSUBSCRIBED for one in events))


def _return(visit: Visit) -> Response:
    """They did not mean to; what was chosen is as it was."""
    site, leaving = visit.site, visit.request.query_params.get("leaving", "")
    person = visit.subject(Purpose.RETURN, leaving)
    found = site.store.subscriptions.get(person)
    if found is None:
        return _gone(visit, None)
    tr = visit.translations(found.subscriber.preferences)
    if set(found.suppressions) - {SuppressionReason.UNSUBSCRIBED}:
        return _gone(visit, found, done=True)  # more stands against it than their own leaving
    if found.state is State.UNSUBSCRIBED:
        if leaving != _leaving(site, person):
            return _gone(visit, found)  # they took it back, and have left again since
        given = consent(visit, "undo", tr.gettext("Undo: keep my subscription"), BY_PAGE)
        site.store.subscriptions.take_back(person, given, site.now())
    elif found.suppressions:
        return _gone(visit, found)  # their provider has told us since that they left
    return visit.told(
        tr.gettext("You are still subscribed"),
        tr.gettext("Nothing was changed: you get the same as before."),
        reader=found.subscriber.preferences,
        button=(
            tr.gettext("See and change my preferences"),
            fresh_preferences(site, found.subscriber),
        ),
    )


def _shown(visit: Visit, found: Subscription | None) -> Response:
    if found is None or _has_left(found):
        return _gone(visit, found)
    reader = found.subscriber
    return visit.page("unsubscribe.html", reader=reader.preferences, address=masked(reader.email))


def _has_left(found: Subscription) -> bool:
    """By their own word to us, or to their provider."""
    unsubscribed = SuppressionReason.UNSUBSCRIBED in found.suppressions
    return found.state is State.UNSUBSCRIBED or unsubscribed


def _gone(
    visit: Visit, found: Subscription | None, undo: str = "", *, done: bool = False
) -> Response:
    """For who leaves (`done`), and for who has left: a look back changes nothing and says so.

    Whom we do not know is not told that they are unsubscribed: they were erased, or the link is of
    a mail to nobody, and they may well get the newsletter.
    """
    reader = found.subscriber if found else None
    return visit.page(
        "unsubscribed.html",
        reader=reader.preferences if reader else None,
        address=masked(reader.email) if reader else "",
        undo=undo,
        done=done,
    )
