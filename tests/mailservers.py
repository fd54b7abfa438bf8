"""Mail servers for tests: a real one, which keeps what it takes, and one that misbehaves."""

import asyncio
import datetime as dt
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "ana", "correct horse, battery"


@dataclass
class Keeper:
    """What a real server took, and how it was spoken to."""

    pipelining: bool = True
    messages: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    greetings: int = 0  # EHLOs heard
    logins: list[str] = field(default_factory=list)  # mechanisms

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.greetings += 1
        session.host_name = hostname
        return [*(["250-PIPELINING"] if self.pipelining else []), *responses]

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.messages.append(envelope.original_content)
        self.envelopes.append((envelope.mail_from, *envelope.rcpt_tos))
        return f"250 2.0.0 Ok: queued as {len(self.messages)}"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append(mechanism)
        expected = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=data == expected, handled=False)


@contextmanager
def real_server(
    keeper: Keeper, *, starttls: ssl.SSLContext | None = None, **settings: object
) -> Iterator[int]:
    """The port of a server that hands what it takes to `keeper`."""
    controller = Controller(
        keeper,
        hostname="127.0.0.1",
        port=0,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=keeper.authenticate,
        auth_require_tls=starttls is not None,
        **settings,
    )
    controller.port = _free_port()
    controller.start()
    try:
        yield controller.port
    finally:
        asyncio.run_coroutine_threadsafe(_hung_up(), controller.loop).result(10)
        controller.stop()


async def _hung_up() -> None:
    """Every client's leaving was noticed: only the listener and the loop's own pipe are left."""
    watched = asyncio.get_running_loop()._selector.get_map()
    while len(watched) > 2:
        await asyncio.sleep(0.001)


def _free_port() -> int:
    """The controller connects to its own port once, so it has to know it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def authority(folder: Path, host: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """The certificate to trust, and what a server called `host` shows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = dt.datetime.now(dt.UTC)
    shown = x509.DNSName(host) if host[0].isalpha() else x509.IPAddress(IPv4Address(host))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([shown]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


CLOSE = "close"  # hang up instead of answering
SILENCE = "silence"  # never answer
_MESSAGE_ID = re.compile(rb"(?m)^Message-ID: <([^@]+)@")


@dataclass(frozen=True)
class Turn:
    """What a server does with one envelope: a reply to each command, CLOSE or SILENCE."""

    mail: str = "250 2.1.0 ok"
    rcpt: str = "250 2.1.5 ok"
    data: str = "354 go on"
    middle: str = ""  # said when the beginning of a body has come, and nothing after that
    body: str = "250 2.0.0 taken"


@dataclass
class Rogue:
    """A server that does as its script says, and then behaves. `with` starts and stops it.

    It counts a message as taken whenever it had all of it and did not refuse it.
    """

    turns: deque[Turn] = field(default_factory=deque)
    greetings: deque[str] = field(default_factory=deque)
    hello: str = "250-rogue\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES"
    one_byte_at_a_time: bool = False
    taken: list[str] = field(default_factory=list)  # delivery ids
    bodies: list[bytes] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    connections: int = 0
    hasty: int = 0  # commands that came before the last was answered, though that was not offered

    def __enter__(self) -> "Rogue":
        self._lock, self._threads = threading.Lock(), []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # wakes `accept`
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work, *args: object) -> None:
        self._threads.append(threading.Thread(target=work, args=args, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                self.connections += 1
                self._start(_Caller(self, caller).serve)

    def next_turn(self) -> Turn:
        with self._lock:
            return self.turns.popleft() if self.turns else Turn()


class _HungUp(Exception):  # noqa: N818
    pass


class _Caller:
    """One connection to the rogue."""

    def __init__(self, rogue: Rogue, caller: socket.socket) -> None:
        self.rogue, self.caller, self.buffer = rogue, caller, b""
        self.turn: Turn | None = None
        self.recipient = False

    def serve(self) -> None:
        with self.caller, suppress(_HungUp, OSError):
            self.caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            greetings = self.rogue.greetings
            self.say(greetings.popleft() if greetings else "220 rogue")
            while True:
                self.obey(self.until(b"\r\n").decode())

    def say(self, reply: str) -> None:
        if reply == CLOSE:
            raise _HungUp
        if reply == SILENCE:
            while self.caller.recv(65536):
                pass
            raise _HungUp
        step = 1 if self.rogue.one_byte_at_a_time else 10_000
        data = f"{reply}\r\n".encode()
        for start in range(0, len(data), step):
            self.caller.sendall(data[start : start + step])
        if reply.startswith("421"):
            raise _HungUp

    def more(self) -> None:
        if not (data := self.caller.recv(65536)):
            raise _HungUp
        self.buffer += data

    def until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self.more()
        found, _, self.buffer = self.buffer.partition(end)
        return found

    def obey(self, command: str) -> None:
        verb = command[:4].upper()
        self.rogue.verbs.append(verb)
        self.rogue.hasty += bool(self.buffer) and "PIPELINING" not in self.rogue.hello
        match verb:
            case "EHLO" | "HELO":
                self.say(self.rogue.hello if verb == "EHLO" else "250 rogue")
            case "MAIL" if self.turn:
                self.say("503 5.5.1 nested MAIL")
            case "MAIL":
                turn = self.rogue.next_turn()
                self.turn = turn if turn.mail.startswith("2") else None
                self.say(turn.mail)
            case "RCPT" if self.turn:
                self.recipient = self.turn.rcpt.startswith("2")
                self.say(self.turn.rcpt)
            case "DATA" if self.turn and (self.recipient or self.turn.data == "354 anyway"):
                self.data(self.turn)
            case "RSET":
                self.turn, self.recipient = None, False
                self.say("250 ok")
            case "QUIT":
                self.say("221 bye")
                raise _HungUp
            case _:
                self.say("503 5.5.1 bad sequence")

    def data(self, turn: Turn) -> None:
        self.say(turn.data)
        if not turn.data.startswith("354"):
            return
        if turn.middle:
            while b"Subject: " not in self.buffer:
                self.more()
            self.say(turn.middle)
            raise _HungUp
        self.buffer = b"\r\n" + self.buffer  # as if the line before had just ended
        body = self.until(b"\r\n.\r\n")[2:] + b"\r\n"
        recipient, self.turn, self.recipient = self.recipient, None, False
        if not recipient:
            self.say("554 5.5.1 nobody to give it to")
            return
        if turn.body[0] not in "45" or turn.body.startswith("421"):
            self.rogue.taken.append(_MESSAGE_ID.search(body)[1].decode())
            self.rogue.bodies.append(body)
        self.say(turn.body)
