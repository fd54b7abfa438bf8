"""One keep-alive connection to SendGrid: post a body, and say for sure what can be said.

`http.client`, because the official client opens a connection for each request, waits for ever by
default and logs the key (measured: 17 times the CPU per reader).
"""

import http.client
import selectors
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from digest.providers.mistrust import wrong_for_good
from digest.providers.sendgrid.replies import CutOff, Later, Reply, Stop, Unsure

CONNECT_TIMEOUT = 15.0  # seconds
IDLE = 30.0  # seconds; a server may close a connection just when it is used again
_LONGEST_ANSWER = 1 << 20  # bytes; longer ones are cut
_PROVES_NOTHING = (
    "check sendgrid.host and the clock; where a proxy opens TLS, SSL_CERT_FILE names its authority"
)
_EARLY = 2.0  # seconds to wait for an answer to a body that broke off


class Line:
    """Connects when first used, and again after a failure. One request at a time."""

    def __init__(
        self, url: str, headers: Mapping[str, str], timeout: float, tls: ssl.SSLContext | None
    ) -> None:
        parts = urlsplit(url)
        self._host, self._path = parts.hostname or "", parts.path
        self._port = parts.port or (443 if tls else 80)
        self._headers, self._timeout, self._tls = dict(headers), timeout, tls
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0

    def post(self, body: bytes) -> Reply | Stop | CutOff | Later | Unsure:
        """Later, Stop: no connection. Unsure: the whole body left, and no answer came."""
        try:
            connection = self._open()
        except OSError as error:
            return distrust(error) or Later(f"no connection to SendGrid: {_words(error)}")
        try:
            connection.request("POST", self._path, body, self._headers)
        except (OSError, http.client.HTTPException) as error:
            early = self._early_answer(connection)
            self.close()
            return early or CutOff(f"the request to SendGrid broke off: {_words(error)}")
        try:
            return self._answer(connection)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Unsure(f"no answer from SendGrid: {_words(error)}")

    def close(self) -> None:
        """Hang up; `post` connects again."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is not None and self._stale(self._connection):
            self.close()
        if self._connection is None:
            connection = self._new()
            connection.connect()
            sock: socket.socket = connection.sock
            sock.settimeout(self._timeout)
            self._connection = connection
        return self._connection

    def _new(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=CONNECT_TIMEOUT, context=self._tls
        )

    def _stale(self, connection: http.client.HTTPConnection) -> bool:
        """Hung up by the other side, or about to be: a body into it would end as unknown."""
        if connection.sock is None or time.monotonic() - self._used > IDLE:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(connection.sock, selectors.EVENT_READ)
            return bool(selector.select(0))

    def _answer(self, connection: http.client.HTTPConnection) -> Reply:
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            body = response.read(_LONGEST_ANSWER)
        except (OSError, http.client.HTTPException):  # the status says enough
            body = b""
        self._used = time.monotonic()
        if response.will_close or not response.isclosed():
            response.close()
            self.close()
        return Reply(response.status, headers, body)

    def _early_answer(self, connection: http.client.HTTPConnection) -> Reply | None:
        """A refusal that came before the body had left as a whole, as 413 does."""
        try:
            connection.sock.settimeout(_EARLY)
            reply = self._answer(connection)
        except (OSError, http.client.HTTPException):
            return None
        refused = HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return reply if refused else None


def distrust(error: object) -> Stop | None:
    """What is wrong with the TLS of whoever answers for SendGrid, where waiting mends nothing."""
    wrong = wrong_for_good(error)
    return Stop(f"no connection to SendGrid: {wrong}", _PROVES_NOTHING) if wrong else None


def _words(error: Exception) -> str:
    """The error without what it was about; `http.client` repeats what it read."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ConnectionError):
        return "the connection was closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
