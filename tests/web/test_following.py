"""Counted links lead on, and are counted by the day without anybody's name; a request writes
nothing."""

import threading
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from digest.cli.serving import Service
from digest.clicks import CountedLink, Place, code_of
from digest.errors import StoreError
from digest.store.links import Clicks, write_links
from digest.tokens import Purpose
from digest.web import counting
from digest.web.counting import FOLLOWED, OF_PLACE, Counting, is_program
from digest.web.following import location
from tests.web.conftest import START, Pages

ISSUE = "weekly-2026-11-19"
DAY = START.date()
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
URLS = [f"https://example.org/{n}" for n in range(60)]


def hold(store, *urls):
    """Links that a plan of the issue holds."""
    with store.database.writing() as connection:
        places = (Place("en", "stories", "a"),)
        write_links(connection, ISSUE, [CountedLink(code_of(url), url, places) for url in urls])


def path(url):
    return f"/g/{ISSUE}/{code_of(url)}"


@pytest.fixture
def counted(quick_pages):
    """A site that counts, and a plan with links."""
    pages = quick_pages.counting()
    hold(pages.store, *URLS)
    yield pages
    pages.site.close()


def follow(pages, url, agent=FIREFOX, method="GET", **headers):
    return pages.client.request(method, path(url), headers={"user-agent": agent, **headers})


def clicks(pages, wait=11):
    """What is counted after so many seconds, by target; nothing of what was never followed."""
    pages.clock.pass_(seconds=wait)
    pages.site.counting.write()
    rows = pages.store.links.of(ISSUE)
    return {one.link.url: one.clicks for one in rows if one.clicks != Clicks(0, 0)}


def test_a_link_leads_on_with_nothing_to_remember_it_by(counted):
    answer = follow(counted, URLS[0])

    assert answer.status_code == 302
    assert answer.headers["location"] == URLS[0]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.content == b""
    assert "set-cookie" not in answer.headers
    assert "Disallow: /g/\n" in counted.get("/robots.txt").text


def test_a_visit_is_written_by_nobody_but_the_counting_and_later(counted):
    follow(counted, URLS[0])

    assert clicks(counted, wait=5) == {}
    assert clicks(counted, wait=6) == {URLS[0]: Clicks(1, 0)}
    assert clicks(counted) == {URLS[0]: Clicks(1, 0)}


@pytest.mark.parametrize(
    "path",
    [
        f"/g/{ISSUE}/aaaaaaaaaaaa",
        f"/g/weekly-2026-11-12/{code_of(URLS[0])}",
        f"/g/{ISSUE}/{code_of(URLS[0]).upper()}",
        f"/g/{ISSUE}/https:%2F%2Fevil.example",
        f"/g/{ISSUE}/%00",
        "/g/%00/aaaaaaaaaaaa",
    ],
)
def test_what_no_plan_holds_leads_nowhere(counted, path):
    answer = counted.get(path)

    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_nothing_of_a_request_changes_where_it_leads(counted):
    odd = {"x-forwarded-host": "evil.example", "referer": "https://evil.example/"}
    answer = counted.get(path(URLS[0]) + "?url=https://evil.example&next=/x", headers=odd)

    assert answer.headers["location"] == URLS[0]


def test_links_lead_on_under_the_path_of_the_site(quick_pages):
    at = replace(quick_pages.config.newsletter, base_url="https://example.org/news")
    pages = Pages(replace(quick_pages.config, newsletter=at), quick_pages.store, quick_pages.clock)
    hold(pages.store, URLS[0])
    client = TestClient(pages.app, base_url="https://example.org", follow_redirects=False)

    assert client.get(f"/news{path(URLS[0])}").headers["location"] == URLS[0]
    assert client.get(path(URLS[0])).status_code == 404
    assert "Disallow: /news/g/\n" in client.get("/news/robots.txt").text


def test_a_head_leads_on_and_is_not_counted(counted):
    assert follow(counted, URLS[0], method="HEAD").headers["location"] == URLS[0]
    assert clicks(counted) == {}


@pytest.mark.parametrize(
    "header",
    [
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "Prefetch"},
        {"x-moz": "prefetch"},
        {"sec-fetch-dest": "image"},
        {"sec-fetch-dest": "empty"},
    ],
)
def test_what_a_browser_loads_ahead_or_within_another_page_is_not_counted(counted, header):
    assert follow(counted, URLS[0], **header).status_code == 302
    assert clicks(counted) == {}


def test_the_same_visitor_counts_once_a_day_for_a_link(counted):
    for _ in range(3):
        follow(counted, URLS[0])
        clicks(counted)
    follow(counted, URLS[1])
    follow(counted, URLS[0], agent=PHONE)
    assert clicks(counted) == {URLS[0]: Clicks(2, 0), URLS[1]: Clicks(1, 0)}

    counted.clock.pass_(days=1)
    follow(counted, URLS[0])
    assert clicks(counted)[URLS[0]] == Clicks(3, 0)


