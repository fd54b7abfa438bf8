"""Every issue on the web: what was sent, for those who may see it, rendered once."""

import re
from dataclasses import replace

import pytest

from digest.models import Visibility
from digest.web.kept import Kept
from tests.newsletter import STORIES
from tests.stories import story
from tests.web.conftest import Pages
from tests.web.issues import sent, weekly

ISSUE = weekly()


def shown(pages: Pages, path: str) -> str:
    answer = pages.client.get(path)
    assert answer.status_code == 200, path
    return answer.text


def test_an_issue_is_a_page_with_its_stories(pages):
    sent(pages)

    html = shown(pages, f"/archive/{ISSUE.id}")

    assert "Zero-downtime Postgres migrations with <code>pgroll</code>" in html
    assert (
        "<li>Every schema change ships as <em>two deploys</em>: expand, then contract</li>" in html
    )
    assert "<table" not in html
    assert 'style="' not in html
    assert html.count('<article class="story"') == len(STORIES)
    assert '<h2 lang="pl"' in html


def test_an_issue_says_to_others_what_it_is(pages):
    sent(pages)

    html = shown(pages, f"/archive/{ISSUE.id}")

    told = dict(re.findall(r'<meta property="([\w:]+)" content="([^"]*)">', html))
    assert told["og:title"].endswith(" and 4 more")
    assert told["og:url"] == f"https://news.example.com/archive/{ISSUE.id}"
    assert told["og:type"] == "article"
    assert told["article:published_time"] == "2026-11-19T09:00:00+00:00"
    assert f'<link rel="canonical" href="{told["og:url"]}">' in html


def test_the_archive_lists_issues_by_year_and_by_tag(pages):
    sent(pages)
    sent(pages, (story("new-year", "postgres"),), weekly(7))

    front = shown(pages, "/archive")

    assert re.findall(r'<h2><a href="(/archive/[\w-]+)"', front) == [
        "/archive/weekly-2027-01-07",
        f"/archive/{ISSUE.id}",
    ]
    assert re.findall(r'href="(/archive/\d{4})"', front) == ["/archive/2027", "/archive/2026"]
    assert 'href="/archive/tag/postgres">#postgres <span class="count">2</span>' in front
    assert ISSUE.id not in shown(pages, "/archive/2027")
    assert pages.client.get("/archive/2025").status_code == 404


def test_a_tag_has_a_page_of_its_stories_in_any_spelling(pages):
    sent(pages, (*STORIES, story("slash", "ci/cd"), story("accent", "wydajność")))

    assert "Open weights, closed books" in shown(pages, "/archive/tag/Open-Source")
    assert "About slash" in shown(pages, "/archive/tag/ci%2Fcd")
    assert "About accent" in shown(pages, "/archive/tag/wydajno%C5%9B%C4%87")
    assert pages.client.get("/archive/tag/gardening").status_code == 404
    assert pages.client.get("/archive/tag/").status_code == 404


def test_a_tag_of_many_stories_has_several_pages(quick_pages):
    pages = quick_pages
    sent(pages, tuple(story(f"s{n}", "ai") for n in range(45)))

    first, second = shown(pages, "/archive/tag/ai"), shown(pages, "/archive/tag/ai?page=2")

    assert (first.count("<h2"), second.count("<h2")) == (40, 5)
    assert 'rel="next" href="/archive/tag/ai?page=2"' in first
    for beyond in ("3", "0", "-1", "x", "9" * 40, "²"):
        assert pages.client.get(f"/archive/tag/ai?page={beyond}").status_code == 404


def test_the_first_issue_is_announced(quick_pages):
    page = shown(quick_pages, "/archive")

    assert "The first issue is still to come." in page
    assert '<a href="/">Subscribe to Platform Weekly</a>' in page
    assert "<ol" not in page


@pytest.mark.parametrize("sign_up", [True, False])
def test_every_list_of_the_archive_leads_to_the_form_for_subscribers(quick_pages, sign_up):
    sent(quick_pages)
    pages = quick_pages.configured(sign_up=sign_up)

    for path in ("/archive", "/archive/2026", "/archive/tag/postgres"):
        assert ('<a href="/">Subscribe</a>' in pages.get(path).text) is sign_up


@pytest.mark.parametrize(
    ("said", "page", "listed", "robots"),
    [
        (Visibility.PUBLIC, 200, True, "all"),
        (Visibility.UNLISTED, 200, False, "noindex"),
        (Visibility.HIDDEN, 404, False, "noindex"),
    ],
)
def test_an_issue_is_seen_by_those_who_may(pages, said, page, listed, robots):
    sent(pages)
    pages.store.archive.say(ISSUE.id, said, pages.clock())

    answer = pages.client.get(f"/archive/{ISSUE.id}")

    assert answer.status_code == page
    assert answer.headers["x-robots-tag"] == robots
    for place in ("/archive", "/sitemap.xml", "/archive/feed.atom", "/archive/feed.json"):
        assert (ISSUE.id in shown(pages, place)) is listed
    assert (pages.client.get("/archive/tag/postgres").status_code == 200) is listed


def test_edited_posts_do_not_change_what_was_sent(pages):
    sent(pages)
    edited = tuple(replace(one, title="Rewritten") for one in STORIES)
    sent(pages, edited, weekly(1))

    assert "Rewritten" not in shown(pages, f"/archive/{ISSUE.id}")
    assert "Rewritten" in shown(pages, f"/archive/{weekly(1).id}")


