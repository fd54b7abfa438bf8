"""A name server for tests: real UDP on this machine, the answers from a dictionary."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Zone = Mapping[tuple[str, str], list[str]]  # ("example.com", "TXT") -> records as in a zone file


def quoted(text: str) -> str:
    """A TXT record of strings of at most 255 characters, as long ones have to be."""
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


@dataclass
class NameServer:
    """What it says, and what it was asked. A name in `broken` gets SERVFAIL."""

    zone: dict[tuple[str, str], list[str]]
    broken: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = str(question.name).rstrip("."), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        records = self.zone.get((name, kind))
        if name in self.broken:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif records:
            texts = [quoted(text) for text in records] if kind == "TXT" else records
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
        elif not any(known == name for known, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


@contextmanager
def name_server(zone: Zone) -> Iterator[NameServer]:
    """`address` is what `--nameserver` wants."""
    server = NameServer(dict(zone))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        server.address = f"127.0.0.1:{ours.getsockname()[1]}"
        thread = threading.Thread(target=_serve, args=(ours, server), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ours.getsockname())
            thread.join(10)


def _serve(ours: socket.socket, server: NameServer) -> None:
    while True:
        wire, asker = ours.recvfrom(4096)
        if not wire:
            return
        ours.sendto(server.answer(wire), asker)
