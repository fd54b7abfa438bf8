"""A SendGrid of our own: a real HTTP server on this machine that knows the API's rules.

The rules are those of `POST /v3/mail/send` in Twilio's OpenAPI description (twilio/sendgrid-oai,
spec/json/tsg_mail_v3.json, commit dbe0e0d) and of SendGrid's error and limit pages. It is stricter
than the description in one way: a key that the description does not name is refused.
"""

import json
import re
import socket
import ssl
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = "SG.fake-key.for-tests"
PATH = "/v3/mail/send"
RESERVED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "to", "from", "subject",
    "content-transfer-encoding", "reply-to", "cc", "bcc",
}  # fmt: skip
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

# What may stand where: a type, an object's keys, or a list of one kind. `!` marks a required key.
PERSON = {"email!": str, "name": str}
SWITCH = {"enable": bool}
TAGGED = {**SWITCH, "substitution_tag": str}
FOOTER = {**SWITCH, "text": str, "html": str}
ANALYTICS = ("utm_source", "utm_medium", "utm_term", "utm_content", "utm_campaign")
BYPASSES = ("list", "spam", "bounce", "unsubscribe")
TEXTS = {"*": str}
SCHEMA = {
    "personalizations!": [
        {
            "from": PERSON,
            "to!": [PERSON],
            "cc": [PERSON],
            "bcc": [PERSON],
            "subject": str,
            "headers": TEXTS,
            "substitutions": TEXTS,
            "custom_args": TEXTS,
            "send_at": int,
        }
    ],
    "from!": PERSON,
    "reply_to": PERSON,
    "reply_to_list": [PERSON],
    "subject": str,
    "content": [{"type!": str, "value!": str}],
    "headers": TEXTS,
    "categories": [str],
    "custom_args": str,
    "send_at": int,
    "batch_id": str,
    "asm": {"group_id!": int, "groups_to_display": [int]},
    "ip_pool_name": str,
    "mail_settings": {
        **{f"bypass_{name}_management": SWITCH for name in BYPASSES},
        "footer": FOOTER,
        "sandbox_mode": SWITCH,
    },
    "tracking_settings": {
        "click_tracking": {**SWITCH, "enable_text": bool},
        "open_tracking": TAGGED,
        "subscription_tracking": {**FOOTER, **TAGGED},
        "ganalytics": {**SWITCH, **dict.fromkeys(ANALYTICS, str)},
    },
}


