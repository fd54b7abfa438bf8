"""Asks the web whether links and pictures answer; `digest check --online` alone.

What is linked was written by others, so it must not lead into the network that this runs in: a name
is looked up once, every address that it has must be public, and the connection goes to the very
address that was looked at. Redirects pass the same gate, each by itself. No cookie, no proxy, no
credentials, and no more of an answer than its header; of a picture a megabyte.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import BoundedSemaphore, Lock
from urllib.parse import SplitResult, urljoin, urlsplit

from digest import __version__
from digest.checks.answers import Answer
from digest.checks.pictures import HEAVIEST, Picture

Resolver = Callable[[str, int], Sequence[str]]  # host and port to numeric addresses

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_AGENT = f"Mozilla/5.0 (compatible; digest-link-check/{__version__})"
# Networks whose addresses carry an IPv4 address that a gateway would go on to.
_CARRIERS = {IPv6Network("64:ff9b::/96"): 0, IPv6Network("2002::/16"): 80}


def resolve(host: str, port: int) -> Sequence[str]:
    """All numeric addresses of a host. OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def is_public(address: str) -> bool:
    """Whether a numeric address is of the public internet, whatever it is wrapped in."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return is_public(str(found.ipv4_mapped))
        for network, shift in _CARRIERS.items():
            if found in network:
                return is_public(str(IPv4Address(int(found) >> shift & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast


class _PrivateError(Exception):
    """The address leads where nobody outside can go."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of others, and of our patience."""

    seconds: float = 10.0  # of one link, redirects included
    redirects: int = 5
    at_once: int = 8
    of_one_host: int = 2  # at once
    links: int = 1000
    pictures: int = 50


@dataclass(slots=True)
class Asker:
    """Asks for links. `resolver` and `allowed` are the gate; tests have their own."""

    resolver: Resolver = resolve
    allowed: Callable[[str], bool] = is_public
    limits: Limits = field(default_factory=Limits)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    _hosts: dict[str, BoundedSemaphore] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ask(
        self,
        links: Iterable[str],
        advance: Callable[[int, int], None] = lambda done, total: None,
    ) -> dict[str, Answer]:
        """What each link answers, each asked for once; those over the limit are left out."""
        wanted = list(dict.fromkeys(links))[: self.limits.links]
        answers: dict[str, Answer] = {}
        with ThreadPoolExecutor(self.limits.at_once) as pool:
            for link, answer in zip(wanted, pool.map(self.answer, wanted), strict=True):
                answers[link] = answer
                advance(len(answers), len(wanted))
        return answers

    def answer(self, link: str) -> Answer:
        """What one link answers; never raises for what is out there."""
        until = time.monotonic() + self.limits.seconds
        with self._turn(link):
            found, _ = self._follow(link, until)
            if link.startswith("http://") and not (found.problem or found.private):
                secure, _ = self._follow(f"https://{link.removeprefix('http://')}", until)
                works = not (secure.problem or secure.private) and secure.status < 400
                found = Answer(found.status, found.address, https=works)
        return found

    def pictures(self, links: Iterable[str]) -> dict[str, Picture]:
        """What is behind each of these addresses, as far as it is looked at."""
        found = {}
        for link in list(dict.fromkeys(links))[: self.limits.pictures]:
            with self._turn(link):
                until = time.monotonic() + self.limits.seconds
                answer, reply = self._follow(link, until, HEAVIEST + 1)
            found[link] = Picture(answer, reply.size, reply.data)
        return found

    def _turn(self, link: str) -> BoundedSemaphore:
        """So that no host is asked for more than a few links at once."""
        host = urlsplit(link).netloc.lower()
        with self._lock:
            return self._hosts.setdefault(host, BoundedSemaphore(self.limits.of_one_host))

    def _follow(self, link: str, until: float, most: int = 0) -> tuple[Answer, "_Reply"]:
        """Where a link leads, and at most so many bytes of what is there."""
        address, nothing = link, _Reply(0, "")
        try:
            for _ in range(self.limits.redirects + 1):
                reply = self._get(address, until, most)
                if reply.status not in _REDIRECTS or not reply.location:
                    return Answer(reply.status, address), reply
                address = urljoin(address, reply.location)
            return Answer(0, address, f"more than {self.limits.redirects} redirects"), nothing
        except _PrivateError:
            return Answer(0, address, private=True), nothing
        except ssl.SSLCertVerificationError as error:
            problem = f"its certificate is not valid: {error.verify_message}"
            return Answer(0, address, problem), nothing
        except (TimeoutError, socket.gaierror) as error:
            slow = isinstance(error, TimeoutError)
            return Answer(0, address, "no answer in time" if slow else "no such name"), nothing
        except (OSError, ValueError, http.client.HTTPException) as error:
            return Answer(0, address, f"{type(error).__name__}: {error}"[:120]), nothing

    def _get(self, address: str, until: float, most: int) -> "_Reply":
        """One answer. _PrivateError instead of a connection inside."""
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it leads to no web address")
        secure = parts.scheme == "https"
        host, port = parts.hostname, parts.port or (443 if secure else 80)
        known = list(self.resolver(host, port))
        if not known or not all(map(self.allowed, known)):
            raise _PrivateError
        connection = http.client.HTTPConnection(host, port)
        connection.sock = self._connect(known, port, host if secure else "", until)
        try:
            connection.request("GET", _target(parts), headers=_HEADERS | {"Host": _host(parts)})
            answer = connection.getresponse()
            data = b"".join(_read(answer, most, until))
            told = answer.length or 0  # that is left, if the header says how much there is
            location = answer.getheader("Location", "") or ""
            return _Reply(answer.status, location, len(data) + told, data)
        finally:
            connection.close()

    def _connect(
        self, known: Sequence[str], port: int, tls_host: str, until: float
    ) -> socket.socket:
        """To the first of these addresses that takes the connection; no name is looked up here."""
        failure: OSError = TimeoutError()
        for address in known[:3]:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                plain = socket.create_connection((address, port), timeout=left)
            except OSError as error:
                failure = error
                continue
            try:
                return self.tls.wrap_socket(plain, server_hostname=tls_host) if tls_host else plain
            except BaseException:
                plain.close()
                raise
        raise failure


@dataclass(frozen=True, slots=True)
class _Reply:
    """What one request came to."""

    status: int
    location: str
    size: int = 0  # bytes that there are
    data: bytes = b""  # those that were read


def _read(answer: http.client.HTTPResponse, most: int, until: float) -> Iterator[bytes]:
    """At most so many bytes; TimeoutError when they drip."""
    while most > 0 and (chunk := answer.read1(min(most, _CHUNK))):
        if time.monotonic() > until:
            raise TimeoutError
        most -= len(chunk)
        yield chunk


_CHUNK = 65_536
_HEADERS = {
    "User-Agent": _AGENT,
    "Accept": "text/html,*/*;q=0.8",
    "Accept-Language": "en,*;q=0.5",
    "Connection": "close",
}


def _host(parts: SplitResult) -> str:
    """The Host field: as the link has it, without credentials."""
    return parts.netloc.rpartition("@")[2]


def _target(parts: SplitResult) -> str:
    """Path and query in ASCII, as HTTP wants them; what follows `#` stays here."""
    from urllib.parse import quote

    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return f"{path}?{query}" if query else path
