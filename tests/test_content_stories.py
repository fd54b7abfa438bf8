"""A body to stories: headings, labels and what stands in for a missing one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Severity
from tests.posts import head, only, problem, read

TWO = """\
Nobody's story.

## First *one*

**TLDR:** First in short,
on two lines.

Prose.

### A detail

More prose.

**Key takeaways:**
- one
- two

**Link:** [One](https://one.example/a)

---

## Second

**Summary:**

Second, told at length.

And more.

**Link:** https://two.example/b?c=d.

---

*Made by a [machine](https://m.example).*
"""


def test_each_heading_with_labels_is_a_story():
    first, second = read(head(TWO, slug="two")).stories

    assert (first.id, first.title) == ("two#first-one", "First *one*")
    assert first.tldr == "First in short, on two lines."
    assert first.takeaways == ("one", "two")
    assert (second.id, second.link) == ("two#second", "https://two.example/b?c=d")
    assert (first.line, second.line) == (9, 28)


def test_a_story_without_tldr_takes_the_first_paragraph_of_its_summary():
    second = read(head(TWO, excerpt="Of the post.")).stories[1]

    assert second.tldr == "Second, told at length."


def test_the_note_after_the_last_rule_belongs_to_every_story_as_plain_text():
    stories = read(head(TWO)).stories

    assert [story.disclaimer for story in stories] == ["Made by a machine."] * 2


@pytest.mark.parametrize(
    "label",
    ["**TLDR:** T", "**TLDR**: T", "**tl;dr:**\nT", "__TLDR:__ T", "**TLDR**\n\nT", "**Tldr** - T",
     "- **TLDR:** T", "> **TLDR:** T", "## TLDR: T", "## TLDR;\n\nT", "### TL;DR\nT",
     "**W skrócie:** T", "**TLDR :** T"],
)  # fmt: skip
def test_a_label_may_be_written_in_many_ways(label):
    story = only(head(f"# Heading\n\n{label}\n\nMore.", excerpt="no"))

    assert story.tldr == "T"


@pytest.mark.parametrize("words", ["**TLDRs** are", "**Summary** of it", "**Note:** x", "TLDR: x"])
def test_bold_words_that_are_no_label_are_prose(words):
    story = only(head(f"## Heading\n\n{words}\n", excerpt=""))

    assert story.title == "A title"
    assert story.tldr == words


@pytest.mark.parametrize(
    "items",
    ["- a b\n- c", "* a b\n* c", "+ a b\n+ c", "1. a b\n2. c", "1) a b\n2) c", "\n- a b\n\n- c",
     "- a\n  b\n- c", "- a\nb\n- c", "-   a  b\n  - c", "- [x] a b\n- [ ] c", "a b\n\nc",
     "Here they are:\n- a b\n- c", "- a b\n- c\n\nSomething else."],
)  # fmt: skip
def test_takeaways_may_be_any_kind_of_list(items):
    story = only(head(f"## H\n\n**Takeaways:**\n{items}\n\n**TLDR:** t"))

    assert story.takeaways == ("a b", "c")


def test_a_bold_label_inside_a_list_of_takeaways_is_an_item():
    body = "## H\n\n**TLDR:** t\n\n**Key takeaways:**\n- **Link:** rot is real\n- b\n"

    assert only(head(body)).takeaways == ("**Link:** rot is real", "b")


def test_labels_may_all_be_items_of_one_list():
    body = "## H\n- **TLDR:** t\n- **Takeaways:**\n  - a\n  - b\n- **Link:** https://a.example\n"
    story = only(head(body))

    assert (story.tldr, story.takeaways, story.link) == ("t", ("a", "b"), "https://a.example")


def test_polish_labels_are_built_in_and_more_come_from_the_config():
    body = "## H\n\n**Podsumowanie:** p\n\n**Kluczowe wnioski:**\n- w\n\n**Po co:** bo tak\n"
    story = only(head(body), more='[content.labels]\nwhy = ["Po co"]')

    assert (story.tldr, story.takeaways, story.why) == ("p", ("w",), "bo tak")


def test_headings_that_are_labels_fill_the_story_above_them():
    body = "# Loud\n\n## Summary\n\ns\n\n## Key takeaways\n\n- a\n\n## Disclaimer\n\nBy *us*.\n"
    story = only(head(body))

    assert (story.title, story.tldr, story.takeaways) == ("Loud", "s", ("a",))
    assert story.disclaimer == "By us."


def test_a_label_heading_of_the_storys_own_level_still_fills_it():
    body = "## Story\n\n**TLDR:** t\n\n## Takeaways\n\n- a\n"

    assert only(head(body)).takeaways == ("a",)


def test_a_deeper_heading_before_a_storys_takeaways_opens_no_story():
    body = "## S\n\n**TLDR:** t\n\n**Summary:**\n\n### Detail\n\nx\n\n**Key takeaways:**\n- a\n"

    assert only(head(body)).takeaways == ("a",)


def test_a_heading_over_headings_is_no_story():
    body = "# News\n\n## Part\n\n### A\n\n**TLDR:** a\n\n### B\n\n**TLDR:** b\n"

    assert [story.title for story in read(head(body)).stories] == ["A", "B"]


def test_deeper_headings_with_the_same_label_are_stories_beside_the_first():
    parts = [f"### {name}\n\ntext {name}\n**Link:** https://x.example" for name in "AB"]
    stories = read(head("\n\n".join(["**TLDR:** all", *parts]))).stories

    assert [story.title for story in stories] == ["A title", "A", "B"]
    assert [story.tldr for story in stories] == ["all", "text A", "text B"]


def test_a_second_tldr_under_one_heading_is_another_story():
    stories = read(head("## A\n\n**TLDR:** a\n\n---\n\n**TLDR:** b\n", slug="s")).stories

    assert [(story.id, story.title, story.tldr) for story in stories] == [
        ("s#a", "A", "a"),
        ("s#a-title", "A title", "b"),
    ]


def test_code_and_comments_hold_neither_headings_nor_labels():
    code = "```md\n## No\n**TLDR:** no\n```\n\n    # no\n"
    comment = "<!--\n## No\n**TLDR:** no\n-->\n"

    assert only(head(f"## H\n\n**TLDR:** t\n\n{code}\n{comment}")).tldr == "t"


def test_a_post_without_a_label_is_one_story_with_its_excerpt():
    story = only(
        head("# Other\n\nPara *one*.\n\nTwo.", excerpt="'<p>An **excerpt** &amp; more</p>'")
    )

    assert (story.title, story.tldr) == ("A title", "An excerpt & more")


def test_without_an_excerpt_the_first_paragraph_that_is_prose_stands_in():
    body = "# Other\n\n![image](a.png)\n\n```\ncode\n```\n\n| a | b |\n\n> Para *one*\n> goes on.\n"

    assert only(head(body)).tldr == "Para *one* goes on."


def test_a_labelled_story_without_tldr_takes_the_excerpt_first():
    body = "## H\n\nIntro.\n\n**Summary:** s\n"

    assert only(head(body, description="d", excerpt="e")).tldr == "e"
    assert only(head(body)).tldr == "s"


def test_an_empty_body_is_a_story_with_its_summary():
    assert only(head(summary="All there is")).tldr == "All there is"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("[a](https://x.example/y)", "https://x.example/y"),
        ("[[a] b](https://x.example/(y))", "https://x.example/(y)"),
        ('[a](<https://x.example/a b> "t")', "https://x.example/a%20b"),
        ("https://x.example/y, and so on", "https://x.example/y"),
        ("<https://x.example/y>", "https://x.example/y"),
        ("Them (https://x.example/y)", "https://x.example/y"),
        ('<a href="https://x.example/y">a</a>', "https://x.example/y"),
        ("[mail](mailto:a@x.example) [a](http://x.example)", "http://x.example"),
        ("\n- [a](https://x.example/1)\n- [b](https://x.example/2)", "https://x.example/1"),
        ("[a](https://x.example/y?utm_source=z#f)", "https://x.example/y?utm_source=z#f"),
    ],
)
def test_the_first_web_address_is_the_link_as_the_author_wrote_it(text, link):
    assert only(head(f"## H\n\n**TLDR:** t\n\n**Link:** {text}\n")).link == link


@pytest.mark.parametrize(
    "text", ["[a](javascript:alert(1))", "[a](/relative)", "[a](https:x)", "none", "[a](http://[)"]
)
def test_a_link_that_is_no_web_address_is_told_with_its_line(text):
    finding = problem(head(f"## H\n\n**TLDR:** t\n\n**Link:** {text}\n"))

    assert (finding.line, finding.check, finding.severity) == (10, "story/link", Severity.WARNING)


def test_a_heading_that_is_a_link_gives_title_and_link():
    story = only(head("## [Words](https://x.example) ##\n\n**TLDR:** t\n"))

    assert (story.title, story.link) == ("Words", "https://x.example")


def test_a_story_without_a_link_takes_the_source_of_the_post():
    story = only(head("**TLDR:** t", source_url="https://x.example"))

    assert story.link == "https://x.example"


@pytest.mark.parametrize(
    ("path", "keys", "language"),
    [
        ("content/a.md", {"lang": "zh_tw"}, "zh"),
        ("content/a.md", {"lang": "es-PR", "tags": "'#pl'"}, "es"),
        ("content/a.md", {"tags": "'#ai #PL'"}, "pl"),
        ("content/a.pl.md", {}, "pl"),
        ("content/a/index.pl.md", {}, "pl"),
        ("content/pl/a.md", {}, "pl"),
        ("content/pl/a.md", {"tags": "'#en'"}, "en"),
        ("content/a.min.md", {}, "en"),
    ],
)
def test_language_is_taken_from_key_then_tag_then_path(path, keys, language):
    assert only(head("x", **keys), path=path).language == language


def test_a_language_that_is_none_is_told():
    assert problem(head("x", lang="english please")).check == "front-matter/language"


@pytest.mark.parametrize(
    ("path", "keys", "identity"),
    [
        ("content/2026-07-06-name.md", {}, "name"),
        ("content/2026/name/index.md", {}, "name"),
        ("content/a.md", {"slug": "/given/"}, "given"),
        ("content/a.md", {"slug": "given", "uuid": "u-1"}, "u-1"),
        ("content/a.pl.md", {"slug": "given"}, "given.pl"),
        ("content/name.aspx.markdown", {}, "name"),
    ],
)
def test_the_id_survives_a_move_of_the_file(path, keys, identity):
    assert only(head("x", **keys), path=path).id == identity


def test_the_page_of_a_post_comes_from_the_template_or_its_own_address():
    more = (
        '[content]\nurl = "https://b.example/{language}/{year}/{month}/{day}/{slug}/{path}/{stem}"'
    )
    path = "content/x y/2026-07-06-ż.md"

    assert only(head("x", slug="a b"), path=path, more=more).url == (
        "https://b.example/en/2026/07/06/a%20b/x%20y/2026-07-06-%C5%BC/%C5%BC"
    )
    assert only(head("x", canonical="https://c.example/p")).url == "https://c.example/p"
    assert only(head("x", permalink="/p")).url == ""


def test_generated_pinned_and_markers_are_facts_of_the_story():
    story = only(head("x", hashtags="'#ai #Generated #en #substack'", featured="true"))

    assert (story.generated, story.pinned, story.tags) == (True, True, ("ai",))
    assert story.markers == ("Generated", "en", "substack")


def test_control_characters_in_a_body_are_dropped():
    assert only(head("one\x07two\x9b three\ufffe")).tldr == "onetwo three"


@given(
    st.lists(st.sampled_from(["## A", "# A", "### A", "**TLDR:** t", "**Link:** x", "p", "---"]))
)
def test_ids_are_unique_and_stories_are_in_order_whatever_the_body(lines):
    stories = read(head("\n\n".join(lines), slug="s")).stories

    assert len({story.id for story in stories}) == len(stories) >= 1
    assert [story.line for story in stories] == sorted({story.line for story in stories})


@given(st.integers(1, 9), st.integers(0, 3))
def test_every_tldr_is_a_story(stories, filler):
    story = "## Same\n\n**TLDR:** t\n\n" + "prose\n\n" * filler + "**Link:** https://x.example\n\n"
    found = read(head(story * stories)).stories

    assert [one.tldr for one in found] == ["t"] * stories
