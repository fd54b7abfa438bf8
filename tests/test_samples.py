"""The newsletter in this repository: what the README and `digest init` promise of it."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import frontmatter
import pytest

from digest.cadence import issue_due
from digest.config import load
from digest.content import Content, read_content
from digest.models import Cadence, Finding, Subscriber
from digest.scaffold import SAMPLES_END, detect
from digest.subscribers import read_subscribers
from tests.conftest import ROOT

PATHS = sorted((ROOT / "content").rglob("*.md"))
EXAMPLE = re.compile(r"(?:[a-z]+\.)?example\.(?:com|org|net)")
INVENTED_TAG = "gardening"  # somebody follows what nobody writes about


def fields(path: Path) -> Mapping[str, Any]:
    """The front matter of a sample."""
    metadata: Mapping[str, Any] = frontmatter.load(str(path)).metadata
    return metadata


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def stories(path: Path) -> int:
    """The stories of a sample, by its headings alone."""
    return max(1, len(re.findall(r"(?m)^## ", text(path))))


def tags(path: Path) -> list[str]:
    """Hashtags as they are spelled, from either form."""
    value = fields(path)["hashtags"]
    return [tag.removeprefix("#") for tag in (value if isinstance(value, list) else value.split())]


def content() -> Content:
    """The samples as the product reads them."""
    return read_content(load(ROOT / "digest.toml", {}), now=datetime(2026, 11, 20, tzinfo=UTC))


def readers() -> tuple[list[Subscriber], list[Finding]]:
    found: list[Finding] = []
    return list(read_subscribers(ROOT / "subscribers", ROOT, b"k" * 16, found.append)), found


def test_samples_read_without_a_single_finding() -> None:
    read = content()

    assert not read.findings
    assert read.posts == len(PATHS)
    assert len(read.stories) == sum(map(stories, PATHS))


def test_every_sample_story_has_something_to_show_and_somewhere_to_go() -> None:
    for story in content().stories:
        assert story.title
        assert story.tldr
        assert story.tags
        assert story.link or story.url


def test_translations_have_pages_of_their_own() -> None:
    pair = [story for story in content().stories if story.post.endswith("/tables-you-can-hear.md")]

    assert {story.language for story in pair} == {"en", "pl"}
    assert len({story.url for story in pair}) == len({story.id for story in pair}) == 2


def test_init_beside_the_samples_counts_the_posts_that_are_read() -> None:
    found = detect(ROOT)

    assert str(found) == f"Found Markdown posts: content ({len(PATHS)} posts, newest 2026-11-19)"


def test_there_are_enough_posts_in_two_languages() -> None:
    languages = Counter("pl" if path.parent.name == "pl" else "en" for path in PATHS)

    assert languages["en"] >= 9
    assert languages["pl"] >= 4


def test_several_posts_hold_two_to_five_stories() -> None:
    assert sum(2 <= stories(path) <= 5 for path in PATHS) >= 5
    assert max(map(stories, PATHS)) == 5


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_front_matter_has_the_shape_of_the_seed(path: Path) -> None:
    front = text(path).split("---")[1]

    assert re.search(r'(?m)^publishedAt: "2026-1[01]-\d\d"$', front)
    assert re.search(r'(?m)^title: ".+"$', front)
    assert fields(path)["slug"] == path.stem
    assert {"en", "pl"} & set(tags(path)) == {"pl" if path.parent.name == "pl" else "en"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_generated_posts_and_only_they_say_so_at_the_end(path: Path) -> None:
    last = text(path).rstrip().rpartition("\n\n---\n\n")[2]

    assert ("generated" in tags(path)) == bool(re.fullmatch(r"\*[^*\n]+\*", last))


def test_posts_span_three_weeks_and_the_last_is_the_fullest() -> None:
    days = [date.fromisoformat(fields(path)["publishedAt"]) for path in PATHS]
    weeks = Counter((SAMPLES_END - day).days // 7 for day in days)

    assert set(weeks) == {0, 1, 2}
    assert weeks[0] >= 8
    assert weeks[0] == max(weeks.values())


def test_last_week_holds_more_stories_than_one_issue_shows() -> None:
    config = load(ROOT / "digest.toml", {})
    schedule = config.schedule[Cadence.WEEKLY].due
    zone = config.newsletter.timezone
    window = issue_due(Cadence.WEEKLY, schedule, zone, datetime(2026, 11, 20, tzinfo=UTC)).window

    def counts(path: Path) -> bool:
        start = datetime.fromisoformat(fields(path)["publishedAt"]).replace(tzinfo=zone)
        return start in window and not fields(path).get("draft")

    english = [path for path in PATHS if counts(path) and path.parent.name != "pl"]
    assert sum(map(stories, english)) > config.limits.max_stories
    assert sum(stories(path) for path in PATHS if counts(path)) >= 15


def test_samples_show_every_turn_a_post_can_take() -> None:
    front = [fields(path) for path in PATHS]

    assert any(values.get("draft") for values in front)
    assert any(values.get("pinned") for values in front)
    assert any(isinstance(values["hashtags"], list) for values in front)
    assert any("**" not in text(path) and "excerpt" not in fields(path) for path in PATHS)
    assert any(not frontmatter.load(str(path)).content for path in PATHS)
    assert Counter(values["slug"] for values in front)["tables-you-can-hear"] == 2


def test_spellings_of_one_tag_differ_between_posts() -> None:
    spellings = {tag for path in PATHS for tag in tags(path)}

    assert {"open-source", "opensource", "OpenSource"} <= spellings
    assert {"ai", "AI"} <= spellings


def test_a_dozen_topics_have_several_posts_each() -> None:
    hidden = {"en", "pl", "generated", "roundup"}
    folded = Counter(tag.lower().replace("-", "") for path in PATHS for tag in tags(path))

    assert sum(count >= 2 for tag, count in folded.items() if tag not in hidden) >= 12


def test_two_posts_tell_of_one_original() -> None:
    links = [
        link for path in PATHS for link in re.findall(r"\*\*Link:\*\* \[.+\]\((.+)\)", text(path))
    ]

    assert max(Counter(links).values()) >= 2


@pytest.mark.parametrize(
    "path",
    [*PATHS, ROOT / "digest.toml", ROOT / "subscribers" / "sample.csv"],
    ids=lambda path: path.name,
)
def test_addresses_and_links_name_no_real_domain(path: Path) -> None:
    links = re.findall(r"https?://[^\s)\"]+", text(path))
    domains = re.findall(r"\w@([\w.-]+)", text(path))

    assert all(EXAMPLE.fullmatch(urlsplit(link).netloc) for link in links)
    assert all(EXAMPLE.fullmatch(domain) for domain in domains)


def test_every_invented_reader_can_be_read() -> None:
    people, findings = readers()

    assert not findings
    assert len(people) >= 24


def test_invented_readers_differ_in_every_way_that_matters() -> None:
    people, _ = readers()

    assert {person.cadence for person in people} == set(Cadence)
    assert {person.preferences.languages for person in people} >= {
        (),
        ("en",),
        ("pl",),
        ("en", "pl"),
    }
    assert any(person.preferences.everything for person in people)
    assert any(person.preferences.muted for person in people)
    assert any("," in person.name for person in people)
    assert any(not person.name for person in people)


def test_readers_follow_tags_that_posts_have_but_for_one() -> None:
    people, _ = readers()
    aliases = load(ROOT / "digest.toml", {}).tags.aliases
    known = {tag.lower().replace("-", "") for path in PATHS for tag in tags(path)} | set(aliases)
    followed = {tag.lower().replace("-", "") for one in people for tag in one.preferences.tags}

    assert followed - known == {INVENTED_TAG}
