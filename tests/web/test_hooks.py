"""What the provider tells, believed only when it signed it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.composer import delivery_id
from digest.models import SuppressionReason
from digest.web.hooks import MOST
from tests.test_sendgrid_webhook import own_key, signed
from tests.web.conftest import Pages
from tests.web.issues import READER, ana, sent

PATH = "/webhooks/sendgrid"
PRIVATE, KEY = own_key()
OLD_PRIVATE, OLD_KEY = own_key()


def with_keys(pages: Pages, *keys: str) -> Pages:
    sendgrid = replace(pages.config.sendgrid, webhook_keys=keys)
    return Pages(replace(pages.config, sendgrid=sendgrid), pages.store, pages.clock)


def event(pages: Pages, issue: str, kind: str = "delivered", **more: object) -> dict[str, object]:
    return {
        "email": READER,
        "timestamp": int(pages.clock().timestamp()),
        "event": kind,
        "sg_event_id": f"e-{kind}",
        "dg_did": delivery_id(issue, ana(pages)),
    } | more


def tell(pages: Pages, *events: object, private=PRIVATE):  # type: ignore[no-untyped-def]
    body = json.dumps(events).encode()
    return pages.client.post(PATH, content=body, headers=signed(private, body, pages.clock()))


def facts(pages: Pages, issue: str) -> dict[str, int]:
    found = pages.store.ledger.find(issue)
    assert found is not None
    return {k: n for k, n in pages.store.ledger.totals(found.number).facts.items() if n}


def test_signed_events_are_written_down(pages):
    pages = with_keys(pages, KEY)
    issue = sent(pages).id
    bounce = event(pages, issue, "bounce", type="bounce", status="5.1.1", reason="no such user")

    answer = tell(pages, event(pages, issue), bounce)

    assert (answer.status_code, answer.content) == (204, b"")
    assert facts(pages, issue) == {"delivered": 1, "bounced": 1}
    assert pages.store.suppressions.reasons(READER) == (SuppressionReason.BOUNCED,)


def test_bytes_that_are_no_text_spoil_no_event_of_their_request(pages):
    pages = with_keys(pages, KEY)
    issue = sent(pages).id
    odd = [
        json.dumps(event(pages, issue, kind) | {name: "X!"}).encode()
        for kind in ("bounce", "deferred", "delivered")
        for name in ("email", "reason", "dg_row", "sg_event_id", "dg_did", "status")
    ]
    strange = (b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\t", b"\x00")

    for number, bad in enumerate(strange):
        good = event(pages, issue, "spamreport", sg_event_id=f"good-{number}")
        many = [one.replace(b"X!", bad) for one in odd]
        body = b"[" + b",".join([*many, json.dumps(good).encode()]) + b"]"
        headers = signed(PRIVATE, body, pages.clock())
        assert pages.client.post(PATH, content=body, headers=headers).status_code == 204
    assert facts(pages, issue)["complained"] == 1


def test_events_told_again_change_nothing(pages):
    """Not even when somebody has come back since."""
    pages = with_keys(pages, KEY)
    issue = sent(pages).id
    told = [event(pages, issue), event(pages, issue, "unsubscribe")]
    tell(pages, *told)
    pages.store.suppressions.remove(READER, pages.clock(), "test")

    assert tell(pages, *told).status_code == 204
    assert facts(pages, issue) == {"delivered": 1, "unsubscribed": 1}
    assert pages.store.suppressions.reasons(READER) == ()


def test_whoever_did_not_sign_is_not_believed(quick_pages):
    pages = with_keys(quick_pages, KEY)
    issue = sent(pages).id
    body = json.dumps([event(pages, issue)]).encode()
    good = signed(PRIVATE, body, pages.clock())

    answers = [
        pages.client.post(PATH, content=body),
        pages.client.post(PATH, content=body + b"\n", headers=good),
        tell(pages, event(pages, issue), private=OLD_PRIVATE),
        pages.client.post(PATH, content=b"", headers=good),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    assert facts(pages, issue) == {}


def test_several_keys_are_believed_while_they_are_rotated(quick_pages):
    pages = with_keys(quick_pages, KEY, OLD_KEY)
    issue = sent(pages).id

    assert tell(pages, event(pages, issue), private=OLD_PRIVATE).status_code == 204
    assert facts(pages, issue) == {"delivered": 1}


def test_without_a_key_there_is_no_such_address(quick_pages):
    assert tell(quick_pages, {"event": "delivered"}).status_code == 404
    assert with_keys(quick_pages, KEY).client.get(PATH).status_code == 405


def test_ten_thousand_events_are_taken_at_once_and_no_more_than_fits(quick_pages):
    pages = with_keys(quick_pages, KEY)
    issue = sent(pages).id
    many = [event(pages, issue, sg_event_id=f"e{n}", padding="x" * 500) for n in range(10_000)]

    assert tell(pages, *many).status_code == 204
    assert facts(pages, issue) == {"delivered": 1}
    beyond = pages.client.post(PATH, content=b"x" * (MOST + 1))
    assert beyond.status_code == 413


@pytest.mark.parametrize("body", [b"no json", b'"text"', b"[" * 100_000, b"\xff\xfe"])
def test_a_signed_body_that_is_no_list_of_events_is_refused(quick_pages, body):
    pages = with_keys(quick_pages, KEY)

    answer = pages.client.post(PATH, content=body, headers=signed(PRIVATE, body, pages.clock()))

    assert answer.status_code == 400


_strange = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
_KINDS = ["delivered", "deferred", "bounce", "dropped", "spamreport", "unsubscribe", "processed"]
_FIELDS = ["email", "timestamp", "sg_event_id", "dg_did", "reason", "status", "type"]


def test_one_bad_event_never_fails_the_others(pages):
    pages = with_keys(pages, KEY)
    issue = sent(pages).id
    number = [0]

    @settings(max_examples=40)
    @given(st.sampled_from(_KINDS), st.dictionaries(st.sampled_from(_FIELDS), _strange))
    def check(kind: str, changed: dict[str, object]) -> None:
        number[0] += 1
        bad = event(pages, issue, kind) | changed
        good = event(pages, issue, "spamreport", sg_event_id=f"good-{number[0]}")

        assert tell(pages, bad, None, 7, [bad], good, bad).status_code == 204

    check()
    assert facts(pages, issue)["complained"] == 1
