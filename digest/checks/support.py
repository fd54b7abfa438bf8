"""What mail programs make of the HTML and CSS in a message. Pure: the table is an argument.

No score: a message that everybody reads well has dozens of features that some program ignores.
What counts is whether a reader would miss one; `GRACEFUL` are those that nobody misses.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.checks.markup import Document, read

# What may be ignored without harm: finish, small screens, dark mode, and help for programs that
# know it. All else that a program breaks is told.
GRACEFUL = frozenset(
    f"css-{name}"
    for name in (
        *("border-radius", "color-scheme", "hyphens", "letter-spacing", "overflow-wrap", "rgba"),
        *("word-break", "word-wrap", "white-space", "important", "comments", "opacity", "cursor"),
        *("text-decoration-color", "text-decoration-thickness", "text-underline-offset"),
        *("text-decoration-style", "text-decoration-line", "text-decoration-skip-ink", "sytem-ui"),
        *("text-wrap", "box-shadow", "text-shadow", "transition", "animation", "at-keyframes"),
        *("at-media", "at-media-hover", "at-media-orientation", "at-media-prefers-color-scheme"),
        *("at-media-prefers-reduced-motion", "at-media-device-pixel-ratio", "at-supports"),
        *(
            "pseudo-class-hover",
            "pseudo-class-focus",
            "pseudo-class-active",
            "pseudo-class-visited",
        ),
        *("pseudo-class-link", "pseudo-class-focus-visible", "pseudo-element-marker"),
        *("selector-attribute", "selector-child", "selector-descendant", "selector-class"),
        *("selector-chaining", "selector-grouping", "selector-type", "selector-universal"),
        *("selector-id", "selector-adjacent-sibling", "selector-general-sibling", "max-width"),
        *("min-width", "max-height", "min-height", "overflow", "box-sizing", "border-spacing"),
        "word-spacing",
        *("font-kerning", "unit-initial", "font-stretch", "outline", "user-select", "visibility"),
        *("at-font-face", "height", "table-layout", "direction", "text-indent", "tab-size"),
        *("text-overflow", "font-weight", "vertical-align", "border-collapse", "list-style-type"),
    )
) | {
    *("html-aria-hidden", "html-aria-label", "html-role", "html-lang", "html-dir", "html-target"),
    *("html-meta-color-scheme", "html-hidden", "html-loading-attribute", "html-comments"),
    *("html-style", "html-doctype", "html-body", "html-anchor-links", "html-srcset", "html-abbr"),
    *("html-aria-describedby", "html-aria-labelledby", "html-aria-live", "html-semantics"),
    *("html-bdi", "html-wbr", "html-address", "html-small"),
}

_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CONDITIONAL = re.compile(r"<!--\[if.*?<!\[endif\]-->", re.DOTALL)
_DECLARATION = re.compile(r"(?:^|[;{\s])(?P<name>-?[a-z][a-z-]*)\s*:\s*(?P<value>[^;{}]+)", re.I)
_RULE = re.compile(r"(?P<selector>[^{}]+)\{")
_WHOLE = ("margin", "padding", "border", "background", "font", "outline", "text-emphasis", "flex")
_UNITS = re.compile(
    r"(?<![\w#.-])-?(?:\d+\.?\d*|\.\d+)(px|em|rem|vh|vw|vmin|vmax|pt|cm|mm|in|ch|ex|pc|%)"
)
_VALUES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (slug, re.compile(pattern, re.IGNORECASE))
    for slug, pattern in (
        ("css-variables", r"var\(|^--"),
        ("css-unit-calc", r"calc\("),
        ("css-function-clamp", r"clamp\("),
        ("css-function-light-dark", r"light-dark\("),
        ("css-function-min", r"(?<![\w-])min\("),
        ("css-function-max", r"(?<![\w-])max\("),
        ("css-linear-gradient", r"linear-gradient\("),
        ("css-radial-gradient", r"radial-gradient\("),
        ("css-conic-gradient", r"conic-gradient\("),
        ("css-rgba", r"rgba\("),
        ("css-rgb", r"rgb\("),
        ("css-modern-color", r"(?:lch|lab|oklch|oklab|color-mix|hwb)\("),
        ("css-important", r"!important"),
        ("css-sytem-ui", r"system-ui"),
    )
)
_SELECTORS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (slug, re.compile(pattern, re.IGNORECASE))
    for slug, pattern in (
        ("css-selector-attribute", r"\["),
        ("css-selector-child", r">"),
        ("css-selector-adjacent-sibling", r"\+"),
        ("css-selector-general-sibling", r"~"),
        ("css-selector-class", r"\.[a-z]"),
        ("css-selector-id", r"#[a-z]"),
        ("css-selector-universal", r"\*"),
        ("css-selector-grouping", r","),
        ("css-selector-descendant", r"[\w\])] +[\w.#\[:]"),
        ("css-selector-chaining", r"[\w\]][.\[]"),
    )
)
_AT_RULES = {
    "prefers-color-scheme": "css-at-media-prefers-color-scheme",
    "prefers-reduced-motion": "css-at-media-prefers-reduced-motion",
    "hover": "css-at-media-hover",
    "orientation": "css-at-media-orientation",
    "device-pixel-ratio": "css-at-media-device-pixel-ratio",
}
_TAGS = {
    **dict.fromkeys(("ul", "ol", "dl"), "html-lists"),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "html-h1-h6"),
    **dict.fromkeys(
        ("article", "aside", "section", "nav", "main", "header", "footer", "figure", "figcaption",
         "mark", "time", "details", "summary"),
        "html-semantics",
    ),
    "b": "html-strong",
    "em": "html-strong",
}  # fmt: skip
_ATTRIBUTES = frozenset(
    (
        *("align", "background", "cellpadding", "cellspacing", "dir", "height", "hidden", "lang"),
        *("role", "srcset", "target", "valign", "width", "required", "loading", "aria-label"),
        *("aria-describedby", "aria-hidden", "aria-labelledby", "aria-live"),
    )
)
_PICTURE = re.compile(
    r"\.(apng|avif|bmp|gif|hdr|heif|ico|jpe?g|mp4|png|svg|tiff|webp)(?:[?#]|$)", re.I
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that HTML or CSS can do, and what each program made of it when it was tested."""

    slug: str  # of https://www.caniemail.com/features/<slug>/
    title: str
    tested: str  # ISO date: some answers are years old
    support: str  # a letter per client: y, a (in part), n, u (unknown)
    notes: Mapping[int, str]  # by the client's place

    @property
    def graceful(self) -> bool:
        """Whether nobody misses it where it is ignored."""
        return self.slug in GRACEFUL


