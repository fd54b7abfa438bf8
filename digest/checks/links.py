"""Where links lead, as far as addresses alone can tell. Pure; `digest.online` asks the web."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from digest.checks.content import said, without_code
from digest.checks.places import Places
from digest.checks.rule import ERROR, INFO, WARNING, Rule
from digest.inline import links
from digest.models import Finding, Story

LONG_LINK = 300  # characters; tracked ones are longer

SYNTAX = Rule(
    "link/syntax",
    ERROR,
    "Every link is an address.",
    "One without a host, with a space in it or with two schemes opens nothing.",
    "Copy the address again from the browser's address bar.",
    "RFC 3986; WHATWG URL",
)
RELATIVE = Rule(
    "link/relative",
    WARNING,
    "No link is relative or empty.",
    "A mail has no page that it could be relative to: the words are shown without their link.",
    "Write the whole address, https:// included.",
    "Buttondown's check before sending; Maizzle's linter",
)
SCHEME = Rule(
    "link/scheme",
    ERROR,
    "Every link begins with https, http or mailto.",
    "`javascript:`, `data:` and `file:` are refused by mail programs and distrusted by filters; "
    "the words are shown without their link.",
    "Link to a page.",
    "Maizzle's linter; canispam's rules; caniemail",
)
PRIVATE = Rule(
    "link/private",
    ERROR,
    "No link leads into a private network.",
    "localhost, 10.0.0.1 or wiki.internal open nothing at a reader's, or something of their own.",
    "Link to the public page.",
    "RFC 1918, RFC 6761, RFC 4193",
)
CREDENTIALS = Rule(
    "link/credentials",
    ERROR,
    "No link holds a user name or password.",
    "Every reader can use it, and browsers warn of it.",
    "Take out what stands before the @.",
    "RFC 3986 3.2.1",
)
DISGUISED = Rule(
    "link/disguised",
    ERROR,
    "Words that are an address name the site that the link leads to.",
    "A link that says one site and opens another is what phishing looks like; filters count it.",
    "Let the words be a title, or the address of the same site.",
    "canispam's link rules; SpamAssassin",
)
HTTP = Rule(
    "link/http",
    WARNING,
    "Links are https.",
    "What is read can be seen and changed on the way; some mail programs warn.",
    "Write https:// where the site answers it (`digest check --online` tells).",
    "react-email's and Maizzle's linters",
)
SHORTENER = Rule(
    "link/shortener",
    WARNING,
    "No link hides behind a shortener.",
    "Filters block shorteners whole for what others hide there, and the service sees who clicks.",
    "Link to where it leads.",
    "canispam's and SURBL's lists; Buttondown's check",
)
TRACKER = Rule(
    "link/tracker",
    WARNING,
    "No link goes through somebody's click counter.",
    "It was copied out of a newsletter: it says who copied it, may end when that account does, and "
    "has others counted as that reader.",
    "Open it, and copy the address it leads to.",
    "links of Substack, SendGrid, Mailchimp and others",
)
CAMPAIGN = Rule(
    "link/campaign",
    WARNING,
    "No link carries another's campaign.",
    "`utm_`, `fbclid` and `mc_eid` were given to whoever copied the link, or name them.",
    "Cut the address before these parameters.",
    "Google Analytics; privacy lists of browsers",
)
ADDRESS = Rule(
    "link/ip",
    WARNING,
    "No link names a computer by its number.",
    "Honest sites have names; filters count links to IP addresses.",
    "Use the site's name.",
    "canispam's link rules",
)
LOOKALIKE = Rule(
    "link/lookalike",
    WARNING,
    "No link's host mixes alphabets.",
    "`xn--` names and Latin letters beside Cyrillic ones are how a bank is imitated.",
    "Check each letter of the host.",
    "Unicode UTS 39; canispam's link rules",
)
LONG = Rule(
    "link/long",
    WARNING,
    f"No link is longer than {LONG_LINK} characters.",
    "Long ones are tracked ones, wrap badly in plain text, and add to every edition.",
    "Cut parameters that the page does not need.",
    "canispam's rules; clipping at 102 kB",
)
TRAILING = Rule(
    "link/trailing",
    WARNING,
    "No link ends in punctuation.",
    "A full stop or bracket that belongs to the sentence became a part of the address.",
    "Move it behind the link.",
    "CommonMark 6.3; GFM autolinks",
)
VAGUE = Rule(
    "link/vague",
    WARNING,
    "The words of a link say where it leads.",
    "Screen readers list links without the sentence round them: “here, here, read more”.",
    "Link the title or the thing itself.",
    "WCAG 2.2, 2.4.4",
)
SAME_WORDS = Rule(
    "link/same-words",
    WARNING,
    "Links with the same words lead to the same place.",
    "Who hears or sees the second takes it for the first.",
    "Say what is different.",
    "WCAG 2.2, 2.4.4",
)
REPEATED = Rule(
    "link/repeated",
    INFO,
    "A story links to a place once.",
    "The second link adds bytes and a stop for the keyboard, and nothing else.",
    "Keep the first.",
    "WCAG technique H2",
)

RULES = (
    *(SYNTAX, RELATIVE, SCHEME, PRIVATE, CREDENTIALS, DISGUISED, HTTP, SHORTENER, TRACKER),
    *(CAMPAIGN, ADDRESS, LOOKALIKE, LONG, TRAILING, VAGUE, SAME_WORDS, REPEATED),
)

_SHORTENERS = frozenset(
    (
        *("bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly"),
        *("cutt.ly", "shorturl.at", "rb.gy", "tiny.cc", "bl.ink", "lnkd.in", "dlvr.it", "t.ly"),
        *("v.gd", "s.id", "adf.ly", "soo.gd", "trib.al", "amzn.to"),
    )
)
_TRACKERS = re.compile(
    r"^https?://(?:[\w.-]+\.)?(?:list-manage\.com/track|sendgrid\.net/(?:ls|wf)/"
    r"|substack\.com/redirect/|click\.convertkit-mail\d*\.com|click\.mlsend\.com"
    r"|links\.[\w-]+\.beehiiv\.com|link\.mail\.beehiiv\.com|mailchi\.mp/track"
    r"|tracking\.tldrnewsletter\.com|(?:e|click|email)\.[\w.-]+/(?:ls/click|c/eJ|click\?upn)"
    r"|r\.mail[\w.-]*/tr/|safelinks\.protection\.outlook\.com|urldefense\.(?:com|proofpoint\.com)"
    r"|www\.google\.[a-z.]+/url\?)",
    re.IGNORECASE,
)
_CAMPAIGNS = frozenset(
    (
        *("fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "mc_eid", "mc_cid"),
        *("igshid", "vero_id", "_hsenc", "_hsmi", "mkt_tok", "oly_anon_id", "oly_enc_id"),
    )
)
_VAGUE = frozenset(
    (
        *("here", "click here", "click", "link", "this", "this link", "read more", "more"),
        *("learn more", "read this", "source", "see here", "tutaj", "tu", "kliknij", "więcej"),
        *("kliknij tutaj", "czytaj więcej", "czytaj dalej", "źródło"),
    )
)
_LOCAL = (".local", ".localhost", ".internal", ".intranet", ".lan", ".corp", ".home", ".home.arpa")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?")
_SHOWN_ADDRESS = re.compile(r"(?:https?://)?(?P<host>(?:[\w-]+\.)+[a-z]{2,})(?:[/?#]\S*)?", re.I)
_TAIL = re.compile(r"(?:[.,;:!'\"]|%20|&quot;)$|\)$|\]$|>$")
_WHOLE = "write the whole address, https:// included"
_OPEN = {")": "(", "]": "[", ">": "<"}


class Link(NamedTuple):
    """A link as its author wrote it; `words` are empty for a story's own."""

    words: str
    target: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one address, before it has a place."""

    rule: Rule
    message: str
    fix: str = ""


def links_of(story: Story) -> Iterator[Link]:
    """A story's own link, then those in its texts. Those in code are text."""
    if story.link:
        yield Link("", story.link)
    for text in said(story):
        if "](" in text or "<" in text:
            yield from (Link(*pair) for pair in links(without_code(text)))


