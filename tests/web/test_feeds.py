"""Feeds that any reader takes: Atom by RFC 4287, JSON Feed 1.1, and a sitemap."""

from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree

import pytest

from digest.models import Cadence
from tests.newsletter import STORIES
from tests.stories import story
from tests.web.conftest import Pages
from tests.web.issues import sent, weekly

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
BASE = "https://news.example.com"


def atom(pages: Pages, path: str = "/archive/feed.atom") -> ElementTree.Element:
    answer = pages.client.get(path)
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)


def test_an_atom_feed_has_all_that_the_standard_asks_for(pages):
    sent(pages)

    feed = atom(pages)

    assert feed.tag == f"{ATOM}feed"
    assert feed.findtext(f"{ATOM}id") == f"{BASE}/archive/feed.atom"
    assert feed.findtext(f"{ATOM}title") == "Platform Weekly"
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links == {"alternate": f"{BASE}/archive", "self": f"{BASE}/archive/feed.atom"}
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == len(STORIES)
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.findtext(f"{ATOM}title")
        assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated")).tzinfo
        assert entry.find(f"{ATOM}link").get("href").startswith(f"{BASE}/archive/weekly-")
        assert entry.find(f"{ATOM}content").get("type") == "html"
    assert feed.findtext(f"{ATOM}updated") == entries[0].findtext(f"{ATOM}updated")


def test_a_json_feed_has_all_that_the_standard_asks_for(pages):
    sent(pages)

    answer = pages.client.get("/archive/feed.json")
    feed = answer.json()

    assert answer.headers["content-type"] == "application/feed+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == "Platform Weekly"
    assert feed["feed_url"] == f"{BASE}/archive/feed.json"
    assert len(feed["items"]) == len(STORIES)
    for item in feed["items"]:
        assert {"id", "url", "title", "content_html", "date_published", "tags"} <= item.keys()
        assert datetime.fromisoformat(item["date_published"]).tzinfo
    [pgroll] = [item for item in feed["items"] if "pgroll" in item["title"]]
    assert "<strong>expand/contract</strong>" in pgroll["content_html"]


def test_a_feed_of_a_tag_holds_its_stories_alone(pages):
    sent(pages)

    found = atom(pages, "/archive/tag/postgres/feed.atom")
    items = pages.client.get("/archive/tag/AI/feed.json").json()

    assert [one.text for one in found.findall(f"{ATOM}entry/{ATOM}title")] == [
        "Zero-downtime Postgres migrations with pgroll"
    ]
    assert items["title"] == "Platform Weekly: #ai"
    assert items["feed_url"] == f"{BASE}/archive/tag/ai/feed.json"
    assert len(items["items"]) == 1
    assert pages.client.get("/archive/tag/gardening/feed.atom").status_code == 404


def test_a_story_that_several_issues_held_comes_once(pages):
    one = story("a", "ai")
    sent(pages, (one,), weekly(cadence=Cadence.WEEKLY))
    edited = replace(one, title="Edited")
    monthly = weekly(2)
    sent(pages, (edited, story("b", "ai")), monthly)

    items = pages.client.get("/archive/feed.json").json()["items"]

    assert [item["title"] for item in items] == ["About b", "About a"]
    assert "/weekly-2026-11-19#" in items[1]["url"]


def test_a_link_of_a_feed_leads_to_the_story_on_its_page(quick_pages):
    pages = quick_pages
    sent(pages)

    for item in pages.client.get("/archive/feed.json").json()["items"]:
        path, anchor = item["url"].removeprefix(BASE).split("#")
        from urllib.parse import unquote

        assert f'id="{unquote(anchor)}"' in pages.client.get(path).text


def test_the_same_archive_gives_the_same_feed(quick_pages):
    empty = quick_pages.client.get("/archive/feed.atom")

    assert ElementTree.fromstring(empty.content).findall(f"{ATOM}entry") == []
    assert empty.content == quick_pages.client.get("/archive/feed.atom").content
    assert b"1970-01-01T00:00:00" in empty.content


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\ufffe", "&", "]]>", "\ud800"])
def test_a_feed_is_well_formed_whatever_a_story_says(quick_pages, character):
    pages = quick_pages
    sent(pages, (story("a", "ai", title=f"x{character}y", tldr=f"p{character}q"),))

    assert len(atom(pages).findall(f"{ATOM}entry")) == 1
    assert len(pages.client.get("/archive/feed.json").json()["items"]) == 1


def test_the_sitemap_and_robots_name_what_everybody_may_see(pages):
    sent(pages)

    urls = ElementTree.fromstring(pages.client.get("/sitemap.xml").content)
    found = [one.text for one in urls.findall(f"{SITEMAP}url/{SITEMAP}loc")]
    robots = pages.client.get("/robots.txt").text.splitlines()

    assert found[:2] == [f"{BASE}/", f"{BASE}/archive"]
    assert {f"{BASE}/archive/weekly-2026-11-19", f"{BASE}/archive/2026"} <= set(found)
    assert f"{BASE}/archive/tag/postgres" in found
    assert f"Sitemap: {BASE}/sitemap.xml" in robots
    assert {f"Disallow: /{name}/" for name in ("approve", *"bcdfgimpu")} <= set(robots)


def test_the_sitemap_tells_no_date_before_the_first_issue(quick_pages):
    told = quick_pages.get("/sitemap.xml").text

    assert "<loc>" in told
    assert "lastmod" not in told


def test_every_page_of_the_sitemap_may_be_indexed(pages):
    sent(pages)

    urls = ElementTree.fromstring(pages.client.get("/sitemap.xml").content)

    for one in urls.findall(f"{SITEMAP}url/{SITEMAP}loc"):
        answer = pages.get(one.text.removeprefix(BASE))
        assert (answer.status_code, answer.headers["x-robots-tag"]) == (200, "all"), one.text
