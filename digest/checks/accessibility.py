"""What keeps somebody from reading a message: with a screen reader, with weak eyes. Pure."""

import re
from collections.abc import Iterator

from digest.checks.colour import contrast, inverted
from digest.checks.markup import Element
from digest.checks.proof import Proof
from digest.checks.rule import ERROR, WARNING, Rule
from digest.models import Finding

LEAST = 4.5  # contrast of text; 3 for large
LARGE = 24.0  # px
SMALL = 14.0
TIGHT = 1.4

LANG = Rule(
    "accessibility/lang",
    ERROR,
    "The message says its language.",
    "A screen reader pronounces it by the rules of another one otherwise.",
    'Keep lang="{{ lang }}" on <mjml> in digest.mjml; a story of another language has its own.',
    "WCAG 2.2, 3.1.1 and 3.1.2; BCP 47; missing in 96 % of mails (Email Markup Consortium 2026)",
)
DIR = Rule(
    "accessibility/dir",
    ERROR,
    "The message says its direction.",
    "Arabic and Hebrew words are shown in the wrong order otherwise.",
    'Keep dir="{{ dir }}" on <mjml> in digest.mjml.',
    "Email Markup Consortium 2026: missing in 97 % of mails",
)
ROLE = Rule(
    "accessibility/role",
    ERROR,
    "Tables that only lay out say so.",
    "A screen reader announces “table, one row, one column” before every paragraph otherwise.",
    'Add role="presentation" to the <table>.',
    "WCAG technique F92; missing in 84 % of mails (Email Markup Consortium 2026)",
)
TITLE = Rule(
    "accessibility/title",
    ERROR,
    "The message has a title.",
    "It is what a screen reader and a browser's tab call it.",
    "Keep <mj-title>{{ subject }}</mj-title> in digest.mjml.",
    "WCAG 2.2, 2.4.2",
)
HEADING = Rule(
    "accessibility/heading",
    WARNING,
    "There is one h1, and no level is skipped.",
    "Screen readers jump from heading to heading; a gap looks like something missed.",
    "Use h1 for the newsletter, h2 for each story, h3 inside one.",
    "WCAG 2.2, 1.3.1",
)
CONTRAST = Rule(
    "accessibility/contrast",
    ERROR,
    f"Text has a contrast of at least {LEAST}, large text of 3, in light and in dark.",
    "Grey on white is lost on old screens, in the sun, and to one reader in twelve.",
    "Darken the text or lighten what is behind it; theme.jinja has the colours.",
    "WCAG 2.2, 1.4.3",
)
FORCED = Rule(
    "accessibility/contrast-forced",
    WARNING,
    f"Text keeps a contrast of {LEAST} where a program makes the mail dark by itself.",
    "Outlook and the Gmail app turn light colours dark and dark ones light; mid-greys meet.",
    "Darken the text; a ratio of 6 in light is nearly always enough.",
    "react-email's and Maizzle's emulation of it; WCAG 2.2, 1.4.3",
)
SIZE = Rule(
    "accessibility/text-size",
    WARNING,
    f"No text is smaller than {SMALL:.0f} px.",
    "Phones do not enlarge it; readers over forty give up.",
    "Set font-size to 14 px or more.",
    "Apple's and Litmus' guidelines",
)
LINES = Rule(
    "accessibility/line-height",
    WARNING,
    f"Lines are at least {TIGHT} of the text's size apart.",
    "Tighter lines run together for readers with dyslexia.",
    "Set line-height.",
    "WCAG 2.2, 1.4.12",
)
JUSTIFIED = Rule(
    "accessibility/justified",
    WARNING,
    "No text is justified.",
    "The gaps between its words make rivers that hinder reading.",
    "Align it to the start.",
    "WCAG 2.2, 1.4.8",
)
EMPTY_LINK = Rule(
    "accessibility/empty-link",
    ERROR,
    "Every link has words.",
    "A screen reader says its address letter by letter otherwise.",
    "Put words in it, an alt text, or aria-label.",
    "WCAG 2.2, 2.4.4",
)
LINK_MARK = Rule(
    "accessibility/link-mark",
    WARNING,
    "Links in running text are underlined.",
    "Who does not see the colour does not see the link.",
    "Take text-decoration:none out.",
    "WCAG 2.2, 1.4.1",
)

RULES = (
    *(
        LANG,
        DIR,
        ROLE,
        TITLE,
        HEADING,
        CONTRAST,
        FORCED,
        SIZE,
        LINES,
        JUSTIFIED,
        EMPTY_LINK,
        LINK_MARK,
    ),
)

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE)
_PIXELS = re.compile(r"(\d+(?:\.\d+)?)px")


def check_proof(proof: Proof) -> Iterator[Finding]:
    """What can be told from the HTML of one language."""
    yield from _languages(proof)
    document = proof.document
    for _, element in document.named("table"):
        if element.attributes.get("role") not in ("presentation", "none", "table"):
            yield ROLE.at(*proof.sources.place(element), "a layout table without its role")
    title = next((number for number, _ in document.named("title")), None)
    if title is None or not document.words(title):
        line = proof.shell.line_of("<mj-title") or proof.shell.line_of("<mj-head")
        yield TITLE.at(proof.shell.path, line, "no title", fix="<mj-title>{{ subject }}</mj-title>")
    yield from _headings(proof)
    yield from _texts(proof)
    yield from _links(proof)


