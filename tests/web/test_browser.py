"""The pages in a real browser: every state, with scripts and without, small and large, by day and
by night; and nothing that axe-core has to say about any of them."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, Template, meta
from playwright.sync_api import expect

from digest.models import State
from digest.tokens import Purpose
from digest.web import looks, routes
from tests.browsing import flaws, sideways
from tests.web.visitor import Visitor

pytestmark = pytest.mark.browser

PAGES = Path(looks.__file__).parent / "pages"
# Asked by machines, and no page: their own tests hold them.
FOR_MACHINES = {
    *(("GET", path) for path in ("/healthz", "/readyz", "/metrics", "/sitemap.xml", "/robots.txt")),
    *(("GET", f"/archive/feed.{form}") for form in ("atom", "json")),
    *(("GET", f"/archive/tag/{{tag:path}}/feed.{form}") for form in ("atom", "json")),
    ("POST", "/webhooks/sendgrid"),
}
IN_FEEDS = {"feed-story.html"}
# A parser of its own runs no script, and takes a <noscript> as a browser without scripts does.
WITHOUT_SCRIPTS = """
html => new DOMParser().parseFromString(html, 'text/html').documentElement.outerHTML
"""


@pytest.fixture
def visitor(chromium, quick_pages, listening):
    """Makes visitors with a browser of their own."""
    contexts = []

    def visit(language: str = "en", **how) -> Visitor:
        locale = {"en": "en-GB", "pl": "pl-PL"}[language]
        contexts.append(chromium.new_context(locale=locale, **how))
        contexts[-1].set_default_timeout(10_000)
        return Visitor(contexts[-1].new_page(), listening, quick_pages, language)

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def rendered(monkeypatch) -> set[str]:
    """The templates of which pages were made."""
    names = set()
    render = Template.render

    def noting(template: Template, *values, **named) -> str:
        names.add(template.name)
        return render(template, *values, **named)

    monkeypatch.setattr(Template, "render", noting)
    return names


def with_their_parts(names: set[str]) -> set[str]:
    """Templates, and those that they extend or import."""
    found, waiting = set(), set(names) & {one.name for one in PAGES.iterdir()}
    reading = Environment(extensions=["jinja2.ext.i18n"])
    while waiting:
        name = waiting.pop()
        found.add(name)
        parsed = reading.parse((PAGES / name).read_text())
        waiting |= {one for one in meta.find_referenced_templates(parsed) if one} - found
    return found


def test_no_state_of_any_page_has_a_flaw_in_any_look(visitor, rendered):
    visited = visitor(java_script_enabled=False)

    found = {state: flaws(visited.page, scripts=False) for state in visited.states()}

    assert {state: flaw for state, flaw in found.items() if flaw} == {}
    every = {(method, one.path) for one in routes(visited.pages.site) for method in one.methods}
    assert {one for one in every if one[0] != "HEAD"} - FOR_MACHINES - visited.asked == set()
    templates = {one.name for one in PAGES.iterdir() if one.suffix in (".html", ".jinja")}
    assert templates - IN_FEEDS - with_their_parts(rendered) == set()


def test_with_scripts_every_page_is_the_document_that_was_sent_and_asks_nobody(visitor):
    visited, said = visitor(), []
    visited.page.on("console", lambda message: said.append(message.text))
    visited.page.on("request", lambda request: said.append(request.url))

    for state in visited.states():
        assert visited.page.locator("script").count() == 0, state
        without = visited.page.evaluate(WITHOUT_SCRIPTS, visited.sent.text())
        assert visited.page.evaluate("document.documentElement.outerHTML") == without, state

    others = [one for one in said if not one.startswith((visited.base, "about:", "data:"))]
    # that a page answers with a status of 400 or more, the browser says itself
    assert [one for one in others if "responded with a status of" not in one] == []


def test_everything_works_in_polish_without_scripts_in_320_pixels(visitor):
    visited = visitor("pl", java_script_enabled=False, viewport={"width": 320, "height": 640})

    for state in visited.states():
        assert sideways(visited.page) == [], state
        of_newsletter = state == "own-edition" or state.startswith("approval")
        spoken = "en" if of_newsletter else "pl"
        assert visited.page.locator("html").get_attribute("lang") == spoken, state
    assert visited.pages.store.subscriptions.count()[State.CONFIRMED] >= 3


def test_day_and_hour_show_with_the_cadence_that_has_them(choosing, visitor):
    visited = visitor(java_script_enabled=False)
    page, ana = visited.page, visited.somebody()
    path = visited.token("p", Purpose.PREFERENCES, ana)
    visited.open(path)
    day, hour = page.get_by_label("Day", exact=True), page.get_by_label("Hour", exact=True)
    visited.tick("Once a month")
    expect(day).not_to_be_visible()
    expect(hour).not_to_be_visible()
    visited.tick("Once a week")
    day.select_option("Tuesday")
    hour.select_option("07:00")
    assert flaws(page, scripts=False) == []
    visited.press("Save")

    assert page.get_by_text("The next one comes on Tuesday, 24 November 2026, 07:00").is_visible()
    assert flaws(page, scripts=False) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_link_inside_a_look_opens_beside_the_page(visitor, scripts):
    visited = visitor(java_script_enabled=scripts)
    page = visited.page
    visited.open(visited.token("p", Purpose.PREFERENCES, visited.somebody()))
    visited.press("See what you would get")
    mail = page.frame_locator("iframe.mail")
    page.context.set_offline(True)

    for words in ("Read “", "Unsubscribe"):
        link = mail.get_by_role("link", name=words).first
        leads_to = link.get_attribute("href")
        with (
            page.context.expect_event("request", lambda one, url=leads_to: one.url == url),
            page.context.expect_page(),
        ):
            link.click()
        expect(link).to_be_visible()
    expect(mail.get_by_role("link", name="Was this issue useful?")).to_have_count(0)


def test_a_mistake_is_focused_and_its_link_leads_to_the_field(visitor):
    visited = visitor()
    visited.open("/")
    visited.press("Subscribe")
    page = visited.page

    expect(page.get_by_role("alert")).to_be_focused()  # when the page is drawn
    page.get_by_role("link", name=re.compile("Enter an email")).click()
    assert page.evaluate("location.hash") == "#email"


def test_the_whole_form_is_filled_in_by_keyboard(visitor):
    visited = visitor()
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
