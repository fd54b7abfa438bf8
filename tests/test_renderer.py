"""Rendering: compiled once, spliced to the same bytes; safe whatever stories say."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.composer.escape import html_values, text_values
from digest.composer.splice import merge
from digest.config import parse
from digest.inline import TAGS, clean, plain
from digest.layout import Block, BlockName, Compiled, Slot
from digest.renderer import Renderer, attr, bundled_templates
from tests import invented
from tests.invented import ISSUE
from tests.stories import story

RENDERER = Renderer(None, invented.settings(Path("project")))
CANDIDATES = invented.stories(9)
COMPILED = {code: RENDERER.compile(CANDIDATES, ISSUE, code) for code in ("en", "pl")}
VALUES = {
    Slot.SUBJECT: "Zażółć “gęślą” & <jaźń>",
    Slot.PREHEADER: "What else is in it",
    Slot.INTRO: "3 stories match your tags this week, about 12 minutes of reading.",
    Slot.SALUTATION: "Hi Ana,",
    Slot.WHY: "You get this because you follow #ai, weekly.",
    Slot.VIEW_URL: "https://news.example.com/i/weekly-2026-11-19/T",
    Slot.FEEDBACK_URL: "https://news.example.com/f/weekly-2026-11-19/T",
    Slot.PREFERENCES_URL: "https://news.example.com/p/T",
    Slot.PAUSE_URL: "https://news.example.com/p/T#pause",
    Slot.UNSUBSCRIBE_URL: "https://news.example.com/u/T",
}
PIECES = "ab <>&\"'\\`*_[](){}%@#!/-\n\x00\ufffe\u00a0\u200d\u202e\u0301é漢"
MARKUP = ["{{ x }}", "{% if %}", "@@", "<!-- x -->", "]]>", "<mj-raw>", "</td>", "https://e.com/"]
NASTY = st.lists(st.sampled_from([*PIECES, *MARKUP]), max_size=30).map("".join)


def spliced(compiled: Compiled, stories, more, values=VALUES) -> tuple[str, str]:
    ids, more_ids = [s.id for s in stories], [s.id for s in more]
    return (
        merge(compiled.html, ids, more_ids, html_values(values)),
        merge(compiled.text, ids, more_ids, text_values(values)),
    )


def html_of(*stories, more=(), language="en") -> str:
    return RENDERER.whole(stories, more, ISSUE, language, VALUES)[1]


class Tags(HTMLParser):
    """Every tag with its attributes, and the words between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@settings(deadline=None, max_examples=60)
@given(
    st.permutations(CANDIDATES),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from(["en", "pl"]),
)
def test_splicing_any_edition_gives_the_bytes_of_rendering_it(order, first, last, language):
    stories, more = order[:first], order[last:]

    _, html, text = RENDERER.whole(stories, more, ISSUE, language, VALUES)

    assert spliced(COMPILED[language], stories, more) == (html, text)


@settings(deadline=None, max_examples=60)
@given(st.lists(NASTY, min_size=6, max_size=6), NASTY)
def test_splicing_is_exact_for_any_words_of_stories_and_readers(words, value):
    title, tldr, line, disclaimer, tag, link = words
    stories = [
        story("a", title=title, tldr=tldr, takeaways=(line, line), link=f"https://e.com/{link}"),
        replace(story("b", title=tldr, disclaimer=disclaimer, language=tag), tags=(tag, line)),
    ]
    values = VALUES | dict.fromkeys((Slot.SUBJECT, Slot.PREHEADER, Slot.WHY), clean(value))

    _, html, text = RENDERER.whole(stories, stories, ISSUE, "en", values)

    assert spliced(RENDERER.compile(stories, ISSUE, "en"), stories, stories, values) == (html, text)


@settings(deadline=None, max_examples=100)
@given(NASTY, NASTY, st.lists(NASTY, max_size=3))
def test_no_words_of_a_story_become_markup(title, tldr, lines):
    ours = html_of(story("a", title="t", tldr="t", takeaways=("t",), tradeoffs=("t",)))
    theirs = html_of(story("a", title=title, tldr=tldr, takeaways=tuple(lines), tradeoffs=("t",)))

    known = {(name, key) for name, keys in Tags(ours).tags for key in ("", *keys)}
    known |= {(name, key) for name in TAGS for key in ("", "href", "style")}
    assert {(name, key) for name, keys in Tags(theirs).tags for key in ("", *keys)} <= known
    said = clean("".join(Tags(theirs).words))
    assert plain(title) in said
    for text in (tldr, *lines):
        assert plain(text) in said


