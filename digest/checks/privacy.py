"""What a message would tell others about the person who opens it. Pure."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from digest.checks.proof import Proof
from digest.checks.rendering import host_of, same_site
from digest.checks.rule import ERROR, Rule
from digest.models import Finding

FONT = Rule(
    "privacy/remote-font",
    ERROR,
    "No font is loaded from the network.",
    "It tells a third party who reads and when; a court awarded damages for it. MJML loads one for "
    "certain font names by itself.",
    "Use fonts that readers have; docs/templates.md names those to avoid.",
    "LG München I, 3 O 17493/20; docs/templates.md",
)
THIRD_PARTY = Rule(
    "privacy/third-party",
    ERROR,
    "Nothing is loaded from a host that is not yours.",
    "Each open would be reported to it, with the reader's address on the network.",
    "Put the file on your own site.",
    "GDPR art. 5 and 6; LG München I, 3 O 17493/20",
)
PIXEL = Rule(
    "privacy/pixel",
    ERROR,
    "There is no tracking pixel.",
    "A picture that nobody can see is there to watch. Half of all opens are machines' anyway.",
    "Take it out; count deliveries, replies and clicks on your own site.",
    "GDPR; CNIL 2025 on pixels; Apple Mail Privacy Protection",
)
ADDRESS = Rule(
    "privacy/address-in-link",
    ERROR,
    "No link holds the reader's address or name.",
    "Addresses in links end up in logs, in statistics and in the next site's Referer.",
    "Use the signed links: {{ preferences_url }}, {{ unsubscribe_url }}.",
    "Mautic #913; freeCodeCamp #8597; GDPR art. 5(1)(f)",
)
TOKEN = Rule(
    "privacy/fixed-token",
    ERROR,
    "No signed link of one reader is in everybody's message.",
    "All readers would open one person's preferences, or unsubscribe them.",
    "Use {{ preferences_url }} and {{ unsubscribe_url }} instead of a link copied from a mail.",
    "docs/messages.md",
)
SCRIPTED = Rule(
    "privacy/handler",
    ERROR,
    "No attribute runs a script.",
    "Mail programs strip onclick and its like; web archives of the mail may not.",
    "Take the attribute out.",
    "OWASP XSS prevention",
)

RULES = (FONT, THIRD_PARTY, PIXEL, ADDRESS, TOKEN, SCRIPTED)

_FONT = re.compile(r"@import\b[^;]*;?|@font-face\b", re.IGNORECASE)
_URL = re.compile(r"""url\(\s*['"]?(?P<url>[^'")\s]+)""", re.IGNORECASE)
_LOADING = (("img", "src"), ("img", "srcset"), ("link", "href"), ("source", "src"))
_TOKEN = re.compile(r"/[pu]/[A-Za-z0-9_-]{34}(?![A-Za-z0-9_-])")


def check_proof(proof: Proof) -> Iterator[Finding]:
    """What the HTML of one language loads, and what its links say."""
    yield from _fonts(proof)
    yield from _loaded(proof)
    yield from _links(proof)
    for element in proof.document.elements:
        for name in element.attributes:
            if name.startswith("on") and len(name) > 4:
                yield SCRIPTED.at(*proof.sources.place(element), f"<{element.name} {name}=…>")


def _fonts(proof: Proof) -> Iterator[Finding]:
    for match in _FONT.finditer(proof.html):
        line = proof.shell.line_of("font-family") or proof.shell.line_of("<mj-style")
        yield FONT.at(proof.shell.path, line, match[0][:80])
    for _, element in proof.document.named("link"):
        address = element.attributes.get("href", "")
        if "font" in address.lower():
            yield FONT.at(*proof.sources.place(element), f"loads {address[:80]}")


def _loaded(proof: Proof) -> Iterator[Finding]:
    newsletter = proof.newsletter
    sender = newsletter.sender.rpartition("@")[2]
    own = (host_of(newsletter.base_url), sender, *proof.own_hosts)
    for _, element in proof.document.named("img", "link", "source"):
        for name, attribute in _LOADING:
            host = host_of(element.attributes.get(attribute, ""))
            if element.name == name and host and not any(same_site(host, one) for one in own):
                place = proof.sources.place(element)
                yield THIRD_PARTY.at(*place, f"<{name}> loads from {host}")
        sizes = {
            element.attributes.get(side, "").removesuffix("px") for side in ("width", "height")
        }
        if element.name == "img" and sizes and sizes <= {"0", "1"}:
            yield PIXEL.at(*proof.sources.place(element), "a picture of one pixel")
    for match in _URL.finditer(proof.html):
        host = host_of(match["url"])
        if host and not any(same_site(host, one) for one in own):
            template = proof.sources.at(match.start())
            line = template.line_of(match["url"])
            yield THIRD_PARTY.at(template.path, line, f"a style loads from {host}")


def _links(proof: Proof) -> Iterator[Finding]:
    address = proof.reader.lower()
    for _, element in proof.document.named("a", "img"):
        link = element.attributes.get("href") or element.attributes.get("src", "")
        if address in link.lower() or quote(address, safe="") in link.lower():
            yield ADDRESS.at(*proof.sources.place(element), "the reader's address in a link")
        match = _TOKEN.search(link)
        if match and not any(match[0] in page for page in proof.pages):
            yield TOKEN.at(*proof.sources.place(element), "a link that was signed for one reader")
