"""Subscribers from CSV files: every good row, and the place of every bad one."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import SubscribersError
from digest.models import Cadence, Finding, Preferences, Severity
from digest.subscribers import read_subscribers

KEY = b"a key that is long enough"


@pytest.fixture
def read_files(tmp_path):
    """Reads CSV texts, each by its file's name; gives the subscribers and the findings."""

    def read_files(**texts: str | bytes):
        for name, text in texts.items():
            data = text.encode() if isinstance(text, str) else text
            (tmp_path / f"{name}.csv").write_bytes(data)
        findings: list[Finding] = []
        found = list(read_subscribers(tmp_path, tmp_path, KEY, findings.append))
        return found, findings

    return read_files


@pytest.fixture
def read(read_files):
    """Reads one CSV text; gives the subscribers and the findings as text."""

    def read(text: str | bytes):
        found, findings = read_files(list=text)
        return found, [str(finding) for finding in findings]

    return read


def emails(found) -> list[str]:
    return [one.email for one in found]


def test_a_row_holds_who_and_what_they_want(read):
    [ana], findings = read(
        "email,name,tags,muted,cadence,language,timezone\n"
        'Ana@Example.COM,"Ana, of Dublin",#ai llm,crypto,daily,en pl,Europe/Dublin\n'
    )

    assert ana.email == "Ana@example.com"
    assert ana.name == "Ana, of Dublin"
    assert ana.preferences == Preferences(("ai", "llm"), False, ("crypto",), ("en", "pl"))
    assert (ana.cadence, ana.timezone) == (Cadence.DAILY, "Europe/Dublin")
    assert findings == []


@pytest.mark.parametrize("tags", ["", "*", "everything", "Everything"])
def test_no_tags_or_a_star_is_everything(read, tags):
    [ana], _ = read(f"email,tags\nana@example.com,{tags}\n")

    assert ana.preferences == Preferences(everything=True)


def test_a_dash_follows_nothing(read):
    [ana], _ = read("email,tags\nana@example.com,-\n")

    assert ana.preferences == Preferences()


def test_only_the_address_is_required_and_columns_have_any_order(read):
    [ana], findings = read("Name , EMAIL\nAna,ana@example.com\n")

    assert (ana.name, ana.email, ana.cadence) == ("Ana", "ana@example.com", Cadence.WEEKLY)
    assert findings == []


def test_tags_with_spaces_are_separated_by_commas(read):
    [ana], _ = read('email,tags\nana@example.com,"machine learning, #ai"\n')

    assert ana.preferences.tags == ("ai", "machine learning")


@pytest.mark.parametrize(
    ("cell", "languages"),
    [
        ("en-GB", ("en",)),
        ("pt_BR", ("pt",)),
        ("zh-Hant-TW en", ("zh", "en")),
        ("EN, en-GB; pl", ("en", "pl")),
    ],
)
def test_a_language_is_known_by_its_primary_subtag(read, cell, languages):
    [ana], findings = read(f'email,language\nana@example.com,"{cell}"\n')

    assert ana.preferences.languages == languages
    assert findings == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", ["email", "E-Mail", "Email Address"])
def test_spreadsheets_and_services_are_read_as_they_write(read, header, delimiter):
    rows = [(header, "name", "tags"), ("ana@example.com", "Ana", "ai")]

    [ana], findings = read("\r\n".join(delimiter.join(row) for row in rows))

    assert (ana.email, ana.name, ana.preferences.tags) == ("ana@example.com", "Ana", ("ai",))
    assert findings == []


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        ("nobody,,,,,", "list.csv:2: email: "),
        ("a@example.com,,yearly,,,", "list.csv:2: cadence: 'yearly' is unknown; expected daily,"),
        ("a@example.com,,,english,,", "list.csv:2: language: 'english' is no language; expected"),
        ("a@example.com,,,en-!,,", "list.csv:2: language: 'en-!' is no language; expected"),
        ("a@example.com,,,,Mars/Base,", "list.csv:2: timezone: 'Mars/Base' is unknown; expected"),
        ("a@example.com,,,,,###", "list.csv:2: tags: '##' names no tag"),
        ('"a b"@example.com,,,,,*', "list.csv:2: email: cannot be read: "),
        ('a@example.com,"Q"x,,,,*', "list.csv:2: name: cannot be read: "),
        ("a@example.com,Q\0,,,,*", "list.csv:2: name: holds a NUL byte"),
        (f"a@example.com,{'x' * 200_000},,,,", "list.csv:2: name: holds a cell that is longer"),
    ],
)
def test_a_bad_row_is_named_and_left_out_and_the_others_stay(read_files, row, finding):
    header = "email,name,cadence,language,timezone,tags"
    found, [told] = read_files(list=f"{header}\n{row}\nok@example.com,,,,,\n")

    assert emails(found) == ["ok@example.com"]
    assert str(told).startswith(finding)
    assert told.severity is Severity.ERROR