@pytest.mark.parametrize(
    "title",
    ["x" * 20_000, "*" * 20_000, "[" * 20_000, "<mj-raw>" * 2000, "\\" * 500, "\u202eשלום"],
    ids=["letters", "stars", "brackets", "tags", "backslashes", "right-to-left"],
)
def test_outlandish_title_is_shown_as_it_is(title):
    assert plain(title) in "".join(Tags(html_of(story("a", title=title))).words)


def test_tags_and_titles_that_run_to_the_left_do_not_reorder_the_line_round_them():
    one = story(
        "a", title="\u202eשלום", tldr="\u2067a", tags="ai בדיקות", url="https://a.example/a"
    )
    _, html, text = RENDERER.whole((one, one), (one,), ISSUE, "en", VALUES)

    assert '#ai · <span dir="auto">#בדיקות</span> · ' in html
    assert html.count('<span dir="auto">שלום</span>') == 2 + 2 + 1
    assert "#ai · \u2068#בדיקות\u2069 · " in text
    assert "- \u2068שלום\u2069 (" in text
    assert not set(html + text) & set("\u202e\u2067")


def test_same_input_gives_the_same_layout_and_no_mark_is_left():
    again = Renderer(None, invented.settings(Path("project"))).compile(CANDIDATES, ISSUE, "en")

    assert again == COMPILED["en"]
    html, text = spliced(again, CANDIDATES, CANDIDATES)
    assert "<!--d" not in html
    assert ":begin:" not in html + text


def test_twelve_stories_of_real_size_stay_under_60_kb():
    stories, more = invented.stories(12), invented.stories(30, seed=5)

    assert len(html_of(*stories).encode()) < 52_000
    assert len(html_of(*stories, more=more).encode()) < 60_000


def test_every_slot_is_in_the_html_and_all_but_the_inbox_lines_in_the_text():
    for layout, missing in (
        (COMPILED["en"].html, set()),
        (COMPILED["en"].text, {Slot.SUBJECT, Slot.PREHEADER}),
    ):
        slots = {part for part in layout.parts if isinstance(part, Slot)}
        assert slots == set(Slot) - missing


def test_blocks_hold_a_fragment_per_story():
    blocks = {part.name: part for part in COMPILED["en"].html.parts if isinstance(part, Block)}

    assert set(blocks) == set(BlockName)
    assert all(list(block.items) == [s.id for s in CANDIDATES] for block in blocks.values())


def test_title_leads_to_our_page_and_the_original_is_named():
    html = Tags(html_of(story("a", url="https://b.example/a", link="https://www.o.example/x")))

    links = [a["href"] for a in html.all("a")][1:4]
    assert links == ["https://b.example/a", "https://b.example/a", "https://www.o.example/x"]
    assert html.all("a")[3]["aria-label"] == "Original: o.example, “About a”"


def test_story_without_own_page_leads_to_the_original():
    html = html_of(story("a", link="https://o.example/x"))

    assert html.count('href="https://o.example/x"') == 2
    assert "Read “About a” on o.example" in html


def test_story_without_any_page_has_no_link():
    html = Tags(html_of(story("a", link="javascript:alert(1)")))

    assert [a["href"] for a in html.all("a")] == [
        VALUES[Slot.VIEW_URL],
        VALUES[Slot.FEEDBACK_URL],
        VALUES[Slot.PREFERENCES_URL],
        VALUES[Slot.PAUSE_URL],
        VALUES[Slot.UNSUBSCRIBE_URL],
    ]


def test_contents_are_listed_from_two_stories_on_and_more_when_there_is_any():
    one, two = story("a"), story("b")

    assert "In this issue" not in html_of(one)
    assert "In this issue" in html_of(one, two)
    assert "More for your tags" not in html_of(one, two)
    assert "More for your tags" in html_of(one, more=[two])


def test_words_of_another_language_are_marked_and_ours_are_not():
    html = html_of(story("a", title="Opóźnienia", language="pl", url="https://b.example/"))

    assert '<h2 lang="pl"' in html
    assert "Read “<span lang=&#34;" not in html
    assert 'Read “<span lang="pl">Opóźnienia</span>”' in html
    assert '<h3 class="m"' in html
    assert "lang=" not in html_of(story("a")).split("<h1")[1]


