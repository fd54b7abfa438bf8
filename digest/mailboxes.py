"""Who keeps a mailbox, by the domain of its address: the few that most readers have. Pure."""

GMAIL, OUTLOOK, YAHOO, APPLE, OTHER = "gmail", "outlook", "yahoo", "apple", "other"

_DOMAINS = {
    GMAIL: ("gmail.com", "googlemail.com"),
    OUTLOOK: ("msn.com", "passport.com"),
    YAHOO: ("ymail.com", "rocketmail.com", "aol.com", "aim.com", "myyahoo.com"),
    APPLE: ("icloud.com", "me.com", "mac.com"),
}
# These have a domain for every country: `hotmail.co.uk`, `yahoo.fr`.
_NAMES = {"outlook": OUTLOOK, "hotmail": OUTLOOK, "live": OUTLOOK, "yahoo": YAHOO}
_BY_DOMAIN = {domain: name for name, domains in _DOMAINS.items() for domain in domains}
_MOST_LABELS = 3


def provider_of(domain: str) -> str:
    """`gmail`, `outlook`, `yahoo`, `apple` or `other`. A domain of one's own is `other`, whoever
    keeps its mail."""
    name, *rest = domain.lower().split(".")
    by_name = _NAMES.get(name, OTHER) if 1 <= len(rest) < _MOST_LABELS else OTHER
    return _BY_DOMAIN.get(domain.lower(), by_name)