def test_letters_of_another_encoding_spoil_their_row_alone(read):
    found, [finding] = read(b"email,name\na@example.com,Ren\xe9\nok@example.com,Bo\n")

    assert emails(found) == ["ok@example.com"]
    assert finding.startswith("list.csv:2: name: is not UTF-8 (byte 0xe9)")


def test_a_quote_that_is_never_closed_costs_its_own_line_alone(read):
    found, [finding] = read(
        'email,name,tags\na@example.com,A,ai\nb@example.com,"Bo,ai\nc@example.com,C,ai\nd@example.com,D,go\n'
    )

    assert emails(found) == ["a@example.com", "c@example.com", "d@example.com"]
    assert finding.startswith("list.csv:3: name: opens a quote that is never closed")


def test_rows_after_a_quote_that_is_never_closed_may_be_short(read):
    found, findings = read('email,name\na@example.com,"A\nb@example.com\nc@example.com,C,x\n')

    assert emails(found) == ["b@example.com", "c@example.com"]
    assert [finding.partition(": ")[0] for finding in findings] == ["list.csv:2", "list.csv:4"]


def test_an_address_inside_a_cell_that_is_closed_wrongly_is_no_reader(read):
    found, findings = read('email,notes,name\na@example.com,"said\nb@example.com\n"yes" to me",A\n')

    assert found == []
    assert [finding.partition(": ")[0] for finding in findings] == [
        "list.csv:2",
        "list.csv:3",
        "list.csv:4",
    ]


def test_a_quote_that_a_later_line_closes_costs_its_own_line_alone(read):
    found, [finding] = read(
        'email,name\na@example.com,"A\nb@example.com,B\nc@example.com,"C, of X"\nd@example.com,D\n'
    )

    assert emails(found) == ["b@example.com", "c@example.com", "d@example.com"]
    assert finding.startswith("list.csv:2: name: opens a quote that ")


@settings(max_examples=30)
@given(st.integers(0, 30), st.one_of(st.integers(0, 30), st.integers(490, 510)))
def test_an_open_quote_never_costs_another_row(tmp_path_factory, before, after):
    place = tmp_path_factory.mktemp("lists") / "list.csv"
    good = [f"r{number}@example.com,R" for number in range(before + after)]
    rows = ["email,name", *good[:before], 'bad@example.com,"Bad', *good[before:]]
    place.write_text("\n".join(rows))
    findings = []

    found = emails(read_subscribers(place, place.parent, KEY, findings.append))

    assert found == [row.partition(",")[0] for row in good]
    assert [finding.line for finding in findings] == [before + 2]


def test_a_person_stands_in_the_list_once_whatever_the_case(read):
    found, [finding] = read("email\nana@example.com\nANA@example.com\n")

    assert emails(found) == ["ana@example.com"]
    assert finding.startswith("list.csv:3: email: stands in an earlier row too")


def test_a_byte_order_mark_empty_rows_and_short_rows_are_harmless(read):
    found, findings = read(
        "\ufeffemail,name\r\n\r\n,\r\nana@example.com\r\nbo@example.com,Bo,,\r\n"
    )

    assert [one.name for one in found] == ["", "Bo"]
    assert findings == []


