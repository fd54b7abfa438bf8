"""`/healthz`: the process answers. `/readyz`: it can do its work."""

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from digest.errors import StoreError
from digest.store import migrate
from digest.web.site import Site
from digest.web.visits import Visit, route


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, "/healthz", _alive), route(site, "/readyz", _ready)]


def _alive(_visit: Visit) -> Response:
    """Whatever is behind it: restarting helps no database."""
    return PlainTextResponse("ok\n")


def _ready(visit: Visit) -> Response:
    """200, or 503 with what is not as it should be; words of a fixed list, for anybody to read."""
    pulse = visit.site.pulse
    scheduler = "none here" if pulse is None else "ok" if pulse.alive else "stuck"
    standing = {"database": _database(visit.site), "scheduler": scheduler}
    ready = standing["database"] == "ok" and scheduler != "stuck"
    return JSONResponse({"ready": ready, **standing}, status_code=200 if ready else 503)


def _database(site: Site) -> str:
    try:
        standing = migrate.standing(site.store.database)
    except StoreError:
        return "unreachable"
    return "ok" if standing is migrate.Standing.CURRENT else f"schema is {standing.value}"
