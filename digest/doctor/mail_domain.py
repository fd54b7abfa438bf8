"""Whether receivers will believe that mail is ours: SPF, DKIM, DMARC, and where answers go.

Gmail, Yahoo and Outlook ask senders of 5,000 mails a day for all three.
"""

from base64 import b64encode

from digest.config import Config
from digest.doctor.names import Names
from digest.doctor.records import (
    MOST_LOOKUPS,
    DkimKey,
    Dmarc,
    is_dmarc,
    is_spf,
    key_bits,
    read_dkim,
    read_dmarc,
    read_spf,
)
from digest.doctor.results import Result, failure, ok, skipped, warning
from digest.providers import Identity

_SHORT, _ADVISED = 1024, 2048  # bits of an RSA key
_SHOWN = 120  # characters of a record


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def examine_spf(config: Config, identity: Identity, names: Names) -> Result:  # noqa: PLR0911 - a kind a line
    """The domain of the return path names the servers that may send for it, once and correctly."""
    domain = identity.return_domain or domain_of(config.newsletter.sender)
    records = [text for text in names.texts(domain) if is_spf(text)]
    if not records and not identity.return_domain:
        return ok("dns.spf", f"{domain} has no SPF record and needs none: {identity.note}")
    if not records:
        return failure(
            "dns.spf",
            f"{domain} has no SPF record",
            f'add:  {domain}  TXT  "v=spf1 include:<what your mail service says> ~all"',
        )
    if len(records) > 1:
        return failure(
            "dns.spf", f"{domain} has {len(records)} SPF records", "keep one: two count as an error"
        )
    spf = read_spf(records[0], names.texts)
    if spf.problems:
        return failure("dns.spf", f"{domain}: {'; '.join(spf.problems)}", _shown(records[0]))
    if spf.end in {"all", "+all"}:
        return failure("dns.spf", f"{domain} lets everybody send (+all)", "end it with ~all")
    if not spf.end:
        return warning("dns.spf", f"{domain}: the record has no end", "end it with ~all")
    return ok("dns.spf", f"{domain}, {spf.lookups} of {MOST_LOOKUPS} look-ups, {spf.end}")


def examine_dkim(config: Config, identity: Identity, names: Names) -> Result:
    """The key that receivers find is the one that signs."""
    if not identity.selectors:
        return skipped(
            "dns.dkim", f"{identity.note}; mail yourself and look for dkim=pass in the headers"
        )
    domain = identity.signs_as
    places = [f"{selector}._domainkey.{domain}" for selector in identity.selectors]
    found = {place: names.texts(place) for place in places}
    published = {place: texts for place, texts in found.items() if texts}
    if not published:
        return _no_dkim(identity, places[0])
    for place, texts in published.items():
        result = _dkim_key(place, read_dkim(texts[0]), identity)
        if result.fix:
            return result
    return ok("dns.dkim", " and ".join(published))


def _no_dkim(identity: Identity, place: str) -> Result:
    if not identity.public_key:
        return warning("dns.dkim", f"there is no {place}", identity.note)
    record = _record_to_publish(identity)
    return failure("dns.dkim", f"there is no {place}", f'add:  {place}  TXT  "{record}"')


def _record_to_publish(identity: Identity) -> str:
    return f"v=DKIM1; k={identity.kind}; p={b64encode(identity.public_key).decode()}"


def _dkim_key(place: str, key: DkimKey, identity: Identity) -> Result:  # noqa: PLR0911 - a kind a line
    record = _record_to_publish(identity) if identity.public_key else ""
    fix = f'it has to be:  {place}  TXT  "{record}"' if record else identity.note
    if key.problem:
        return failure("dns.dkim", f"{place}: {key.problem}", fix)
    try:
        bits = key_bits(key)
    except ValueError as error:
        return failure("dns.dkim", f"{place}: its key cannot be read: {error}", fix)
    if record and (key.kind, key.key) != (identity.kind, identity.public_key):
        return failure("dns.dkim", f"{place} holds another key than smtp.dkim_key", fix)
    if key.kind == "rsa" and bits < _SHORT:
        return failure("dns.dkim", f"{place}: {bits} bits are refused", "make a key of 2048 bits")
    if key.kind == "rsa" and bits < _ADVISED:
        return warning("dns.dkim", f"{place}: {bits} bits", "make a key of 2048 bits")
    if key.testing:
        return warning("dns.dkim", f"{place} is in test mode", "take t=y out of the record")
    return ok("dns.dkim", place)


