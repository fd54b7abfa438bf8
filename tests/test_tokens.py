"""Signed links: ours are read back, everything else is refused alike."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from digest.errors import ConfigError, TokenError
from digest.tokens import (
    TOKEN_LENGTH,
    Keys,
    Purpose,
    pause_url,
    preferences_url,
    sign,
    subscriber_id,
    unsubscribe_url,
    verify,
)

NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
OLD, NEW = b"old secret of 16+ bytes", b"new secret of 16+ bytes"
KEYS = Keys((NEW, OLD))
purposes = st.sampled_from(Purpose)
subjects = st.integers(0, 2**64 - 1)
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(purposes, subjects, st.text(max_size=20))
def test_a_token_reads_back_for_its_purpose_and_context(purpose, subject, context):
    context = context.encode("utf-8", "replace").decode()
    token = sign(KEYS, purpose, subject, context=context)

    assert len(token) == TOKEN_LENGTH
    assert verify(KEYS, purpose, token, now=NOW, context=context) == subject


@given(purposes, purposes, subjects)
def test_a_token_is_worthless_for_another_purpose(purpose, other, subject):
    assume(purpose is not other)

    with pytest.raises(TokenError):
        verify(KEYS, other, sign(KEYS, purpose, subject), now=NOW)


@given(purposes, subjects, st.integers(0, TOKEN_LENGTH - 1), st.sampled_from(BASE64))
def test_a_token_with_any_character_changed_is_refused(purpose, subject, place, character):
    """The last character has four loose bits: another spelling of the same bytes is refused too."""
    token = sign(KEYS, purpose, subject)
    assume(token[place] != character)

    with pytest.raises(TokenError):
        verify(KEYS, purpose, token[:place] + character + token[place + 1 :], now=NOW)


@given(st.one_of(st.text(max_size=50), st.text(alphabet=BASE64 + "=+/ \n", min_size=30)))
def test_what_we_never_signed_is_refused_without_a_traceback(text):
    with pytest.raises(TokenError):
        verify(KEYS, Purpose.UNSUBSCRIBE, text, now=NOW)


@given(subjects, st.integers(0, 38))
def test_a_truncated_or_padded_token_is_refused(subject, length):
    token = sign(KEYS, Purpose.CONFIRM, subject, expires=NOW + timedelta(days=2))

    for wrong in (token[:length], token + "=", token + "A" * length + "A", f" {token}"):
        with pytest.raises(TokenError):
            verify(KEYS, Purpose.CONFIRM, wrong, now=NOW)


def test_every_refusal_says_the_same():
    expired = sign(KEYS, Purpose.CONFIRM, 7, expires=NOW)
    wrong = ["", "x", "é" * 34, "A" * 34, "=" * 34, expired, sign(KEYS, Purpose.VIEW, 7)]
    refusals = set()

    for token in wrong:
        with pytest.raises(TokenError) as refusal:
            verify(KEYS, Purpose.CONFIRM, token, now=NOW)
        refusals.add((str(refusal.value), refusal.value.hint))

    assert len(refusals) == 1


@given(subjects, st.integers(-1000, 1000))
def test_a_token_holds_until_its_expiry_and_not_at_it(subject, seconds):
    expires = NOW + timedelta(seconds=seconds)
    token = sign(KEYS, Purpose.CHANGE, subject, expires=expires)

    if seconds > 0:
        assert verify(KEYS, Purpose.CHANGE, token, now=NOW) == subject
    else:
        with pytest.raises(TokenError):
            verify(KEYS, Purpose.CHANGE, token, now=NOW)


def test_an_unsubscribe_link_cannot_expire():
    with pytest.raises(ValueError):
        sign(KEYS, Purpose.UNSUBSCRIBE, 7, expires=NOW)


def test_an_expiry_cannot_be_cut_off():
    token = sign(KEYS, Purpose.CONFIRM, 0, expires=NOW)
    signed_for_ever = sign(KEYS, Purpose.CONFIRM, 0)

    with pytest.raises(TokenError):
        verify(KEYS, Purpose.CONFIRM, signed_for_ever[:12] + token[-22:], now=NOW)


def test_a_retired_key_still_verifies_and_a_removed_one_does_not():
    token = sign(Keys((OLD,)), Purpose.UNSUBSCRIBE, 7)

    assert verify(KEYS, Purpose.UNSUBSCRIBE, token, now=NOW) == 7
    with pytest.raises(TokenError):
        verify(Keys((NEW,)), Purpose.UNSUBSCRIBE, token, now=NOW)


def test_keys_that_share_a_name_are_both_tried():
    """The key is named by one byte, so that among 257 secrets two share it."""
    secrets = [b"secret number %08d" % number for number in range(257)]
    tokens = {sign(Keys((secret,)), Purpose.VIEW, 7)[:1] for secret in secrets}
    keys = Keys(tuple(secrets))

    assert len(tokens) < 257
    for secret in secrets:
        assert verify(keys, Purpose.VIEW, sign(Keys((secret,)), Purpose.VIEW, 7), now=NOW) == 7


@pytest.mark.parametrize("secrets", [(), (b"",), (b"too short",), (NEW, b"x")])
def test_weak_secrets_are_refused(secrets):
    with pytest.raises(ConfigError):
        Keys(secrets)


def test_secrets_of_any_length_differ_to_their_last_byte():
    long = b"x" * 100
    token = sign(Keys((long + b"1",)), Purpose.VIEW, 7)

    with pytest.raises(TokenError):
        verify(Keys((long + b"2",)), Purpose.VIEW, token, now=NOW)


def test_secrets_never_show():
    assert "secret" not in repr(KEYS)


@given(st.emails())
def test_a_reader_from_a_file_has_one_id_in_any_case(address):
    number = subscriber_id(address, NEW)

    assert number == subscriber_id(address.upper(), NEW) == subscriber_id(address.lower(), NEW)
    assert 0 <= number < 2**63
    assert number != subscriber_id(address, OLD)


def test_an_expiry_cannot_be_made_of_a_context():
    """What a link proves but does not carry cannot be written into it as an expiry to come."""
    later = b"kzzz"  # of February 2027
    raw = urlsafe_b64decode(sign(KEYS, Purpose.VIEW, 7, context=later.decode()) + "==")
    forged = urlsafe_b64encode(raw[:9] + later + raw[9:]).rstrip(b"=").decode()

    with pytest.raises(TokenError):
        verify(KEYS, Purpose.VIEW, forged, now=NOW)


def test_the_id_of_a_reader_from_a_file_never_changes():
    """Links that were mailed hold it, and the outbox knows by it what it took."""
    assert subscriber_id("ana@example.com", OLD) == 6824931158616993906
    longer = subscriber_id("ana@example.com", b"k" * 65)
    assert longer != subscriber_id("ana@example.com", b"k" * 64)


def test_links_are_short_and_lead_to_the_readers_pages():
    token = "T" * TOKEN_LENGTH
    preferences = preferences_url("https://news.example.com", token)

    assert unsubscribe_url("https://news.example.com", token).endswith(f"/u/{token}")
    assert preferences == f"https://news.example.com/p/{token}"
    assert pause_url(preferences) == f"{preferences}#pause"
