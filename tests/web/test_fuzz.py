"""Anything at any address: an answer, never a fault, always with its headers."""

import re
import string
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route
from starlette.testclient import TestClient

from digest.clicks import CountedLink
from digest.config.stats import StatsConfig
from digest.store.links import write_links
from digest.tokens import Purpose, sign

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")
FIELDS = (
    "email", "what", "tag", "mute", "cadence", "language", "timezone", "pause", "do", "page",
    "shown", "website", "List-Unsubscribe", "useful", "saved", "was", "lang",
)  # fmt: skip
WORDS = (
    "", "everything", "topics", "ai", "weekly", "daily", "en", "pl", "Europe/Dublin", "14",
    "paused", "save", "look", "own", "again", "confirm", "forget", "download", "delete", "move",
    "One-Click", "ana@new.example", "1", "yes", "\x00", "é" * 400, "<script>", "\ud800",
)  # fmt: skip
TYPES = (
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data",
    "application/json", "text/plain", "",
)  # fmt: skip

values = st.sampled_from(WORDS) | st.text(max_size=30)
fields = st.lists(st.tuples(st.sampled_from(FIELDS), values), max_size=8)
bodies = (
    st.binary(max_size=300)
    | fields.map(
        lambda pairs: "&".join("=".join(pair) for pair in pairs).encode("utf-8", "replace")
    )
    | st.just(b'--x\r\nContent-Disposition: form-data; name="do"\r\n\r\nsave\r\n--x--\r\n')
)
LINK = CountedLink("abcdefghij23", "https://żółw.example/\r\n<x>?“y”", ())
header_values = st.text(string.printable.strip(), max_size=40)


@pytest.fixture
def target(quick_pages):
    """A site with somebody in it, every route of it, and tokens that are good for some."""
    quick_pages.config = replace(quick_pages.config, stats=StatsConfig(clicks=True))
    person = quick_pages.reader().id
    with quick_pages.store.database.writing() as connection:
        write_links(connection, "weekly-2026-11-19", [LINK])
    keys = quick_pages.site.keys
    tokens = [sign(keys, purpose, person) for purpose in Purpose]
    tokens += [sign(keys, Purpose.VIEW, person, context="weekly-2026-11-19")]
    tokens += [LINK.code, "x", "%00", "é"]
    routes = [route for route in quick_pages.app.routes if isinstance(route, Route)]
    assert len(routes) >= 10
    yield quick_pages, routes, tokens
    quick_pages.site.close()


@contextmanager
def asking(pages):
    # a fault is to come out as an answer, as in production
    with TestClient(
        pages.app,
        base_url="https://news.example.com",
        raise_server_exceptions=False,
        follow_redirects=False,
    ) as client:
        yield client


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_request_makes_any_route_fail(target, data):
    pages, routes, tokens = target
    route = data.draw(st.sampled_from(routes))
    names = {
        name: data.draw(st.sampled_from([*tokens, "weekly-2026-11-19"]) | values)
        for name in route.param_convertors
    }
    path = route.path
    for name, value in names.items():
        quoted = quote(value.encode("utf-8", "replace"), safe="%/")
        path = re.sub(rf"{{{name}(:\w+)?}}", lambda _, quoted=quoted: quoted, path)
    headers = {
        name: data.draw(header_values)
        for name in data.draw(
            st.sets(
                st.sampled_from(
                    (
                        "accept-language",
                        "if-none-match",
                        "range",
                        "if-modified-since",
                        "x-forwarded-for",
                        "user-agent",
                        "sec-purpose",
                    )
                )
            )
        )
    }
    with asking(pages) as client:
        answer = client.request(
            data.draw(st.sampled_from(METHODS)),
            path,
            params=[(n, v.encode("utf-8", "replace").decode()) for n, v in data.draw(fields)],
            content=data.draw(bodies),
            headers={"content-type": data.draw(st.sampled_from(TYPES)), **headers},
        )

    assert answer.status_code < 500
    assert answer.headers["content-security-policy"]
    assert "Traceback" not in answer.text
