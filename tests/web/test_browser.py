"""The pages in a real browser: every state, with scripts and without, small and large, by day and
by night; and nothing that axe-core has to say about any of them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from digest.models import State, SuppressionReason
from digest.tokens import Purpose
from tests.browsing import violations
from tests.web.conftest import Pages

pytestmark = pytest.mark.browser

LOOKS = {
    "desktop-light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone-dark": {"viewport": {"width": 375, "height": 720}, "color_scheme": "dark"},
}
WIDER_THAN_THE_SCREEN = (
    "document.documentElement.scrollWidth > document.documentElement.clientWidth"
)
SMALL_TARGETS = """
() => [...document.querySelectorAll('a, button, input, select, summary')].filter(one => {
  const box = (one.closest('label') || one).getBoundingClientRect();
  const inline = getComputedStyle(one).display === 'inline' && one.closest('p, li');
  return box.width && box.left > -1 && !inline && box.height < 24;
}).map(one => one.outerHTML)
"""


class Visitor:
    """A reader with a browser, who can be led to every state of every page."""

    numbers = count()

    def __init__(self, page, base: str, pages: Pages) -> None:
        self.page, self.base, self.pages = page, base, pages

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=words, exact=True).last.click()

    def tick(self, words: str) -> None:
        self.page.get_by_label(words).first.check()

    def somebody(self, **wanted):
        return self.pages.reader(f"ana{next(self.numbers)}@example.com", **wanted)

    def token(self, letter: str, purpose: Purpose, person) -> str:
        lasting = {"expires": self.pages.clock() + timedelta(hours=1)}
        bounds = {} if purpose is Purpose.UNSUBSCRIBE else lasting
        return self.pages.path(letter, purpose, person.id, **bounds)

    def states(self) -> Iterator[str]:
        """Each state by its name, when the page shows it."""
        for part in (self.subscribing, self.choosing, self.owning, self.leaving, self.failing):
            yield from part()

    def subscribing(self):
        self.open("/")
        yield "subscribe"
        self.press("Subscribe")
        yield "subscribe-wrong"
        self.page.get_by_label("Email address").fill(f"eve{next(self.numbers)}@gmail.com")
        self.tick("Only the topics I pick")
        self.tick("python")
        self.tick("Once a week")
        self.pages.clock.pass_(seconds=5)
        self.press("Subscribe")
        yield "check-inbox"
        link = self.pages.link()
        self.open(link)
        yield "confirm"
        self.press("Confirm my subscription")
        yield "confirmed"
        self.open(link)
        yield "confirmed-already"

    def choosing(self):
        ana = self.somebody(muted=("accessibility",))
        path = self.token("p", Purpose.PREFERENCES, ana)
        self.open(path)
        yield "preferences"
        self.press("See what you would get")
        yield "preferences-look"
        self.page.get_by_label("Take a break").select_option("14")
        self.press("Save")
        yield "preferences-saved"
        while (ticked := self.page.locator("input[name=tag]:checked")).count():
            ticked.first.uncheck()
        self.press("Save")
        yield "preferences-wrong"
        bounced, left = self.somebody(), self.somebody()
        now = self.pages.clock()
        self.pages.store.suppressions.add(bounced.email, SuppressionReason.BOUNCED, now, "test")
        self.pages.store.subscriptions.unsubscribe(left.id, now, "test")
        for name, person in (("bounced", bounced), ("left", left)):
            self.open(self.token("p", Purpose.PREFERENCES, person))
            yield f"preferences-{name}"

    def owning(self):
        self.open("/link")
        yield "link"
        self.press("Email me the link")
        yield "link-wrong"
        ana = self.somebody()
        self.open(self.token("d", Purpose.OWN, ana))
        yield "own"
        self.page.get_by_label("New email address").fill(f"new{next(self.numbers)}@example.com")
        self.press("Change my address")
        self.open(self.pages.link())
        yield "move"
        self.press("Yes, move my subscription here")
        yield "moved"
        self.open(self.token("d", Purpose.OWN, ana))
        self.press("Delete everything now")
        yield "deleted"

    def leaving(self):
        self.open(self.token("u", Purpose.UNSUBSCRIBE, self.somebody()))
        yield "unsubscribe"
        self.press("Unsubscribe")
        yield "unsubscribed"
        self.press("Undo: keep my subscription")
        yield "back"

    def failing(self):
        for name, path in (("bad-link", "/p/x"), ("not-found", "/nowhere")):
            self.open(path)
            yield name


@pytest.fixture
def visitor(chromium, quick_pages, listening):
    """Makes visitors with a browser of their own."""
    contexts = []

    def visit(**how) -> Visitor:
        contexts.append(chromium.new_context(locale="en-GB", **how))
        contexts[-1].set_default_timeout(10_000)
        return Visitor(contexts[-1].new_page(), listening, quick_pages)

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_no_state_of_any_page_has_a_flaw(visitor, look, tmp_path):
    visited, said = visitor(**LOOKS[look]), []
    visited.page.on("console", lambda message: said.append(message.text))
    visited.page.on("request", lambda request: said.append(request.url))

    flaws, seen = {}, []
    for state in visited.states():
        page = visited.page
        seen.append(state)
        flaws[state] = [
            *violations(page),
            *(["scrolls sideways"] if page.evaluate(WIDER_THAN_THE_SCREEN) else []),
            *page.evaluate(SMALL_TARGETS),
        ]
        page.screenshot(path=tmp_path / f"{state}.png", full_page=True)

    assert {state: flaw for state, flaw in flaws.items() if flaw} == {}
    assert len(seen) >= 22
    others = [one for one in said if not one.startswith((visited.base, "about:", "data:"))]
    # that the two pages which are not there answer 404, the browser says itself
    assert not [one for one in others if "404" not in one and "422" not in one]


@pytest.mark.parametrize("look", LOOKS)
def test_day_and_hour_show_with_the_cadence_that_has_them(choosing, visitor, look, tmp_path):
    visited = visitor(java_script_enabled=False, **LOOKS[look])
    page, ana = visited.page, visited.somebody()
    path = visited.token("p", Purpose.PREFERENCES, ana)
    visited.open(path)
    day, hour = page.get_by_label("Day", exact=True), page.get_by_label("Hour", exact=True)
    visited.tick("Once a month")
    assert not day.is_visible()
    assert not hour.is_visible()
    visited.tick("Once a week")
    day.select_option("Tuesday")
    hour.select_option("07:00")
    page.screenshot(path=tmp_path / "hours.png", full_page=True)
    visited.press("Save")
    assert page.get_by_text("The next one comes on Tuesday, 24 November 2026, 07:00").is_visible()

    checked = visitor(**LOOKS[look]).page  # axe-core is a script
    checked.goto(visited.base + path)
    assert violations(checked) == []
    assert not checked.evaluate(WIDER_THAN_THE_SCREEN)
    assert checked.evaluate(SMALL_TARGETS) == []
    checked.screenshot(path=tmp_path / "kept.png", full_page=True)


def test_everything_works_without_scripts_in_320_pixels(visitor):
    visited = visitor(java_script_enabled=False, viewport={"width": 320, "height": 640})

    for state in visited.states():
        assert visited.page.locator("script").count() == 0, state
        assert not visited.page.evaluate(WIDER_THAN_THE_SCREEN), state
    assert visited.pages.store.subscriptions.count()[State.CONFIRMED] >= 3


def test_a_mistake_is_focused_and_its_link_leads_to_the_field(visitor):
    visited = visitor(**LOOKS["desktop-light"])
    visited.open("/")
    visited.press("Subscribe")
    page = visited.page

    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    page.get_by_role("link", name=re.compile("Enter an email")).click()
    assert page.evaluate("location.hash") == "#email"


def test_the_whole_form_is_filled_in_by_keyboard(visitor):
    visited = visitor(**LOOKS["desktop-light"])
    visited.open("/")
    page = visited.page
    visited.pages.clock.pass_(seconds=5)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.get_by_label("Email address").focus()
    page.keyboard.type("keys@example.com")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.value") == "everything"
    page.get_by_label("Once a week").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")

    page.wait_for_selector("h1:has-text('Check your inbox')")


def test_the_pages_speak_polish_in_a_polish_browser(chromium, quick_pages, listening):
    context = chromium.new_context(locale="pl-PL")
    page = context.new_page()
    page.goto(listening)

    assert page.locator("h1").inner_text() == "Zapisz się na Platform Weekly"
    assert page.get_by_role("button", name="Zapisz się").is_visible()
    context.close()
