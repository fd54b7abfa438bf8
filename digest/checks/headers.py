"""What the standards, the mailbox providers and the law ask of every message. Pure."""

import re
from collections.abc import Iterator

from digest.checks.proof import Proof, Settings
from digest.checks.rendering import host_of, same_site
from digest.checks.rule import ERROR, WARNING, Rule
from digest.config import Newsletter
from digest.models import Finding

LONGEST = 998  # octets of a line
LEAST_TEXT = 0.3  # of the words of the HTML

ONE_CLICK = Rule(
    "header/one-click",
    ERROR,
    "Every message can be left with one click.",
    "Gmail and Yahoo ask bulk senders for it, and show the button that readers press instead of "
    "“spam”.",
    "List-Unsubscribe with an https address, and List-Unsubscribe-Post: "
    "List-Unsubscribe=One-Click.",
    "RFC 8058; Google's and Yahoo's sender guidelines",
)
LIST_UNSUBSCRIBE = Rule(
    "header/list-unsubscribe",
    ERROR,
    "List-Unsubscribe is well formed.",
    "A program that cannot read it shows no button.",
    "Each address in < >, commas between, at most one https and one mailto.",
    "RFC 2369 2 and 3.2",
)
REQUIRED = Rule(
    "header/required",
    ERROR,
    "From, To, Subject, Date, Message-ID, MIME-Version and List-Id are there.",
    "Messages without them are refused or distrusted.",
    "This is the program's own work: please report it.",
    "RFC 5322 3.6, RFC 2045 4, RFC 2919",
)
REPEATED = Rule(
    "header/repeated",
    ERROR,
    "No header field is there twice.",
    "Gmail refuses a second From, Subject or Date outright (550 5.7.1).",
    "This is the program's own work: please report it.",
    "RFC 5322 3.6; Google's sender guidelines",
)
LINE = Rule(
    "header/line",
    ERROR,
    f"No line is longer than {LONGEST} bytes, and all end in CRLF.",
    "Servers cut or refuse longer ones; a bare LF ends a message early in some.",
    "This is the program's own work: please report it.",
    "RFC 5322 2.1.1; RFC 5321 4.5.3.1; SMTP smuggling",
)
ASCII = Rule(
    "header/ascii",
    ERROR,
    "Header fields are ASCII.",
    "Raw UTF-8 is shown as gibberish or refused, where a server does not offer SMTPUTF8.",
    "This is the program's own work: please report it.",
    "RFC 5322 2.2, RFC 2047",
)
LIST_ID = Rule(
    "header/list-id",
    ERROR,
    "List-Id ends in an id in angle brackets.",
    "Readers' filters file the newsletter by it.",
    "Set newsletter.list_id to a name like platform-weekly.example.com.",
    "RFC 2919 3",
)
FREEMAIL = Rule(
    "header/freemail",
    ERROR,
    "The sender is of a domain of your own.",
    "Gmail, Yahoo and Outlook reject mail in their name that they did not send (DMARC).",
    "Set newsletter.sender to an address of your domain.",
    "Google's sender guidelines; Yahoo's DMARC policy",
)
NO_REPLY = Rule(
    "header/no-reply",
    WARNING,
    "Readers can reply.",
    "A reply is the best sign of wanted mail; noreply@ wastes it, and Outlook's rules forbid it.",
    "Set newsletter.reply_to to an address that somebody reads.",
    "Microsoft's requirements for bulk senders (2025)",
)
ALIGNED = Rule(
    "header/aligned",
    WARNING,
    "The links of the reader's pages are of the sender's domain.",
    "Filters and careful readers compare the two.",
    "Let newsletter.base_url be a host of the sender's domain.",
    "Google's sender guidelines; practice",
)
SENDER_NAME = Rule(
    "header/sender-name",
    WARNING,
    "The sender has a name.",
    "Inboxes show it larger than the subject; a bare address looks like a machine's.",
    "Set newsletter.sender_name or newsletter.name.",
    "Google's sender guidelines",
)
UNSUBSCRIBE = Rule(
    "law/unsubscribe",
    ERROR,
    "A link to unsubscribe is to be seen in both parts.",
    "The law asks for it, and who does not find it reports spam.",
    "Show {{ unsubscribe_url }} in digest.mjml, with words, and in digest.txt.",
    "CAN-SPAM 16 CFR 316.5; GDPR art. 7(3); Google's sender guidelines",
)
POSTAL = Rule(
    "law/postal-address",
    ERROR,
    "The postal address is in both parts.",
    "Several laws ask for it in every mail.",
    "Set newsletter.postal_address, and show {{ address }} in digest.mjml and digest.txt.",
    "CAN-SPAM 15 U.S.C. 7704(a)(5); CASL",
)
WHY = Rule(
    "law/why",
    WARNING,
    "Every message says why the reader gets it.",
    "Who has forgotten that they signed up reports spam.",
    "Show {{ why }} in digest.mjml and digest.txt.",
    "GDPR art. 13; Ghost's and Substack's practice",
)
YEAR = Rule(
    "law/old-year",
    WARNING,
    "A © line has this year.",
    "An old one looks as if nobody cared.",
    "Change it in the template, or take it out: it has no effect.",
    "Buttondown's check before sending",
)
NO_TEXT = Rule(
    "text/missing",
    ERROR,
    "There is a plain text part, with words in it.",
    "Filters count its absence, and watches, screen readers and old programs show nothing.",
    "Show {{ stories }} in digest.txt.",
    "RFC 2046 5.1.4; SpamAssassin MIME_HTML_ONLY",
)
LITTLE_TEXT = Rule(
    "text/short",
    WARNING,
    "The plain text part says about as much as the HTML.",
    "Parts that differ are what senders of unwanted mail hide behind.",
    "Show the same texts in the .txt templates.",
    "SpamAssassin MPART_ALT_DIFF",
)
HIDDEN = Rule(
    "text/markup",
    WARNING,
    "The plain text part has no HTML in it.",
    "It is shown as it is.",
    "Use `| plain` in the .txt templates.",
    "docs/templates.md",
)
RULES = (
    *(ONE_CLICK, LIST_UNSUBSCRIBE, REQUIRED, REPEATED, LINE, ASCII, LIST_ID, FREEMAIL, NO_REPLY),
    *(ALIGNED, SENDER_NAME, UNSUBSCRIBE, POSTAL, WHY, YEAR, NO_TEXT, LITTLE_TEXT, HIDDEN),
)

