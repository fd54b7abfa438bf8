"""A reader of the archive in a real browser, and the report of what became of issues."""

import re

import pytest

from digest.report import report
from digest.store.statistics import Figures, IssueFigures
from digest.tokens import Purpose
from tests.browsing import flaws
from tests.handmade import NEWSLETTER
from tests.stories import story
from tests.web.issues import link, sent, weekly

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(chromium):
    page = chromium.new_page(viewport={"width": 375, "height": 720})
    yield page
    page.close()


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
    tab.get_by_role("button", name="No, not this time").click()
    assert tab.get_by_role("status").inner_text() == "You did not find this issue useful."


def test_the_report_has_no_flaw_in_any_look_and_asks_nobody(tab, quick_pages, tmp_path):
    sent(quick_pages, (story("new", "ai"),))
    planned = quick_pages.store.ledger.find(weekly().id)
    assert planned is not None
    bad = Figures(1000, 990, 950, 20, 25, 5, 4, 3, 40, 10)
    good = Figures(5000, 5000, 4990, 3, 2, 0, 0, 1, 9, 0)
    figures = IssueFigures(
        planned, bad + good, {"gmail": good, "other": bad}, {"ai": bad, "x": good}
    )
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: asked.append(message.text))
    file = tmp_path / "report.html"

    for issues in ([figures], [figures, figures], []):
        file.write_text(report(NEWSLETTER, issues))
        tab.goto(file.as_uri())
        assert flaws(tab) == []
        if issues:  # on a phone: a shade says that there is more at the side
            table = tab.locator(".scroll").first
            assert table.evaluate("e => e.scrollWidth > e.clientWidth")
            drawn = table.evaluate("e => getComputedStyle(e).backgroundAttachment")
            assert drawn == "local, local, scroll, scroll"

    assert set(asked) == {file.as_uri()}
