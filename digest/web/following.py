"""`/g/{issue}/{code}`: where the counted links of mails lead on, to the targets of a plan alone.

Nothing of a request is in the answer, so that it can be made to lead nowhere else. Links lead on
for ever; they are counted as long as `stats.clicks` says so.
"""

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.clicks import CODE
from digest.composer.headers import ascii_domain
from digest.web.site import Site
from digest.web.visits import Visit, route

_KEPT = 10_000  # links; what a link leads to never changes
_ISSUE, _CODE = re.compile("[a-z]+-[0-9-]{10}"), re.compile(f"[a-z2-7]{{{CODE}}}")
_SAFE = "!#$%&'()*+,/:;=?@[]~"  # RFC 3986 2.2, and what is encoded already
_BREAKS = re.compile("[\t\r\n]")  # of no meaning within an address
_PURPOSE = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_EARLY = re.compile("prefetch|prerender|preview")  # a browser loads before anybody follows


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, "/g/{issue}/{code}", Following(site).follow)]


class Following:
    """The counted links of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._target = lru_cache(_KEPT)(self._find)

    def follow(self, visit: Visit) -> Response:
        """On to the target. A HEAD is answered alike, and never counted."""
        request, counting = visit.request, self._site.counting
        issue, code = (str(request.path_params[name]) for name in ("issue", "code"))
        target = self._target(issue, code)
        if counting is not None and request.method == "GET" and _is_followed(request.headers):
            counting.note(issue, code, visit.asker, request.headers.get("user-agent", ""))
        return Response(status_code=302, headers={"Location": target})

    def _find(self, issue: str, code: str) -> str:
        """Raises for what is no link, so that only links are kept."""
        likely = _ISSUE.fullmatch(issue) and _CODE.fullmatch(code)
        found = self._site.store.links.find(issue, code) if likely else None
        if found is None:
            raise HTTPException(404)
        return location(found)


def _is_followed(headers: Headers) -> bool:
    """Whether this opens a page: nothing that is loaded ahead, or as a picture of another page."""
    early = any(_EARLY.search(headers.get(name, "").lower()) for name in _PURPOSE)
    return not early and headers.get("sec-fetch-dest", "document") == "document"


def location(url: str) -> str:
    """The address in the ASCII of a header (RFC 3986, RFC 5891), whatever characters it has."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    host, colon, port = place.partition(":") if not place.startswith("[") else (place, "", "")
    rest = _BREAKS.sub("", url).partition("://")[2].removeprefix(parts.netloc)  # an empty query too
    named = f"{parts.scheme}://{user}{at}{ascii_domain(host)}{colon}{port}{rest}"
    return quote(named, safe=_SAFE)
