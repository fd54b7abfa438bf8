"""Header fields for any name, subject and address, held to the standard library's parser."""

from datetime import datetime
from email import policy
from email.header import decode_header, make_header
from email.headerregistry import HeaderRegistry

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.composer import headers
from digest.errors import DigestError
from tests.handmade import WARSAW, nasty_text

parse = HeaderRegistry()


def _unfolded(field: bytes) -> tuple[str, str]:
    name, _, value = field.decode().removesuffix("\r\n").partition(": ")
    return name, value.replace("\r\n", "")


def _display_name(field: bytes) -> str:
    """In a phrase, Python 3.11 keeps the blank between two encoded-words (cpython gh-92081)."""
    header, value = _unfolded(field)
    if value.startswith("=?"):
        return str(make_header(decode_header(value.rpartition(" <")[0])))
    return str(parse(header, value).addresses[0].display_name)


@given(nasty_text)
def test_a_mailbox_reads_back_as_it_was_named(name):
    field = headers.mailbox_field("To", name, "ana@example.org")
    header = parse(*_unfolded(field))

    assert header.defects == ()
    assert [mailbox.addr_spec for mailbox in header.addresses] == ["ana@example.org"]
    assert _display_name(field) == headers.clean(name)


@given(nasty_text)
def test_a_subject_reads_back_as_it_was_written(subject):
    header = parse(*_unfolded(headers.text_field("Subject", subject)))

    assert header.defects == ()
    assert str(header) == headers.clean(subject)


@given(nasty_text, st.sampled_from(["Subject", "To", "List-Id"]))
def test_no_text_can_write_a_second_header_or_a_long_line(text, name):
    subject = headers.text_field(name, text)
    mailbox = headers.mailbox_field(name, text, "ana@example.org")

    for field in (subject, mailbox):
        first, *folded = field.decode("ascii").removesuffix("\r\n").split("\r\n")
        assert first.startswith(f"{name}: ")
        assert all(line.startswith(" ") and line.strip() for line in folded)
        assert all(len(line) <= 78 for line in (first, *folded))


@given(nasty_text)
def test_encoded_words_keep_to_their_limit(text):
    value = headers.encoded_words(headers.clean(text) or "é", indent=9)

    assert all(len(word) <= 75 for word in value.split())


@given(st.emails())
def test_an_ordinary_address_is_carried_as_it_is(address):
    assert headers.wire_address(address) == address


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("用户@例子.example", "用户@xn--fsqu00a.example"),
        ("żaneta.o'neil+ai@example.org", "żaneta.o'neil+ai@example.org"),
    ],
)
def test_a_domain_is_carried_in_ascii_and_a_local_part_as_it_is(address, wire):
    assert headers.wire_address(address) == wire


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@",
        "@example.org",
        "ana@example.org\r\nBcc: all@example.org",
        "ana@example.org, bob@example.org",
        "ana bob@example.org",
        "<ana@example.org>",
        "ana@[127.0.0.1]",
        ".ana@example.org",
        "a..na@example.org",
        "ż..b@example.org",
        "ż.@example.org",
        "ż\u2028b@example.org",
        "ż\u202eb@example.org",
        "ż\ud800@example.org",
        "ana@-.ü..example",
        "ana@exa_mple.org",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(address):
    with pytest.raises(DigestError) as refusal:
        headers.wire_address(address)

    assert not address or address not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "ana@example.org"),
        ("Ana", "Ana <ana@example.org>"),
        ("Ana van O'Neil", "Ana van O'Neil <ana@example.org>"),
        ("J. Doe", '"J. Doe" <ana@example.org>'),
        ('A "b" \\ c', '"A \\"b\\" \\\\ c" <ana@example.org>'),
        ("Doe, Ana", '"Doe, Ana" <ana@example.org>'),
        ("Żaneta", "=?utf-8?q?=C5=BBaneta?= <ana@example.org>"),
        ("山田", "=?utf-8?b?5bGx55Sw?= <ana@example.org>"),
        ("A\r\nB", "A B <ana@example.org>"),
        ("=?utf-8?q?x?=", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <ana@example.org>"),
        ("long name " * 6, "long name " * 5 + "long name\r\n <ana@example.org>"),
    ],
)
def test_a_name_is_written_in_its_plainest_form(name, value):
    assert headers.mailbox(name, "ana@example.org", indent=4) == value


def test_a_long_ascii_subject_is_folded_between_words():
    field = headers.text_field("Subject", "twelve words " * 12)

    assert field.startswith(b"Subject: twelve words twelve words")
    assert b"=?" not in field


def test_a_letter_keeps_its_accents_in_one_encoded_word():
    """A program that shows each word by itself must not show a lone accent."""
    value = headers.encoded_words("e\u0301" * 60, indent=9)

    assert all(word.startswith("=?utf-8?b?ZcyB") for word in value.split())


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "https://x/<y>", "https://x y", "https://x\r\n", "https://ü", "https://"]
)
def test_a_link_that_could_leave_its_brackets_is_refused(url):
    with pytest.raises(DigestError):
        headers.link(url)


@pytest.mark.parametrize("text", ["", "a b", "a>", "a\r\n", "é", "a@b"])
def test_an_id_that_could_leave_a_message_id_is_refused(text):
    with pytest.raises(DigestError):
        headers.token(text)


def test_the_date_is_the_moment_in_its_own_time_zone():
    moment = datetime(2026, 3, 5, 9, 0, 7, tzinfo=WARSAW)

    assert headers.date(moment) == "Thu, 05 Mar 2026 09:00:07 +0100"
    assert policy.default.header_factory("Date", headers.date(moment)).datetime == moment