def _languages(proof: Proof) -> Iterator[Finding]:
    root = next((one for _, one in proof.document.named("html")), None)
    line = proof.shell.line_of("<mjml") or 1
    own = root.attributes if root else {}
    if not own.get("lang"):
        yield LANG.at(proof.shell.path, line, "no lang", fix='<mjml lang="{{ lang }}" …>')
    if own.get("dir") not in ("ltr", "rtl"):
        yield DIR.at(proof.shell.path, line, "no dir", fix='<mjml … dir="{{ dir }}">')
    for element in proof.document.elements:
        lang = element.attributes.get("lang")
        if lang and lang != "und" and not _LANGUAGE.fullmatch(lang):
            yield LANG.at(*proof.sources.place(element), f"{lang!r} is no language")


def _headings(proof: Proof) -> Iterator[Finding]:
    headings = list(proof.document.named("h1", "h2", "h3", "h4", "h5", "h6"))
    ones = [element for _, element in headings if element.name == "h1"]
    if not ones:
        yield HEADING.at(proof.shell.path, 0, "no h1")
    for element in ones[1:]:
        yield HEADING.at(*proof.sources.place(element), "a second h1")
    level = 0
    for _, element in headings:
        deeper = int(element.name[1])
        if level and deeper > level + 1:
            yield HEADING.at(*proof.sources.place(element), f"{element.name} after h{level}")
        level = deeper


def _texts(proof: Proof) -> Iterator[Finding]:
    """Size, distance, alignment and contrast of what is seen, once per element."""
    seen: set[int] = set()
    document = proof.document
    for number, _ in document.shown():
        if number in seen:
            continue
        seen.add(number)
        up = list(document.line_up(number))
        size = _pixels(_inherited(up, "font-size")) or 16.0
        if 2 < size < SMALL:
            yield SIZE.at(*_place(proof, up, "font-size"), f"text of {size:g} px")
        height = _height(_inherited(up, "line-height"), size)
        if height and 2 < height < TIGHT * size - 0.01 and size < LARGE:
            message = f"lines {height / size:.2f} apart"
            yield LINES.at(*_place(proof, up, "line-height"), message)
        if _inherited(up, "text-align") == "justify":
            yield JUSTIFIED.at(*_place(proof, up, "text-align"), "justified text")
        yield from _contrast(proof, number, up, size)


def _contrast(proof: Proof, number: int, up: list[Element], size: float) -> Iterator[Finding]:
    """In light, in dark, and as programs change the light colours that make mails dark."""
    bold = _inherited(up, "font-weight") in ("bold", "700", "800", "900")
    least = 3.0 if size >= LARGE or (bold and size >= 18.66) else LEAST
    place, name = _place(proof, up, "color"), up[0].name
    pairs = [(c.text(number), c.ground(number)) for c in (proof.light, proof.dark)]
    for (shown, behind), where in zip(pairs, ("", " in dark"), strict=True):
        if shown and behind and (ratio := contrast(shown, behind)) < least:
            yield CONTRAST.at(*place, f"contrast {ratio:.1f} of text in <{name}>{where}")
            return
    shown, behind = pairs[0]
    if shown and behind and (ratio := contrast(inverted(shown), inverted(behind))) < least:
        yield FORCED.at(*place, f"contrast {ratio:.1f} of text in <{name}> when inverted")


def _inherited(up: list[Element], name: str) -> str:
    return next((one.style[name] for one in up if name in one.style), "")


def _place(proof: Proof, up: list[Element], name: str) -> tuple[str, int]:
    """Where the style was set that a text inherits."""
    return proof.sources.place(next((one for one in up if name in one.style), up[0]))


def _pixels(text: str) -> float:
    match = _PIXELS.fullmatch(text)
    return float(match[1]) if match else 0.0


def _height(text: str, size: float) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text) * size
    if text.endswith("%") and text[:-1].isdecimal():
        return int(text[:-1]) * size / 100
    return _pixels(text)


def _links(proof: Proof) -> Iterator[Finding]:
    document = proof.document
    for number, element in document.named("a"):
        if "href" not in element.attributes:
            continue
        words = document.words(number) or element.attributes.get("aria-label", "")
        pictures = (
            one.attributes.get("alt", "")
            for n, one in document.named("img")
            if any(up is element for up in document.line_up(n))
        )
        if not words.strip() and not any(pictures):
            yield EMPTY_LINK.at(*proof.sources.place(element), "a link without words")
        running = element.parent >= 0 and document.elements[element.parent].name in ("p", "li")
        if running and element.style.get("text-decoration") == "none":
            beside = any(at == element.parent and text.strip() for at, text in document.texts)
            if beside:
                yield LINK_MARK.at(
                    *proof.sources.place(element), f"“{words[:40]}” is not underlined"
                )