def breaches(mail: Any) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) for everything SendGrid would refuse in a request."""
    shape = list(_misshapen(mail, SCHEMA, ""))
    yield from shape
    if shape:
        return
    people = mail["personalizations"]
    if not 1 <= len(people) <= 1000:
        yield "personalizations", "1 to 1000 are accepted"
    addresses = [to["email"].lower() for person in people for to in person["to"]]
    if len(set(addresses)) < len(addresses):
        yield "personalizations", "each email address should be unique"
    for number, person in enumerate(people):
        for name, wrong in _personalization_breaches(person):
            yield f"personalizations.{number}.{name}", wrong
    yield from _message_breaches(mail)


def _misshapen(value: Any, shape: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(shape, type):
        if type(value) is not shape:
            yield place, f"is not of type {shape.__name__}"
    elif type(value) is not type(shape):
        yield place, f"is not a {type(shape).__name__}"
    elif isinstance(shape, list):
        for number, item in enumerate(value):
            yield from _misshapen(item, shape[0], f"{place}.{number}".lstrip("."))
    else:
        known = {key.rstrip("!"): inner for key, inner in shape.items()}
        for key, inner in value.items():
            if key not in known and "*" not in known:
                yield f"{place}.{key}".lstrip("."), "is not a known key"
            else:
                expected = known.get(key, known.get("*"))
                yield from _misshapen(inner, expected, f"{place}.{key}".lstrip("."))
        for key in shape:
            if key.endswith("!") and key[:-1] not in value:
                yield f"{place}.{key[:-1]}".lstrip("."), "is required"


def _personalization_breaches(person: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if len(person["to"]) != 1:
        yield "to", "readers would see each other's addresses"
    for number, to in enumerate(person["to"]):
        if not _ADDRESS.fullmatch(to["email"]) or not to["email"].isascii():
            yield f"to.{number}.email", "does not contain a valid address"
        if re.search("[;,]", to.get("name", "")) or len(to["email"]) > 320:
            yield f"to.{number}.name", "is not accepted"
    for key in ("substitutions", "custom_args"):
        pairs = person.get(key, {"some": ""})
        if not pairs or sum(len((k + v).encode()) for k, v in pairs.items()) > 10_000:
            yield key, "is empty or larger than 10000 bytes"
    if "subject" in person and not person["subject"]:
        yield "subject", "is empty"
    yield from _header_breaches(person.get("headers", {}))


def _header_breaches(headers: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if name.lower() in RESERVED or not name.isascii() or " " in name:
            yield f"headers.{name}", "is reserved"
        if len(value.encode()) > 77 or not value.isascii() or not value.isprintable():
            yield f"headers.{name}", "would be rewritten as encoded-words"


def _message_breaches(mail: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not mail.get("subject"):
        yield "subject", "is required"
    contents = mail.get("content", [])
    if [part["type"] for part in contents] not in (["text/plain", "text/html"], ["text/plain"]):
        yield "content", "text/plain comes first, then text/html"
    if not all(part["value"] for part in contents):
        yield "content.0.value", "is empty"
    if "reply_to" in mail and "reply_to_list" in mail:
        yield "reply_to_list", "cannot be used with reply_to"
    if len(set(mail.get("categories", []))) > 10:
        yield "categories", "at most 10"
    if not _ADDRESS.fullmatch(mail["from"]["email"]):
        yield "from.email", "does not contain a valid address"
    yield from _header_breaches(mail.get("headers", {}))


@dataclass(frozen=True, slots=True)
class Mail:
    """What one reader would get: substitutions made, headers joined."""

    to: str
    name: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    arguments: dict[str, str]


def mails(request: dict[str, Any]) -> list[Mail]:
    """Every message of a request, as SendGrid makes them: literal tags, one after the other."""
    return [_mail(request, person) for person in request["personalizations"]]


def _mail(request: dict[str, Any], person: dict[str, Any]) -> Mail:
    def filled(text: str) -> str:
        for tag, value in person.get("substitutions", {}).items():
            text = text.replace(tag, value)
        return text

    parts = {part["type"]: filled(part["value"]) for part in request["content"]}
    return Mail(
        to=person["to"][0]["email"],
        name=person["to"][0].get("name", ""),
        subject=filled(person.get("subject", request["subject"])),
        text=parts["text/plain"],
        html=parts.get("text/html", ""),
        headers={**request.get("headers", {}), **person.get("headers", {})},
        arguments=person.get("custom_args", {}),
    )


@dataclass(frozen=True, slots=True)
class Say:
    """An answer for the script. Without one, the rules decide."""

    status: int = 0  # 0: none, the connection is closed
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    accepts: bool = False  # the mail goes out all the same
    reads: bool = True  # the body is read first
    silent: bool = False  # the connection stays open, and nothing comes
    leaves: bool = False  # the connection is closed after the answer, without a word


def errors(*found: tuple[str | None, str]) -> bytes:
    """SendGrid's JSON for (field, message)."""
    listed = [{"field": name, "message": message, "help": None} for name, message in found]
    return json.dumps({"errors": listed}).encode()


ACCEPT = Say(202, headers=(("X-Message-Id", "XBg2anf2TqCy6WXKQFhieQ"),), accepts=True)
SANDBOX = Say(200)
UNNAMED = Say(400, errors((None, "Bad Request")))
BAD_KEY = Say(401, errors((None, "The provided authorization grant is invalid")))
FORBIDDEN = Say(403, errors(("from", "The from address does not match a verified sender")))
TOO_LARGE = Say(413, b"<html><h1>413 Request Entity Too Large</h1></html>")
TOO_MANY = Say(429, errors((None, "too many requests")), (("X-RateLimit-Reset", "1000000060"),))
BROKEN = Say(500, errors((None, "internal error")))
OVERLOADED = Say(503)
HANGS_UP = Say(0)
HANGS_UP_AT_ONCE = Say(0, reads=False)
SILENT = Say(silent=True)


