"""What holds for every answer, whatever page it is."""

import asyncio
import json
from dataclasses import replace

import pytest

from digest.config.web import WebConfig
from digest.models import State
from digest.tokens import Purpose
from digest.web.guards import MOST, LastResort, asker
from digest.web.looks import accepted
from tests.web.conftest import Pages


def headers_of(answer):
    return {
        name: answer.headers.get(name)
        for name in ("content-security-policy", "referrer-policy", "x-content-type-options")
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/nowhere", 404),
        ("PUT", "/", 405),
    ],
)
def test_every_answer_has_the_security_headers(quick_pages, method, path, status):
    answer = quick_pages.client.request(method, path)

    assert answer.status_code == status
    assert headers_of(answer) == {
        "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    assert answer.headers["strict-transport-security"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("size", ["told", "not told"])
def test_a_body_beyond_its_cap_is_refused_and_is_no_mistake_of_ours(quick_pages, capfd, size):
    body = b"x=" + b"x" * MOST
    form = {"content-type": "application/x-www-form-urlencoded"}

    answer = quick_pages.client.post(
        "/", content=body if size == "told" else iter([body]), headers=form
    )

    assert answer.status_code == 413
    assert "<p>What was sent is too large.</p>" in answer.text
    assert "web.failed" not in capfd.readouterr().err


def test_the_style_sheet_may_be_kept_and_is_named_after_its_content(quick_pages):
    name = quick_pages.app.state.sheet.name

    answer = quick_pages.client.get(f"/{name}")

    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert f'href="/{name}"' in quick_pages.client.get("/").text
    assert "--accent: #0a52c4" in answer.text  # of templates/theme.jinja


def test_a_host_that_is_not_ours_is_turned_away(quick_pages):
    asked = quick_pages.client.get("/", headers={"host": "evil.example"})

    assert asked.status_code == 421
    assert "evil.example" not in asked.text


def test_another_name_of_the_site_is_answered_when_configured(quick_pages):
    pages = quick_pages.configured(hosts=("other.example",))

    assert pages.client.get("/", headers={"host": "Other.example:8443"}).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        ((), "203.0.113.9", "10.0.0.1"),
        (("10.0.0.0/8",), "203.0.113.9", "203.0.113.9"),
        (("10.0.0.0/8",), "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (("10.0.0.0/8",), "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (("192.0.2.0/24",), "203.0.113.9", "10.0.0.1"),
        (("10.0.0.0/8",), "203.0.113.9:50123, 10.0.0.2:443", "203.0.113.9"),
        (("10.0.0.0/8",), "[2001:db8::1]:50123", "2001:db8::1"),
        (("10.0.0.0/8",), "2001:db8::1", "2001:db8::1"),
        (("10.0.0.0/8",), "unknown", "unknown"),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(proxies, forwarded, expected):
    from ipaddress import ip_network

    scope = {
        "type": "http",
        "client": ("10.0.0.1", 1),
        "headers": [(b"x-forwarded-for", forwarded.encode())],
    }

    assert asker(scope, map(ip_network, proxies)) == expected
    assert WebConfig().trusted_proxies == ()


def test_what_nobody_expected_is_a_page_and_a_line_without_secrets(quick_pages, capfd):
    def fail():
        raise ZeroDivisionError("ana@example.com did it")

    from starlette.routing import Route

    quick_pages.app.router.routes.insert(0, Route("/broken", lambda request: fail()))
    answer = quick_pages.client.get("/broken")

    assert answer.status_code == 500
    assert headers_of(answer)["referrer-policy"] == "no-referrer"
    assert "ZeroDivision" not in answer.text
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in told] == ["web.failed", "web.answered"]
    assert "ana@" not in str(told)


def test_the_log_names_routes_and_never_what_was_asked_for(quick_pages, capfd):
    quick_pages.client.get("/?mail=ana@example.com")
    quick_pages.client.get("/u/secret-token-of-somebody-in-particular")

    told = capfd.readouterr().err
    assert '"route": "/"' in told
    assert "ana@" not in told
    assert "secret-token" not in told


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("pl,en;q=0.8", ("pl", "en")),
        ("en;q=0.5, pl-PL", ("pl", "en")),
        ("pl;q=x, en;q=0", ()),
        ("", ("",)),
    ],
)
def test_the_browsers_languages_come_in_their_order(header, expected):
    assert accepted(header) == expected


def test_a_page_is_in_the_language_of_the_browser(quick_pages):
    answer = quick_pages.client.get("/nowhere", headers={"accept-language": "pl"})

    assert '<html lang="pl" dir="ltr">' in answer.text
    assert answer.headers["content-language"] == "pl"


def test_a_real_server_answers(listening):
    import httpx2

    assert httpx2.get(f"{listening}/").status_code == 200


@pytest.mark.parametrize("base", ["https://news.example.com", "https://example.com/news"])
def test_a_slash_at_the_end_makes_no_other_place_and_no_redirect(quick_pages, base):
    newsletter = replace(quick_pages.config.newsletter, base_url=base)
    config = replace(quick_pages.config, newsletter=newsletter)
    pages = Pages(config, quick_pages.store, quick_pages.clock)
    path = pages.path("u", Purpose.UNSUBSCRIBE, pages.reader().id)

    for place in ("", "/", "/link/", "/archive/", path, f"{path}/"):
        assert pages.client.get(f"{base}{place}").status_code == 200, place
    for place in ("/archive/tag", "/archive/tag/", "/nowhere/", "/u/", "//u//"):
        assert pages.client.get(f"{base}{place}").status_code == 404, place
    left = pages.client.post(f"{base}{path}/", data={"List-Unsubscribe": "One-Click"})
    assert left.status_code == 200
    assert pages.store.subscriptions.find("ana@example.com").state is State.UNSUBSCRIBED


def test_an_answer_that_has_begun_is_never_begun_again():
    """What goes wrong in the middle of a page is raised: the server ends the connection."""

    async def breaks(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("in the middle")

    sent = []

    async def send(message):
        sent.append(message["type"])

    with pytest.raises(RuntimeError, match="in the middle"):
        asyncio.run(LastResort(breaks)({"type": "http"}, None, send))
    assert sent == ["http.response.start"]
