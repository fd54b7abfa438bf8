"""`/link`: a fresh link to one's preferences, to whoever is or was subscribed under an address."""

from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.addresses import recognised
from digest.web import asking, honesty
from digest.web.site import Site
from digest.web.subscribing import INVALID, check_inbox
from digest.web.visits import Visit, route


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, "/link", _form, _send)]


def _form(visit: Visit) -> Response:
    return _shown(visit, "", {})


def _send(visit: Visit) -> Response:
    email, tr = visit.text("email"), visit.translations()
    if honesty.baited(visit):
        return check_inbox(visit, email)
    try:
        recognised(email)
    except ValueError:
        wrong = tr.gettext("Enter an email address, like ana@example.com")
        return _shown(visit, email, {"email": wrong})
    if not honesty.timely(visit):
        wrong = tr.gettext("Please look this over and send it once more")
        return _shown(visit, email, {"form": wrong})
    visit.site.restraint.mail(visit.asker)
    asking.for_a_link(visit.site, email)
    return check_inbox(visit, email)


def _shown(visit: Visit, email: str, mistakes: dict[str, str]) -> Response:
    site = visit.site
    return visit.page(
        "link.html",
        status=INVALID if mistakes else 200,
        email=email,
        mistakes=mistakes,
        bait=honesty.BAIT,
        stamp=honesty.stamp(site.keys, site.now()),
    )