def test_a_visit_counts_for_the_day_it_was_on(counted):
    counted.clock.at = START.replace(hour=23, minute=59, second=58)
    follow(counted, URLS[0])
    counted.clock.pass_(seconds=4)
    follow(counted, URLS[0])
    clicks(counted)

    with counted.store.database.reading() as connection:
        days = connection.exec_driver_sql("SELECT day, people FROM click_count ORDER BY day").all()
    assert days == [("2026-11-18", 1), ("2026-11-19", 1)]


def test_who_follows_many_links_at_once_is_a_program_for_the_rest_of_the_day(counted):
    for url in URLS[: FOLLOWED + 1]:
        follow(counted, url)
    assert set(clicks(counted).values()) == {Clicks(0, 1)}
    follow(counted, URLS[40])
    assert clicks(counted)[URLS[40]] == Clicks(0, 1)


def test_who_follows_a_few_links_is_a_person(counted):
    for url in URLS[:FOLLOWED]:
        follow(counted, url)

    assert list(clicks(counted).values()) == [Clicks(1, 0)] * FOLLOWED


def test_many_browsers_at_one_address_at_once_are_programs(counted):
    for n in range(OF_PLACE + 1):
        follow(counted, URLS[n % 3], agent=f"{FIREFOX} {n}")
    assert {one.people for one in clicks(counted).values()} == {0}

    follow(counted, URLS[9])  # whoever is there when it is over
    assert clicks(counted)[URLS[9]] == Clicks(1, 0)


def test_a_tab_that_is_opened_is_counted(counted):
    follow(counted, URLS[0], **{"sec-fetch-dest": "document", "sec-purpose": ""})

    assert clicks(counted) == {URLS[0]: Clicks(1, 0)}


@pytest.mark.parametrize(
    "agent",
    [
        "", "curl/8.9", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "python-requests/2.32", "Go-http-client/2.0", "Mozilla/5.0 HeadlessChrome/140.0",
        "GoogleImageProxy", "Mozilla/5.0 (rv:11.0) Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    ],
)  # fmt: skip
def test_programs_say_so(counted, agent):
    follow(counted, URLS[0], agent=agent)

    assert is_program(agent)
    assert clicks(counted) == {URLS[0]: Clicks(0, 1)}


@pytest.mark.parametrize(
    "agent",
    [
        FIREFOX, PHONE, "Opera/9.80 (Windows NT 6.1) Presto/2.12 Version/12.18",
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142",
        "Mozilla/5.0 (Linux; Android 16; SM-S931B) AppleWebKit/537.36 SamsungBrowser/29.0 Mobile",
    ],
)  # fmt: skip
def test_browsers_are_taken_for_people(agent):
    assert not is_program(agent)


def test_without_the_setting_old_links_lead_on_and_nothing_is_counted(quick_pages):
    hold(quick_pages.store, URLS[0])

    assert follow(quick_pages, URLS[0]).headers["location"] == URLS[0]
    assert quick_pages.site.counting is None
    assert quick_pages.store.links.of(ISSUE)[0].clicks == Clicks(0, 0)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://żółw.example/ż?q=ó#ń", "https://xn--w-uga1v8h.example/%C5%BC?q=%C3%B3#%C5%84"),
        ('https://example.org/"<x>', "https://example.org/%22%3Cx%3E"),
        ("https://example.org/a%20b%0d%0aX", "https://example.org/a%20b%0d%0aX"),
        ("https://example.org/\r\nSet-Cookie: a=b", "https://example.org/Set-Cookie:%20a=b"),
        ("https://example.org/a?b=c&d=(e)!~'*;", "https://example.org/a?b=c&d=(e)!~'*;"),
        ("https://[2001:db8::1]:8080/x", "https://[2001:db8::1]:8080/x"),
        ("https://中.example", "https://xn--fiq.example"),
        ("https://-ż-.example/", "https://-%C5%BC-.example/"),
        ("https://q.example/?", "https://q.example/?"),
        ("https://q.example?#", "https://q.example?#"),
        ("https://żs@q.example:8443/a?b=#", "https://%C5%BCs@q.example:8443/a?b=#"),
        ("https://s/?x=s", "https://s/?x=s"),
        ("https://q.example//a/../b;c", "https://q.example//a/../b;c"),
    ],
)
def test_any_target_fits_a_header(counted, url, sent):
    hold(counted.store, url)
    answer = follow(counted, url)

    assert location(url) == sent
    assert answer.headers["location"] == sent
    assert "set-cookie" not in answer.headers


def test_closing_counts_what_waits(counted):
    follow(counted, URLS[0])
    counted.site.close()

    assert counted.store.links.of(ISSUE)
    assert sum(one.clicks.people for one in counted.store.links.of(ISSUE)) == 1
    follow(counted, URLS[1])  # still under way while the site closes: on, and not counted
    assert sum(one.clicks.people for one in counted.store.links.of(ISSUE)) == 1
    assert not [one for one in threading.enumerate() if one.name == "clicks"]


