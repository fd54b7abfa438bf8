"""The readers' pages and the addresses that machines call: one Starlette application.

Every area is a module with `routes(site)`. What holds for all of them is around them: no page
without the security headers, no body beyond its cap, no Host that is not ours, no token in a log.
A GET changes nothing, because mail scanners follow every link.
"""

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route, Router

from digest.renderer import Renderer
from digest.web import (
    approval,
    archive,
    choosing,
    confirming,
    following,
    guards,
    health,
    hooks,
    leaving,
    linking,
    looks,
    metrics,
    personal_data,
    received,
    subscribing,
)
from digest.web.failures import HANDLERS
from digest.web.site import Site

__all__ = ["Site", "application"]


def routes(site: Site) -> list[BaseRoute]:
    """Every route of every area."""
    areas = (
        *(subscribing, confirming, choosing, leaving, linking, personal_data),
        *(archive, received, following, hooks, approval),
        *(health, metrics),
    )
    return [one for area in areas for one in area.routes(site)]


def application(site: Site) -> Starlette:
    """The application, under the path of `newsletter.base_url` if that has one."""
    sheet = looks.sheet(Renderer(site.config.templates, site.config).theme())
    every = [*routes(site), *looks.routes(sheet)]
    app = Starlette(
        routes=[Mount(site.path, Router(every, redirect_slashes=False))] if site.path else every,
        exception_handlers=HANDLERS,
        middleware=guards.middleware(site),
    )
    app.router.redirect_slashes = False
    app.state.site, app.state.sheet = site, sheet
    app.state.paths = {
        id(route.endpoint): route.path for route in every if isinstance(route, Route)
    }
    return app
