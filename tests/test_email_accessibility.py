"""The automated accessibility rules A01 to A08 and V01 (nothing remote), on what is mailed."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from operator import mul

import pytest

from digest.layout import Slot
from digest.renderer import bundled_templates
from tests.newsletter import page, values

VOID = {"meta", "br", "hr"}


class Page(HTMLParser):
    """Opening tags with their attributes and the tags around them; titles and link words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.words: dict[str, str] = {}
        self.links: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}, tuple(self.open)))
        if tag == "a":
            self.links.append([self.tags[-1][1]["href"], self.tags[-1][1].get("aria-label", "")])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in self.open[-1:]:
            self.words[tag] = self.words.get(tag, "") + data
        if "a" in self.open:
            self.links[-1].append(data)

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes, _ in self.tags if tag in names]

    def styles(self, name: str) -> Iterator[tuple[str, str]]:
        """Every inline value of a CSS property, with its tag."""
        for tag, attributes, _ in self.tags:
            for found in re.findall(rf"(?:^|;)\s*{name}:([^;]+)", attributes.get("style", "")):
                yield tag, found


@pytest.fixture(params=["en", "pl"])
def language(request):
    return request.param


@pytest.fixture
def html(language):
    return page(language)


@pytest.fixture
def mail(html):
    return Page(html)


def test_a01_and_a02_language_and_direction_are_on_html_and_on_the_first_div(mail, language):
    for attributes in (mail.all("html")[0], mail.all("div")[0]):
        assert (attributes["lang"], attributes["dir"]) == (language, "ltr")


def test_a03_every_layout_table_is_presentation_also_those_for_outlook(html):
    tables = re.findall(r"<table[^>]*>", html)

    assert len(tables) > 5
    assert all('role="presentation"' in table for table in tables)


def test_a04_title_is_the_subject_and_the_message_is_labelled_with_it(mail, language):
    subject = values(language)[Slot.SUBJECT]

    assert mail.words["title"] == subject
    assert mail.all("div")[0]["aria-label"] == subject


def test_a05_one_h1_and_no_level_is_skipped(mail):
    levels = [int(tag[1]) for tag, _, _ in mail.tags if re.fullmatch("h[1-6]", tag)]

    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(now - before <= 1 for before, now in pairwise(levels))


def test_a07_nothing_is_small_tight_or_justified(mail):
    sizes = {value for _, value in mail.styles("font-size")} - {"0px", "1px", ".94em"}
    heights = [value for tag, value in mail.styles("line-height") if tag in ("p", "h2", "h3", "a")]

    assert min(int(size.removesuffix("px")) for size in sizes) == 14
    assert min(int(height.removesuffix("px")) for height in heights) >= 20
    assert {value for _, value in mail.styles("text-align")} <= {"left", "center"}


def test_a07_lines_are_at_least_1_4_of_the_letters(mail):
    for _, attributes, _ in mail.tags:
        style = attributes.get("style", "")
        size = re.search(r"font-size:(\d\d)px", style)
        height = re.search(r"line-height:(\d+)px", style)
        if size and height:
            assert int(height[1]) / int(size[1]) >= (1.4 if int(size[1]) > 16 else 1.5)


def test_a08_links_are_underlined_except_a_headings_own(mail):
    for tag, attributes, around in mail.tags:
        if tag == "a" and "text-decoration:none" in attributes.get("style", ""):
            assert around[-1] == "h2"


def test_links_with_the_same_words_lead_to_the_same_page(mail):
    targets: dict[str, set[str]] = {}
    for target, label, *words in mail.links:
        targets.setdefault(label or "".join(words), set()).add(target)

    assert all(len(pages) == 1 for pages in targets.values())
    assert not {"here", "read more", "read", ""} & {words.lower() for words in targets}


def test_lists_are_lists(mail):
    assert {around[-1] for tag, _, around in mail.tags if tag == "li"} == {"ol", "ul"}


def test_preheader_spacer_is_hidden_from_screen_readers(html):
    spacer = html[html.index('<div aria-hidden="true"') :]

    assert spacer.index("&#8199;&#847;") < spacer.index("</div>")


def test_v01_nothing_is_loaded_and_nothing_runs(html, mail):
    assert not {tag for tag, _, _ in mail.tags} & {
        "img", "script", "link", "iframe", "form", "video", "object", "svg", "base",
    }  # fmt: skip
    assert not re.search(r"@import|url\(|@font-face|\bsrc=|background=", html)
    assert not any(name.startswith("on") for _, keys, _ in mail.tags for name in keys)
    assert all(target.startswith("https://") for target, *_ in mail.links)


Colour = tuple[float, ...]  # red, green, blue from 0 to 1


def luminance(colour: Colour) -> float:
    """WCAG 2.1 relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.1 contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def inverted(colour: Colour) -> Colour:
    """What programs that make mail dark by themselves do, roughly: a light colour gets a CIE
    lightness of 50 - (L - 50) * 0.75, a dark one likewise, both four fifths of their chroma.
    """
    lightness, a, b = to_lab(colour)
    return from_lab((50 - (lightness - 50) * 0.75, a * 0.8, b * 0.8))


TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
FROM_XYZ = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
WHITE = (0.9505, 1.0, 1.089)  # D65


def to_lab(colour: Colour) -> Colour:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    x, y, z = (
        value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116
        for value in (
            sum(map(mul, row, linear)) / white for row, white in zip(TO_XYZ, WHITE, strict=True)
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def from_lab(lab: Colour) -> Colour:
    y = (lab[0] + 16) / 116
    xyz = [
        white * (value**3 if value > 0.2069 else (value - 16 / 116) / 7.787)
        for value, white in zip((y + lab[1] / 500, y, y - lab[2] / 200), WHITE, strict=True)
    ]
    linear = [min(1.0, max(0.0, sum(map(mul, row, xyz)))) for row in FROM_XYZ]
    return tuple(12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)


@pytest.fixture(scope="module")
def theme():
    source = (bundled_templates() / "theme.jinja").read_text()
    found = re.findall(r'set (\w+) = "#(\w\w)(\w\w)(\w\w)"', source)
    return {name: tuple(int(part, 16) / 255 for part in parts) for name, *parts in found}


@pytest.mark.parametrize("ground", ["page", "sheet"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent"])
def test_a06_every_colour_is_readable_in_light_in_dark_and_inverted(theme, ink, ground):
    assert contrast(theme[ink], theme[ground]) >= 4.5
    assert contrast(theme[f"dark_{ink}"], theme[f"dark_{ground}"]) >= 4.5
    assert contrast(inverted(theme[ink]), inverted(theme[ground])) >= 4.5
