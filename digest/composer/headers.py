"""Header fields for any name, subject and address: RFC 5322, 2047 and 6532, without `email`.

The standard library needs 20 µs for an address and breaks List-Unsubscribe (it folds a long URL
into encoded-words, which mail clients do not read as a link); tests hold this module to it.
Nothing here can start a second header: controls become spaces in text, and are refused in
addresses, URLs and tokens.
"""

import re
import unicodedata
from base64 import b64encode
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from digest.errors import DigestError

LINE = 78  # columns a header line should keep to (RFC 5322 2.1.1)
_WORD = 75  # columns an encoded-word must keep to (RFC 2047 2)
_SHELL = len("=?utf-8?q??=")

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ATOMS = re.compile(rf"{_ATEXT}(?: {_ATEXT})*")
_ADDRESS = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
# With RFC 6532 any character outside ASCII may stand in a local part.
_WIDE_ADDRESS = re.compile(
    r"[^\x00-\x20()<>\[\]:;@\\,\"\x7f-\xa0\s]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
)
_PLAIN = re.compile(r"[ -~]*")
_URL = re.compile(r"https?://[!#-;=?-\[\]-~]+")  # printable ASCII but space, `"`, `<`, `>` and `\`
_TOKEN = re.compile(r"[A-Za-z0-9._-]+")
# Controls, line separators, lone surrogates and bidirectional overrides have no place in a header.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# What stands for itself in a Q encoded-word wherever it is used (RFC 2047 5, rule 3).
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = tuple(chr(b) if b in _Q_SAFE else "_" if b == 0x20 else f"={b:02X}" for b in range(256))


def clean(text: str) -> str:
    """Text fit for one header line: no controls, runs of white space as one space, trimmed."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(_UNWANTED.sub(" ", text).split())


def field(name: str, value: str) -> bytes:
    """One header field with its line end; the value is ready, and may hold folds."""
    return f"{name}: {value}\r\n".encode()


def unstructured(text: str, *, indent: int) -> str:
    """A Subject: as it is when ASCII allows, else encoded-words; folded to 78 columns.

    `indent` is the width of the field name with its colon and space.
    """
    text = clean(text)
    if _PLAIN.fullmatch(text) and "=?" not in text:
        if indent + len(text) <= LINE:
            return text
        if max(map(len, text.split())) < LINE - indent:
            return _folded(text, indent)
    return encoded_words(text, indent)


def phrase(text: str, *, indent: int) -> str:
    """A display name: atoms, a quoted-string or encoded-words, the plainest that fits the line."""
    text = clean(text)
    if len(text) < LINE - indent and "=?" not in text:
        if _ATOMS.fullmatch(text):
            return text
        if _PLAIN.fullmatch(text):
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            if len(quoted) + 2 < LINE - indent:
                return f'"{quoted}"' if text else ""
    return encoded_words(text, indent)


def text_field(name: str, text: str) -> bytes:
    """An unstructured field, such as Subject."""
    return field(name, unstructured(text, indent=len(name) + 2))


def mailbox_field(name: str, display_name: str, address: str) -> bytes:
    """A field of one mailbox, such as To; `address` is a wire address."""
    return field(name, mailbox(display_name, address, indent=len(name) + 2))


def mailbox(name: str, address: str, *, indent: int) -> str:
    """`name <address>`, the bare address for an empty name; folded where 78 columns ask for it."""
    if not (shown := _cached_phrase(name, indent)):
        return address
    last_line = shown.rsplit("\n", 1)
    used = len(last_line[-1]) + (indent if len(last_line) == 1 else 0)
    gap = " " if used + len(address) + 3 <= LINE else "\r\n "
    return f"{shown}{gap}<{address}>"


def wire_address(address: str) -> str:
    """The address as SMTP and headers carry it: an international domain in its ASCII form.

    A local part outside ASCII stays as it is and needs SMTPUTF8. DigestError when it is no
    address; the message does not repeat it, because it may be somebody's.
    """
    if _ADDRESS.fullmatch(address):
        return address
    local, at, domain = address.rpartition("@")
    wire = f"{local}{at}{ascii_domain(domain)}"
    dots = wire.startswith(".") or ".." in wire or ".@" in wire
    if dots or _UNWANTED.search(wire) or not _WIDE_ADDRESS.fullmatch(wire):
        raise DigestError("an address cannot be written into a header", hint="`digest check`")
    return wire


def link(url: str) -> str:
    """The URL itself when it is safe inside angle brackets; DigestError otherwise."""
    if not _URL.fullmatch(url):
        raise DigestError("a link is not an http(s) URL of printable ASCII", hint="see base_url")
    return url


def token(text: str) -> str:
    """The text itself when it can be part of a Message-ID; DigestError otherwise."""
    if not _TOKEN.fullmatch(text):
        raise DigestError(f"{text[:40]!r} cannot be part of a Message-ID")
    return text


def date(moment: datetime) -> str:
    """RFC 5322 date of an aware moment, in its own time zone."""
    return format_datetime(moment)


def encoded_words(text: str, indent: int) -> str:
    """The text in RFC 2047 encoded-words of at most 75 columns, one a line, cut between characters.

    Q or B for all of them, whichever is shorter; a combining mark stays with its letter.
    """
    raw = text.encode()
    quoted = sum(len(_Q[byte]) for byte in raw) <= (len(raw) + 2) // 3 * 4
    words: list[str] = []
    current = b""
    for cluster in _clusters(text):
        room = min(_WORD, LINE - (1 if words else indent)) - _SHELL
        if current and _width(current + cluster, quoted) > room:
            words.append(_encoded_word(current, quoted))
            current = b""
        current += cluster
    words.append(_encoded_word(current, quoted))
    return "\r\n ".join(words)


def _clusters(text: str) -> list[bytes]:
    """Characters with their combining marks and joiners, short enough for any encoded-word."""
    clusters: list[bytes] = []
    for character in text:
        raw = character.encode()
        joined = unicodedata.combining(character) or character in "\u200d\ufe0f"
        if joined and clusters and len(clusters[-1]) + len(raw) <= 12:
            clusters[-1] += raw
        else:
            clusters.append(raw)
    return clusters


def _width(raw: bytes, quoted: bool) -> int:
    return sum(len(_Q[byte]) for byte in raw) if quoted else (len(raw) + 2) // 3 * 4


def _encoded_word(raw: bytes, quoted: bool) -> str:
    if quoted:
        return f"=?utf-8?q?{''.join(_Q[byte] for byte in raw)}?="
    return f"=?utf-8?b?{b64encode(raw).decode()}?="


def _folded(text: str, indent: int) -> str:
    """ASCII words, each line as full as 78 columns allow."""
    lines: list[str] = []
    line = " " * (indent - 1)
    for word in text.split(" "):
        if len(line) + 1 + len(word) > LINE:
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line])[indent:]


@lru_cache(maxsize=4096)
def _cached_phrase(name: str, indent: int) -> str:
    return phrase(name, indent=indent)


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """The A-labels of a domain (IDNA 2008 with UTS 46 mapping); as it is when that fails."""
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain
