"""From a new connection to one that takes mail: greeting, EHLO, STARTTLS, AUTH.

A dialogue is a generator: it writes, yields the phase it then waits in, and is sent the reply. It
raises ProviderError where the server or our settings make going on impossible or unsafe.
"""

import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import Enum, auto

from digest.config import Secret, Security
from digest.errors import Outcome, ProviderError
from digest.providers.mistrust import wrong_for_good
from digest.providers.smtp.replies import Reply
from digest.providers.smtp.wire import Wire


class Phase(Enum):
    """What a connection waits for."""

    CONNECT = auto()
    TLS = auto()
    GREETING = auto()
    COMMAND = auto()  # the answer to EHLO, STARTTLS, AUTH, RSET
    MAIL = auto()
    RCPT = auto()
    DATA = auto()  # that the body may come
    BLOCK = auto()  # that the system takes more bytes
    BODY = auto()  # that the message was taken, or not
    NO_BODY = auto()  # the answer to an empty message that nobody gets
    QUIT = auto()


_CERTIFICATE = "check smtp.host; smtp.ca_file names the authority of a private server"
_PORT = 'smtp.security "tls" is for ports like 465, "starttls" for ports like 587'

# Phases that end without a reply: the wire itself says when, and the dialogue is sent `SETTLED`.
SETTLING = frozenset({Phase.CONNECT, Phase.TLS})
SETTLED = Reply(0, ())


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes, and as whom."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    tls: ssl.SSLContext | None = None  # not None unless security is none
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Features:
    """What the server said it can do."""

    pipelining: bool = False
    smtputf8: bool = False
    eight_bit: bool = False
    starttls: bool = False
    most_bytes: int = 0  # of a message; 0: it did not say
    mechanisms: frozenset[str] = frozenset()  # of AUTH


Dialogue = Generator[Phase, Reply, Features]
_Step = Generator[Phase, Reply, Reply]


def opening(wire: Wire, server: Server) -> Dialogue:
    """Everything before the first MAIL. Returns what the server can do, told under TLS."""
    yield Phase.CONNECT
    if server.security is Security.TLS:
        yield from _encrypt(wire, server)
    greeting = yield Phase.GREETING
    if greeting.code != 220:
        raise refused(server, greeting)
    features = yield from _hello(wire, server)
    if server.security is Security.STARTTLS:
        if not features.starttls:
            raise _impossible(
                f"{server} does not offer STARTTLS",
                'set smtp.security to "tls" if the port speaks TLS at once (465 does)',
            )
        reply = yield from _ask(wire, b"STARTTLS")
        if reply.code != 220:
            raise refused(server, reply)
        yield from _encrypt(wire, server)
        features = yield from _hello(wire, server)
    if server.user:
        yield from _authenticate(wire, server, features)
    return features


def refused(server: Server, reply: Reply, *, hint: str = "") -> ProviderError:
    """The server does not want this connection: certainly nothing was taken."""
    hint = hint or "ask whoever runs the server"
    return ProviderError(f"{server}: {reply.words}", outcome=reply.outcome, hint=hint)


def unreachable(server: Server, reason: str) -> ProviderError:
    """No connection could be made now: certainly nothing was taken."""
    return ProviderError(
        f"{server} cannot be reached: {reason}",
        outcome=Outcome.TEMPORARY,
        hint="check smtp.host, smtp.port and the network, and try again",
    )


def broken(server: Server, error: OSError, phase: Phase) -> ProviderError:
    """What a failure before the first message means."""
    if phase is Phase.TLS and (wrong := wrong_for_good(error)):
        untrusted = isinstance(error, ssl.SSLCertVerificationError)
        return _impossible(f"{server}: {wrong}", _CERTIFICATE if untrusted else _PORT)
    return unreachable(server, error.strerror or type(error).__name__)


def _impossible(message: str, hint: str) -> ProviderError:
    return ProviderError(message, outcome=Outcome.PERMANENT, hint=hint)


def _encrypt(wire: Wire, server: Server) -> Generator[Phase, Reply, None]:
    assert server.tls is not None
    wire.secure(server.tls, server.host)
    yield Phase.TLS


def _ask(wire: Wire, command: bytes) -> _Step:
    wire.write(command + b"\r\n")
    return (yield Phase.COMMAND)


def _hello(wire: Wire, server: Server) -> Dialogue:
    name = _own_name()
    reply = yield from _ask(wire, b"EHLO " + name)
    if 500 <= reply.code < 505 and server.security is Security.NONE:
        # before ESMTP: no extension, and so nothing that could protect anything
        reply = yield from _ask(wire, b"HELO " + name)
    if reply.code != 250:
        raise refused(server, reply)
    return _features(reply)


def _features(reply: Reply) -> Features:
    told: dict[str, list[str]] = {}
    for line in reply.lines[1:]:
        # `AUTH=LOGIN` is how servers said it before the standard
        keyword, *rest = line.decode("ascii", "replace").upper().replace("=", " ").split() or [""]
        told.setdefault(keyword, []).extend(rest)
    size = "".join(told.get("SIZE", []))
    return Features(
        pipelining="PIPELINING" in told,
        smtputf8="SMTPUTF8" in told,
        eight_bit="8BITMIME" in told,
        starttls="STARTTLS" in told,
        most_bytes=int(size) if re.fullmatch(r"[0-9]{1,18}", size) else 0,
        mechanisms=frozenset(told.get("AUTH", [])),
    )


def _authenticate(wire: Wire, server: Server, features: Features) -> Generator[Phase, Reply, None]:
    if not wire.encrypted:
        raise _impossible(
            f"{server}: a password never goes in the clear", 'set smtp.security to "starttls"'
        )
    user, password = server.user.encode(), server.password.value.encode()
    if "PLAIN" in features.mechanisms:
        reply = yield from _ask(wire, b"AUTH PLAIN " + b64encode(b"\0%b\0%b" % (user, password)))
    elif "LOGIN" in features.mechanisms:
        reply = yield from _ask(wire, b"AUTH LOGIN")
        for secret in (user, password):
            if reply.code == 334:
                reply = yield from _ask(wire, b64encode(secret))
    else:
        offered = ", ".join(sorted(features.mechanisms)) or "none"
        raise _impossible(
            f"{server}: of the ways to log in, PLAIN and LOGIN, it offers none (it has: {offered})",
            "leave smtp.user out if the server knows you by your address",
        )
    if reply.code != 235:
        raise refused(server, _harmless(reply), hint="check smtp.user and DIGEST_SMTP_PASSWORD")


def _harmless(reply: Reply) -> Reply:
    """A reply to AUTH; one that goes on asking is a refusal, and its text is not for a log."""
    return Reply(535, (b"the server went on asking",)) if reply.code < 400 else reply


def _own_name() -> bytes:
    """Our name for EHLO. No look-up: that can take seconds, and servers do not rely on it."""
    name = socket.gethostname()
    is_full = re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name)
    return name.encode() if is_full else b"[127.0.0.1]"
