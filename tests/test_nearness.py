"""A tag that is another one misspelt is told, and one that is merely alike is not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.checks import Places, check_tags
from digest.checks.nearness import Nearest, distance, is_slip, pairs, plural
from digest.config import TagConfig
from digest.content import read_content
from digest.hashtags import Vocabulary
from digest.models import Severity
from tests.posts import settings
from tests.stories import story

SLIPS = """
kuberntes kubernetes | kubernets kubernetes | kuberentes kubernetes | pyhton python
postgras postgres | postgressql postgresql | wydajnosc wydajność | securty security
accesibility accessibility | architecure architecture | machinelerning machinelearning
typescrpt typescript | serverless serveless | fine-tuning fine-tunning | javascritp javascript
observabilty observability | bezpieczenstwo bezpieczeństwo | developement development
"""
DISTINCT = """
reach react | java javascript | agent agents | gpt-4 gpt-5 | python2 python3 | rust trust
vector victor | webpack backpack | angular annular | phishing fishing | evaluation valuation
regulation relation | automation animation | replication application | contain container
scale scaling | redis redit | cloud clouds | data date | es2023 es2024 | go golang | ai api
deployment employment | interaction integration | ansible angular | policy policies | c# c
privacy piracy | testing texturing | generation regeneration | llm llvm | node nodes
"""


def words(text: str) -> list[tuple[str, str]]:
    return [tuple(pair.split()) for line in text.splitlines() for pair in line.split("|") if pair]


@pytest.mark.parametrize(("slip", "meant"), words(SLIPS))
def test_a_slip_is_seen(slip, meant):
    assert is_slip(slip.replace("-", ""), meant.replace("-", ""))


@pytest.mark.parametrize(("one", "other"), words(DISTINCT))
def test_words_that_are_merely_alike_are_not(one, other):
    assert not is_slip(one.replace("-", ""), other.replace("-", ""))
    assert not is_slip(other.replace("-", ""), one.replace("-", ""))


@given(st.text("abcdefgh", max_size=8), st.text("abcdefgh", max_size=8))
def test_distance_is_one_between_words(one, other):
    far = distance(one, other)

    assert far == distance(other, one)
    assert (far == 0) == (one == other)
    assert abs(len(one) - len(other)) <= far <= max(len(one), len(other))


@given(st.text("abcdefghijklmnop", min_size=9, max_size=16), st.data())
def test_a_letter_forgotten_within_a_long_word_is_always_found(word, data):
    at = data.draw(st.integers(1, len(word) - 2))
    slip = word[:at] + word[at + 1 :]
    found = Nearest({word: 3}).of(slip)

    assert found == ("" if plural(slip, word) else word)


@given(st.dictionaries(st.text("abcde", min_size=4, max_size=9), st.integers(1, 9), max_size=40))
def test_shared_deletions_miss_nothing_that_comparing_each_with_each_finds(uses):
    slow = {
        (word, known)
        for word, n in uses.items()
        if n <= 1
        for known, often in uses.items()
        if often >= 3 and known != word and is_slip(word, known)
    }
    quick = set(pairs(uses, 1, 3))

    assert quick <= slow
    assert {word for word, _ in slow} == {word for word, _ in quick}


def findings(*tags: tuple[str, int]):
    """Of posts, each tag in so many of them."""
    posts = [
        story(f"{tag}-{n}", " ".join(tag.split("+")), post=f"{tag}-{n}.md")
        for tag, number in tags
        for n in range(number)
    ]
    counts = {tag: sum(tag in one.tags for one in posts) for one in posts for tag in one.tags}
    return list(check_tags(posts, Places(), Vocabulary.of(counts, TagConfig())))


def test_a_rare_tag_near_a_frequent_one_is_told_with_it():
    (finding,) = findings(("kubernetes", 3), ("kuberntes", 1))

    assert finding.check == "tag/near"
    assert finding.fix == "did you mean #kubernetes?"


def test_what_an_alias_leads_to_is_known_without_any_post():
    words = Vocabulary.of({"kuberntes": 1}, TagConfig(aliases={"k8s": "kubernetes"}))
    (finding,) = check_tags([story("a", "kuberntes", post="a.md")], Places(), words)

    assert finding.fix == "did you mean #kubernetes?"


def test_a_tag_that_two_posts_have_is_meant():
    assert findings(("kubernetes", 9), ("kuberntes", 2)) == []


def test_two_tags_of_one_post_are_not_each_other_misspelt():
    assert findings(("kubernetes", 9), ("kuberntes+kubernetes", 1)) == []


def test_the_other_number_of_a_frequent_tag_is_a_hint():
    (finding,) = findings(("agents", 4), ("agent", 1))

    assert (finding.check, finding.severity) == ("tag/plural", Severity.INFO)


def test_real_tags_are_no_false_alarms(corpus: Path, tmp_path: Path):
    content = read_content(settings(tmp_path), [corpus / "motyl-dev"])
    told = check_tags(content.stories, Places(), content.vocabulary)

    assert [str(one) for one in told if one.check == "tag/near"] == []
