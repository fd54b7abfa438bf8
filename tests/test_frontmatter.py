"""Front matter: what a tolerant reader accepts, and how it refuses what nobody could mean."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.content.dates import DateError, read_date
from digest.models import Severity
from tests.posts import head, only, problem, read, settings

WARSAW = settings().newsletter.timezone


def test_fences_may_have_blanks_after_them_and_blank_lines_before():
    story = only("\n  \n---  \ntitle: A\ndate: 2026-07-06\n--- \t\ntext\n")

    assert (story.title, story.tldr, story.line) == ("A", "text", 7)


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_line_ends_and_a_byte_order_mark_change_nothing_but_the_bytes(ends):
    text = "\ufeff" + head("# T\n\n**TLDR:** short").replace("\n", ends)

    assert only(text.encode()).line == only(head("# T\n\n**TLDR:** short")).line == 6


def test_line_ends_may_be_mixed_and_the_last_one_missing():
    assert only("---\r\ntitle: A\ndate: 2026-07-06\r\n---\nend").tldr == "end"


def test_three_dots_close_yaml_too():
    assert only("---\ntitle: A\ndate: 2026-07-06\n...\nend").tldr == "end"


def test_toml_is_read_with_its_own_dates_and_tables():
    story = only(
        '+++\ntitle = "A"\ndate = 2026-07-06T10:00:00Z\n[taxonomies]\ntags = ["ai", 508]\n+++\nx'
    )

    assert story.published == datetime(2026, 7, 6, 10, tzinfo=UTC)
    assert story.tags == ("ai", "508")


def test_without_front_matter_title_and_date_come_from_heading_and_name():
    content = read("# *Loud* title\n\nText\n", path="content/2026-07-06-loud.md")

    assert [story.title for story in content.stories] == ["*Loud* title"]
    assert content.stories[0].id == "loud"
    assert content.findings[0].check == "front-matter/none"


def test_header_lines_without_fences_are_front_matter():
    story = only("Title: A: b\nDate: 2026-07-06\nTags: x, y\n\nText\n")

    assert (story.title, story.tags, story.tldr, story.line) == ("A: b", ("x", "y"), "Text", 3)


def test_a_body_that_begins_with_a_brace_is_no_json():
    checks = {finding.check for finding in read('{"a": 1}\n').findings}

    assert checks == {"front-matter/none", "front-matter/title", "front-matter/undated"}


@pytest.mark.parametrize("key", ["publishedAt", "'publishedAt'", "Date", "published_at", "pubDate"])
def test_keys_may_be_quoted_and_in_any_case(key):
    text = head(date="").replace("---\n\n", f"{key}: 2026-07-07\n---\n\n")

    assert only(text).published.day == 7


def test_yaml_types_are_never_guessed():
    story = only(head(title="No", slug="012", tags="[508, yes, 12:30]"))

    assert (story.title, story.id, story.tags) == ("No", "012", ("508", "yes", "12:30"))


def test_published_as_a_boolean_is_never_a_date():
    text = head(date="", published="true")

    assert problem(text).check == "front-matter/undated"
    assert only(text, path="content/2026-07-05-a.md").published.day == 5


@pytest.mark.parametrize(
    "line",
    ["draft: true", "draft: Yes", "published: false", "is_private: true", "unlisted: true",
     "ignore: 'true'", "status: draft"],
)  # fmt: skip
def test_every_way_to_say_draft_is_understood(line):
    key, value = line.split(": ")

    assert only(head(**{key: value})).draft is True


def test_a_title_is_one_clean_line():
    title = '"\u200bFish &amp; chips\u202c \u2014\n\n  5 &lt; 6 \U0001f469\u200d\U0001f4bb"'

    assert (
        only(head(title=title)).title
        == "Fish & chips\u202c \u2014 5 < 6 \U0001f469\u200d\U0001f4bb"
    )


def test_old_tags_and_folded_titles_and_escaped_emoji_are_read():
    assert only(head(title="! 'Old: form'")).title == "Old: form"
    assert only(head(title=">\n  two\n  lines")).title == "two lines"
    assert only(head(title=r'"\ud83d\ude00"')).title == "\U0001f600"


def test_unknown_keys_of_any_kind_are_ignored():
    more = "# note\nseo:\n  a: [1, {b: c}]\n  d: |\n    text\nmenu: {main: {weight: 3}}\n"

    assert only(head().replace("---\n\n", more + "---\n\n")).title == "A title"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-06", "2026-07-06T00:00+02:00"),
        ("2026-7-6", "2026-07-06T00:00+02:00"),
        ("2026-07-06 10:00:00 +0900", "2026-07-06T10:00+09:00"),
        ("2026-07-06T10:00:00-05:00", "2026-07-06T10:00-05:00"),
        ("2026-07-06T15:54:22.477Z", "2026-07-06T15:54:22.477+00:00"),
        ("2004-12-16 15:17:59.000000000 +00:00", "2004-12-16T15:17:59+00:00"),
        ("2016-01-05 9:00:06 -0400", "2016-01-05T09:00:06-04:00"),
        ("2016-03-18 13:50:00 -5", "2016-03-18T13:50-05:00"),
        ("2015-12-17 12:00", "2015-12-17T12:00+01:00"),
        ("2004-07-18 -0700", "2004-07-18T00:00-07:00"),
        ("2018-03-15 -0800 9:00 AM", "2018-03-15T09:00-08:00"),
        ("2021-10-01 00:00:00 UTC", "2021-10-01T00:00+00:00"),
        ("2016-03-22 14:00 EDT", "2016-03-22T14:00-04:00"),
        ("May 11, 2021", "2021-05-11T00:00+02:00"),
        ("18 Dec 2014", "2014-12-18T00:00+01:00"),
        ("Fri Sep  3 11:21:31 CEST 2021", "2021-09-03T11:21:31+02:00"),
        ("Fri Nov 24 2023 11:49:41 GMT+0000 (Greenwich Mean Time)", "2023-11-24T11:49:41+00:00"),
        ("Fri, 24 Nov 2023 11:49:41 +0100", "2023-11-24T11:49:41+01:00"),
    ],
)
def test_every_spelling_of_a_date_in_the_wild_is_read(text, moment):
    assert read_date(text, WARSAW).at == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2019-22-08", "month 22.*did you mean 2019-08-22"),
        ("2017-17-10T19:30:00.617Z", "did you mean 2017-10-17"),
        ("2021-02-30", "day 30"),
        ("2020-07-15 14:000:00 -0500", "not a recognised date"),
        ("2026-07-06 25:00", "time 25:00"),
        ("2025-0507-24", "not a recognised date"),
        ("2019-04-017", "not a recognised date"),
        ("2014-06-20-0800", "not a recognised date"),
        ("2025-01-06:00:00.000Z", "not a recognised date"),
        ("2019-12-12T18:R2047.733Z", "not a recognised date"),
        ("2020-03-19 14:30 14:30:00 -0500", "not a recognised date"),
        ("2017-02-10 00:10::00 -03:00", "not a recognised date"),
        ("2020-01-01 12:00-400", "not a recognised date"),
        ("2020-01-01 9:00am:00", "not a recognised date"),
        ("01/02/2020", "not a recognised date"),
        ("yesterday", "not a recognised date"),
        ("YYYY-MM-DD (optional)", "unfilled template"),
        ("2023-10-XXT00:00:00.000Z", "unfilled template"),
        ("2024-08-DD", "unfilled template"),
        ("TBD", "unfilled template"),
        ("$twir_issue_date", "unfilled template"),
        ("0-12-31 19:3:00 -0500", "year 0"),
    ],
)
def test_what_is_no_date_is_refused_with_the_reason(text, said):
    with pytest.raises(DateError, match=said):
        read_date(text, WARSAW)


@given(st.integers(631_300_000, 221_000_000_000), st.integers(-840, 840))
def test_an_iso_date_with_any_offset_is_the_same_moment(seconds, minutes):
    zone = timezone(timedelta(minutes=minutes))
    moment = datetime.fromtimestamp(seconds, zone)

    assert read_date(moment.isoformat(), WARSAW).at == moment


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_a_date_error(text):
    try:
        moment = read_date(text, WARSAW).at
    except DateError:
        return
    assert moment.tzinfo is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\ntitle: a\n", "a.md:1: front matter opened with --- but never closed"),
        ("---\ntitle: a\n ---\nx", "line 3 has ` ---`: expected exactly ---"),
        ("----\ntitle: a\n----\n", "a.md:1: `----` is no fence; expected exactly ---"),
        ("  ---\ntitle: a\n---\n", "a.md:1: `  ---` is no fence; expected exactly ---"),
        ("---slug: a\n---\n", "a.md:1: `---slug: a` is no fence"),
        (head(title="a: b"), "a.md:2: title: `: ` in a value that is not in quotes"),
        (head(title="'it's'"), "a.md:2: title: an apostrophe ends the value"),
        (head(title='"a "b" c"'), "a.md:2: title: a quote inside the quoted value"),
        (head(title='"a'), 'a.md:2: title: quote " opened here is never closed'),
        (head(title='"a" b'), "a.md:2: title: text follows after the closing quote"),
        (head(title=r'"\q"'), "a.md:2: title: a backslash in double quotes"),
        (head(title="@me"), "a.md:2: title: a value cannot begin with `@`"),
        (head(title="**bold**"), "a.md:2: title: a value cannot begin with `*`"),
        (head(tags="#a #b"), "a.md:4: tags: what begins with # is a comment"),
        (head(tags="- a"), "a.md:4: tags: a list item stands on the key's line"),
        ("---\ntitle:a\ndate: 2026-07-06\n---\n", "a.md:2: title: the space after the colon"),
        ("---\ntitle: a\n\tb: c\n---\n", "a.md:3: b: a tab is used for indentation"),
        ("---\ntitle: a\n  b: c\n---\n", "a.md:3: b: wrong indentation"),
        ("---\ntitle: a\n b\nc\n---\n", "a.md:4: title: a line without a key"),
        ("---\n<<<<<<< ours\na: 1\n=======\n>>>>>>> x\n---\n", "a merge conflict"),
        (head(date="{{date}}"), "a.md:3: date: looks like an unfilled template"),
        (head(title="[a]"), "a.md:2: title: expected text, found a list"),
        (head(slug="{a: b}"), "a.md:4: slug: expected text, found a mapping"),
        (head(tags="[{a: b}]"), "a.md:4: tags: expected text, found a mapping"),
        (head(title=r'"a\x83"'), "a.md:2: title: control character U+0083"),
        (head(title="a\x07"), "a.md:2: title: control character U+0007"),
        (head(title="a\x85"), "a.md:2: title: control character U+0085"),
        (head(title="&a x", slug="*a"), "a.md:4: `*a` is a YAML alias"),
        (head(title="!!python/name:os.system x"), "a.md:2: YAML tag `!!python/name:os.system`"),
        ("---\n- a\n- b\n---\n", "a.md:2: front matter is not `key: value` lines"),
        (head(title=""), "a.md:1: title: missing"),
        (head(date="3021-10-10"), "a.md:3: date: year 3021: a typing error?"),
        (head(a="[" * 9000), "a.md:2: values nested more than 30 levels deep"),
        (head(a="\n" + "- " * 9000), "a.md:2: values nested more than 30 levels deep"),
        (head(a="x" * 70_000), "a.md:2: more than 1000 lines or 64 kB of front matter"),
        ('+++\ntitle = "a\n+++\n', 'a.md:2: title: quote " opened here is never closed'),
        ('+++\ntitle = "a"\ndate = 2019-27-01\n+++\n', "(month 27); did you mean 2019-01-27?"),
        ('+++\ntitle = "a"\ntitle = "b"\n+++\n', "a.md:3: title: key appears twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_line_key_and_cause(text, said):
    content = read(text)
    errors = [one for one in content.findings if one.severity is Severity.ERROR]

    assert not content.stories
    assert len(errors) == 1
    assert said in str(errors[0])


@pytest.mark.parametrize("key", ["title", "date", "slug", "hashtags"])
def test_a_key_that_decides_may_not_appear_twice(key):
    text = head(slug="a", hashtags="x").replace("---\n\n", f"{key}: 2026-07-09\n---\n\n")
    line = ["title", "date", "slug", "hashtags"].index(key) + 2

    assert str(problem(text)).startswith(
        f"content/a.md:6: {key}: key appears twice (first on line {line})"
    )
    assert not read(text).stories


def test_any_other_key_twice_is_only_a_warning():
    text = head().replace("---\n\n", "a: 1\na: 2\n---\n\n")

    assert problem(text).severity is Severity.WARNING
    assert len(read(text).stories) == 1


def test_every_error_of_a_post_is_listed_at_once():
    text = head(title="[a]", date="TBD", slug="{}")

    assert [finding.key for finding in read(text).findings] == ["title", "date", "slug"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"---\ntitle: caf\xe9\n---\n", "a.md:2: byte 14: not UTF-8 (0xE9)"),
        (b"---\n\n\xc2 x", "a.md:3: byte 5: not UTF-8 (0xC2); half of a no-break space"),
        (b"\xff\xfe-\x00", "a.md: UTF-16 file; save it as UTF-8"),
        (b"ab\n\0", "a.md:2: NUL byte"),
        (b"", "a.md: empty file"),
        (b" \n\n", "a.md: empty file"),
    ],
)
def test_bytes_that_are_no_text_are_named(data, said):
    assert said in str(problem(data))


def test_empty_front_matter_is_told_and_the_rest_is_read():
    content = read("---\n# only a note\n---\n# Title\n", path="content/2026-07-06-a.md")

    assert str(content.findings[0]) == "content/2026-07-06-a.md:1: empty"
    assert content.stories[0].title == "Title"


def test_an_undated_post_is_left_out_and_told():
    finding = problem(head(date=""))

    assert (finding.check, finding.severity) == ("front-matter/undated", Severity.WARNING)
    assert not read(head(date="")).stories


def test_the_date_in_the_front_matter_wins_over_the_file_name():
    content = read(head(), path="content/2026-07-01-a.md")

    assert content.stories[0].published.day == 6
    assert content.findings[0].severity is Severity.INFO


def test_a_bad_date_of_the_last_change_is_only_a_warning():
    content = read(head(lastmod="2019-22-08"))

    assert "lastmod" in str(content.findings[0])
    assert len(content.stories) == 1


def test_an_empty_tag_is_told_with_its_line():
    finding = problem(head(tags="\n  - a\n  -\n  - b"))

    assert (finding.line, finding.key, finding.check) == (6, "tags", "front-matter/tag-empty")


def test_a_tag_with_spaces_is_one_tag_and_told_unless_the_config_splits():
    assert problem(head(tags="a b")).check == "front-matter/tag-spaces"
    assert only(head(tags="a b"), more="[content]\nsplit_words = true").tags == ("a", "b")
    assert only(head(category="This Week in Rust")).tags == ("This Week in Rust",)
