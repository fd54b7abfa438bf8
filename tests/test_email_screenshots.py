"""The message in a real browser: fits a telephone, calls nobody, readable by day and by night."""

import re

import pytest

from tests.newsletter import WIDE, page

pytestmark = pytest.mark.browser

# For each visible piece of text: its words, colour, what is painted behind it, size and line.
TEXTS = """
() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const over = (top, below) => {
    const alpha = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map(i => top[i] * alpha + below[i] * (1 - alpha));
  };
  const behind = element => element
    ? over(channels(getComputedStyle(element).backgroundColor), behind(element.parentElement))
    : [255, 255, 255];
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const words = walker.currentNode.textContent.trim();
    const style = getComputedStyle(element);
    if (!words || !element.getClientRects().length || style.visibility === 'hidden') continue;
    found.push({
      words, colour: channels(style.color).slice(0, 3), behind: behind(element),
      size: parseFloat(style.fontSize), line: parseFloat(style.lineHeight),
    });
  }
  return found;
}
"""


@pytest.fixture
def shown(chromium):
    """Show the message at a width and in a colour scheme; the page and the requests it made."""
    pages = []

    def show(width: int = 600, scheme: str = "light", html: str = ""):
        tab = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        requests: list[str] = []
        tab.on("request", lambda request: requests.append(request.url))
        tab.set_content(html or page("en"), wait_until="networkidle")
        pages.append(tab)
        return tab, requests

    yield show
    for tab in pages:
        tab.close()


def contrast(one: list[float], other: list[float]) -> float:
    """WCAG 2.1 contrast ratio of two colours with channels 0 to 255."""

    def luminance(colour: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
                  for c in (channel / 255 for channel in colour)]  # fmt: skip
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("width", [320, 375, 600])
def test_message_fits_the_screen_whatever_the_words(shown, width):
    tab, _ = shown(width, html=page("en", WIDE))

    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_opening_the_message_calls_nobody(shown):
    _, requests = shown()

    assert requests == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast_of_4_5(shown, scheme):
    texts = shown(scheme=scheme)[0].evaluate(TEXTS)

    assert len(texts) > 50
    assert [t for t in texts if contrast(t["colour"], t["behind"]) < 4.5] == []


def test_message_is_readable_where_a_program_drops_its_style_sheets(shown):
    bare = re.sub(r"<style.*?</style>", "", page("en"), flags=re.DOTALL)

    texts = shown(html=bare)[0].evaluate(TEXTS)

    assert [t for t in texts if contrast(t["colour"], t["behind"]) < 4.5] == []
    assert [t for t in texts if t["size"] < 14] == []


def test_dark_mode_changes_page_sheet_and_text(shown):
    light, dark = (shown(scheme=scheme)[0].evaluate(TEXTS) for scheme in ("light", "dark"))

    assert all(max(text["behind"]) < 80 for text in dark)
    assert all(min(text["behind"]) > 180 for text in light)


@pytest.mark.parametrize("width", [375, 600])
def test_text_is_at_least_14_px_and_lines_are_open(shown, width):
    texts = shown(width)[0].evaluate(TEXTS)

    assert [text for text in texts if text["size"] < 14] == []
    assert [text for text in texts if text["line"] < text["size"] * 1.4 and text["size"] < 22] == []


@pytest.mark.parametrize("width", [375, 600])
def test_links_to_read_and_to_leave_are_44_px_high(shown, width):
    heights = shown(width)[0].evaluate(
        """() => [...document.querySelectorAll('a')]
             .filter(link => getComputedStyle(link).display === 'inline-block')
             .map(link => link.getBoundingClientRect().height)"""
    )

    assert len(heights) == 5 + 2 + 4  # stories, those with an original as well, the footer
    assert min(heights) >= 44


def test_preheader_is_not_seen(shown):
    words = " ".join(text["words"] for text in shown()[0].evaluate(TEXTS))

    assert "Open weights, closed books" in words
    assert "\u2007" not in words
