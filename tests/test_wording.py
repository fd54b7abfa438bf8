"""The sentences around the stories."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Cadence, Preferences
from digest.translations import translations
from digest.wording import (
    NAME_LENGTH,
    PREHEADER_LENGTH,
    SUBJECT_LENGTH,
    intro,
    preheader,
    reading_minutes,
    salutation,
    subject,
    why,
)
from tests.stories import story

EN, PL = translations("en"), translations("pl")
LANGUAGES = st.sampled_from([EN, PL])
ROTA = story("rota", title="What our on-call rota looks like", words=1000)
OTEL = story("otel", title="A small guide to *OpenTelemetry* sampling", words=2000)
PGROLL = story("pgroll", title="Migrations with `pgroll`", words=450)
STORIES = st.lists(
    st.builds(
        lambda title, tldr, words: story("x", title=title, tldr=tldr, words=words),
        st.text(max_size=150),
        st.text(max_size=300),
        st.integers(0, 5000),
    ),
    min_size=1,
    max_size=14,
)


def test_subject_is_the_first_title_and_how_many_more():
    assert subject([PGROLL], EN) == "Migrations with pgroll"
    assert subject([PGROLL, OTEL, ROTA], EN) == "Migrations with pgroll and 2 more"
    assert subject([PGROLL, OTEL], PL) == "Migrations with pgroll i jeszcze 1"


def test_subject_without_room_drops_the_count_then_whole_words():
    long = story("long", title="word " * 15 + "end")

    assert subject([long, ROTA], EN) == "word " * 15 + "end"
    assert subject([story("x", title="word " * 30)], EN) == ("word " * 15).strip() + "…"


def test_subject_of_a_story_without_title_is_its_tldr():
    assert subject([story("x", title="", tldr="What happened")], EN) == "What happened"
    assert subject([story("x", title="", tldr="")], EN) == "New stories for you"


@given(STORIES, LANGUAGES)
def test_subject_is_one_line_of_1_to_78_letters(stories, tr):
    line = subject(stories, tr)

    assert 1 <= len(line) <= SUBJECT_LENGTH
    assert not set(line) & set("\r\n\t\x00")


def test_preheader_goes_on_with_the_other_titles():
    assert preheader([PGROLL, OTEL, ROTA], EN) == (
        "A small guide to OpenTelemetry sampling · What our on-call rota looks like"
    )


def test_preheader_of_one_story_is_its_tldr():
    tldr = "We moved **214 tables** to expand/contract migrations and stopped the maintenance."

    assert preheader([story("x", tldr=tldr)], EN) == tldr.replace("**", "")


@given(STORIES, LANGUAGES)
def test_preheader_has_40_to_130_letters_and_is_not_the_subject(stories, tr):
    line = preheader(stories, tr)

    assert len(line) in PREHEADER_LENGTH
    assert line != subject(stories, tr)


def test_intro_counts_stories_and_minutes():
    assert intro([ROTA, OTEL, PGROLL], Cadence.WEEKLY, EN) == (
        "3 stories for you this week, about 16 minutes of reading."
    )
    assert intro([story("x", words=10)], Cadence.DAILY, EN) == (
        "1 story for you today, about 1 minute of reading."
    )


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (1, "1 tekst dla Ciebie z tego tygodnia – około 1 minuty czytania."),
        (3, "3 teksty dla Ciebie z tego tygodnia – około 3 minut czytania."),
        (5, "5 tekstów dla Ciebie z tego tygodnia – około 5 minut czytania."),
        (12, "12 tekstów dla Ciebie z tego tygodnia – około 12 minut czytania."),
        (22, "22 teksty dla Ciebie z tego tygodnia – około 22 minut czytania."),
    ],
)
def test_intro_follows_polish_plurals(number, sentence):
    stories = [story(f"s{n}", words=200) for n in range(number)]

    assert intro(stories, Cadence.WEEKLY, PL) == sentence


def test_reading_time_is_rounded_up_and_never_nothing():
    assert [reading_minutes(words) for words in (0, 1, 225, 226, 2250)] == [1, 1, 1, 2, 10]


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("Ana", "Hi Ana,"),
        ("  Zoë \n Åkesson ", "Hi Zoë Åkesson,"),
        ("李小龙", "Hi 李小龙,"),
        ("J. R. O'Neil", "Hi J. R. O'Neil,"),
        ("", "Hi,"),
        ("Win at evil.example", "Hi,"),
        ("https://evil", "Hi,"),
        ("ana@example", "Hi,"),
        ("12345", "Hi,"),
        ("\u202eAna\u0000\u2066", "Hi Ana,"),
        ("Doe, Jane", "Hi Jane Doe,"),
        ("García Márquez,Gabriel J.", "Hi Gabriel J. García Márquez,"),
        ("Jane Doe, Ph.D.", "Hi Jane Doe,"),
        ("Doe, Jane, PhD", "Hi Doe, Jane, PhD,"),
        ("Doe, 42", "Hi Doe, 42,"),
        ("Ana 👨\u200d👩\u200d👧", "Hi Ana 👨\u200d👩\u200d👧,"),
        ("Ana 🏳\ufe0f\u200d🌈", "Hi Ana 🏳\ufe0f\u200d🌈,"),
        ("A\u200dna\u200d 👩\u200d", "Hi Ana 👩,"),
        ("علی\u200cرضا", "Hi علی\u200cرضا,"),
        ("क्\u200dष", "Hi क्\u200dष,"),
    ],
)
def test_salutation_takes_only_what_is_a_name(name, greeting):
    assert salutation(name, EN) == greeting


@given(st.text())
def test_salutation_is_one_short_line_without_direction_marks(name):
    greeting = salutation(name, EN)

    assert len(greeting) <= NAME_LENGTH + len("Hi ,")
    marks = {letter for letter in greeting if unicodedata.category(letter) in ("Cc", "Cf", "Cs")}
    assert marks <= {"\u200c", "\u200d"}


def test_why_names_tags_rhythm_and_what_is_muted():
    reader = Preferences(tags=("ai", "#llm", "python"), muted=("crypto",))

    assert why(reader, Cadence.WEEKLY, EN) == (
        "You get this because you follow #ai, #llm and #python, weekly. You have muted #crypto."
    )
    assert why(reader, Cadence.MONTHLY, PL) == (
        "Dostajesz tę wiadomość co miesiąc, ponieważ obserwujesz #ai, #llm i #python. "
        "Wyciszone: #crypto."
    )


def test_why_of_everything_says_everything():
    assert why(Preferences(everything=True), Cadence.DAILY, EN) == (
        "You get this because you subscribed to everything, daily."
    )
    assert why(Preferences(), Cadence.DAILY, EN) == "You get this because you subscribed, daily."


def test_why_names_at_most_twelve_tags():
    tags = tuple(f"t{n}" for n in range(15))

    sentence = why(Preferences(tags=tags), Cadence.WEEKLY, EN)

    assert sentence.endswith("#t10, #t11 and 3 more, weekly.")


@given(st.lists(st.text(max_size=60), max_size=20))
def test_why_is_one_line_whatever_the_tags(tags):
    sentence = why(Preferences(tags=tuple(tags)), Cadence.WEEKLY, EN)

    assert sentence.endswith("weekly.")
    assert not any(unicodedata.category(letter)[0] == "C" for letter in sentence)
