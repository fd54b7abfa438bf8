"""Tags: any spelling to one, topics apart from markers, and filters that say what is wrong."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import TagConfig
from digest.errors import FilterError
from digest.filters import And, Not, Or, Tag, parse
from digest.hashtags import Vocabulary, fold, parse_tags

NAMES = st.text(min_size=1, max_size=12).filter(fold).map(lambda text: " ".join(text.split()))
TAGS = NAMES.filter(lambda name: fold(name) and not name.startswith("#")).map(
    lambda name: Tag(name, fold(name))
)
FILTERS = st.recursive(
    TAGS,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("#ai #llm #open-source", ("ai", "llm", "open-source")),
        ("#ai, #llm", ("ai", "llm")),
        ("#ai,#llm", ("ai", "llm")),
        ("#ai#llm", ("ai", "llm")),
        ("ai, machine learning", ("ai", "machine learning")),
        ("This Week in Rust", ("This Week in Rust",)),
        ("#machine learning #ai", ("machine learning", "ai")),
        (["#ai", "culture change", "Zażółć"], ("ai", "culture change", "Zażółć")),
        (["year/2025", 508, None], ("year/2025", "508")),
        (["Open-Source", "open_source", "opensource"], ("Open-Source",)),
        ("c#", ("c#",)),
        (508, ("508",)),
        ("security", ("security",)),
        ("#", ()),
        ("", ()),
        ([], ()),
        (None, ()),
    ],
)
def test_every_spelling_of_a_tag_list_is_read(value, tags):
    assert parse_tags(value) == tags


def test_words_without_a_hash_are_several_tags_only_when_the_config_says_so():
    assert parse_tags("ruby rails") == ("ruby rails",)
    assert parse_tags("ruby rails", split_words=True) == ("ruby", "rails")


@given(st.text(max_size=30))
def test_folding_a_key_again_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="abŁł-_ #éE", min_size=1, max_size=12))
def test_case_hyphen_underscore_and_space_do_not_make_another_tag(text):
    variant = text.upper().replace("-", "_").replace(" ", "-")

    assert fold(variant) == fold(text)


@given(st.one_of(st.text(), st.lists(st.one_of(st.text(), st.integers(), st.none())), st.floats()))
def test_no_value_of_a_tag_key_raises(value):
    tags = parse_tags(value)

    assert all(fold(tag) for tag in tags)
    assert len({fold(tag) for tag in tags}) == len(tags)


def test_the_most_frequent_spelling_is_shown_and_a_tie_goes_to_the_hyphen():
    counts = Counter({"OpenSource": 3, "opensource": 2, "web-dev": 1, "webdev": 1, "Webdev": 1})
    vocabulary = Vocabulary.of(counts, TagConfig())

    assert vocabulary.spelling("OPEN-SOURCE") == "OpenSource"
    assert vocabulary.spelling("WebDev") == "web-dev"
    assert vocabulary.spelling("#unheard-of") == "unheard-of"


def test_an_alias_is_followed_to_its_end_and_a_circle_stays_harmless():
    config = TagConfig(aliases={"k8s": "kube", "kube": "Kubernetes", "a": "b", "b": "a"})
    vocabulary = Vocabulary.of(Counter({"k8s": 5, "kubernetes": 1}), config)

    assert vocabulary.key("K8S") == "kubernetes"
    assert vocabulary.sort(["k8s", "kubernetes"]).topics == ("kubernetes",)
    assert vocabulary.sort(["a", "b"]).topics


def test_markers_and_languages_are_kept_apart_from_topics():
    tags = ["ai", "Generated", "en", "substack", "pl"]
    sorted_tags = Vocabulary.of(Counter(tags), TagConfig()).sort(tags)

    assert sorted_tags.topics == ("ai",)
    assert sorted_tags.markers == ("Generated", "en", "substack", "pl")
    assert sorted_tags.language == "en"


@pytest.mark.parametrize(
    ("text", "keys", "matched"),
    [
        ("ai and (llm or agents) and not crypto", {"ai", "agents"}, True),
        ("ai and (llm or agents) and not crypto", {"ai", "llm", "crypto"}, False),
        ("#AI", {"ai"}, True),
        ("a or b and c", {"a"}, True),
        ("(a or b) and c", {"a"}, False),
        ("not a or b", {"b", "a"}, True),
        ("NOT not a", {"a"}, True),
        ('"machine learning"', {"machinelearning"}, True),
        ("'and' or \"or\"", {"or"}, True),
    ],
)
def test_not_binds_before_and_before_or(text, keys, matched):
    assert parse(text).matches(keys) is matched


def test_a_filter_looks_for_what_an_alias_stands_for():
    vocabulary = Vocabulary.of(Counter(), TagConfig(aliases={"k8s": "kubernetes"}))

    assert parse("k8s", vocabulary.key).matches({"kubernetes"})


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 0, "empty"),
        ("  (ai", 2, "never closed"),
        ("ai)", 2, "closes nothing"),
        ("ai llm", 3, "without an operator"),
        ("ai and", 6, "missing before the end"),
        ("ai or or llm", 6, "missing before `or`"),
        ("()", 1, "tag is missing"),
        ('ai and "machine', 7, "quote is never closed"),
        ("ai and #", 7, "names no tag"),
        ("(" * 60 + "ai" + ")" * 60, 51, "deep"),
        ("not " * 5000 + "ai", 204, "deep"),
    ],
)
def test_a_malformed_filter_says_where_and_what_could_stand_there(text, position, said):
    with pytest.raises(FilterError, match=said) as caught:
        parse(text)

    assert caught.value.position == position
    assert caught.value.hint


@given(FILTERS)
def test_a_filter_reads_back_from_its_own_text(wanted):
    assert parse(str(wanted)) == wanted


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_filter_error(text):
    position = 0
    try:
        parse(text)
    except FilterError as error:
        position = error.position

    assert 0 <= position <= len(text)


def test_a_very_long_filter_is_no_deeper_than_a_short_one():
    wanted = parse(" or ".join(f"tag{number}" for number in range(20_000)))

    assert wanted.matches({"tag19999"})
