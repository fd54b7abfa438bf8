"""Complete messages, read back with the strictest parser of the standard library."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.composer import delivery_id
from digest.errors import ConfigError, DigestError
from tests.handmade import ANA, COMPILED, ISSUE, NEWSLETTER, edition, nasty_text, press

STRICT = policy.strict.clone(utf8=True)


def _read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=STRICT)


def _bodies(message: EmailMessage) -> list[str]:
    return [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()]


@given(nasty_text, nasty_text, nasty_text)
def test_any_text_arrives_as_the_merged_edition(name, subject, why):
    reader = replace(ANA, name=name, salutation=f"Hi {name},", why=why)
    composed = edition(subject)
    message = _read(composed.message(reader))
    expected = [composed.text(reader), composed.html(reader)]

    assert message.defects == []
    assert [part.defects for part in message.iter_parts()] == [[], []]
    assert _bodies(message) == [
        text.encode("utf-8", "replace").decode().replace("\r\n", "\n") for text in expected
    ]


@given(nasty_text, nasty_text)
def test_no_text_breaks_a_line_rule_or_adds_a_header(name, subject):
    raw = edition(subject).message(replace(ANA, name=name, salutation=name, why=name))

    head, _, body = raw.partition(b"\r\n\r\n")
    lines = raw.split(b"\r\n")
    folded = [line for line in head.split(b"\r\n") if not line.startswith(b"List-Unsubscribe: ")]
    assert all(len(line) <= 78 for line in folded)
    assert all(len(line) <= 76 and not line.startswith(b".") for line in body.split(b"\r\n"))
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines)
    assert len(_read(raw).keys()) == len(_read(edition().message(ANA)).keys())


def test_the_headers_are_those_of_a_newsletter():
    message = _read(edition().message(ANA))

    assert message.items() == [
        ("From", "Żółty Tydzień <news@example.com>"),
        ("To", "Ana <ana@example.org>"),
        ("Message-ID", "<abcdefghij234567abcd@example.com>"),
        ("List-Unsubscribe", f"<{ANA.unsubscribe_url}>"),
        ("Subject", "One and two, “quoted”"),
        ("Date", "Thu, 19 Nov 2026 09:00:00 +0100"),
        ("Reply-To", "editor@example.com"),
        ("List-Id", "Żółty Tydzień <weekly.example.com>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Feedback-ID", "weekly-2026-11-19:en:digest:weekly"),
        ("Precedence", "bulk"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", "en"),
        ("MIME-Version", "1.0"),
        ("Content-Type", message["Content-Type"]),
    ]
    assert "=_" in message.get_boundary()


@pytest.mark.parametrize(
    ("list_id", "sender"),
    [
        ("platform-weekly.example.com", "platform-weekly"),
        ("a.example.com", "a-"),
        ("the-very-long-name.example.com", "the-very-"),
    ],
)
def test_the_sender_of_the_feedback_id_has_5_to_15_characters_and_is_always_the_same(
    list_id, sender
):
    made = press(replace(NEWSLETTER, list_id=list_id)).edition(
        ["one"], [], subject="One", preheader="", intro=""
    )

    last = _read(made.message(ANA))["Feedback-ID"].split(":")[-1]

    assert 5 <= len(last) <= 15
    assert last.startswith(sender)


def test_the_parts_are_plain_text_first_then_html_in_utf_8():
    message = _read(edition().message(ANA))

    assert message.get_content_type() == "multipart/alternative"
    assert [
        (part.get_content_type(), part.get_content_charset(), part["Content-Transfer-Encoding"])
        for part in message.iter_parts()
    ] == [
        ("text/plain", "utf-8", "quoted-printable"),
        ("text/html", "utf-8", "quoted-printable"),
    ]


def test_the_same_input_gives_the_same_bytes():
    assert edition().message(ANA) == edition().message(replace(ANA))


def test_list_unsubscribe_stays_on_one_line():
    lines = edition().message(ANA).split(b"\r\n")

    assert f"List-Unsubscribe: <{ANA.unsubscribe_url}>".encode() in lines
    assert len(f"<{ANA.unsubscribe_url}>") <= 77


@pytest.mark.parametrize(("length", "fits"), [(38, True), (39, False)])
def test_a_base_url_that_is_too_long_for_list_unsubscribe_is_a_configuration_error(length, fits):
    newsletter = replace(NEWSLETTER, base_url="https://" + "n" * (length - 8))

    if fits:
        press(newsletter)
    else:
        with pytest.raises(ConfigError, match=r"newsletter\.base_url.* 1 characters too long"):
            press(newsletter)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "ana@example.org\r\nBcc: all@example.org"},
        {"delivery": "x>\r\nBcc: all@example.org"},
        {"unsubscribe_url": "https://news.example.com/u/x>\r\nBcc: all@example.org"},
        {"unsubscribe_url": "https://news.example.com/u/" + "x" * 60},
    ],
)
def test_what_cannot_stand_in_a_header_is_refused(change):
    with pytest.raises(DigestError):
        edition().message(replace(ANA, **change))


def test_an_international_domain_is_sent_in_ascii():
    reader = replace(ANA, address="ana@bücher.example")

    assert reader.recipient == "ana@xn--bcher-kva.example"
    assert b"To: Ana <ana@xn--bcher-kva.example>\r\n" in edition().message(reader)


def test_an_international_local_part_is_raw_utf_8_and_says_so():
    reader = replace(ANA, address="żaneta@example.org")
    raw = edition().message(reader)

    assert not reader.recipient.isascii()
    assert "To: Ana <żaneta@example.org>\r\n".encode() in raw
    assert _read(raw).defects == []


def test_a_reply_address_is_optional_and_the_sender_may_have_a_name():
    newsletter = replace(NEWSLETTER, reply_to="", sender_name="Editor, The")
    message = _read(
        press(newsletter).edition(("one",), (), subject="s", preheader="", intro="").message(ANA)
    )

    assert "Reply-To" not in message
    assert message["From"] == '"Editor, The" <news@example.com>'


def test_a_list_name_that_is_too_long_is_left_out():
    message = _read(
        press(replace(NEWSLETTER, name="ż" * 90))
        .edition(("one",), (), subject="s", preheader="", intro="")
        .message(ANA)
    )

    assert message["List-Id"] == "<weekly.example.com>"


def test_html_values_are_escaped_and_text_values_are_not():
    reader = replace(ANA, salutation="Hi <b>&'\",")
    composed = edition("a <b> \\ \xa0")

    assert "Hi <b>&'\"," in composed.text(reader)
    assert "Hi &lt;b&gt;&amp;&#39;&#34;," in composed.html(reader)
    assert "<title>a &lt;b&gt; &#92; &#160;</title>" in composed.html(reader)


def test_links_are_escaped_where_html_needs_it():
    link = "https://news.example.com/p/?a=1&b='2'"
    reader = replace(ANA, preferences_url=link)
    text, html = _bodies(_read(edition().message(reader)))

    assert link in text
    assert "https://news.example.com/p/?a=1&amp;b=&#39;2&#39;#pause" in html


def test_sentences_of_the_text_part_keep_to_72_columns():
    lines = edition().text(ANA).splitlines()

    assert all(len(line) <= 72 for line in lines if "://" not in line)


@given(st.text(min_size=1, max_size=30), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_delivery_id_is_20_characters_that_differ_by_subscriber(issue, one, other):
    issue = issue.encode("utf-8", "replace").decode()
    ids = {delivery_id(issue, one), delivery_id(issue, other)}

    assert len(ids) == len({one, other})
    assert all(
        len(id_) == 20 and set(id_) <= set("abcdefghijklmnopqrstuvwxyz234567") for id_ in ids
    )


def test_a_delivery_id_is_the_same_in_every_version():
    """It is the name of a message for ever: a re-run must find what an older version sent."""
    assert delivery_id(ISSUE.id, 1) == "jz6qjrruwtcbbftpx6mn"


def test_editions_of_one_press_share_their_encoded_fragments():
    shared = press()
    values = {"subject": "s", "preheader": "p", "intro": "i"}
    first = shared.edition(("one", "two"), (), **values).message(ANA)
    shared.edition(("trzy",), ("one",), **values)

    assert shared.edition(("one", "two"), (), **values).message(ANA) == first
    assert press().edition(("one", "two"), (), **values).message(ANA) == first
    assert COMPILED.html.parts[-1] == '">useful?</a></html>'
