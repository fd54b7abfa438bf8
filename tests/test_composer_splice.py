"""Merging a layout, and knowing its size without merging it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.composer import html_values, measure, merge, text_values
from digest.layout import Block, BlockName, Layout, Slot
from tests.handmade import COMPILED, STORIES

EMPTY = dict.fromkeys(Slot, "")
chosen = st.permutations(STORIES).flatmap(lambda ids: st.integers(0, 3).map(lambda n: ids[:n]))
literals = st.lists(st.one_of(st.text(max_size=9), st.sampled_from(Slot)), max_size=4).map(tuple)


@st.composite
def layouts(draw):
    blocks = [
        Block(name, draw(literals), {s: draw(literals) for s in STORIES}, draw(literals))
        for name in draw(st.permutations(BlockName))
    ]
    return Layout((*draw(literals), blocks[0], *draw(literals), blocks[1], blocks[2]))


@given(layouts(), chosen, chosen)
def test_the_measured_size_is_the_merged_size_with_empty_values(layout, stories, more):
    sizes = measure(layout)

    merged = merge(layout, stories, more, EMPTY)
    assert sizes.html_bytes(stories, more) == len(merged.encode())


def test_the_reserve_holds_ordinary_values():
    values = html_values(
        {
            **EMPTY,
            Slot.SUBJECT: "Zażółć gęślą jaźń " * 4,
            Slot.PREHEADER: "Die Größe der Übersetzung " * 5,
            Slot.WHY: "You get this because you follow " + "#software-architecture, " * 12,
        }
    )
    sizes = measure(COMPILED.html)

    size = len(merge(COMPILED.html, STORIES, (), values).encode())
    assert sizes.html_bytes(STORIES, ()) < size <= sizes.at_most(STORIES, ())


@pytest.mark.parametrize(
    ("stories", "more", "contents", "titles"),
    [
        (["one"], [], False, False),
        (["one", "two"], [], True, False),
        (["one"], ["two"], False, True),
    ],
)
def test_a_block_shows_only_when_it_has_something_to_say(stories, more, contents, titles):
    html = merge(COMPILED.html, stories, more, EMPTY)

    assert ("<ol>" in html) == contents
    assert ("<ul>" in html) == titles
    assert "<h2>one</h2>" in html


def test_stories_come_in_the_order_of_the_edition():
    html = merge(COMPILED.html, ["trzy", "one"], ["two"], EMPTY)

    assert html.index("<h2>trzy") < html.index("<h2>one") < html.index("also two")
    assert html.index("<li>trzy") < html.index("<li>one")


def test_a_value_is_never_read_as_a_slot():
    html = merge(COMPILED.html, ["one"], [], {**EMPTY, Slot.SALUTATION: "{{ why }} why"})

    assert "{{ why }} why" in html


@given(st.text())
def test_a_subject_in_html_is_ascii_without_anything_mjml_mangles(text):
    subject = html_values({Slot.SUBJECT: text})[Slot.SUBJECT]

    assert subject.isascii()
    assert subject == "" or subject.isprintable()
    assert not set(subject) & set("<>\"'\\")


@given(st.text(alphabet="abc de\n", max_size=300))
def test_wrapping_a_sentence_twice_changes_nothing(text):
    once = text_values({Slot.WHY: text})

    assert text_values(once) == once
    assert all(len(line) <= 72 or " " not in line for line in once[Slot.WHY].splitlines())