def test_story_written_right_to_left_reads_so():
    html = html_of(story("a", language="he"))

    assert '<h2 lang="he" dir="rtl"' in html
    assert "text-align:right" in html


def test_provenance_says_who_wrote_the_summary():
    note = "The views belong to the authors."

    assert "Summary written with the help of AI. " + f"<span>{note}</span>" in html_of(
        story("a", generated=True, disclaimer=note)
    )
    assert "help of AI" not in html_of(story("a", disclaimer=note))


def test_polish_edition_is_polish():
    _, html, text = RENDERER.whole(CANDIDATES, (), ISSUE, "pl", VALUES)

    assert html.startswith('<!doctype html><html lang="pl" dir="ltr"')
    for part in (html, text):
        assert "W tym wydaniu" in part
        assert "19 listopada 2026" in part


def test_plain_text_has_72_columns_except_for_addresses():
    text = spliced(COMPILED["en"], CANDIDATES, CANDIDATES)[1]

    assert [line for line in text.splitlines() if len(line) > 72 and "://" not in line] == []
    assert not any(line != line.rstrip() for line in text.splitlines())
    assert "\n\n\n\n" not in text


def test_plain_text_names_every_link_on_a_line_of_its_own():
    lines = spliced(COMPILED["en"], CANDIDATES[:2], CANDIDATES[2:])[1].splitlines()

    for one in CANDIDATES[:2]:
        assert {one.url, one.link} <= set(lines)
    assert f"  {CANDIDATES[2].url}" in lines
    for slot in (slot for slot in Slot if slot.value.endswith("_url")):
        assert VALUES[slot] in lines


def test_plain_text_shows_inline_links_and_markup_as_words():
    text = RENDERER.whole(
        [story("a", tldr="**See** [this](https://x.example/)")], (), ISSUE, "en", VALUES
    )[2]

    assert "TL;DR: See this (https://x.example/)" in text


def test_attribute_survives_mjml_unchanged():
    links = {"url": "https://b.example/", "link": "https://o.example/"}

    html = html_of(story("a", title='a\u00a0"\\e\u0301', **links))

    labels = [a.get("aria-label") for a in Tags(html).all("a")]
    assert 'Original: o.example, “a\u00a0"\\e\u0301”' in labels
    assert attr("\u00a0") == "&#160;"


def test_newsletter_name_and_address_cannot_be_markup(tmp_path):
    text = (tmp_path / "digest.toml").name
    config = parse(
        '[newsletter]\nname = "A <b>&\\u0007"\nsender = "a@example.com"\nlanguage = "en"\n'
        'postal_address = "Line 1\\nLine <2>"\nbase_url = "https://n.example"\n',
        tmp_path / text,
        {},
    )
    html = Renderer(None, config).whole([story("a")], (), ISSUE, "en", VALUES)[1]

    assert "A &lt;b&gt;&amp;</h1>" in html
    assert "Line 1, Line &lt;2&gt;</p>" in html


def test_project_overrides_one_template_and_keeps_the_others(tmp_path):
    (tmp_path / "more.mjml").write_text("<mj-text><h2>Also</h2>{{ items }}</mj-text>")
    renderer = Renderer(tmp_path, invented.settings(tmp_path))

    html = renderer.whole(CANDIDATES[:2], CANDIDATES[2:3], ISSUE, "en", VALUES)[1]

    assert "<h2>Also</h2>" in html
    assert "In this issue" in html
    assert renderer.fingerprint() != RENDERER.fingerprint()


def test_empty_contents_template_means_no_list(tmp_path):
    (tmp_path / "contents.mjml").write_text("{# none #}\n")
    renderer = Renderer(tmp_path, invented.settings(tmp_path))
    compiled = renderer.compile(CANDIDATES, ISSUE, "en")

    html = renderer.whole(CANDIDATES, (), ISSUE, "en", VALUES)[1]

    assert "In this issue" not in html
    assert spliced(compiled, CANDIDATES, ())[0] == html


def test_bundled_templates_are_the_ones_of_the_repository():
    assert {path.stem for path in bundled_templates().glob("*.txt")} == {
        path.stem for path in bundled_templates().glob("*.mjml")
    }
