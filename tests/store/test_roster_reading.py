"""Broken files: every bad row is named by line and column, the others are read."""

import csv
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import SubscribersError
from digest.roster.lines import LONGEST_LINE, MOST_LINES
from digest.roster.reading import Broken, Row, open_source

HEADER = b"email,name,tags\n"
GOOD = b"good@example.com,Good,ai\n"


def rows_of(data: bytes) -> list[Row | Broken]:
    return list(open_source(BytesIO(data), "list.csv").rows())


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        (b"caf\xe9@example.com,,\n", "email", "is not UTF-8 (byte 0xe9)"),
        (b"a@example.com,Ren\xe9,\n", "name", "is not UTF-8 (byte 0xe9)"),
        (b"a@example.com,A\0na,\n", "name", "holds a NUL byte"),
        (b"a@example.com,Ana\n", "", "has 2 cells where the header has 3"),
        (b"a@example.com,Ana,x,y\n", "", "has 4 cells where the header has 3"),
        (b'a@example.com,"Ana"x,\n', "name", "cannot be read"),
        (b"a@example.com," + b"x" * 10_000_000 + b",\n", "name", "is longer than 1,000,000 bytes"),
        (b"a@example.com," + b"x" * 200_000 + b",\n", "name", "holds a cell that is longer than"),
    ],
)
def test_a_bad_row_is_named_and_the_next_is_read(bad: bytes, column: str, reason: str) -> None:
    first, broken, last = rows_of(HEADER + GOOD + bad + GOOD)

    assert isinstance(first, Row)
    assert isinstance(broken, Broken)
    assert broken.line == 3
    assert reason in broken.reason
    assert broken.column == column
    assert last == Row(4, ["good@example.com", "Good", "ai"])


@pytest.mark.parametrize(
    ("opening", "rest", "reason"),
    [
        (b'a@example.com,"Ana,ai\n', GOOD, "never closed"),
        (b'a@example.com,"Ana,ai\n', GOOD * 2 * MOST_LINES, "not closed within 500 lines"),
        (b'a@example.com,"Ana,ai\n', (b"x," + b"x" * 99_999 + b",\n") * 3, "131,072 characters"),
        (b'a@example.com,"Ana,ai\n', b'b@example.com,"Bo",\n' + GOOD, "in the middle of a cell"),
        (b'a@example.com,"Ana,ai\n', b'b@example.com,,x"\n' + GOOD, "has 2 cells"),
    ],
)
def test_an_open_quote_costs_its_own_line_alone(opening: bytes, rest: bytes, reason: str) -> None:
    good, broken, *others = rows_of(HEADER + GOOD + opening + rest)

    assert isinstance(good, Row)
    assert isinstance(broken, Broken)
    assert (broken.line, broken.text) == (3, opening.decode().rstrip())
    assert reason in broken.reason
    assert [row.line for row in others] == list(range(4, 4 + rest.count(b"\n")))
    assert all(isinstance(row, Row) for row in others)


@pytest.mark.parametrize(
    "cell",
    [
        b"x" * 140_000 + b"\nvictim@example.com,not,arow\nend",
        b'he said "hi"\nvictim@example.com,not,arow\nend',
        b"x\n" + b"victim@example.com,not,arow\n" * 400_000,
        b"x" * 3_000_000 + b"\nvictim@example.com,not,arow\n",
        b"\xe9" + b"x" * 300_000 + b"\nvictim@example.com,not,arow\n",
    ],
)
def test_nothing_within_a_broken_cell_is_a_row_of_an_import(cell: bytes) -> None:
    data = HEADER + b'a@example.com,"' + cell + b'",ai\n' + GOOD

    broken, good = open_source(BytesIO(data), "list.csv", strict=True).rows()

    assert isinstance(broken, Broken)
    assert broken.line == 2
    assert good == Row(data.count(b"\n"), ["good@example.com", "Good", "ai"])


def test_an_import_does_not_guess_where_an_open_quote_was_to_end() -> None:
    data = HEADER + GOOD + b'a@example.com,"Ana,ai\n' + GOOD * 2

    good, broken = open_source(BytesIO(data), "list.csv", strict=True).rows()

    assert isinstance(good, Row)
    assert isinstance(broken, Broken)
    assert (broken.line, broken.column) == (3, "name")
    assert "never closed" in broken.reason


def test_an_open_quote_is_named_where_it_opens_within_a_row() -> None:
    broken, good = rows_of(HEADER + b'a@example.com,"two\nlines","ai\n' + GOOD)

    assert isinstance(broken, Broken)
    assert (broken.line, broken.column) == (3, "tags")
    assert good == Row(4, ["good@example.com", "Good", "ai"])


def test_a_ragged_row_keeps_its_cells_unless_a_quote_may_be_open() -> None:
    short, long, several, *_ = rows_of(HEADER + b'a,b\na,b,c,d\na,"b\nb"\n')

    assert [row.cells for row in (short, long, several)] == [("a", "b"), ("a", "b", "c", "d"), ()]


def test_empty_cells_beyond_the_header_are_no_cells() -> None:
    assert rows_of(HEADER + b"a,b,c,,\n") == [Row(2, ["a", "b", "c"])]


@given(st.text('a",;\n\r\0é', max_size=40), st.text('a",\n', max_size=40))
def test_no_text_stops_the_reading_or_moves_the_line_numbers(head: str, tail: str) -> None:
    """After anything, as soon as no quote is open, lines are where they are."""
    data = f"email,name,tags\n{head}\n{tail}\n".encode("latin-1") + GOOD * 3

    rows = rows_of(data)

    last = data.count(b"\n")
    assert rows[-1] == Row(last, ["good@example.com", "Good", "ai"])
    assert [row.line for row in rows] == sorted(row.line for row in rows)


def test_line_numbers_count_lines_inside_quotes() -> None:
    first, second = rows_of(HEADER + b'a@example.com,"two\nlines",\n' + GOOD)

    assert (first.line, second.line) == (2, 4)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiter_and_line_ending_are_found_out(delimiter: str, ending: str) -> None:
    lines = [delimiter.join(cells) for cells in (("email", "name"), ("a@example.com", "Ana"))]

    (row,) = rows_of("".join(line + ending for line in lines).encode("utf-8-sig"))

    assert row == Row(2, ["a@example.com", "Ana"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("email,name\n".encode("utf-16"), "this is UTF-16"),
        (b"em\xe9il,name\n", "the header is not UTF-8"),
        (b"{not json\n", "is no JSON"),
    ],
)
def test_a_file_without_a_readable_header_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(SubscribersError, match=message):
        rows_of(data)


def test_empty_lines_are_no_rows() -> None:
    assert rows_of(HEADER + b"\n\n" + GOOD + b",,\n")[0].line == 4


def test_no_line_is_held_beyond_its_limit() -> None:
    source = open_source(BytesIO(HEADER + b"x" * (5 * LONGEST_LINE)), "list.csv")

    (broken,) = source.rows()

    assert len(broken.text) <= 1000  # type: ignore[union-attr]
    assert source.bytes_read == len(HEADER) + 5 * LONGEST_LINE


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")),
            min_size=2,
            max_size=2,
        ),
        max_size=5,
    )
)
def test_whatever_a_csv_writer_writes_is_read(cells: list[list[str]]) -> None:
    from io import StringIO

    out = StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(cells)

    found = [row.cells for row in rows_of(b"email,name\n" + out.getvalue().encode())]  # type: ignore[union-attr]

    assert found == [row for row in cells if any(row)]
