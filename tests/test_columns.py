"""Plain text in 72 columns."""

from hypothesis import given
from hypothesis import strategies as st

from digest.columns import underline, width, wrap

WORDS = st.lists(st.text(alphabet="abcżę漢字é\u0301-.", min_size=1, max_size=90), max_size=40)


def test_lines_end_at_72_columns_and_later_ones_hang():
    text = wrap("word " * 30, first="- ")

    assert all(len(line) <= 72 for line in text.splitlines())
    assert [line[:2] for line in text.splitlines()] == ["- ", "  ", "  "]


def test_first_line_may_open_with_more_than_the_others():
    assert wrap("a " * 60, columns=20, first="TL;DR: ", indent="").splitlines()[:2] == [
        "TL;DR: a a a a a a a",
        "a a a a a a a a a a",
    ]


def test_address_is_never_broken():
    address = "https://example.com/" + "x" * 100

    assert address in wrap(f"see {address} there").splitlines()


def test_wide_letters_take_two_columns_and_marks_none():
    assert width("漢字") == 4
    assert width("e\u0301\u200d") == 1
    assert all(width(line) <= 72 for line in wrap("漢" * 200).splitlines())


def test_no_break_space_does_not_break():
    assert "a\u00a0b" in wrap("x " * 35 + "a\u00a0b")


def test_underline_is_as_long_as_the_longest_line():
    assert underline("ab\nabcd\n漢字漢") == "ab\nabcd\n漢字漢\n------"


@given(WORDS)
def test_wrapping_loses_no_letter_and_keeps_every_line_in_bounds(words):
    text = " ".join(words)

    wrapped = wrap(text)

    assert wrapped.replace("\n", "").replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= 72 for line in wrapped.splitlines())


@given(WORDS)
def test_wrapping_twice_changes_nothing(words):
    once = wrap(" ".join(words))

    assert wrap(once) == once