def bad(*places: int) -> Say:
    """A 400 that names these personalizations, and repeats an address as SendGrid does."""
    wrong = "Does not contain a valid address: nobody@example"
    return Say(400, errors(*((f"personalizations.{n}.to.0.email", wrong) for n in places)))


@dataclass
class Recorded:
    """What came in. Threads append to it."""

    requests: list[Any] = field(default_factory=list)  # bodies, read as JSON
    headers: list[dict[str, str]] = field(default_factory=list)
    accepted: list[Mail] = field(default_factory=list)
    breaches: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0
    recipients: int = 0  # accepted, also where nothing is kept


class FakeSendgrid(ThreadingHTTPServer):
    """Serves on a port of its own until closed. `script` answers first, then the rules."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *, keeps: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keeps = keeps  # False: counts readers and checks nothing, for benchmarks
        self.hung_up = threading.Event()  # some connection is closed
        self.script: deque[Say] = deque()
        self.seen = Recorded()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def starts(self, script: Iterable[Say] = ()) -> None:
        """Forget what came, and answer this way from now on."""
        self.script, self.seen = deque(script), Recorded()
        self.hung_up.clear()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.hung_up.set()

    def accepted(self) -> list[str]:
        """Delivery ids that were taken, in order."""
        return [mail.arguments["dg_did"] for mail in self.seen.accepted]

    def scripted(self) -> Say | None:
        """The script's next answer; None when it has come to its end."""
        with suppress(IndexError):
            return self.script.popleft()
        return None


def by_the_rules(mail: Any, found: list[tuple[str, str]]) -> Say:
    """What SendGrid would answer."""
    if found:
        return Say(400, errors(*found))
    settings = mail.get("mail_settings", {})
    return SANDBOX if settings.get("sandbox_mode", {}).get("enable") else ACCEPT


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FakeSendgrid

    def setup(self) -> None:
        super().setup()
        self.server.seen.connections += 1

    def do_POST(self) -> None:
        seen, length = self.server.seen, int(self.headers["Content-Length"])
        if not self.server.keeps:
            seen.recipients += self.rfile.read(length).count(b'"dg_did"')
            self._say(ACCEPT)
            return
        scripted = self.server.scripted()
        if scripted and not scripted.reads:
            self.close_connection = True
            return
        mail = json.loads(self.rfile.read(length))
        found = [*breaches(mail), *self._header_breaches()]
        seen.requests.append(mail)
        seen.headers.append(dict(self.headers))
        seen.breaches += found
        say = scripted or by_the_rules(mail, found)
        if say.accepts:
            seen.accepted += mails(mail)
        self._say(say)

    def _header_breaches(self) -> list[tuple[str, str]]:
        expected = {
            "Authorization": f"Bearer {KEY}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        wrong = [name for name, value in expected.items() if self.headers[name] != value]
        return [(name, "is not as expected") for name in wrong if self.path == PATH]

    def _say(self, say: Say) -> None:
        if say.silent:
            self.connection.recv(1)  # until the other side gives up
        if not say.status:
            self.close_connection = True
            return
        self.send_response(say.status)
        for name, value in (*say.headers, ("Content-Length", str(len(say.body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(say.body)
        self.close_connection = self.close_connection or say.leaves

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests look at `Recorded`."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Sun, 09 Sep 2001 01:46:40 GMT"  # 1,000,000,000 seconds since 1970


@contextmanager
def serving(*, keeps: bool = True, tls: Path | None = None) -> Iterator[FakeSendgrid]:
    """A server in a thread of this process; `tls` is a `certificate` to serve with."""
    server = FakeSendgrid(keeps=keeps)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.url = server.url.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> str:
    """An address that nobody listens at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


if __name__ == "__main__":  # a process of its own: prints its address, then how many it took
    with serving(keeps=False) as alone:
        print(alone.url, flush=True)
        for _ in sys.stdin:
            print(alone.seen.recipients, flush=True)