def check_stories(stories: Sequence[Story], places: Places) -> Iterator[Finding]:
    """The links of every story that is no draft."""
    for story in stories:
        if not story.draft:
            yield from check_story(story, places)


def check_story(story: Story, places: Places) -> Iterator[Finding]:
    """The links of one story, each finding at the line of the link."""
    found = list(links_of(story))
    for link in found:
        for flaw in (*flaws(link.target), *disguise(link)):
            where = places.line(story, link.target)
            yield flaw.rule.at(story.post, where, flaw.message, key="link", fix=flaw.fix)
    yield from _between(story, found, places)


@lru_cache(maxsize=20_000)
def flaws(target: str) -> tuple[Flaw, ...]:
    """What is wrong with an address, whatever its words are."""
    address = target.strip()
    if not address or (address[0] in "#?./" and not address.startswith("//")):
        return (Flaw(RELATIVE, f"a relative link: {address or '(empty)'}", _WHOLE),)
    scheme = address.partition(":")[0].lower()
    if ":" in address and re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        if scheme == "mailto":
            return () if "@" in address else (Flaw(SYNTAX, f"no mailbox: {address}"),)
        if scheme not in ("http", "https"):
            known = not re.match(r"[^/]*:\d", address)
            return (
                (Flaw(SCHEME, f"a {scheme}: link", "link to a page"),)
                if known
                else (Flaw(SYNTAX, address),)
            )
    elif "//" not in address[:2]:
        return (Flaw(RELATIVE, f"a relative link: {address}", _WHOLE),)
    return tuple(_address_flaws(address))