@dataclass(frozen=True, slots=True)
class Answer:
    """What one program makes of one feature that the message uses."""

    feature: Feature
    note: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one mail program makes of a message: guidance, not a screenshot."""

    client: str
    full: tuple[Answer, ...]
    partial: tuple[Answer, ...]
    broken: tuple[Answer, ...]
    unknown: int  # features that nobody tested there

    @property
    def missed(self) -> tuple[Answer, ...]:
        """What is broken and would be missed."""
        return tuple(answer for answer in self.broken if not answer.feature.graceful)

    @property
    def summary(self) -> str:
        """`as designed`, `graceful` or `broken`: what a reader there sees."""
        if self.missed:
            return "broken"
        return "graceful" if self.broken else "as designed"


def verdicts(
    html: str, features: Mapping[str, Feature], clients: Sequence[str]
) -> tuple[Verdict, ...]:
    """One for each client, in their order."""
    found = [features[slug] for slug in sorted(used(html)) if slug in features]
    return tuple(_verdict(client, place, found) for place, client in enumerate(clients))


def _verdict(client: str, place: int, found: Sequence[Feature]) -> Verdict:
    answers: dict[str, list[Answer]] = {"y": [], "a": [], "n": [], "u": []}
    for feature in found:
        answers[feature.support[place]].append(Answer(feature, feature.notes.get(place, "")))
    full, partial, broken = (tuple(answers[level]) for level in "yan")
    return Verdict(client, full, partial, broken, len(answers["u"]))


@lru_cache(maxsize=64)
def used(html: str) -> frozenset[str]:
    """The features that a message uses, by their slugs. What is for Outlook alone is left out."""
    html = _CONDITIONAL.sub("", html)
    document = read(html)
    sheets = [_COMMENT.sub("", sheet) for sheet in _STYLE.findall(html)]
    found = {"html-doctype"} if html.lstrip()[:9].lower() == "<!doctype" else set()
    found.update(_of_elements(document))
    for sheet in sheets:
        found.update(_of_sheet(sheet))
    styles = {one.attributes["style"] for one in document.elements if "style" in one.attributes}
    for text in (*sheets, *styles):
        found.update(_of_declarations(text))
    return frozenset(found)


def _of_elements(document: Document) -> Iterator[str]:
    for element in document.elements:
        yield _TAGS.get(element.name, f"html-{element.name}")
        for name, value in element.attributes.items():
            if name in _ATTRIBUTES:
                yield "html-loading-attribute" if name == "loading" else f"html-{name}"
            if name == "name" and value == "color-scheme":
                yield "html-meta-color-scheme"
            if name == "href" and value.startswith(("mailto:", "#")):
                yield "html-mailto-links" if value[0] == "m" else "html-anchor-links"
        if element.name == "input":
            yield f"html-input-{element.attributes.get('type', 'text')}"
        source = element.attributes.get("src", "")
        if source.startswith("data:"):
            yield "image-base64"
        elif match := _PICTURE.search(source):
            yield f"image-{match[1].lower().replace('jpeg', 'jpg')}"


def _of_sheet(sheet: str) -> Iterator[str]:
    """At-rules, pseudo-classes and selectors."""
    for rule in _RULE.finditer(sheet):
        selector = rule["selector"].strip()
        if selector.startswith("@"):
            word = selector[1:].split()[0].lower() if selector[1:].split() else ""
            yield f"css-at-{word}"
            yield from (slug for part, slug in _AT_RULES.items() if part in selector)
            continue
        yield "css-selector-type"
        yield from (slug for slug, pattern in _SELECTORS if pattern.search(selector))
        for name in re.findall(r"(?<!:):([a-z-]+)", selector):
            yield f"css-pseudo-class-{name}"
        for name in re.findall(r"::([a-z-]+)", selector):
            yield f"css-pseudo-element-{name}"
    if "@import" in sheet:
        yield "css-at-import"


def _of_declarations(text: str) -> Iterator[str]:
    for match in _DECLARATION.finditer(text):
        name, value = match["name"].lower(), match["value"].strip()
        yield f"css-{name}"
        yield from (f"css-{whole}" for whole in _WHOLE if name.startswith(f"{whole}-"))
        if name in ("left", "right", "top", "bottom"):
            yield "css-left-right-top-bottom"
        if name == "display" and (word := value.lower().replace("!", " ").split()[0]):
            yield f"css-display-{word.removeprefix('inline-')}"
        if name == "background" and "url(" in value:
            yield "css-background-image"
        yield from (slug for slug, pattern in _VALUES if pattern.search(value))
        for unit in _UNITS.findall(value):
            yield f"css-unit-{'percent' if unit == '%' else unit.lower()}"
