"""What mail programs do not show, and pictures that they show badly. Pure."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from digest.checks.colour import colour
from digest.checks.proof import Proof
from digest.checks.rule import ERROR, WARNING, Rule
from digest.models import Finding

STYLE_BYTES = 16_000  # of all <style>: Gmail drops what is beyond, caniemail says 16 kB
PICTURES = 5
LITTLE_TEXT = 100

ACTIVE = Rule(
    "rendering/active",
    ERROR,
    "No script, form, frame, video or object is in the message.",
    "Mail programs remove them, some with everything after, and filters distrust the sender.",
    "Link to a page that has it.",
    "Mailpit's HTML check; caniemail",
)
NESTING = Rule(
    "rendering/nesting",
    ERROR,
    "Every tag is closed, in the right order.",
    "Each program mends it in its own way; a table that is not closed swallows the footer.",
    "Close the tag in the template.",
    "HTML Living Standard 13.2; Maizzle's linter",
)
LEFT = Rule(
    "rendering/mjml",
    ERROR,
    "No MJML tag is left in the message.",
    "The compiler copies what it does not know; no mail program knows it either.",
    "Look for a misspelt tag in the template.",
    "MJML; docs/templates.md",
)
STYLE = Rule(
    "rendering/style",
    WARNING,
    "The style sheet is whole, and small enough for Gmail.",
    f"Gmail drops all of a <style> with an unbalanced brace, and what is beyond {STYLE_BYTES:,} "
    "bytes; dark mode and small screens are in there.",
    "Balance the braces; move what matters into style attributes.",
    "caniemail html-style; Google's CSS support",
)
BLACK = Rule(
    "rendering/black",
    WARNING,
    "No text is pure black or white without a background of its own.",
    "Programs that darken a mail leave such text as it is on a page of its colour.",
    "Use a dark grey, or give the element a background.",
    "Buttondown's check before sending; Litmus on dark mode",
)
SUPPORT = Rule(
    "rendering/support",
    WARNING,
    "The layout uses nothing that a reader's mail program breaks.",
    "What a program does not know it leaves out; here that would be seen.",
    "Use a table, or accept it: `digest preview` shows the verdict of each program.",
    "caniemail.com",
)
ALT = Rule(
    "image/alt",
    ERROR,
    "Every picture has an alt text.",
    "Half of all readers see a mail without pictures first; screen readers read the file's name.",
    'Say what it shows; alt="" for decoration.',
    "WCAG 2.2, 1.1.1; Email Markup Consortium 2026: missing in 48 % of mails",
)
ALT_NAME = Rule(
    "image/alt-name",
    WARNING,
    "No alt text is a file's name.",
    "`IMG_2041.jpg` tells nobody what is to be seen.",
    "Say what it shows.",
    "WCAG failure F30; Buttondown's check",
)
WIDTH = Rule(
    "image/width",
    WARNING,
    "Every picture has a width.",
    "Outlook shows it in its own size otherwise, and the mail as wide as that.",
    'Add width="…" in pixels.',
    "Maizzle's linter; Outlook's rendering",
)
FORMAT = Rule(
    "image/format",
    WARNING,
    "Pictures are PNG, JPEG or GIF.",
    "SVG is shown by hardly any program, WebP and AVIF not by Outlook.",
    "Save it as PNG or JPEG.",
    "caniemail image-svg, image-webp, image-avif",
)
DATA = Rule(
    "image/data",
    ERROR,
    "No picture is inside the message as data.",
    "Gmail and Outlook do not show data: pictures, and they count towards the 102 kB.",
    "Put it on your site and link it.",
    "caniemail image-base64; canispam",
)
TEXT = Rule(
    "image/text",
    WARNING,
    "The message is more than pictures.",
    "Many pictures with few words are what filters look for, and nothing is left with images off.",
    "Say it in words.",
    "canispam's HTML rules",
)

RULES = (
    *(ACTIVE, NESTING, LEFT, STYLE, BLACK, SUPPORT),
    *(ALT, ALT_NAME, WIDTH, FORMAT, DATA, TEXT),
)

_ACTIVE = ("script", "form", "iframe", "video", "audio", "object", "embed", "applet", "input")
_FILE_NAME = re.compile(
    r"\s*(?:\S+\.(?:png|jpe?g|gif|webp|svg)|(?:image|img|dsc)[_ -]?\d*)\s*", re.I
)
_FORMATS = (".svg", ".webp", ".avif")
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)


def check_proof(proof: Proof) -> Iterator[Finding]:
    """What can be told from the HTML of one language."""
    document = proof.document
    for _, element in document.named(*_ACTIVE):
        yield ACTIVE.at(*proof.sources.place(element), f"<{element.name}> in the message")
    for offset, what in document.broken:
        template = proof.sources.at(offset)
        name = re.match(r"</?\w+", what)
        yield NESTING.at(template.path, template.line_of(name[0] if name else what), what)
    for element in document.elements:
        if element.name.startswith("mj-") or element.name == "mjml":
            yield LEFT.at(*proof.sources.place(element), f"<{element.name}> in the message")
    yield from _style(proof)
    yield from _black(proof)
    for verdict in proof.verdicts:
        yield SUPPORT.at(proof.shell.path, 0, verdict)
    yield from _pictures(proof)


def _style(proof: Proof) -> Iterator[Finding]:
    sheets = _STYLE.findall(proof.html)
    own = next((sheet for sheet in sheets if sheet.count("{") != sheet.count("}")), None)
    line = proof.shell.line_of("<mj-style") or proof.shell.line_of("<style")
    if own is not None:
        braces = f"{own.count('{')} {{ and {own.count('}')} }} in a style sheet"
        yield STYLE.at(proof.shell.path, line, braces)
    if (size := sum(len(sheet.encode()) for sheet in sheets)) > STYLE_BYTES:
        yield STYLE.at(proof.shell.path, line, f"style sheets of {size:,} bytes")


def _black(proof: Proof) -> Iterator[Finding]:
    for element in proof.document.elements:
        style = element.style
        shown = colour(style.get("color", ""))
        backed = "background" in style or "background-color" in style
        if shown in ((0, 0, 0), (255, 255, 255)) and not backed:
            yield BLACK.at(*proof.sources.place(element), f"color:{style['color']}")


def _pictures(proof: Proof) -> Iterator[Finding]:
    pictures = [one for _, one in proof.document.named("img")]
    for element in pictures:
        place = proof.sources.place(element)
        source, alt = element.attributes.get("src", ""), element.attributes.get("alt")
        address = source.partition("?")[0].lower()
        shown = source[:60]
        if alt is None:
            yield ALT.at(*place, f"no alt for {shown}", fix='alt="what it shows"')
        elif alt and _FILE_NAME.fullmatch(alt):
            yield ALT_NAME.at(*place, f'alt="{alt}"')
        if not element.attributes.get("width"):
            yield WIDTH.at(*place, f"no width for {shown}")
        if address.endswith(_FORMATS):
            yield FORMAT.at(*place, shown)
        if address.startswith("data:"):
            yield DATA.at(*place, f"{len(source):,} bytes of data")
    letters = sum(len(text.strip()) for _, text in proof.document.shown())
    if len(pictures) > PICTURES and letters < LITTLE_TEXT * len(pictures):
        yield TEXT.at(proof.shell.path, 0, f"{len(pictures)} pictures and {letters} letters")


def host_of(address: str) -> str:
    """The host of an http(s) address, empty where there is none."""
    try:
        return urlsplit(address).hostname or "" if "//" in address else ""
    except ValueError:
        return ""


def same_site(host: str, other: str) -> bool:
    """Whether two hosts share their last two labels; numbers must be equal."""
    if not host or not other:
        return False
    try:
        ip_address(host)
    except ValueError:
        return host.rsplit(".", 2)[-2:] == other.rsplit(".", 2)[-2:]
    return host == other