def disguise(link: Link) -> Iterator[Flaw]:
    """What is wrong between the words of a link and where it leads."""
    words = link.words.strip()
    if words.casefold().rstrip(".…!:→ ") in _VAGUE:
        yield Flaw(VAGUE, f"the words “{words}” say nothing", "link what it is about")
    if (match := _SHOWN_ADDRESS.fullmatch(words)) and (parts := _split(link.target)):
        shown, real = match["host"].lower(), (parts.hostname or "").lower()
        if real and "@" not in words and _site(shown) != _site(real) and _looks_like_host(words):
            yield Flaw(DISGUISED, f"the words say {shown}, the link opens {real}")


def _looks_like_host(words: str) -> bool:
    """`node.js` and `asp.net` are names, `https://node.js` and `example.com/x` are addresses."""
    return (
        "/" in words
        or words.lower().startswith("www.")
        or words.lower().endswith(
            (".com", ".org", ".io", ".gov", ".edu", ".eu", ".pl", ".de", ".uk")
        )
    )


def _site(host: str) -> str:
    """The last two labels: enough to tell one owner from another in almost all cases."""
    return ".".join(host.removeprefix("www.").rsplit(".", 2)[-2:])


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port  # ValueError where it is none
        return parts
    except ValueError:
        return None


def _address_flaws(address: str) -> Iterator[Flaw]:
    parts = _split(address)
    host = (parts.hostname or "") if parts else ""
    if parts is None or not host or " " in address or "\\" in address:
        yield Flaw(SYNTAX, f"no address: {address[:80]}")
        return
    if re.match(r"https?:/*https?:?/", address, re.IGNORECASE):
        yield Flaw(SYNTAX, f"two schemes: {address[:80]}", "keep the second")
        return
    number = _number(host)
    if not number and not _HOST.fullmatch(host):
        yield Flaw(SYNTAX, f"no host name: {host}")
        return
    if parts.username or parts.password:
        yield Flaw(CREDENTIALS, f"a user name or password for {host}", "take it out")
    if is_private(host):
        yield Flaw(PRIVATE, f"{host} is no public site", "link to the public page")
    elif number:
        yield Flaw(ADDRESS, f"{host} is a number and no name", "use the name of the site")
    elif parts.scheme == "http":
        yield Flaw(HTTP, f"http://{host} is not encrypted", "write https://")
    yield from _habits(address, host, parts)


def _habits(address: str, host: str, parts: SplitResult) -> Iterator[Flaw]:
    """What a careful author would not link to."""
    if host.removeprefix("www.") in _SHORTENERS:
        yield Flaw(SHORTENER, f"{host} hides where it leads", "link to that page")
    if _TRACKERS.match(address):
        yield Flaw(TRACKER, f"{host} counts clicks", "link to where it leads")
    elif "=" in parts.query and (names := _campaign(parts.query)):
        yield Flaw(CAMPAIGN, f"the parameters {', '.join(names)}", "cut them")
    if _mixed(host):
        yield Flaw(LOOKALIKE, f"the host {host} is in another alphabet", "check each letter")
    if len(address) > LONG_LINK:
        yield Flaw(LONG, f"{len(address)} characters", "cut what the page does not need")
    if match := _TAIL.search(address):
        opening = _OPEN.get(match[0])
        if opening is None or address.count(opening) < address.count(match[0]):
            yield Flaw(TRAILING, f"{address[-30:]} ends in “{match[0]}”")


def _campaign(query: str) -> list[str]:
    names = dict.fromkeys(name.lower() for name, _ in parse_qsl(query, keep_blank_values=True))
    return [name for name in names if name.startswith("utm_") or name in _CAMPAIGNS]


def _number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_private(host: str) -> bool:
    """Whether a host, by its name or number alone, is in no public network."""
    name = host.rstrip(".").lower()
    try:
        return not ip_address(name).is_global
    except ValueError:
        return name == "localhost" or name.endswith(_LOCAL) or "." not in name


def _mixed(host: str) -> bool:
    """Whether it is written in the form for other alphabets, or has letters of two in one label."""
    if host.isascii():
        return "xn--" in host
    alphabets = ({_alphabet(c) for c in label if c.isalpha()} for label in host.split("."))
    return any(len(label) > 1 for label in alphabets)


def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "?").partition(" ")[0]


def _between(story: Story, found: Sequence[Link], places: Places) -> Iterator[Finding]:
    """What two links of a story say to each other."""
    words: dict[str, str] = {}
    targets: set[str] = set()
    for link in found:
        said_words, target = link.words.casefold(), link.target.rstrip("/")
        first = words.setdefault(said_words, target) if said_words else target
        if first != target and said_words not in _VAGUE:
            message = f"“{link.words}” leads to two places"
            yield SAME_WORDS.at(story.post, places.line(story, link.target), message, key="link")
        if target in targets:
            message = f"linked twice: {target[:80]}"
            yield REPEATED.at(story.post, places.last(story, link.target), message, key="link")
        targets.add(target)
