"""What an address asks for, and the mail in one light."""

from datetime import date

import pytest

from digest.models import Cadence
from digest.studio.mail import shown
from digest.studio.state import Light, Look, Scheme, light, look, named

DEFAULT = Look("ana", "weekly-2026-11-19")
DARK_RULE = "<head><style>@media (prefers-color-scheme: dark){p{color:red}}</style></head>"


def test_an_empty_query_asks_for_the_default():
    assert look({}, DEFAULT) == DEFAULT


def test_a_query_names_a_reader_an_issue_and_drafts():
    asked = look({"as": "tags:ai llm", "issue": "daily-2026-11-03", "drafts": "1"}, DEFAULT)

    assert asked == Look("tags:ai llm", "daily-2026-11-03", drafts=True)
    assert asked.tags == "ai llm"


@pytest.mark.parametrize("issue", ["", "weekly", "weekly-2026-13-01", "yearly-2026-01-01", "x-y-z"])
def test_an_issue_that_cannot_be_is_replaced_by_the_default(issue):
    assert look({"issue": issue}, DEFAULT).issue == DEFAULT.issue


def test_drafts_can_be_switched_off_where_they_are_the_default():
    assert not look({"drafts": "0"}, Look(drafts=True)).drafts


def test_an_issue_id_says_cadence_and_day():
    assert named("monthly-2026-12-01") == (Cadence.MONTHLY, date(2026, 12, 1))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Light()),
        ({"scheme": "dark", "images": "off"}, Light(Scheme.DARK, images=False)),
        ({"scheme": "neon"}, Light()),
    ],
)
def test_a_light_that_is_unknown_is_daylight(query, expected):
    assert light(query) == expected


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        (Scheme.DARK, "(min-width:0)"),
        (Scheme.LIGHT, "(max-width:0)"),
        (Scheme.FORCED, "(max-width:0)"),
    ],
)
def test_a_question_for_the_colour_scheme_is_answered_in_the_style_sheet(scheme, answer):
    assert f"@media {answer}{{p{{color:red}}}}" in shown(DARK_RULE, Light(scheme))


def test_an_image_of_another_host_is_told_and_not_fetched():
    html = shown('<img src="https://cdn.example.com/a.png" alt="A &quot;map&quot;">', Light())

    assert "<img" not in html
    assert "A &quot;map&quot; — not fetched: https://cdn.example.com/a.png" in html


def test_without_images_the_words_of_each_stand_in_its_place():
    html = shown(
        '<img alt="A map" src="data:image/png;base64,AAAA"><img src="x">', Light(images=False)
    )

    assert "<img" not in html
    assert ">A map</span>" in html
    assert ">image without words</span>" in html


def test_an_image_that_needs_no_request_stays():
    tag = '<img src="data:image/png;base64,AAAA" alt="">'

    assert tag in shown(tag, Light())
