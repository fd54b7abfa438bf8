"""Archive, own edition, feedback and report in a real browser: small and large, day and night."""

import json
import re

import pytest

from digest.report import report
from digest.store.statistics import Figures, IssueFigures
from digest.tokens import Purpose
from tests.browsing import violations
from tests.handmade import NEWSLETTER
from tests.newsletter import STORIES, WIDE
from tests.stories import story
from tests.web.issues import link, sent, weekly
from tests.web.test_browser import LOOKS, SMALL_TARGETS, WIDER_THAN_THE_SCREEN

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(request, chromium):
    page = chromium.new_page(**LOOKS[request.param])
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    yield page
    page.close()


def flaws(tab) -> list[object]:
    wide = ["wider than the screen"] if tab.evaluate(WIDER_THAN_THE_SCREEN) else []
    quiet = [words for words in tab.said if "favicon" not in words and "404" not in words]
    return [*violations(tab), *wide, *tab.evaluate(SMALL_TARGETS), *quiet]


@pytest.mark.parametrize("tab", LOOKS, indirect=True)
def test_no_page_of_the_archive_has_a_flaw(tab, quick_pages, listening):
    pages = quick_pages
    long_tag = story("long", "a-tag-that-is-longer-than-any-tag-should-be-and-goes-on-and-on")
    issue = sent(pages, (*STORIES, WIDE, long_tag))
    sent(pages, (story("new", "ai"),), weekly(1))
    places = ["/archive", "/archive/2026", f"/archive/{issue.id}", "/archive/tag/postgres",
              link(pages, Purpose.VIEW), link(pages, Purpose.FEEDBACK)]  # fmt: skip

    for place in places:
        tab.goto(listening + place)
        assert flaws(tab) == [], place


@pytest.mark.parametrize("tab", ["phone-dark"], indirect=True)
def test_a_reader_finds_a_story_and_says_that_it_was_useful(tab, quick_pages, listening):
    pages = quick_pages
    sent(pages)
    tab.goto(f"{listening}/archive")
    tab.get_by_role("link", name=re.compile("and 4 more$")).click()
    tab.get_by_role("link", name="What our on-call rota").first.click()
    assert tab.evaluate("document.querySelector(location.hash).querySelector('h2').innerText")

    tab.goto(listening + link(pages, Purpose.FEEDBACK))
    tab.get_by_role("button", name="Yes, useful").click()

    assert tab.get_by_role("status").inner_text() == "You found this issue useful."
    assert flaws(tab) == []
    tab.get_by_role("button", name="No, not this time").click()
    assert tab.get_by_role("status").inner_text() == "You did not find this issue useful."


@pytest.mark.parametrize("tab", LOOKS, indirect=True)
def test_the_report_has_no_flaw_and_asks_nobody(tab, quick_pages, tmp_path):
    pages = quick_pages
    sent(pages)
    planned = pages.store.ledger.find(weekly().id)
    assert planned is not None
    bad = Figures(1000, 990, 950, 20, 25, 5, 4, 3, 40, 10)
    good = Figures(5000, 5000, 4990, 3, 2, 0, 0, 1, 9, 0)
    figures = IssueFigures(
        planned, bad + good, {"gmail": good, "other": bad}, {"ai": bad, "x": good}
    )
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    file = tmp_path / "report.html"

    for issues in ([figures], [figures, figures], []):
        file.write_text(report(NEWSLETTER, issues))
        tab.goto(file.as_uri())
        assert flaws(tab) == []

    assert set(asked) == {file.as_uri()}
    assert json.dumps(asked)
