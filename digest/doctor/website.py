"""Whether readers reach their pages, and whether one click unsubscribes (RFC 8058).

Asked from here by the public address, as a mail provider would: no cookie, no redirect followed.
"""

import http.client
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from digest.config import Config
from digest.doctor.clocks import clock_result
from digest.doctor.results import Result, failure, ok, skipped, warning
from digest.tokens import Keys, Purpose, sign, unsubscribe_url

_TIMEOUT = 10.0  # seconds without a byte
_MOST = 256 * 1024  # bytes of an answer that are read
_RENEW = timedelta(days=14)
_NOBODY = 0  # no subscriber has this id
_ONE_CLICK = b"List-Unsubscribe=One-Click"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    expires: datetime | None  # of the certificate

    @property
    def clock(self) -> datetime | None:
        try:
            return parsedate_to_datetime(self.headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            return None

    @property
    def told(self) -> str:
        """The status, and whose address it points to when it redirects (its path has a token)."""
        place = self.headers.get("Location")
        return (
            f"{self.status} to {urlsplit(place).netloc or 'itself'}" if place else f"{self.status}"
        )


def examine_website(config: Config, keys: Keys, now: Callable[[], datetime]) -> Iterator[Result]:
    """Everything about the base URL; stops where nobody answers."""
    base = config.newsletter.base_url
    try:
        answer = ask(f"{base}/healthz")
    except (OSError, http.client.HTTPException) as error:
        yield failure("web.reachable", f"{base}: {_reason(error)}", _how_to_serve(base))
        return
    if answer.status != 200:
        yield failure("web.reachable", f"{base}/healthz answers {answer.told}", _how_to_serve(base))
        return
    yield ok("web.reachable", f"{base}/healthz")
    yield _certificate(config, answer, now())
    if answer.clock:
        yield clock_result("web.clock", "the web server's clock", answer.clock, now())
    token = sign(keys, Purpose.UNSUBSCRIBE, _NOBODY)
    yield from _one_click(unsubscribe_url(base, token), unsubscribe_url(base, "TOKEN"))


def _one_click(url: str, shown: str) -> Iterator[Result]:
    """`shown` is the address as it may be told."""
    try:
        page, click = ask(url), ask(url, _ONE_CLICK)
    except (OSError, http.client.HTTPException) as error:
        yield failure("web.one_click_post", f"{shown}: {_reason(error)}", "try again")
        return
    if page.status == 200 and page.headers.get_content_type() == "text/html":
        yield ok("web.one_click_page", f"GET {shown} shows a page; only its button does something")
    else:
        yield failure(
            "web.one_click_page",
            f"GET {shown} answers {page.told} and no page",
            "let `digest serve` answer this address itself: scanners open every link",
        )
    if click.status == 200 and "Set-Cookie" not in click.headers:
        yield ok("web.one_click_post", f"POST {shown} answers 200 at once")
    else:
        yield failure(
            "web.one_click_post",
            f"POST {shown} answers {click.told}",
            "no redirect, cookie, log-in or bot protection may stand before this address: "
            "Gmail and Yahoo post to it without any",
        )


def _certificate(config: Config, answer: Answer, now: datetime) -> Result:
    base = config.newsletter.base_url
    if answer.expires is None and config.provider == "outbox":
        return skipped("web.certificate", f"{base} is not https: this machine only")
    if answer.expires is None:
        seen = f"{base} is not https: no mail program offers to unsubscribe there"
        return failure("web.certificate", seen, "set newsletter.base_url to an https address")
    day = f"{answer.expires:%Y-%m-%d}"
    if answer.expires - now < _RENEW:
        return warning("web.certificate", f"it ends on {day}", "renew it, and let that be done")
    return ok("web.certificate", f"until {day}")


def ask(url: str, form: bytes | None = None) -> Answer:
    """One request, a POST when there is a `form`; redirects are answers too."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        tls = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=tls)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.connect()
        expires = _expiry(connection.sock)
        headers = {"User-Agent": "digest-doctor", "Connection": "close"}
        if form is None:
            connection.request("GET", parts.path or "/", headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", parts.path, form, headers)
        response = connection.getresponse()
        return Answer(response.status, response.msg, response.read(_MOST), expires)
    finally:
        connection.close()


def _expiry(socket: object) -> datetime | None:
    if not isinstance(socket, ssl.SSLSocket):
        return None
    until = str((socket.getpeercert() or {})["notAfter"])
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _how_to_serve(base: str) -> str:
    return f"run `digest serve` and let your web server pass {base} on to it"
