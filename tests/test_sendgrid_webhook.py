"""The Event Webhook: only what SendGrid signed is believed, and one bad event spoils no other."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from digest.errors import ConfigError, DigestError
from digest.events import Cause, Event, Kind
from digest.providers.sendgrid import parse, public_keys, verify

# The example of SendGrid's own libraries (@sendgrid/eventwebhook).
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7"
    "yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA=="
)
BODY = b'{"category":"example_payload","event":"test_event","message_id":"message_id"}'
HEADERS = {
    "X-Twilio-Email-Event-Webhook-Signature": (
        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nl"
        "xFDWYNH2j/0="
    ),
    "X-Twilio-Email-Event-Webhook-Timestamp": "1588788367",
}
SIGNATURE, TIMESTAMP = HEADERS
SIGNED = datetime.fromtimestamp(1588788367, UTC)
KEYS = public_keys([KEY])
AT = datetime(2026, 11, 19, 9, tzinfo=UTC)
DELIVERY = "abcdefghij234567abcd"


def own_key() -> tuple[ec.EllipticCurvePrivateKey, str]:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private, b64encode(public).decode()


def signed(private: ec.EllipticCurvePrivateKey, body: bytes, at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signature = private.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
    return {SIGNATURE: b64encode(signature).decode(), TIMESTAMP: stamp}


def told(**changed: object) -> dict[str, object]:
    return {
        "email": "ana@example.org",
        "timestamp": int(AT.timestamp()),
        "event": "delivered",
        "sg_event_id": "e1",
        "sg_message_id": "XBg2anf2TqCy6WXKQFhieQ.filter0",
        "dg_did": DELIVERY,
    } | changed


def read(*events: object) -> list[Event]:
    return list(parse(json.dumps(events).encode()))


def test_what_sendgrid_signed_is_believed():
    assert verify(HEADERS, BODY, KEYS, SIGNED)
    assert verify({name.lower(): value for name, value in HEADERS.items()}, BODY, KEYS, SIGNED)


@pytest.mark.parametrize("body", [BODY + b"\n", BODY + b"\r\n", BODY[:-1], b"", b" " + BODY])
def test_other_bytes_are_not_believed(body):
    assert not verify(HEADERS, body, KEYS, SIGNED)


@pytest.mark.parametrize(
    "changed",
    [
        {SIGNATURE: ""},
        {SIGNATURE: "not base64!"},
        {SIGNATURE: "é"},
        {SIGNATURE: b64encode(b"not DER").decode()},
        {TIMESTAMP: ""},
        {TIMESTAMP: "1588788368"},
        {TIMESTAMP: "+1588788367"},
        {TIMESTAMP: "١٥٨٨٧٨٨٣٦٧"},
    ],
)
def test_a_broken_signature_is_refused_like_a_wrong_one(changed):
    assert not verify(HEADERS | changed, BODY, KEYS, SIGNED)


def test_without_headers_or_without_keys_nothing_is_believed():
    assert not verify({}, BODY, KEYS, SIGNED)
    assert not verify(HEADERS, BODY, (), SIGNED)


def test_any_of_several_keys_will_do_while_they_are_rotated():
    private, text = own_key()
    headers = signed(private, BODY, AT)

    assert verify(headers, BODY, public_keys([KEY, text]), AT)
    assert not verify(headers, BODY, KEYS, AT)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_signature_is_good_for_its_own_body_alone(body, other):
    private, text = own_key()

    assert verify(signed(private, body, AT), other, public_keys([text]), AT) == (body == other)


@pytest.mark.parametrize(
    ("late", "believed"),
    [
        (timedelta(hours=24, minutes=59), True),  # SendGrid tries for a day
        (timedelta(hours=25, seconds=1), False),
        (timedelta(minutes=-4), True),  # our clock is slow
        (timedelta(minutes=-6), False),
    ],
)
def test_a_day_of_retries_is_believed_and_older_ones_are_not(late, believed):
    assert verify(HEADERS, BODY, KEYS, SIGNED + late) is believed


@pytest.mark.parametrize("text", ["", "no key", b64encode(b"no key").decode(), KEY[:-8], "é"])
def test_a_key_that_is_none_is_told_by_its_place(text):
    with pytest.raises(ConfigError, match="webhook_keys: number 2"):
        public_keys([KEY, text])


@pytest.mark.parametrize(
    "other",
    [
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
    ],
)
def test_a_key_of_another_kind_is_refused(other):
    der = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(ConfigError, match="number 1"):
        public_keys([b64encode(der).decode()])


@pytest.mark.parametrize(
    ("changed", "kind", "cause"),
    [
        ({"event": "processed"}, Kind.PROCESSED, Cause.UNCLEAR),
        ({"event": "delivered"}, Kind.DELIVERED, Cause.UNCLEAR),
        ({"event": "deferred", "attempt": "5"}, Kind.DEFERRED, Cause.UNCLEAR),
        ({"event": "bounce", "type": "bounce"}, Kind.BOUNCED, Cause.UNCLEAR),
        ({"event": "bounce", "type": "blocked"}, Kind.BLOCKED, Cause.UNCLEAR),
        ({"event": "spamreport"}, Kind.COMPLAINED, Cause.UNCLEAR),
        ({"event": "unsubscribe"}, Kind.UNSUBSCRIBED, Cause.UNCLEAR),
        ({"event": "group_unsubscribe"}, Kind.UNSUBSCRIBED, Cause.UNCLEAR),
        ({"event": "dropped", "reason": "Bounced Address"}, Kind.DROPPED, Cause.BOUNCED),
        ({"event": "dropped", "reason": "Invalid"}, Kind.DROPPED, Cause.MAILBOX),
        ({"event": "dropped", "reason": "Invalid SMTPAPI header"}, Kind.DROPPED, Cause.SENDER),
        ({"event": "dropped", "reason": "Spam Content"}, Kind.DROPPED, Cause.SENDER),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, Kind.DROPPED, Cause.COMPLAINED),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, Kind.DROPPED, Cause.UNSUBSCRIBED),
        (
            {"event": "dropped", "reason": "Recipient List over Package Quota"},
            Kind.DROPPED,
            Cause.SENDER,
        ),
        ({"event": "dropped", "reason": "something new"}, Kind.DROPPED, Cause.UNCLEAR),
    ],
)
def test_sendgrids_words_become_ours(changed, kind, cause):
    [event] = read(told(**changed))

    assert (event.kind, event.cause, event.delivery) == (kind, cause, DELIVERY)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("Invalid Address", Cause.MAILBOX),
        ("mailbox unavailable", Cause.MAILBOX),
        ("Content", Cause.SENDER),
        ("Reputation", Cause.SENDER),
        ("Technical Failure", Cause.SENDER),
        ("technical", Cause.SENDER),
        ("Frequency or Volume Too High", Cause.SENDER),
        ("Unclassified", Cause.UNCLEAR),
        (None, Cause.UNCLEAR),
    ],
)
def test_classifications_are_read_in_any_case_and_with_any_tail(words, cause):
    [event] = read(told(event="bounce", type="bounce", bounce_classification=words))

    assert event.cause is cause


def test_a_bounce_keeps_its_status_and_its_words_without_an_address():
    reason = "550 5.1.1 <ana@example.org>: no such user\r\n"
    [event] = read(told(event="bounce", type="bounce", status="5.1.1", reason=reason))

    assert event.status == "5.1.1"
    assert event.reason == "550 5.1.1 <<address>>: no such user"
    assert event.at == AT
    assert event.event_id == "e1"


def test_a_bounce_without_our_argument_is_known_by_its_address():
    raw = told(event="bounce", type="bounce")
    del raw["dg_did"], raw["sg_message_id"]

    assert [(event.delivery, event.address) for event in read(raw)] == [(None, "ana@example.org")]


@pytest.mark.parametrize("name", ["open", "click", "group_resubscribe", "account_status", "new"])
def test_what_readers_do_with_their_mail_is_not_looked_at(name):
    assert read(told(event=name)) == []


@pytest.mark.parametrize(
    "bad",
    [
        None,
        3,
        "text",
        [],
        {},
        {"event": "bounce"},
        told(event=None),
        told(event=["bounce"]),
        told(timestamp=None),
        told(timestamp="soon"),
        told(timestamp=True),
        told(timestamp=-1),
        told(timestamp=1e300),
        told(timestamp=float("nan")),
    ],
)
def test_a_bad_event_is_passed_over_and_the_others_count(bad):
    assert [event.event_id for event in read(told(), bad, told(sg_event_id="e2"))] == ["e1", "e2"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from([*told(), "type", "reason", "status", "bounce_classification", "response"])


@example({"reason": "\U00011747"}, "bounce")  # a character that is not assigned yet
@given(st.dictionaries(keys, json_values), st.sampled_from(["bounce", "dropped", "deferred"]))
def test_no_event_is_too_strange(changed, name):
    events = read(told(**({"event": name} | changed)), told(sg_event_id="last"))

    assert events[-1].event_id == "last"
    assert all(event.at.tzinfo and event.reason.isprintable() for event in events)


@pytest.mark.parametrize(
    ("said", "place"), [("12.4711", "12.4711"), (None, ""), (12.4711, ""), (["12.4711"], "")]
)
@pytest.mark.parametrize("name", ["delivered", "bounce"])
def test_the_place_that_went_out_with_a_delivery_comes_back(name, said, place):
    assert [event.place for event in read(told(event=name, dg_row=said))] == [place]


def test_an_event_told_twice_is_given_twice_under_one_id():
    assert [event.event_id for event in read(told(), told())] == ["e1", "e1"]


@pytest.mark.parametrize(
    "bad",
    [
        b'{"event":"bounce","timestamp":1,"email":"\xff@example.org"}',
        b'{"event":"bounce","timestamp":1,"email":"\xed\xa0\x80@example.org"}',
        b'{"event":"bounce","timestamp":' + b"9" * 4301 + b"}",
        b'{"event":"bounce","timestamp":-' + b"9" * 4301 + b"}",
        b'{"event":"bounce","timestamp":' + b"9" * 4301 + b".5e9}",
        b'{"event":"bounce","timestamp":1e99999}',
        b'{"event":"bounce","timestamp":NaN,"reason":"a\tb\x00"}',
    ],
)
def test_bytes_that_are_no_event_spoil_no_other(bad):
    first, last = (json.dumps(told(sg_event_id=name)).encode() for name in ("e1", "e2"))

    events = list(parse(b"[" + b",".join([first, bad, last]) + b"]"))

    assert [event.event_id for event in events if event.event_id] == ["e1", "e2"]
    assert {event.address for event in events} <= {"", "ana@example.org", "\ufffd@example.org"}


@pytest.mark.parametrize("body", [b"", b"nonsense", b"3", b'"x"', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_list_of_events_is_refused_as_a_whole(body):
    with pytest.raises(DigestError, match="JSON"):
        parse(body)


def test_a_lone_event_and_an_empty_list_are_fine():
    assert list(parse(b"[]")) == []
    assert list(parse(json.dumps(told()).encode())) == read(told())
    assert list(parse(BODY)) == []