def test_what_cannot_be_written_is_kept_for_the_next_time(counted, monkeypatch):
    follow(counted, URLS[0])
    links = counted.store.links

    class Busy:
        def add(self, _counts):
            raise StoreError("the database is busy")

    monkeypatch.setattr(counted.site.counting, "_links", Busy())
    assert clicks(counted) == {}
    monkeypatch.setattr(counted.site.counting, "_links", links)
    follow(counted, URLS[0], agent=PHONE)
    assert clicks(counted) == {URLS[0]: Clicks(2, 0)}


def test_memory_is_bounded_whoever_asks_how_often(counted, monkeypatch):
    monkeypatch.setattr(counting, "WAITING", 50)
    monkeypatch.setattr(counting, "REMEMBERED", 20)
    made = Counting(counted.store.links, counted.clock)
    code = code_of(URLS[0])
    try:
        for n in range(500):
            made.note(ISSUE, code, f"203.0.{n // 250}.{n % 250}", FIREFOX)
        assert len(made._stays) == made._waiting == 50
        assert len(made._today.seen) == 20
        counted.clock.pass_(seconds=11)
        made.write()
        assert (made._stays, made._waiting, made._places, made._counts) == ({}, 0, {}, {})
        assert counted.store.links.of(ISSUE)[0].link
        assert sum(one.clicks.people for one in counted.store.links.of(ISSUE)) == 50
    finally:
        made.close()


def test_one_network_leaves_room_for_everybody_else(counted, monkeypatch):
    monkeypatch.setattr(counting, "WAITING", 60)
    monkeypatch.setattr(counting, "OF_NETWORK", 20)
    made, code = counted.site.counting, code_of(URLS[0])

    for n in range(100):
        made.note(ISSUE, code, f"203.0.113.{n % 50}", f"{FIREFOX} {n}")
        made.note(ISSUE, code, "2001:db8::1", f"{FIREFOX} {n}")
    follow(counted, URLS[1])
    assert clicks(counted) == {URLS[0]: Clicks(40, 0), URLS[1]: Clicks(1, 0)}

    made.note(ISSUE, code, "203.0.113.77", FIREFOX)  # there is room again
    assert clicks(counted)[URLS[0]] == Clicks(41, 0)
    assert made._networks == {}


def test_no_address_is_kept_even_in_memory(counted):
    follow(counted, URLS[0])
    made = counted.site.counting

    kept = repr((made._stays, made._places, made._networks, made._counts, made._today))
    assert "testclient" not in kept
    assert "Firefox" not in kept


def test_visits_at_the_same_time_are_all_counted(counted):
    made, code = counted.site.counting, code_of(URLS[0])

    def some(number):
        for n in range(100):
            made.note(ISSUE, code, f"198.51.{number}.{n}", FIREFOX)
            made.write()

    threads = [threading.Thread(target=some, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clicks(counted) == {URLS[0]: Clicks(400, 0)}


def test_a_reload_counts_what_waits_and_turns_counting_off(counted, monkeypatch):
    monkeypatch.chdir(counted.config.root)  # whose digest.toml does not ask for it
    site = counted.site
    service = Service(site.config, site.store, site.keys, site.now, None, None)
    base = counted.config.newsletter.base_url
    browser = TestClient(service._pages, base_url=base, follow_redirects=False)
    browser.headers["user-agent"] = FIREFOX

    browser.get(path(URLS[0]))
    assert service.reload()
    on = browser.get(path(URLS[1]))
    service._site.close()

    assert on.headers["location"] == URLS[1]
    rows = counted.store.links.of(ISSUE)
    assert {one.link.url: one.clicks for one in rows if any(one.clicks)} == {URLS[0]: (1, 0)}


def test_a_reload_forgets_nobody_who_was_there(counted, monkeypatch):
    monkeypatch.chdir(counted.config.root)
    monkeypatch.setenv("DIGEST_STATS__CLICKS", "true")
    site = counted.site
    service = Service(site.config, site.store, site.keys, site.now, None, None)
    base = counted.config.newsletter.base_url
    browser = TestClient(service._pages, base_url=base, follow_redirects=False)
    browser.headers["user-agent"] = FIREFOX

    for _ in range(3):
        browser.get(path(URLS[0]))
        assert service.reload()
    service._site.close()

    rows = counted.store.links.of(ISSUE)
    assert {one.link.url: one.clicks for one in rows if any(one.clicks)} == {URLS[0]: (1, 0)}
    assert not [one for one in threading.enumerate() if one.name == "clicks"]


def test_what_is_looked_at_on_the_pages_leads_straight_on(counted):
    reader = counted.reader()
    page = counted.post(
        counted.path("p", Purpose.PREFERENCES, reader.id),
        do="look", what="everything", cadence="weekly",
    )  # fmt: skip

    assert page.status_code == 200
    assert "About agents" in page.text
    assert "/g/" not in page.text
