"""Nothing in a file can make the reader raise: it reads, or it says what is wrong."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.content import Content
from digest.models import Severity
from tests.posts import head, read

SEED = head(
    "## Zażółć\n\n**TLDR:** t — t\n\n**Key takeaways:**\n- a\n\n1. b\n\n**Link:** [x](https://x.y)\n\n---\n\n*n*\n",
    tags='"#a #b"',
    excerpt="'it''s'",
    seo="{a: [b, {c: d}]}",
)
PIECES = st.sampled_from(
    ["---", "+++", "\n", ": ", "- ", "#", "**", "'", '"', "[", "]", "{", "}", "&a ", "*a ", "!!x ",
     "|", ">", "\t", "\0", "\x85", "\u2028", "\ufeff", "\\", "\\ud800", "`" * 3, "<!--", "](",
     "...", "title: ", "date: ", "2026-07-06", "tags: ", "**TLDR:** ", "## ", "= ", "[[a]]", "\r",
     "%", "@"]
)  # fmt: skip


def answered(content: Content) -> None:
    """Every file gives stories or findings, and no story is half made."""
    assert content.posts == 1
    assert content.stories or content.findings
    assert all(story.title and story.id and story.published.tzinfo for story in content.stories)
    errors = [one for one in content.findings if one.severity is Severity.ERROR]
    assert not (errors and content.stories)
    assert all(one.message and one.check and one.path for one in content.findings)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(data):
    answered(read(data))


@given(st.text(max_size=300))
@example("---\n\ud800\n---\n")
def test_any_text_is_answered(text):
    answered(read(text))


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from(["", "---\n", "+++\n"]))
@example("[\u2028\u2028", "---\n")
def test_any_heap_of_markup_is_answered(text, fence):
    answered(read(f"{fence}{text}\n{fence}{text}", path="content/2026-07-06-a.md"))


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_post_is_answered(data):
    start = data.draw(st.integers(0, len(SEED)))
    end = data.draw(st.integers(start, min(len(SEED), start + 20)))
    middle = data.draw(st.one_of(PIECES, st.text(max_size=5)))

    answered(read(SEED[:start] + middle + SEED[end:]))


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([b"\xff", b"\xc2", b"\0", b"\xed\xa0\x80", b"\x92", b"\n"])), st.data()
)
def test_a_post_with_broken_bytes_is_answered(junk, data):
    at = data.draw(st.integers(0, len(SEED)))

    answered(read(SEED[:at].encode() + b"".join(junk) + SEED[at:].encode()))


@pytest.mark.parametrize(
    "body",
    ["*a " * 30_000, "[" * 60_000, "[a](" * 30_000, "# " + " " * 90_000, "<" * 60_000,
     "**a" * 30_000, "_a " * 30_000, "- " * 40_000, "> " * 40_000, "**TLDR:** x\n\n" * 4_000,
     "## A\n\n**Link:** x\n\n" * 4_000, "`" * 80_000, "**Link:** " + "[](x" * 20_000,
     "- " + " -" * 40_000 + "x", "#" * 90_000, "![" * 30_000, "\\" * 90_000, "&" * 90_000],
)  # fmt: skip
def test_a_long_and_hostile_body_is_answered(body):
    """Each of these is some 100 kB; a quadratic reader would take minutes over the lot."""
    answered(read(head(body)))
    answered(read(head(f"## H\n\n**TLDR:** {body}")))