_REQUIRED = ("from", "to", "subject", "date", "message-id", "mime-version", "list-id")
_ONCE = (*_REQUIRED, "reply-to", "list-unsubscribe", "list-unsubscribe-post", "content-type")
_FREEMAIL = frozenset(
    (
        *("gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "ymail.com"),
        *("outlook.com", "hotmail.com", "live.com", "msn.com", "aol.com", "icloud.com"),
        *("me.com", "mac.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com"),
        *("mail.ru", "yandex.ru", "wp.pl", "o2.pl", "onet.pl", "interia.pl"),
    )
)
_NO_REPLY = re.compile(r"(?:no|do-?not)[-_.]?reply", re.IGNORECASE)
_YEAR = re.compile(r"(?:©|\(c\)|&copy;)\s*(?:\d{4}\s*[-–]\s*)?(?P<year>(?:19|20)\d{2})", re.I)
_MARKUP = re.compile(r"</?(?:a|p|br|div|span|strong|em|li|ul|h[1-6])(?:\s[^<>]*)?/?>", re.I)


def fields(message: bytes) -> list[tuple[str, str]]:
    """The header fields of a message, unfolded, names in lower case."""
    head = message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    lines = re.sub(r"\r?\n[ \t]+", " ", head).splitlines()
    pairs = (line.partition(":") for line in lines)
    return [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon]


def check_proof(proof: Proof) -> Iterator[Finding]:
    """The message of one language, as it is handed over."""
    yield from check_message(proof.message, f"message.{proof.language}")
    yield from _law(proof)
    yield from _text(proof)


def check_message(message: bytes, path: str) -> Iterator[Finding]:
    """The header of any message of ours; `path` is what findings name it."""
    head = fields(message)
    names = [name for name, _ in head]
    known = dict(head)
    for name in _REQUIRED:
        if not known.get(name):
            yield REQUIRED.at(path, 0, f"no {name}", key=name)
    for name in _ONCE:
        if names.count(name) > 1:
            yield REPEATED.at(path, names.index(name) + 1, f"{names.count(name)} times", key=name)
    yield from _unsubscribing(known, path)
    if "list-id" in known and not re.search(r"<[\w-]+(?:\.[\w-]+)+>$", known["list-id"]):
        yield LIST_ID.at(path, 0, known["list-id"][:80], key="list-id")
    yield from _lines(message, path)


def check_settings(newsletter: Newsletter, settings: Settings) -> Iterator[Finding]:
    """Who writes, as digest.toml says it."""
    sender, reply_to = newsletter.sender, newsletter.reply_to

    def at(rule: Rule, key: str, message: str) -> Finding:
        dotted = f"newsletter.{key}"
        return rule.at(settings.path, settings.line(dotted), message, key=dotted)

    domain = sender.rpartition("@")[2].lower()
    if domain in _FREEMAIL:
        yield at(FREEMAIL, "sender", f"{domain} sends no newsletters")
    if _NO_REPLY.search((reply_to or sender).partition("@")[0]):
        key = "reply_to" if reply_to else "sender"
        yield at(NO_REPLY, key, f"nobody reads {reply_to or sender}")
    if newsletter.base_url and not same_site(host_of(newsletter.base_url), domain):
        yield at(ALIGNED, "base_url", f"{host_of(newsletter.base_url)} beside {domain}")
    if not (newsletter.sender_name or newsletter.name).strip():
        yield at(SENDER_NAME, "sender_name", "the sender has no name")
    if not newsletter.postal_address.strip():
        yield at(POSTAL, "postal_address", "missing; laws ask for one in every mail")


def _unsubscribing(known: dict[str, str], path: str) -> Iterator[Finding]:
    value = known.get("list-unsubscribe", "")
    addresses = re.findall(r"<([^<>]*)>", value)
    if not any(address.startswith("https://") for address in addresses):
        yield ONE_CLICK.at(path, 0, "no https address", key="list-unsubscribe")
    if known.get("list-unsubscribe-post") != "List-Unsubscribe=One-Click":
        yield ONE_CLICK.at(path, 0, "not the value of RFC 8058", key="list-unsubscribe-post")
    if value:
        schemes = [address.partition(":")[0].lower() for address in addresses]
        formed = re.fullmatch(r"<[^<>\s,]+>(?:\s*,\s*<[^<>\s,]+>)*", value)
        if not formed or len(schemes) != len(set(schemes)):
            yield LIST_UNSUBSCRIBE.at(path, 0, value[:80], key="list-unsubscribe")


def _lines(message: bytes, path: str) -> Iterator[Finding]:
    for number, octets in enumerate(message.split(b"\r\n"), start=1):
        if len(octets) > LONGEST:
            yield LINE.at(path, number, f"a line of {len(octets):,} bytes")
        if b"\n" in octets or b"\r" in octets:
            yield LINE.at(path, number, "a bare line end")
            break
    head = message.partition(b"\r\n\r\n")[0]
    if not head.isascii():
        line = head[: next(n for n, byte in enumerate(head) if byte > 127)].count(b"\r\n") + 1
        yield ASCII.at(path, line, "raw UTF-8 in a header field")


def _law(proof: Proof) -> Iterator[Finding]:
    shown = " ".join(text for _, text in proof.document.shown())
    leave = proof.pages[-1]
    links = [
        (number, element)
        for number, element in proof.document.named("a")
        if element.attributes.get("href") == leave
    ]
    seen = any(proof.document.words(number) for number, _ in links)
    address = [" ".join(row.split()) for row in proof.newsletter.postal_address.splitlines()]
    parts = ((proof.shell, shown, seen), (proof.text_shell, proof.text, leave in proof.text))
    for template, text, leaves in parts:
        flat = " ".join(text.split())
        if not leaves:
            yield UNSUBSCRIBE.at(template.path, 0, "no link to unsubscribe")
        if not all(row in flat for row in address):
            yield POSTAL.at(template.path, 0, "no postal address", fix="show {{ address }}")
        if proof.why and proof.why not in flat:
            yield WHY.at(template.path, 0, "it does not say why", fix="show {{ why }}")
    this_year = year_of(proof.message)
    for template in (proof.shell, proof.text_shell):
        for match in _YEAR.finditer(template.text):
            if this_year and int(match["year"]) < this_year:
                yield YEAR.at(template.path, template.line_of(match[0]), f"“{match[0]}”")


def year_of(message: bytes) -> int:
    """The year of its Date; 0 where it has none."""
    date = dict(fields(message)).get("date", "")
    match = re.search(r"\b(\d{4})\b", date)
    return int(match[1]) if match else 0


def _text(proof: Proof) -> Iterator[Finding]:
    words = len(proof.text.split())
    html = sum(len(text.split()) for _, text in proof.document.shown())
    if words < 20:
        yield NO_TEXT.at(proof.text_shell.path, 0, f"{words} words of plain text")
    elif words < LEAST_TEXT * html:
        yield LITTLE_TEXT.at(proof.text_shell.path, 0, f"{words} words beside {html} of HTML")
    words_of_html = " ".join(text for _, text in proof.document.shown())
    match = next((m for m in _MARKUP.finditer(proof.text) if m[0] not in words_of_html), None)
    if match:  # and not a tag that a story speaks of
        line = proof.text_shell.line_of(match[0])
        yield HIDDEN.at(proof.text_shell.path, line, f"“{match[0][:40]}” in plain text")
