"""Pages that change only when the archive does: told apart by what they follow from, and kept.

Whoever asks whether a page is still the same is answered from one small query. Nothing is
rendered for that, and nothing is rendered twice.
"""

from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from importlib.resources import files
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from digest import __version__
from digest.web.guards import INDEX
from digest.web.site import Site

MOST = 16 * 1024 * 1024  # bytes of all pages that are kept


@dataclass(slots=True)
class Kept:
    """The pages of the archive that were asked for last."""

    site: Site
    most: int = MOST
    _pages: OrderedDict[str, Response] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: Lock = field(default_factory=Lock)
    _seen: dict[str, datetime] = field(default_factory=dict)  # the one stamp that holds -> since
    _fixed: str = ""

    def __post_init__(self) -> None:
        self._fixed = _fixed(self.site)

    def answer(self, request: Request, what: str, make: Callable[[], Response]) -> Response:
        """304 where the asker has it already, else the page. `what` is all that it depends on
        besides the archive: its address, its language."""
        stamp = repr(self.site.store.archive.stamp(self.site.config.archive.visibility))
        sheet = request.app.state.sheet.name
        name = _hash(self._fixed, sheet, stamp, what)
        since = self._since(stamp)
        headers = {
            "ETag": f'"{name}"',
            "Last-Modified": format_datetime(since, usegmt=True),
            "Cache-Control": "public, no-cache",  # ask each time: an issue may be hidden
        }
        unchanged = Response(status_code=304, headers={**headers, "Vary": "Accept-Language"})
        if _unchanged(request, headers["ETag"], since, self.site.now()):
            return unchanged
        with self._lock:
            page = self._pages.get(name)
            if page is not None:
                self._pages.move_to_end(name)
        if page is None:
            page = make()
            page.headers.update(headers)
            self._keep(name, page)
        if request.headers.get("if-none-match", "").strip() == "*":  # any, if there is one at all
            return unchanged
        # each answer has headers of its own: what stands around the pages adds to them
        own = copy(page)
        own.raw_headers = list(page.raw_headers)
        return own

    def _since(self, stamp: str) -> datetime:
        """When this process saw first what holds now: never before it came to hold."""
        with self._lock:
            if stamp not in self._seen:
                self._seen.clear()
                self._seen[stamp] = self.site.now().astimezone(UTC).replace(microsecond=0)
            return self._seen[stamp]

    def _keep(self, name: str, page: Response) -> None:
        with self._lock:
            if name in self._pages or len(page.body) > self.most // 4:
                return
            self._pages[name] = page
            self._bytes += len(page.body)
            while self._bytes > self.most:
                _, oldest = self._pages.popitem(last=False)
                self._bytes -= len(oldest.body)


def indexed(page: Response) -> Response:
    """The page, for search engines too."""
    page.headers.update(INDEX)
    return page


def _unchanged(request: Request, tag: str, since: datetime, now: datetime) -> bool:
    """As RFC 9110 13.2.2: a tag decides where one is sent, and the date only where none is.

    A date that is not yet is none that we gave: whoever invents one is told nothing by it.
    """
    sent = request.headers.get("if-none-match")
    if sent is not None:
        known = [one.strip().removeprefix("W/") for one in sent.split(",")]
        return tag in known
    try:
        return since <= parsedate_to_datetime(request.headers.get("if-modified-since", "")) <= now
    except (ValueError, TypeError):  # no date; or one without a zone, which is none of HTTP's
        return False


def _fixed(site: Site) -> str:
    """What pages follow from that stays as long as the process runs."""
    config = site.config
    pages = sorted(files("digest").joinpath("web/pages").iterdir(), key=lambda one: one.name)
    templates = [page.read_text() for page in pages if page.is_file()]
    settings = repr((asdict(config.newsletter), asdict(config.archive), config.web.sign_up))
    return _hash(__version__, settings, *templates)


def _hash(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
