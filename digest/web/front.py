"""The newsletter's first page."""

from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.web.looks import page
from digest.web.site import Site
from digest.web.visits import Visit, route


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, "/", _front)]


def _front(visit: Visit) -> Response:
    return page(visit.request, "front.html")