def examine_dmarc(config: Config, names: Names) -> Result:
    """What receivers are to do with mail that is not ours."""
    domain = domain_of(config.newsletter.sender)
    place, records = _policy_of(domain, names)
    if not records:
        return failure(
            "dns.dmarc",
            f"{domain} has no DMARC policy; Gmail, Yahoo and Outlook ask for one",
            f'add:  _dmarc.{domain}  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@{domain}"',
        )
    if len(records) > 1:
        seen = f"{place} has {len(records)} policies"
        return failure("dns.dmarc", seen, "keep one: two are none")
    policy = _read_policy(domain, place, records)
    if policy.problem:
        return failure("dns.dmarc", f"{place}: {policy.problem}", "none, quarantine or reject")
    if policy.obsolete:
        seen = f"{place} has tags that RFC 9989 dropped: {', '.join(policy.obsolete)}"
        return warning("dns.dmarc", seen, "remove them")
    return ok("dns.dmarc", f"{place}, policy {policy.policy}")


def _policy_of(domain: str, names: Names) -> tuple[str, list[str]]:
    """The nearest name that has DMARC records, and them (RFC 9989's walk up the tree)."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        place = f"_dmarc.{'.'.join(labels[start:])}"
        if records := [text for text in names.texts(place) if is_dmarc(text)]:
            return place, records
    return f"_dmarc.{domain}", []


def _read_policy(domain: str, place: str, records: list[str]) -> Dmarc:
    record = records[0] if records else ""
    return read_dmarc(record, inherited=place != f"_dmarc.{domain}")


def examine_alignment(config: Config, identity: Identity, names: Names) -> Result:
    """DMARC passes when the domain that signs, or that of the return path, is the sender's own."""
    sender = domain_of(config.newsletter.sender)
    policy = _read_policy(sender, *_policy_of(sender, names))
    dkim = _aligned(sender, identity.signs_as, policy.strict_dkim, names)
    spf = _aligned(sender, identity.return_domain, policy.strict_spf, names)
    how = " and ".join(name for name, passes in (("DKIM", dkim), ("SPF", spf)) if passes)
    if how:
        return ok("dns.alignment", f"{how} of {sender}")
    if not identity.signs_as:
        return warning(
            "dns.alignment",
            f"the return path is at {identity.return_domain}, the sender at {sender}",
            f"have your server sign as {sender}, or set smtp.return_path to an address there",
        )
    return failure(
        "dns.alignment",
        f"the sender is at {sender}, mail is signed as {identity.signs_as}",
        f"sign as {sender}: DMARC fails otherwise, however right SPF and DKIM are",
    )


def _aligned(sender: str, other: str, strict: bool, names: Names) -> bool:
    one, two = sender.lower(), other.lower()
    if one == two or strict or not two:
        return one == two
    if one.endswith(f".{two}") or two.endswith(f".{one}"):
        return True
    return _organisation(one, names) == _organisation(two, names)


def _organisation(domain: str, names: Names) -> str:
    """The highest name with a policy; without one, the domain stands for itself."""
    labels = domain.split(".")
    above = [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
    with_policy = [name for name in above if any(map(is_dmarc, names.texts(f"_dmarc.{name}")))]
    return with_policy[-1] if with_policy else domain


def examine_mx(config: Config, identity: Identity, names: Names) -> Result:
    """Answers and bounces arrive somewhere."""
    newsletter = config.newsletter
    addresses = (newsletter.sender, newsletter.reply_to, f"bounces@{identity.return_domain}")
    domains = dict.fromkeys(domain for each in addresses if (domain := domain_of(each)))
    without = []
    for domain in domains:
        servers = names.mail_servers(domain)
        if servers == ["."] or not (servers or names.has_address(domain)):
            without.append(domain)
        elif not servers:
            return warning("dns.mx", f"{domain} has no MX record", "add one: not all use its A")
    if without:
        return failure(
            "dns.mx",
            f"{', '.join(without)} takes no mail; answers and bounces come back to nobody",
            "add an MX record; receivers distrust a sender that cannot be answered",
        )
    return ok("dns.mx", ", ".join(domains))


def _shown(record: str) -> str:
    return f"it is now:  {record[:_SHOWN]}"
