"""Requests to SendGrid: what a reader would get of them is what we composed, to the letter."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.composer import EditionMessage, Reader
from digest.composer.message import LIST_UNSUBSCRIBE_BYTES
from digest.errors import ConfigError
from digest.layout import Slot
from digest.providers.sendgrid.letters import INVISIBLE, Form, Request, Stationery, Unwritable
from tests import official_sendgrid
from tests.fake_sendgrid import Mail, breaches, mails
from tests.handmade import ANA, NEWSLETTER, edition, nasty_text

STATIONERY = Stationery(NEWSLETTER, sandbox=False)
FORM = Form(STATIONERY, edition())

# Links hold what the composer lets into a header.
links = st.text("abcXYZ012_-&'?=#%.~", min_size=1, max_size=30).map("https://a.example/{}".format)
readers = st.builds(
    Reader,
    delivery=st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=20, max_size=20),
    address=st.sampled_from(["ana@example.org", "o'hara+x@bücher.example", "a%b{c}@example.org"]),
    name=nasty_text,
    salutation=nasty_text,
    why=nasty_text,
    preferences_url=links,
    unsubscribe_url=links,
    view_url=links,
    feedback_url=links,
    place=st.sampled_from(["", "1.0", "12.4711"]),
)


def requests(people: Iterable[Reader], most: int = 250) -> list[Request]:
    made = list(FORM.requests(people, most))
    assert not [one for one in made if isinstance(one, Unwritable)]
    return made


def bodies(people: Iterable[Reader], most: int = 250) -> list[dict]:
    return [json.loads(request.body()) for request in requests(people, most)]


def sent(reader: Reader, of: EditionMessage | None = None) -> Mail:
    """What the reader would get."""
    form = Form(STATIONERY, of) if of else FORM
    [request] = form.requests([reader], 1)
    [mail] = mails(json.loads(request.body()))
    return mail


def numbered(count: int) -> list[Reader]:
    return [
        replace(ANA, delivery=f"d{n:019d}", address=f"reader.{n}@example.org") for n in range(count)
    ]


def as_sent(text: str) -> str:
    """Lone surrogates cannot be sent, and become question marks as everywhere."""
    return text.encode("utf-8", "replace").decode()


@given(readers)
def test_the_parts_that_a_reader_gets_are_those_that_the_composer_makes(reader):
    mail = sent(reader)

    assert mail.html == as_sent(edition().html(reader))
    assert mail.text == as_sent(edition().text(reader))
    assert mail.subject == edition().values[Slot.SUBJECT]


@given(readers)
def test_a_request_keeps_every_rule_of_the_api(reader):
    [body] = bodies([reader])

    assert not list(breaches(body))


@given(st.lists(st.integers(0, 6), max_size=30), st.integers(1, 5))
def test_no_address_is_twice_in_a_request_and_nobody_is_left_out(numbers, most):
    spellings = ["reader.{}@example.org", "Reader.{}@EXAMPLE.org"]
    people = [
        replace(ANA, delivery=f"d{n:019d}", address=spellings[n % 2].format(number))
        for n, number in enumerate(numbers)
    ]

    made = requests(people, most)

    assert sorted(delivery for r in made for delivery, _, _ in r.letters) == [
        p.delivery for p in people
    ]
    assert all(len(request.letters) <= most for request in made)
    assert not [found for r in made for found in breaches(json.loads(r.body()))]


def test_the_request_is_the_one_that_the_official_objects_make():
    people = [
        *numbered(3),
        replace(ANA, place="12.4711", address="with.place@example.org"),
        replace(ANA, name="", salutation='Hi <you> & "me",\\ \''),
    ]
    [body] = bodies(people)
    tags = list(body["personalizations"][0]["substitutions"])

    official = official_sendgrid.mail(body, people[::-1], tags)  # it puts the last first
    assert official.get() == body


def test_every_reader_has_their_own_headers_and_delivery_id():
    mail = sent(ANA)

    assert mail.headers["List-Unsubscribe"] == f"<{ANA.unsubscribe_url}>"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.headers["Message-ID"] == f"<{ANA.delivery}@example.com>"
    assert mail.headers["List-Id"] == "<weekly.example.com>"
    assert mail.headers["Feedback-ID"] == "weekly-2026-11-19:en:digest:weekly"
    assert mail.arguments == {"dg_did": ANA.delivery}


def test_a_delivery_of_the_ledger_goes_out_with_its_place():
    assert sent(replace(ANA, place="12.4711")).arguments == {
        "dg_did": ANA.delivery,
        "dg_row": "12.4711",
    }


def test_no_place_ends_the_argument_it_is_in():
    with_quote = replace(ANA, place='12.4711","x":"y')

    assert [type(made) for made in FORM.requests([with_quote], 1)] == [Unwritable]


def test_a_plain_name_stands_before_the_list_id():
    newsletter = replace(NEWSLETTER, name="Platform Weekly")
    [request] = Form(Stationery(newsletter, sandbox=False), edition()).requests([ANA], 1)

    assert (
        json.loads(request.body())["headers"]["List-Id"] == "Platform Weekly <weekly.example.com>"
    )


def test_nothing_is_tracked_and_no_suppression_is_bypassed():
    [body] = bodies([ANA])

    switches = [setting["enable"] for setting in body["tracking_settings"].values()]
    assert switches == [False] * 4
    assert body["tracking_settings"]["click_tracking"]["enable_text"] is False
    assert "mail_settings" not in body


def test_the_sandbox_is_asked_for_when_it_is_configured():
    [request] = Form(Stationery(NEWSLETTER, sandbox=True), edition()).requests([ANA], 1)

    settings = json.loads(request.body())["mail_settings"]
    assert settings == {"sandbox_mode": {"enable": True}}


def latin1_edition() -> EditionMessage:
    made = edition("Subject")
    ascii_only = [
        replace(layout, parts=tuple(p for p in layout.parts if isinstance(p, Slot)))
        for layout in (made.compiled.html, made.compiled.text)
    ]
    return replace(made, compiled=replace(made.compiled, html=ascii_only[0], text=ascii_only[1]))


def test_a_part_that_fits_into_latin_1_gets_one_invisible_character_more():
    made = latin1_edition()
    mail = sent(ANA, made)

    assert (mail.html.count(INVISIBLE), mail.text.count(INVISIBLE)) == (1, 1)
    assert mail.html.replace(INVISIBLE, "") == made.html(ANA)
    assert mail.text.replace(INVISIBLE, "") == made.text(ANA)


def test_a_part_that_needs_utf_8_anyway_stays_as_it_is():
    assert INVISIBLE not in sent(ANA).html + sent(ANA).text


def test_values_too_long_for_substitutions_go_out_in_a_request_of_their_own():
    wordy = replace(numbered(1)[0], why="all the tags there are, " * 500)
    people = [*numbered(3)[1:], wordy]

    [alone, others] = bodies(people)

    assert [len(one["personalizations"]) for one in (alone, others)] == [1, 2]
    assert "substitutions" not in alone["personalizations"][0]
    assert not list(breaches(alone))
    assert mails(alone)[0].html == edition().html(wordy)
    assert mails(alone)[0].text == edition().text(wordy)


def test_tags_cannot_be_guessed_and_are_new_for_each_edition():
    tags = [
        set(json.loads(request.body())["personalizations"][0]["substitutions"])
        for request in (*requests([ANA]), *Form(STATIONERY, edition()).requests([ANA], 1))
    ]

    assert len(tags[0]) == 8
    assert not tags[0] & tags[1]


def test_no_tag_is_a_part_of_another():
    [body] = bodies([ANA])
    tags = list(body["personalizations"][0]["substitutions"])

    assert not [(a, b) for a in tags for b in tags if a != b and a in b]


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "ążź@example.org"},
        {"address": "a" * 310 + "@example.org"},
        {"address": "not an address"},
        {"delivery": "a b"},
        {"unsubscribe_url": "https://a.example/" + "x" * 58},
        {"unsubscribe_url": 'https://a.example/">'},
    ],
)
def test_a_reader_whom_sendgrid_cannot_reach_is_refused_without_naming_them(changed):
    [refused, request] = FORM.requests([replace(ANA, **changed), numbered(1)[0]], 250)

    assert isinstance(refused, Unwritable)
    assert "example.org" not in refused.reason
    assert len(request.letters) == 1


@pytest.mark.parametrize("sender", ["żółw@example.com", "nobody"])
def test_a_sender_that_sendgrid_cannot_use_is_a_mistake_in_the_configuration(sender):
    with pytest.raises(ConfigError, match=r"newsletter\.sender"):
        Stationery(replace(NEWSLETTER, sender=sender), sandbox=False)


def test_a_domain_too_long_for_a_header_is_left_to_sendgrid():
    domain = "d" * 52 + ".pl"
    newsletter = replace(NEWSLETTER, sender=f"news@{domain}")
    [request] = Form(Stationery(newsletter, sandbox=False), edition()).requests([ANA], 1)
    [mail] = mails(json.loads(request.body()))

    assert len(f"<{ANA.delivery}@{domain}>") == LIST_UNSUBSCRIBE_BYTES + 1
    assert "Message-ID" not in mail.headers
