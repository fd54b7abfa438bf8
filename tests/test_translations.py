"""The catalogs: complete, correct, and read the right way."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from digest.translations import SOURCE, catalogs, direction, languages, translations
from tests.conftest import ROOT

JINJA = {"trim_blocks": "true", "silent": "false"}
METHODS = [
    ("digest/**.py", "python"),
    ("templates/**.*", "jinja2"),
    ("digest/web/pages/**.html", "jinja2"),
]
OPTIONS = {"templates/**.*": JINJA, "digest/web/pages/**.html": JINJA}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def catalog(path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module")
def words():
    """Every message in code and templates: a string, or a pair of singular and plural."""
    found = extract_from_dir(ROOT, METHODS, OPTIONS)
    return {message for _, _, message, *_ in found}


@pytest.mark.parametrize("path", catalogs(), ids=lambda path: path.parts[-3])
def test_every_string_is_translated_and_none_is_left_over(path, words):
    translated = {message.id for message in catalog(path) if message.id}

    assert translated == words, "run scripts/messages and translate what is new"


@pytest.mark.parametrize("path", catalogs(), ids=lambda path: path.parts[-3])
def test_no_translation_is_fuzzy_or_empty_or_lacks_a_value(path):
    for message in catalog(path):
        if not message.id:
            continue
        assert not message.fuzzy
        forms = [message.string] if isinstance(message.string, str) else message.string
        source = message.id if isinstance(message.id, str) else message.id[1]
        for form in forms:
            assert form
            assert set(PLACEHOLDER.findall(form)) == set(PLACEHOLDER.findall(source))


def test_plural_follows_the_number():
    forms = [
        translations("pl").ngettext(
            "%(number)d story for you today", "%(number)d stories for you today", number
        )
        for number in (1, 2, 5, 12, 22, 25)
    ]

    assert [form.split()[1] for form in forms] == [
        "tekst", "teksty", "tekstów", "tekstów", "teksty", "tekstów",
    ]  # fmt: skip


def test_dates_are_local_days_in_the_language():
    late = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    warsaw = ZoneInfo("Europe/Warsaw")

    assert translations("en").format_date(late, warsaw) == "20 November 2026"
    assert translations("pl").format_date(late, warsaw) == "20 listopada 2026"


def test_lists_join_as_the_language_does():
    assert translations("en").format_list(["a", "b", "c"]) == "a, b and c"
    assert translations("pl").format_list(["a", "b", "c"]) == "a, b i c"
    assert translations("en").format_list(["a"]) == "a"


@pytest.mark.parametrize("code", ["xx", "", "../pl", "tlh"])
def test_unknown_language_falls_back_to_english(code):
    tr = translations(code)

    assert tr.code == SOURCE
    assert tr.direction == "ltr"
    assert tr.gettext("In this issue") == "In this issue"


def test_direction_is_of_the_language_even_without_a_catalog():
    assert [direction(code) for code in ("he", "ar", "pl", "xx", "")] == [
        "rtl", "rtl", "ltr", "ltr", "ltr",
    ]  # fmt: skip


def test_english_and_polish_are_there():
    assert languages() == {"en", "pl"}


@pytest.mark.parametrize(("code", "place"), [("en", "en_GB"), ("pl", "pl_PL")])
def test_a_language_has_a_place_for_open_graph(code, place):
    assert translations(code).place == place