def test_cells_beyond_the_header_are_told_and_the_row_is_read(read_files):
    [ana], [finding] = read_files(list="email,name\nana@example.com,Kovač, Ana,x\n")

    assert (ana.email, ana.name) == ("ana@example.com", "Kovač")
    assert str(finding).startswith("list.csv:2: has 4 cells where the header has 2")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("column", "cell", "other", "standing"),
    [
        ("status", "unsubscribed", "subscribed", "unsubscribed"),
        ("status", "pending", "", "pending"),
        ("status", "cleaned", "", "bounced"),
        ("subscribed_to_emails", "false", "true", "unsubscribed"),
        ("suppressed", "complained", "", "complained"),
        ("pause_until", "2030-01-01", "", "paused"),
    ],
)
def test_who_left_or_paused_by_the_file_is_not_mailed(read_files, column, cell, other, standing):
    text = f"email,{column}\nana@example.com,{cell}\nbo@example.com,{other}\n"

    found, [finding] = read_files(list=text)

    assert emails(found) == ["bo@example.com"]
    assert str(finding) == f"list.csv: 1 of its people are not mailed: 1 {standing}"
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "is empty"),
        ("address\nana@example.com\n", r"no column holds addresses \(found: address\)"),
        ("email,Email Address\n", "the columns 'email' and 'Email Address' are both email"),
        ("email,name,NAME\n", "the columns 'name' and 'NAME' are both name"),
        ("email,name\n".encode("utf-16"), "this is UTF-16"),
        (b"em\xe9il\n", "the header is not UTF-8"),
        ('"email\nana@example.com\n', "the header cannot be read: it opens a quote"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_its_name(read, data, message):
    with pytest.raises(SubscribersError, match=message) as error:
        read(data)

    assert (error.value.path, bool(error.value.hint)) == ("list.csv", True)


def test_a_file_that_is_no_list_does_not_hide_the_others(read_files):
    found, findings = read_files(
        a="name\nNobody\n", b="email\nana@example.com\n", c="email\n".encode("utf-16")
    )

    assert emails(found) == ["ana@example.com"]
    assert [str(one).partition(" (")[0] for one in findings] == [
        "a.csv:1: no column holds addresses",
        "c.csv:1: this is UTF-16, not UTF-8; save it as UTF-8",
    ]
    assert {one.severity for one in findings} == {Severity.ERROR}


def test_files_of_which_none_is_a_list_are_refused_all_by_name(read_files):
    with pytest.raises(SubscribersError, match=r"(?s)a\.csv:1: no column.*b\.csv: is empty"):
        read_files(a="name\n", b="")


def test_a_folder_that_is_named_like_a_list_is_told(read_files, tmp_path):
    (tmp_path / "old.csv").mkdir()

    found, [finding] = read_files(list="email\nana@example.com\n")

    assert emails(found) == ["ana@example.com"]
    assert str(finding).startswith("old.csv: ")


def test_what_an_import_left_out_is_no_list(read_files):
    found, findings = read_files(
        **{"list": "email\nana@example.com\n", "list.csv.rejects": "email\nbad\n"}
    )

    assert (emails(found), findings) == (["ana@example.com"], [])


def test_a_first_row_in_the_place_of_a_header_is_not_to_be_named(read):
    with pytest.raises(SubscribersError) as error:
        read("ana@example.com,Ana\n")

    assert "put one above it" in error.value.hint
    assert "--map" not in error.value.hint


def test_a_missing_list_says_what_to_write(tmp_path):
    with pytest.raises(SubscribersError) as error:
        list(read_subscribers(tmp_path / "absent", tmp_path, KEY, print))

    assert "email" in error.value.hint


def test_ids_depend_on_the_key_and_not_on_the_spelling(read, tmp_path):
    [one], _ = read("email\nAna@example.com\n")
    [same], _ = read("email\nana@EXAMPLE.com\n")
    [other] = read_subscribers(tmp_path, tmp_path, b"another key, just as long", print)

    assert one.id == same.id != other.id


def test_reading_the_files_does_not_load_the_database():
    """SQLAlchemy takes a quarter of a second, which is nobody's who has no database."""
    code = "import digest.readership, sys; sys.exit('sqlalchemy' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0
