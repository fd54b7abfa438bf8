"""What SPF, DKIM and DMARC records say. Pure: names are looked up by a function that is given.

SPF is RFC 7208, DKIM RFC 6376 and 8463, DMARC RFC 9989, which dropped `pct`, `rf` and `ri`.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from dataclasses import dataclass

MOST_LOOKUPS = 10  # RFC 7208 4.6.4; receivers give up behind that

_ASKS = {"include", "a", "mx", "ptr", "exists", "redirect"}
_MECHANISM = re.compile(
    r"(?i)([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=[:/]|$)(?::([^/\s]+))?((?://?\d+)*)"
)
_MODIFIER = re.compile(r"(?i)([a-z][\w.-]*)=(\S*)")
_ADDRESS = re.compile(r"(?i)ip[46]:[0-9a-f.:]+(?:/\d+)?")


@dataclass(frozen=True, slots=True)
class Spf:
    """A record with what it includes. `end` is what becomes of everybody else: `~all`, `-all`…"""

    lookups: int
    end: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dmarc:
    """A policy. `strict_*`: the domain must be the very same to count as aligned."""

    policy: str
    strict_dkim: bool
    strict_spf: bool
    obsolete: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A public key as it is published; no `key` where it is revoked."""

    kind: str  # rsa or ed25519
    key: bytes
    testing: bool
    problem: str = ""


def is_spf(record: str) -> bool:
    return record.lower() == "v=spf1" or record.lower().startswith("v=spf1 ")


def is_dmarc(record: str) -> bool:
    return re.match(r"(?i)v\s*=\s*DMARC1\s*(;|$)", record) is not None


def read_spf(record: str, texts: Callable[[str], list[str]], seen: tuple[str, ...] = ()) -> Spf:
    """`texts` gives a name's TXT records. Looks no further than receivers do."""
    lookups, end, redirect = 0, "", ""
    problems: list[str] = []
    for term in record.split()[1:]:
        if modifier := _MODIFIER.fullmatch(term):
            redirect = modifier[2] if modifier[1].lower() == "redirect" else redirect
            continue
        mechanism = _MECHANISM.fullmatch(term)
        if mechanism is None and not _ADDRESS.fullmatch(term.lstrip("+?~-")):
            problems.append(f"{term!r} is not SPF")
            continue
        name = mechanism[2].lower() if mechanism else "ip"
        if name == "all":
            end = (mechanism[1] if mechanism else "") + "all"
        lookups += name in _ASKS
        if name == "ptr":
            problems.append("ptr is slow, and many receivers ignore it")
        if name == "include" and mechanism and mechanism[3]:
            lookups += _included(mechanism[3], texts, (*seen, record), problems).lookups
    if redirect and not end:
        further = _included(redirect, texts, (*seen, record), problems)
        lookups, end = lookups + 1 + further.lookups, further.end
    if lookups > MOST_LOOKUPS and not seen:
        problems.append(f"it takes more than {MOST_LOOKUPS} look-ups, where receivers stop")
    return Spf(lookups, end, tuple(dict.fromkeys(problems)))


def _included(
    name: str, texts: Callable[[str], list[str]], seen: tuple[str, ...], problems: list[str]
) -> Spf:
    nothing = Spf(0, "", ())
    if "%" in name or len(seen) > MOST_LOOKUPS:  # a macro depends on the message
        return nothing
    records = [text for text in texts(name) if is_spf(text)]
    if len(records) != 1:
        problems.append(f"it includes {name}, which has {len(records) or 'no'} SPF records")
        return nothing
    if records[0] in seen:
        problems.append(f"it includes {name} in a circle")
        return nothing
    further = read_spf(records[0], texts, seen)
    problems.extend(further.problems)
    return further


def read_dmarc(record: str, *, inherited: bool) -> Dmarc:
    """`inherited`: the record is that of a domain above, whose `sp` counts here."""
    tags = _tags(record)
    policy = tags.get("p", "none").lower()
    if inherited:
        policy = tags.get("sp", policy).lower()
    return Dmarc(
        policy=policy,
        strict_dkim=tags.get("adkim", "r").lower() == "s",
        strict_spf=tags.get("aspf", "r").lower() == "s",
        obsolete=tuple(name for name in ("pct", "rf", "ri") if name in tags),
        problem="" if policy in {"none", "quarantine", "reject"} else f"{policy!r} is no policy",
    )


def read_dkim(record: str) -> DkimKey:
    """The key that a selector's record holds."""
    tags = _tags(record)
    kind = tags.get("k", "rsa").lower()
    testing = "y" in tags.get("t", "").lower().split(":")
    try:
        key = b64decode(re.sub(r"\s", "", tags["p"]), validate=True)
    except (KeyError, Error):
        return DkimKey(kind, b"", testing, "it holds no key (p=…)")
    return DkimKey(kind, key, testing, "" if key else "its key was revoked (p= is empty)")


def key_bits(key: DkimKey) -> int:
    """How long an RSA key is; ValueError when it is none. 256 for Ed25519."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    if key.kind == "ed25519":
        if len(key.key) != 32:
            raise ValueError("an Ed25519 key has 32 bytes")
        return 256
    public = load_der_public_key(key.key)
    if not isinstance(public, RSAPublicKey):
        raise ValueError("not an RSA key")
    return public.key_size


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
