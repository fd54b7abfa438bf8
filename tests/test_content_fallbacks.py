"""What stands in for a missing TLDR: prose alone, without what is written for the site."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.content.site_syntax import without_images, without_site_syntax
from digest.inline import inline
from tests.posts import head, only


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Watch {{< youtube abc >}} now.", "Watch now."),
        ('{{% notice "tip" %}} Mind the gap. {{% /notice %}}', "Mind the gap."),
        ("See {% include map.html %}, then {{ page.title }}.", "See, then."),
        ("A {% highlight ruby %}puts 1{% endhighlight %} here.", "A here."),
        ('Read [the guide]({{< ref "guide.md" >}}) first.', "Read the guide first."),
        ("Some <b>html</b> and<br>more.", "Some html and more."),
        ("Safe<script>alert(1)</script> <!-- note -->text.", "Safe text."),
        ('<p align="center">Centred.</p>', "Centred."),
        ("<Note>Mind <T> and `<dl>`.</Note>", "Mind <T> and `<dl>`."),
        ("The <time> element, Promise<string> and a < b > c.",) * 2,
        ("Write `{{ name }}`, `{% if %}` and ${{ secrets.KEY }}.",) * 2,
        ("An ![picture](a.png) of [![CI](b.svg)](c) it.", "An of it."),
        ("Text ![[embedded.png]] and [words](https://a.example).",
         "Text and [words](https://a.example)."),
    ],
)  # fmt: skip
def test_site_syntax_is_left_out_of_what_stands_in_for_a_tldr(written, shown):
    assert only(head(f"{written}\n\nTwo.")).tldr == shown
    assert only(head("One.", excerpt=f"'{written}'")).tldr == shown


@pytest.mark.parametrize(
    "opening",
    [
        "{{< youtube abc >}}",
        "![A picture](a.png)",
        "[![CI](badge.svg)](https://ci.example)",
        "<script>\nalert(1)\n\nmore()\n</script>",
        "<!-- a note\n\nof two paragraphs -->",
        '<div class="hero">\n<img src="a.png">\n</div>',
        "{% highlight ruby %}\nputs 1\n\nputs 2\n{% endhighlight %}",
        "```\ncode\n\ncode\n```",
        "    indented code",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "a | b\n--- | ---\n1 | 2",
        "A heading\n=========",
        "A heading\n---------",
        "## A heading",
        "[id]: https://a.example",
        "[[toc]]",
        "{: .no_toc }",
    ],
)
def test_what_is_no_prose_is_no_first_paragraph(opening):
    assert only(head(f"{opening}\n\nProse.")).tldr == "Prose."


def test_prose_with_a_rule_right_under_it_is_still_prose():
    assert only(head("A sentence of prose.\n---\n\nTwo.")).tldr == "A sentence of prose."


def test_a_tag_that_is_spoken_of_at_the_start_of_a_line_swallows_nothing():
    assert only(head("The\n<table> element\n\nTwo.")).tldr == "The <table> element"


def test_site_syntax_is_left_out_of_labelled_texts_too():
    body = "**TLDR:** {{< n >}}\n\nIt <b>is</b>.\n\n**Key takeaways:**\n- {{ x }} one\n- {{ y }}"
    story = only(head(body))

    assert (story.tldr, story.takeaways) == ("It is.", ("one",))


@given(st.lists(st.sampled_from([*"ab <>`{}%![]()/=\n", "{{", "%}", "<b>", "</b>", "<!--"])))
def test_leaving_out_never_adds_and_never_makes_a_tag(pieces):
    text = " ".join("".join(pieces).split())
    once = without_images(without_site_syntax(text))

    assert len(once) <= len(text)
    assert "<b>" not in inline(once)
