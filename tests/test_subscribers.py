"""Subscribers from CSV files: every good row, and the place of every bad one."""

import pytest

from digest.errors import SubscribersError
from digest.models import Cadence, Preferences
from digest.subscribers import read_subscribers

KEY = b"a key that is long enough"


@pytest.fixture
def read(tmp_path):
    """Reads one CSV text; gives the subscribers and the findings as text."""

    def read(text: str | bytes):
        data = text.encode() if isinstance(text, str) else text
        (tmp_path / "list.csv").write_bytes(data)
        findings = []
        found = list(read_subscribers(tmp_path, tmp_path, KEY, findings.append))
        return found, [str(finding) for finding in findings]

    return read


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


def test_only_the_address_is_required_and_columns_have_any_order(read):
    [ana], findings = read("Name , EMAIL\nAna,ana@example.com\n")

    assert (ana.name, ana.email, ana.cadence) == ("Ana", "ana@example.com", Cadence.WEEKLY)
    assert findings == []


def test_tags_with_spaces_are_separated_by_commas(read):
    [ana], _ = read('email,tags\nana@example.com,"machine learning, #ai"\n')

    assert ana.preferences.tags == ("machine learning", "ai")


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        ("nobody,,,,,", "list.csv:2: email: "),
        ("a@example.com,,yearly,,", "list.csv:2: cadence: 'yearly' is unknown; expected daily,"),
        ("a@example.com,,,english,", "list.csv:2: language: 'english' is no language; expected"),
        ("a@example.com,,,,Mars/Base", "list.csv:2: timezone: 'Mars/Base' is unknown; expected"),
    ],
)
def test_a_bad_row_is_named_and_left_out_and_the_others_stay(read, row, finding):
    found, findings = read(f"email,name,cadence,language,timezone\n{row}\nok@example.com,,,,\n")

    assert [one.email for one in found] == ["ok@example.com"]
    assert len(findings) == 1
    assert findings[0].startswith(finding)


def test_a_person_stands_in_the_list_once_whatever_the_case(read):
    found, [finding] = read("email\nana@example.com\nANA@example.com\n")

    assert [one.email for one in found] == ["ana@example.com"]
    assert finding.startswith("list.csv:3: email: stands in an earlier row too")


def test_a_byte_order_mark_empty_lines_and_ragged_rows_are_harmless(read):
    found, findings = read("\ufeffemail,name\r\n\r\nana@example.com\r\nbo@example.com,Bo,x,y\r\n")

    assert [one.name for one in found] == ["", "Bo"]
    assert findings == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "no column `email` .found: nothing"),
        ("address\nana@example.com\n", "no column `email` .found: address"),
        (b"email,name\na@example.com,\xff\n", "not UTF-8"),
        ('email\n"ana@example.com\n', "unexpected end of data"),
        ("email,name\na@example.com," + "x" * 200_000 + "\n", "list.csv:2: field larger"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_its_name(read, data, message):
    with pytest.raises(SubscribersError, match=message):
        read(data)


def test_a_missing_list_says_what_to_write(tmp_path):
    with pytest.raises(SubscribersError) as error:
        list(read_subscribers(tmp_path / "absent", tmp_path, KEY, print))

    assert "email" in error.value.hint


def test_ids_depend_on_the_key_and_not_on_the_spelling(read, tmp_path):
    [one], _ = read("email\nAna@example.com\n")
    [same], _ = read("email\nana@EXAMPLE.com\n")
    [other] = read_subscribers(tmp_path, tmp_path, b"another key, just as long", print)

    assert one.id == same.id != other.id