def test_one_leafs_from_an_issue_to_its_neighbours(quick_pages):
    pages = quick_pages
    for weeks in range(3):
        sent(pages, (story(f"s{weeks}", "ai"),), weekly(weeks))

    html = shown(pages, f"/archive/{weekly(1).id}")

    assert f'rel="prev" href="/archive/{weekly(0).id}"' in html
    assert f'rel="next" class="later" href="/archive/{weekly(2).id}"' in html


def test_nothing_that_authors_write_escapes(quick_pages):
    pages = quick_pages
    evil = '</title><script>alert("1")</script>'
    sent(
        pages,
        (
            story("x", 'a"><script>', title=evil, tldr=evil, takeaways=(evil,), disclaimer=evil),
            story("y", "b", title="[click](javascript:alert(1))", link="javascript:alert(1)"),
        ),
    )

    for place in (f"/archive/{ISSUE.id}", "/archive", "/archive/feed.atom"):
        html = shown(pages, place)
        assert "<script" not in html
        assert 'href="javascript' not in html


def test_who_has_a_page_already_is_told_so_without_rendering(quick_pages, monkeypatch):
    pages = quick_pages
    sent(pages)
    made = [0]
    kept = Kept._keep

    def counting(self, name, page):
        made[0] += 1
        kept(self, name, page)

    monkeypatch.setattr(Kept, "_keep", counting)
    path = f"/archive/{ISSUE.id}"
    first = pages.client.get(path)
    tag, date = first.headers["etag"], first.headers["last-modified"]

    again = [
        pages.client.get(path, headers=headers)
        for headers in (
            {"if-none-match": tag},
            {"if-none-match": f'"other", W/{tag}'},
            {"if-none-match": "*"},
            {"if-modified-since": date},
        )
    ]

    assert [answer.status_code for answer in again] == [304] * 4
    assert all(answer.content == b"" and answer.headers["etag"] == tag for answer in again)
    assert pages.client.get(path, headers={"if-none-match": '"old"'}).content == first.content
    assert made == [1]


@pytest.mark.parametrize("place", ["/archive", "/archive/feed.atom", "/archive/feed.json"])
def test_a_new_issue_changes_every_page_that_tells_of_it(quick_pages, place):
    pages = quick_pages
    sent(pages)
    before = pages.client.get(place)
    pages.clock.pass_(weeks=1)

    sent(pages, (story("new", "ai"),), weekly(1))
    stale = {
        "etag": {"if-none-match": before.headers["etag"]},
        "date": {"if-modified-since": before.headers["last-modified"]},
    }

    for headers in stale.values():
        answer = pages.client.get(place, headers=headers)
        assert answer.status_code == 200
        assert weekly(1).id in answer.text


@pytest.mark.parametrize(
    "headers",
    [{"if-none-match": "*"}, {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}],
    ids=["any tag", "a day that is not yet"],
)
def test_what_nobody_may_see_is_never_unchanged(quick_pages, headers):
    sent(quick_pages)
    quick_pages.store.archive.say(ISSUE.id, Visibility.HIDDEN, quick_pages.clock())

    for path in (f"/archive/{ISSUE.id}", "/archive/nothing", "/archive/tag/gardening"):
        assert quick_pages.client.get(path, headers=headers).status_code == 404


def test_an_issue_that_is_hidden_is_gone_at_once(quick_pages):
    pages = quick_pages
    sent(pages)
    tag = pages.client.get(f"/archive/{ISSUE.id}").headers["etag"]

    pages.store.archive.say(ISSUE.id, Visibility.HIDDEN, pages.clock())

    answer = pages.client.get(f"/archive/{ISSUE.id}", headers={"if-none-match": tag})
    assert answer.status_code == 404


def test_an_answer_from_memory_is_the_same_answer(quick_pages):
    sent(quick_pages)

    first, second, third = (quick_pages.client.get("/archive") for _ in range(3))

    assert first.content == second.content == third.content
    assert dict(first.headers) == dict(second.headers) == dict(third.headers)
    assert first.headers.get_list("x-content-type-options") == ["nosniff"]


def test_what_is_kept_is_bounded(quick_pages):
    pages = quick_pages
    sent(pages)
    kept = Kept(pages.site, most=3)

    for name in "abcdef":
        kept._keep(name, type("Page", (), {"body": b"x"})())

    assert list(kept._pages) == []  # none is worth a quarter of so little
    kept.most = 8
    for name in "abcdef":
        kept._keep(name, type("Page", (), {"body": b"xx"})())
    assert list(kept._pages) == ["c", "d", "e", "f"]


def test_a_page_is_in_the_language_that_is_asked_for(quick_pages):
    pages = quick_pages
    sent(pages)
    path = f"/archive/{ISSUE.id}"

    polish = pages.client.get(path, headers={"accept-language": "pl,en;q=0.5"})
    english = pages.client.get(path, headers={"accept-language": "en"})

    assert '<html lang="pl"' in polish.text
    assert "W tym wydaniu" in polish.text
    assert '<html lang="en"' in english.text
    assert polish.headers["etag"] != english.headers["etag"]
    assert "Accept-Language" in polish.headers["vary"]
