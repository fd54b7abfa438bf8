"""A socket that never waits, and knows exactly how many bytes have left.

Whether the dot that ends a message has left decides if the message may have been taken; that is
why this is neither asyncio nor a file object: both hold bytes of which they do not tell.
"""

import errno
import os
import selectors
import socket
import ssl
from collections import deque
from contextlib import suppress
from typing import Any

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_CHUNK = 64 * 1024
# A TLS record holds so much. One record a call: a call that fails has then sent nothing that the
# other side could decrypt, and one that succeeds has sent all of it.
_RECORD = 16 * 1024

Address = tuple[socket.AddressFamily, Any]  # as `getaddrinfo` has them


class Wire:
    """One connection. Every method may raise OSError (TLS errors are among them)."""

    def __init__(self, address: Address) -> None:
        """Begin to connect; `settled` says when that is done."""
        family, place = self.address = address
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._number = self._socket.fileno()  # TLS keeps it, and so does a closed wire
        self._out: deque[memoryview] = deque()
        self._connecting = True
        self._handshake: ssl.SSLSocket | None = None
        self._handshake_writes = False
        self.encrypted = False
        self.drained = False  # there was no more to read than the last `read` gave
        self.written = 0  # bytes that the system took
        self.queued = 0  # bytes that were given to `write`
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failure = self._socket.connect_ex(place)
        if failure not in {0, errno.EINPROGRESS, errno.EWOULDBLOCK}:
            self._socket.close()
            raise OSError(failure, os.strerror(failure))

    def fileno(self) -> int:
        return self._number

    @property
    def interest(self) -> int:
        """What to wait for, in the words of `selectors`."""
        if self._connecting:
            return _WRITE
        if self._handshake is not None:
            return _READ | _WRITE if self._handshake_writes else _READ
        return _READ | _WRITE if self._out else _READ

    @property
    def pending(self) -> bool:
        """There are bytes that the system has not taken yet."""
        return bool(self._out)

    def settled(self) -> bool:
        """Go on connecting or shaking hands; True when there is nothing left of that."""
        if self._connecting:
            if failure := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(failure, os.strerror(failure))
            try:
                self._socket.getpeername()
            except OSError as error:
                if error.errno == errno.ENOTCONN:
                    return False
                raise
            self._connecting = False
        if self._handshake is not None:
            self._handshake_writes = False
            try:
                self._handshake.do_handshake()
            except ssl.SSLWantReadError:
                return False
            except ssl.SSLWantWriteError:
                self._handshake_writes = True
                return False
            self._handshake, self.encrypted = None, True
        return True

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Begin TLS with a server that has to prove that it is `host`; see `settled`."""
        self._handshake = context.wrap_socket(
            self._socket, server_hostname=host, do_handshake_on_connect=False
        )
        self._socket = self._handshake

    def write(self, *pieces: bytes) -> None:
        """Queue bytes; `flush` sends them."""
        self._out.extend(map(memoryview, pieces))
        self.queued += sum(map(len, pieces))

    def flush(self) -> None:
        """Send as much as the system takes now."""
        while self._out:
            try:
                if self.encrypted:
                    taken = self._socket.send(self._out[0][:_RECORD])
                else:
                    taken = self._socket.sendmsg(self._out)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            self._drop(taken)

    def read(self) -> bytes | None:
        """What has come; None when nothing has, and nothing (`b""`) when the server has closed."""
        try:
            data = self._socket.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        # A TLS record may lie decrypted where no selector sees it: only asking again tells.
        self.drained = bool(data) and not self.encrypted and len(data) < _CHUNK
        return data

    def close(self) -> None:
        self._out.clear()
        with suppress(OSError):
            self._socket.close()

    def _drop(self, taken: int) -> None:
        self.written += taken
        if self.written == self.queued:
            self._out.clear()
            return
        while taken:
            first = self._out[0]
            if taken < len(first):
                self._out[0] = first[taken:]
                return
            taken -= len(first)
            self._out.popleft()
