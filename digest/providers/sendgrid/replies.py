"""What an answer to `POST /v3/mail/send` means for the readers of the request. Pure."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from digest.providers.sendgrid.words import scrubbed

LONGEST_WAIT = 900.0  # seconds; a clock that is far off must not stop an issue for days
_INDEX = re.compile(r"personalizations[.\[](\d+)\b")
_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")
_SECONDS = re.compile(r"\d{1,12}(?:\.\d{1,9})?")
_QUOTA = re.compile(r"(?i)credit|quota|exceeded")

_CHECK_KEY = "check DIGEST_SENDGRID_API_KEY, its permission `Mail Send`, and sendgrid.region"
_HINTS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: _CHECK_KEY,
    HTTPStatus.FORBIDDEN: "verify newsletter.sender or its domain at SendGrid, and give the key "
    "the permission `Mail Send`",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes  # may be cut


@dataclass(frozen=True, slots=True)
class Taken:
    """All readers are queued. `id` names the request, not the reader."""

    id: str


@dataclass(frozen=True, slots=True)
class Validated:
    """Sandbox: the request is fine, and nothing was sent."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Nobody was taken; without these, by their places in the request, it may work at once."""

    reasons: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Halve:
    """Nobody was taken; somebody in it is the cause, or all together are too much."""

    reason: str


@dataclass(frozen=True, slots=True)
class CutOff:
    """Nobody was taken, because the body did not leave as a whole; a smaller one may."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """Nobody was taken; the same may work in a while."""

    reason: str
    retry_after: float = 0.0  # seconds; 0: it was not said


@dataclass(frozen=True, slots=True)
class Unsure:
    """All were handed over, and nobody can say whether they were taken."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Nobody was taken, and nobody will be before a person has mended something."""

    reason: str
    hint: str


Verdict = Taken | Validated | Drop | Halve | CutOff | Later | Unsure | Stop


def verdict(reply: Reply, count: int, now: float) -> Verdict:
    """What `reply` says about a request for `count` readers; `now` in seconds since 1970."""
    if reply.status == HTTPStatus.ACCEPTED:
        name = reply.headers.get("x-message-id", "")
        return Taken(name if _ID.fullmatch(name) else "")
    return Validated() if reply.status == HTTPStatus.OK else _refused(reply, count, now)


@dataclass(frozen=True, slots=True)
class _Error:
    message: str
    field: str  # what SendGrid found fault with; empty when it did not say


def _refused(reply: Reply, count: int, now: float) -> Verdict:
    status, errors = reply.status, _errors(reply)
    reason = _reason(status, errors)
    match status:
        case HTTPStatus.BAD_REQUEST:
            return _bad_request(errors, reason, count)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Halve(reason)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Later(reason, _wait(reply.headers, now))
        case HTTPStatus.SERVICE_UNAVAILABLE | HTTPStatus.REQUEST_TIMEOUT:
            return Later(reason, _retry_after(reply.headers))
    # Redirects are not followed, so what is behind them was not asked.
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Stop(reason, _hint(status, reason))
    return Unsure(reason)


def _bad_request(errors: tuple[_Error, ...], reason: str, count: int) -> Verdict:
    """Nobody was taken: who or what is the cause?"""
    named = [(_INDEX.match(error.field), error) for error in errors]
    reasons = {
        int(match[1]): _reason(HTTPStatus.BAD_REQUEST, (error,)) for match, error in named if match
    }
    if reasons and max(reasons) < count:
        return Drop(reasons)
    fields = [error.field for error in errors if error.field]
    shared = [name for name in fields if not name.startswith("personalizations")]
    if shared and not reasons:  # the sender, the subject: the same for every reader
        return Stop(reason, f"SendGrid refuses `{shared[0]}` of every message")
    return Halve(reason)


def _errors(reply: Reply) -> tuple[_Error, ...]:
    """What SendGrid found; nothing when it is not JSON (413 comes as the HTML of a web server)."""
    try:
        found = json.loads(reply.body)["errors"]
        return tuple(
            _Error(str(error.get("message") or ""), scrubbed(_named(error.get("field"))))
            for error in found
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def _named(field: object) -> str:
    """Where nothing is named, SendGrid's description shows both null and the text `null`."""
    return field if isinstance(field, str) and field != "null" else ""


def _reason(status: int, errors: tuple[_Error, ...]) -> str:
    told = "; ".join(dict.fromkeys(error.message for error in errors if error.message))
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return scrubbed(f"SendGrid answered {status}: {told or phrase}".rstrip(": "))


def _hint(status: int, reason: str) -> str:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and _QUOTA.search(reason):
        return "the account's credits are used up: buy more or wait, then send again"
    return _HINTS.get(status, "check sendgrid.host and sendgrid.region, or report this")


def _wait(headers: Mapping[str, str], now: float) -> float:
    """Seconds until the limit is lifted, by SendGrid's own clock where it tells the time."""
    reset = headers.get("x-ratelimit-reset", "")
    if not _SECONDS.fullmatch(reset):
        return _retry_after(headers)
    with suppress(KeyError, ValueError, TypeError, OverflowError):
        now = parsedate_to_datetime(headers["date"]).timestamp()
    return min(max(float(reset) - now, 1.0), LONGEST_WAIT)


def _retry_after(headers: Mapping[str, str]) -> float:
    text = headers.get("retry-after", "")
    return min(float(text), LONGEST_WAIT) if _SECONDS.fullmatch(text) else 0.0
