"""Selecting: every candidate is in or out, for a reason, in one order."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Preferences, Reason, Selection
from digest.selector import Caps, Selector, link_identity
from tests.stories import WINDOW, story

NOW = WINDOW.end
CAPS = Caps(stories=12)


def select(stories, *, follow="", now=NOW, caps=CAPS, **preferences) -> Selection:
    selector = Selector(stories, WINDOW, now, key=str.casefold, caps=caps)
    return selector.explain(Preferences(tuple(follow.split()), **preferences))


def ids(selection: Selection) -> list[str]:
    return [pick.story.id for pick in selection.picks]


def reasons(selection: Selection) -> dict[str, str]:
    return {omission.story.id: str(omission) for omission in selection.omissions}


def test_a_story_is_in_when_one_of_its_tags_is_followed_and_says_which():
    chosen = select([story("a", "AI llm rust"), story("b", "css")], follow="llm ai")

    assert [(pick.story.id, pick.matched) for pick in chosen.picks] == [("a", ("AI", "llm"))]
    assert reasons(chosen) == {"b": "no tag matched"}


def test_everything_means_every_tag_and_stories_without_one():
    assert ids(select([story("a", "ai"), story("b")], everything=True)) == ["a", "b"]


def test_a_reader_who_follows_nothing_gets_nothing():
    assert ids(select([story("a", "ai"), story("b")])) == []


def test_muting_wins_over_following():
    chosen = select([story("a", "ai crypto")], follow="ai", muted=("crypto",))

    assert reasons(chosen) == {"a": "muted crypto"}


def test_only_the_readers_languages_are_in():
    stories = [story("a", "ai"), story("b", "ai", language="pl")]

    assert reasons(select(stories, follow="ai", languages=("en",))) == {"b": "other language pl"}
    assert ids(select(stories, follow="ai")) == ["a", "b"]


def test_looking_further_back_never_cuts_the_window():
    early = story("early", "ai", published=WINDOW.start)
    late = WINDOW.start + timedelta(hours=1)
    selector = Selector([early], WINDOW, NOW, key=str.casefold, caps=CAPS, reach=late)

    assert ids(selector.select(Preferences(("ai",)))) == ["early"]


def test_a_story_of_this_very_moment_is_not_of_the_future():
    now = WINDOW.end - timedelta(hours=1)

    assert ids(select([story("a", "ai", published=now)], follow="ai", now=now)) == ["a"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"draft": True}, "draft"),
        ({"published": NOW + timedelta(seconds=1)}, "future"),
        ({"published": WINDOW.start - timedelta(seconds=1)}, "before the window"),
    ],
)
def test_a_story_outside_the_window_is_out_for_everybody(fields, reason):
    assert reasons(select([story("a", "ai", **fields)], everything=True)) == {"a": reason}


def test_the_window_holds_its_start_but_not_its_end():
    at_start = story("start", published=WINDOW.start)
    at_end = story("end", published=WINDOW.end)

    chosen = select([at_start, at_end], everything=True, now=NOW + timedelta(days=1))

    assert ids(chosen) == ["start"]
    assert reasons(chosen) == {"end": "after the window"}


def test_the_order_is_pinned_then_matches_then_newest_then_id():
    later = WINDOW.start + timedelta(days=6)
    stories = [
        story("d", "ai"),
        story("c", "ai"),
        story("new", "ai", published=later),
        story("both", "ai llm"),
        story("pinned", "ai", pinned=True, published=WINDOW.start),
    ]

    assert ids(select(stories, follow="ai llm")) == ["pinned", "both", "new", "c", "d"]


def test_the_same_original_is_told_once():
    stories = [
        story("a", "ai", link="https://example.com/x?utm_source=letter"),
        story("b", "ai", link="http://www.example.com/x/#top"),
    ]

    chosen = select(stories, follow="ai")

    assert ids(chosen) == ["a"]
    assert reasons(chosen) == {"b": "same link as a"}


def test_stories_of_one_post_are_all_told_though_they_share_a_link():
    link = "https://example.com/issue/5"
    stories = [story(f"p#{n}", "ai", post="p.md", line=n, link=link) for n in (1, 9)]

    assert ids(select(stories, follow="ai")) == ["p#1", "p#9"]


def test_posts_with_different_numbers_of_stories_are_no_translations():
    english = [story(f"w#{n}", "ai", post="w.md", line=n) for n in (1, 9)]
    polish = [story("w.pl#1", "ai", post="w.pl.md", line=1, language="pl")]

    assert len(select(english + polish, follow="ai").picks) == 3


def test_of_two_translations_the_reader_gets_the_language_named_first():
    stories = [story("uv", "python"), story("uv.pl", "python", language="pl")]

    chosen = select(stories, follow="python", languages=("pl", "en"))

    assert ids(chosen) == ["uv.pl"]
    assert reasons(chosen) == {"uv": "translation of uv.pl"}


def test_of_two_translations_who_names_no_language_gets_the_newsletters():
    newer = WINDOW.end - timedelta(hours=1)
    stories = [story("uv", "python"), story("uv.pl", "python", language="pl", published=newer)]

    selector = Selector(stories, WINDOW, NOW, key=str.casefold, caps=CAPS, language="en")

    assert ids(selector.select(Preferences(everything=True))) == ["uv"]


def test_stories_of_a_translated_post_are_paired_by_their_place_in_it():
    english = [story(f"w#{n}", "ai", post="w.md", line=n) for n in (1, 9)]
    polish = [story(f"w.pl#{n}", "ai", post="w.pl.md", line=n, language="pl") for n in (1, 9)]

    chosen = select(english + polish, follow="ai", languages=("en", "pl"))

    assert ids(chosen) == ["w#1", "w#9"]
    assert reasons(chosen) == {"w.pl#1": "translation of w#1", "w.pl#9": "translation of w#9"}


def test_what_falls_over_the_cap_is_listed_in_order():
    chosen = select([story(f"s{n}", "ai") for n in range(5)], follow="ai", caps=Caps(stories=3))

    assert ids(chosen) == ["s0", "s1", "s2"]
    assert [left.id for left in chosen.more] == ["s3", "s4"]
    assert reasons(chosen) == {"s3": "over the cap of 3", "s4": "over the cap of 3"}


def test_the_byte_cap_turns_cards_into_titles():
    caps = Caps(12, 10_000, lambda cards, titles: 1000 + 3000 * len(cards) + 100 * len(titles))

    chosen = select([story(f"s{n}", "ai") for n in range(5)], follow="ai", caps=caps)

    assert len(chosen.picks) == 2
    assert len(chosen.more) == 3


def test_titles_give_way_first_but_only_down_to_a_quarter_of_the_bytes():
    caps = Caps(12, 8_000, lambda cards, titles: 1000 + 1000 * len(cards) + 500 * len(titles))

    chosen = select([story(f"s{n}", "ai") for n in range(20)], follow="ai", caps=caps)

    assert (len(chosen.picks), len(chosen.more)) == (5, 4)


def test_one_story_is_sent_however_large_it_is():
    caps = Caps(12, 1_000, lambda cards, titles: 9_000 * len(cards) + 100 * len(titles))

    chosen = select([story("a", "ai"), story("b", "ai")], follow="ai", caps=caps)

    assert (ids(chosen), chosen.more) == (["a"], ())


tags = st.lists(st.sampled_from(["ai", "llm", "css", "rust", "go"]), unique=True, max_size=3)
stories_ = st.lists(
    st.builds(
        lambda n, tags, hours, language, draft, pinned, link: story(
            f"s{n}",
            " ".join(tags),
            published=WINDOW.start + timedelta(hours=hours),
            language=language,
            draft=draft,
            pinned=pinned,
            link=f"https://example.com/{link}" if link else "",
        ),
        st.integers(0, 99),
        tags,
        st.integers(-50, 250),
        st.sampled_from(["en", "pl"]),
        st.booleans(),
        st.booleans(),
        st.integers(0, 4),
    ),
    unique_by=lambda one: one.id,
)
preferences = st.builds(
    Preferences,
    tags.map(tuple),
    st.booleans(),
    tags.map(tuple),
    st.lists(st.sampled_from(["en", "pl"]), unique=True).map(tuple),
)
caps_ = st.builds(
    lambda count, size: Caps(count, size, lambda c, t: 500 + 900 * len(c) + 120 * len(t)),
    st.integers(1, 6),
    st.integers(1500, 9000),
)


@given(stories_, preferences, caps_)
def test_every_candidate_is_either_in_or_out(stories, wanted, caps):
    chosen = Selector(stories, WINDOW, NOW, key=str.casefold, caps=caps).explain(wanted)

    told = [pick.story.id for pick in chosen.picks] + [out.story.id for out in chosen.omissions]
    assert sorted(told) == sorted(one.id for one in stories)
    over = {out.story.id for out in chosen.omissions if out.reason is Reason.OVER_CAP}
    assert {one.id for one in chosen.more} <= over


@given(stories_, preferences, caps_)
def test_an_edition_never_exceeds_its_caps(stories, wanted, caps):
    chosen = Selector(stories, WINDOW, NOW, key=str.casefold, caps=caps).select(wanted)

    assert len(chosen.picks) <= caps.stories
    assert caps.measure(chosen.picks, chosen.more) <= caps.html_bytes or len(chosen.picks) == 0


@given(stories_, preferences, st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_matter(stories, wanted, random):
    shuffled = random.sample(stories, len(stories))

    one = Selector(stories, WINDOW, NOW, key=str.casefold, caps=CAPS).select(wanted)
    other = Selector(shuffled, WINDOW, NOW, key=str.casefold, caps=CAPS).select(wanted)

    assert one.picks == other.picks
    assert one.more == other.more


@given(stories_, preferences)
def test_what_is_in_matches_the_preferences(stories, wanted):
    for pick in Selector(stories, WINDOW, NOW, key=str.casefold, caps=CAPS).select(wanted).picks:
        assert wanted.everything or set(pick.story.tags) & set(wanted.tags)
        assert not set(pick.story.tags) & set(wanted.muted)
        assert pick.story.published in WINDOW
        assert not wanted.languages or pick.story.language in wanted.languages


@pytest.mark.parametrize("link", ["", "not a link", "https://[half", "mailto:ana@example.com"])
def test_what_is_no_web_address_is_never_the_same_as_another(link):
    chosen = select([story("a", "ai", link=link), story("b", "ai", link=link)], follow="ai")

    assert link_identity(link) == ""
    assert len(chosen.picks) == 2
