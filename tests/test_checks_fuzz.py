"""No text that anybody may write makes a check raise, or go on without end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.checks import Places, check_tags, check_texts
from digest.checks.cascade import Colours
from digest.checks.headers import check_message
from digest.checks.links import flaws
from digest.checks.markup import read
from digest.checks.support import used
from digest.config import TagConfig
from digest.hashtags import Vocabulary
from tests.stories import story

SIGNS = st.text(
    st.one_of(st.characters(), st.sampled_from("*_`[]()<>{}%&|:/.#!$ \"'")), max_size=60
)
ADDRESSES = st.builds(
    "{}{}{}".format,
    st.sampled_from(("", "http://", "https://", "mailto:", "//", "javascript:", "https://[", "#")),
    SIGNS,
    st.sampled_from(("", ".", ":99999", "?utm_source=", "@x", "]")),
)
PARTS = ("<p>", "</p>", "<p", "<a href='", '">', "<!--", "-->", "<style>", "</style>", "p{color:",
         "}", "@media{", "red", "<img src=x", "style=", "x", "<table>", "</td>")  # fmt: skip
HTML = st.lists(st.one_of(st.sampled_from(PARTS), SIGNS), max_size=30).map("".join)


@given(SIGNS, SIGNS, st.lists(SIGNS, max_size=3), ADDRESSES, SIGNS)
def test_any_story_can_be_checked(title, tldr, takeaways, link, source):
    words = f"{tldr} [words]({link})"
    one = story("one", title=title, tldr=words, takeaways=tuple(takeaways), link=link)
    places = Places({one.post: source})

    for finding in check_texts([one], places):
        assert finding.path == one.post
        assert finding.line >= 1


@given(ADDRESSES)
def test_any_address_can_be_judged(address):
    assert all(flaw.message for flaw in flaws(address))


@given(st.lists(SIGNS, max_size=20))
def test_any_tags_can_be_checked(tags):
    posts = [replace(story(str(n)), tags=tuple(tags[: n + 1])) for n in range(4)]

    list(check_tags(posts, Places(), Vocabulary.of(dict.fromkeys(tags, 1), TagConfig())))


@given(HTML)
def test_any_html_can_be_read(html):
    document = read(html)

    assert all(-1 <= one.parent < number for number, one in enumerate(document.elements))
    for number in range(len(document.elements)):
        Colours(document, dark=True).text(number)
        document.words(number)
    list(document.shown())
    used(html)


@given(st.binary(max_size=200))
def test_any_message_can_be_checked(message):
    list(check_message(message, "message.en"))


@pytest.mark.parametrize(
    "text",
    ["{{ " * 20_000, "<% " * 20_000, "[" * 20_000, "*" * 20_000, "`" * 20_001, "a." * 20_000,
     "&" * 20_000, "<b " * 20_000, "TK" * 20_000, "[NAME " * 9_000, "`` ` " * 9_000],
    ids=lambda text: text[:4],
)  # fmt: skip
def test_long_texts_that_lead_nowhere_are_read_to_their_end(text):
    """Each takes milliseconds; a pattern that backtracks would take hours."""
    found = list(check_texts([story("one", tldr=text[:4_000], takeaways=(text,))], Places()))

    assert all(finding.line for finding in found)
