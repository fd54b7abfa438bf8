"""What SendGrid's answers mean, as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.providers.sendgrid.replies import (
    LONGEST_WAIT,
    Drop,
    Halve,
    Later,
    Reply,
    Stop,
    Taken,
    Unsure,
    Validated,
    verdict,
)
from digest.providers.sendgrid.words import scrubbed
from tests.fake_sendgrid import errors

NOW = 1_000_000_000.0
HTML = b"<html><head><title>413 Request Entity Too Large</title></head></html>"


def said(status: int, body: bytes = b"", **headers: str) -> object:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return verdict(Reply(status, named, body), 3, NOW)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, Validated),
        (201, Unsure),
        (202, Taken),
        (301, Stop),
        (307, Stop),
        (400, Halve),
        (401, Stop),
        (403, Stop),
        (404, Stop),
        (405, Stop),
        (406, Stop),
        (408, Later),
        (413, Halve),
        (415, Stop),
        (422, Stop),
        (429, Later),
        (500, Unsure),
        (501, Unsure),
        (502, Unsure),
        (503, Later),
        (504, Unsure),
        (524, Unsure),
    ],
)
def test_every_status_has_a_meaning(status, meaning):
    assert isinstance(said(status), meaning)


@given(st.integers(100, 999), st.binary(max_size=200))
def test_no_body_is_too_strange_and_only_202_takes_anybody(status, body):
    assert isinstance(said(status, body), Taken) == (status == 202)


def test_the_id_of_the_request_is_kept_when_it_is_one():
    assert said(202, x_message_id="XBg2anf2TqCy6WXKQFhieQ") == Taken("XBg2anf2TqCy6WXKQFhieQ")
    assert said(202, x_message_id="no id\x1b[31m") == Taken("")


def test_every_reader_that_is_named_is_dropped_with_their_own_reason():
    body = errors(
        ("personalizations.0.to.0.email", "is not an address: a@b.example"),
        ("personalizations.2.substitutions", "is too large"),
    )

    assert said(400, body) == Drop(
        {
            0: "SendGrid answered 400: is not an address: <address>",
            2: "SendGrid answered 400: is too large",
        }
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        HTML,
        b"[]",
        b'{"errors": 3}',
        b'{"errors": [3]}',
        b'{"errors": [{"field": 3, "message": null}]}',
        errors((None, "Bad Request")),
        errors(("null", "Bad Request")),
        errors(("personalizations", "each email address should be unique")),
        errors(("personalizations.3.to.0.email", "nobody has this place")),
    ],
)
def test_a_refusal_that_names_no_reader_is_looked_for_by_halves(body):
    assert isinstance(said(400, body), Halve)


def test_a_fault_that_all_messages_share_stops_the_run():
    assert said(400, errors(("from.email", "is not valid"))) == Stop(
        "SendGrid answered 400: is not valid", "SendGrid refuses `from.email` of every message"
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_ratelimit_reset": "1000000007"}, 7.0),
        ({"x_ratelimit_reset": "999999990"}, 1.0),  # lifted by now
        ({"x_ratelimit_reset": "2000000000"}, LONGEST_WAIT),
        ({"x_ratelimit_reset": "soon", "retry_after": "12"}, 12.0),
        ({"retry_after": "99999999"}, LONGEST_WAIT),
        ({"retry_after": "Sun, 09 Sep 2001 01:46:40 GMT"}, 0.0),
        ({}, 0.0),
    ],
)
def test_a_limit_says_how_long_to_wait_and_never_too_long(headers, seconds):
    assert said(429, **headers).retry_after == seconds


def test_sendgrids_clock_counts_and_not_ours():
    date = "Sun, 09 Sep 2001 02:46:40 GMT"  # an hour after ours

    assert said(429, x_ratelimit_reset="1000003630", date=date).retry_after == 30.0
    assert said(429, x_ratelimit_reset="1000000030", date="nonsense").retry_after == 30.0


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("550 no such user <ana@example.org>", "550 no such user <<address>>"),
        ('"ana maria"@example.org is full', "<address> is full"),
        ("key SG.abc-DEF_1.x is bad, Bearer SG.y", "key <key> is bad, <key>"),
        ("two\r\nlines\x1b[31m\u202e and\ttabs", "two lines [31m and tabs"),
        ("to 'o'hara@example.org'", "to <address>'"),
        ("\ud800", ""),
        ("long " * 200, ("long " * 60).strip()),
    ],
)
def test_words_that_are_kept_name_nobody_and_show_no_key(words, kept):
    assert scrubbed(words) == kept


@given(st.text(), st.emails(), st.text())
def test_no_address_survives_in_words_that_are_kept(before, address, after):
    assert address not in scrubbed(f"{before} {address} {after}")
