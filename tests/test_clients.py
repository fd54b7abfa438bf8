"""What mail programs make of a message: the data, and what is told of it."""

from datetime import date

import pytest

from digest.checks.support import used
from digest.clients import broken, table, verdicts
from tests.newsletter import page

HEAD = (
    '<!doctype html><html lang="en" dir="ltr"><head><style>{}</style></head><body>{}</body></html>'
)


def verdict(html: str, client: str):
    return next(one for one in verdicts(html) if one.client == client)


def test_the_data_says_where_and_when_it_is_from():
    known = table()

    assert date.fromisoformat(known.updated) >= date(2026, 5, 13)
    assert len(known.features) == 305
    assert "Gmail, web" in known.clients
    assert all(len(one.support) == len(known.clients) for one in known.features.values())
    assert {letter for one in known.features.values() for letter in one.support} <= set("yanu")


def test_the_last_answer_counts_and_not_the_highest_version():
    outlook = table().clients.index("Outlook, macOS")

    assert table().features["css-at-media"].support[outlook] == "a"


@pytest.mark.parametrize(
    ("css", "body", "slug"),
    [
        ("", '<div style="display:flex">x</div>', "css-display-flex"),
        ("", '<div style="display: grid !important">x</div>', "css-display-grid"),
        ("", '<p style="margin-top:4px">x</p>', "css-margin"),
        ("", '<p style="width:calc(1px + 2em)">x</p>', "css-unit-calc"),
        ("", '<p style="color:rgba(1,2,3,.5)">x</p>', "css-rgba"),
        ("@media (max-width:480px){p{color:red}}", "", "css-at-media"),
        ("@media (prefers-color-scheme:dark){p{x:y}}", "", "css-at-media-prefers-color-scheme"),
        ("a:hover{color:red}", "", "css-pseudo-class-hover"),
        ("li::marker{color:red}", "", "css-pseudo-element-marker"),
        (".a>b{color:red}", "", "css-selector-child"),
        ("", '<img src="https://a.example/x.webp?v=1" alt="">', "image-webp"),
        ("", '<img src="data:image/png;base64,AA" alt="">', "image-base64"),
        ("", "<svg></svg>", "html-svg"),
        ("", '<a href="mailto:a@example.com">x</a>', "html-mailto-links"),
        ("", "<ul><li>x</li></ul>", "html-lists"),
        ("", "<video></video>", "html-video"),
    ],
)
def test_a_feature_that_is_used_is_seen(css, body, slug):
    assert slug in used(HEAD.format(css, body))
    assert slug in table().features


def test_what_is_for_outlook_alone_does_not_count():
    assert "css-display-flex" not in used(
        '<!--[if mso]><div style="display:flex"></div><![endif]--><p>x</p>'
    )


def test_what_readers_would_miss_is_told_apart_from_what_nobody_misses():
    flex = HEAD.format("", '<div style="display:flex">x</div>')
    round_ = HEAD.format("", '<div style="border-radius:8px">x</div>')

    assert verdict(flex, "Outlook, Windows").summary == "broken"
    assert verdict(round_, "Outlook, Windows").summary == "graceful"
    assert verdict(round_, "Apple Mail, macOS").summary == "as designed"
    assert [text.partition(" does")[0] for text in broken(flex)] == ["display:flex"]


def test_our_own_message_is_broken_nowhere():
    told = verdicts(page("en"))

    assert {one.client: one.summary for one in told if one.missed} == {}
    assert verdict(page("en"), "Apple Mail, macOS").summary == "as designed"


def test_both_notices_of_the_licence_are_beside_the_data():
    notice = (table.__wrapped__.__globals__["_FILE"].parent / "NOTICE.md").read_text()

    assert "2019 Rémi Parmentier" in notice
    assert "Avi Goldman" in notice
    assert "Andrew Powell" in notice
