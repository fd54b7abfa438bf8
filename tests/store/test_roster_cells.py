"""Values go into cells and come back; no cell runs in a spreadsheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.roster.cells import guarded, read_moment, read_tags, tags_cell, unguarded

ANYTHING = st.text() | st.from_regex(r"'*[=+\-@|%\t\r＝][a-z']*", fullmatch=True)


@given(ANYTHING)
def test_a_guarded_cell_gives_the_text_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(ANYTHING)
def test_no_guarded_cell_begins_a_formula(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝"))


@given(st.lists(st.from_regex(r"[^\s\"\0#][^\0\r\n]{0,8}[^\s\0]", fullmatch=True)))
def test_tags_of_any_letters_share_a_cell(tags: list[str]) -> None:
    assert read_tags(tags_cell(tags)) == tuple(tags)


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ('"VIP","Machine Learning"', ("VIP", "Machine Learning")),
        ("ai, open source", ("ai", "open source")),
        ("#ai #go", ("ai", "go")),
        ("ai;go", ("ai", "go")),
        ("", ()),
    ],
)
def test_lists_of_tags_are_read_as_services_write_them(cell: str, tags: tuple[str, ...]) -> None:
    assert read_tags(cell) == tags


@pytest.mark.parametrize(
    "cell",
    ["2026-11-19", "2026-11-19 00:00:00", "2026-11-19T00:00:00.000Z", "2026-11-19T01:00+01:00"],
)
def test_times_are_read_as_services_write_them(cell: str) -> None:
    moment = read_moment(cell)

    assert moment is not None
    assert moment.isoformat() == "2026-11-19T00:00:00+00:00"
