"""What the domain name system says. The only user of dnspython."""

from dataclasses import dataclass

import dns.exception
import dns.name
import dns.resolver

from digest.errors import DigestError

_LIFETIME = 6.0  # seconds for one question, repeats included


class UnansweredError(DigestError):
    """No name server gave an answer, so nothing is known; unlike "there is no such record"."""


@dataclass(slots=True)
class Names:
    """A resolver. Names are Unicode or ASCII; what does not exist is an empty list.

    Where one question had no answer in time no further one is asked: it would take as long.
    """

    resolver: dns.resolver.Resolver
    silent: bool = False

    @classmethod
    def asking(cls, nameserver: str = "") -> "Names":
        """The system's name servers, or the one at `address` or `address:port`."""
        try:
            resolver = dns.resolver.Resolver(configure=not nameserver)
        except dns.exception.DNSException as error:
            raise UnansweredError(
                f"this machine knows no name server: {error}", hint="name one with --nameserver"
            ) from error
        if nameserver:
            address, _, port = nameserver.partition(":")
            resolver.nameservers, resolver.port = [address], int(port or 53)
        resolver.lifetime = _LIFETIME
        return cls(resolver)

    def texts(self, name: str) -> list[str]:
        """The TXT records, each in one piece."""
        return [
            b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT")
        ]

    def mail_servers(self, name: str) -> list[str]:
        """The hosts of the MX records, the preferred first; `.` is a domain that takes no mail."""
        records = sorted(self._ask(name, "MX"), key=lambda record: record.preference)
        return [str(record.exchange).rstrip(".") or "." for record in records]

    def has_address(self, name: str) -> bool:
        """There is an A or AAAA record."""
        return bool(self._ask(name, "A") or self._ask(name, "AAAA"))

    def _ask(self, name: str, kind: str) -> list:  # type: ignore[type-arg]
        if self.silent:
            raise UnansweredError(f"{kind} of {name}: not asked, no name server answers")
        try:
            query = dns.name.from_text(name, idna_codec=dns.name.IDNA_2008_Practical)
            return list(self.resolver.resolve(query, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            self.silent = isinstance(error, dns.exception.Timeout)
            reason = "no answer" if self.silent else str(error)
            raise UnansweredError(
                f"{kind} of {name}: {reason}", hint="try again, or ask another with --nameserver"
            ) from error
