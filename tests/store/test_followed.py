"""Clicks for each thousand readers who were sent a link, and nothing that tells on a few."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digest.clicks import CountedLink, Place, code_of
from digest.config import load, secret_keys
from digest.config.stats import StatsConfig
from digest.report import report
from digest.store import Store, url_of
from digest.store.followed import (
    FEWEST,
    Followed,
    IssueFollowed,
    by_target,
    followed,
    stories_together,
)
from digest.store.ledger.records import PlannedEdition
from digest.store.links import Click, Clicks, LinkClicks, renew_links
from digest.store.statistics import Statistics
from tests.handmade import NEWSLETTER
from tests.invented import ISSUE
from tests.store.conftest import NOW
from tests.store.people import add
from tests.store.sending import Carrier, draft_of, frozen, send
from tests.stories import story


def edition(number: int, stories: str, more: str = "", language: str = "en") -> PlannedEdition:
    return PlannedEdition(
        number, f"e{number}", language, tuple(stories.split()), tuple(more.split()), NOW, 1, 0
    )


def link(name: str, clicks: Clicks, *places: tuple[str, str]) -> LinkClicks:
    url = f"https://example.org/{name}"
    where = tuple(Place("en", *place) for place in places)
    (story,) = {place.story for place in where}
    return LinkClicks(CountedLink(code_of(url, story), url, where), clicks)


def told(one: IssueFollowed | None) -> dict[str, Followed]:
    assert one is not None
    return {link.url.rpartition("/")[2]: link.followed for link in one.links}


EDITIONS = (edition(0, "a b"), edition(1, "b", "a"), edition(2, "c"), edition(3, "a", "", "pl"))
SENT = {0: 1000, 1: 500, 2: FEWEST - 1, 3: 20}


def test_a_link_is_told_by_those_whose_edition_held_it() -> None:
    issue = followed(
        [
            link("card", Clicks(30, 7), ("stories", "a")),
            link("both", Clicks(30, 0), ("stories", "a"), ("more", "a")),
            link("around", Clicks(1, 0), ("", "")),
            link("never", Clicks(0, 0), ("stories", "b")),
        ],
        EDITIONS,
        SENT,
        {"a": "About a"},
    )

    assert told(issue) == {
        "card": Followed(1000, 30, 7),
        "both": Followed(1500, 30, 0),
        "around": Followed(1509, 1, 0),
        "never": Followed(1500, 0, 0),
    }
    assert issue
    assert [one.url[-4:] for one in issue.links] == ["card", "both", "ound", "ever"]
    assert issue.links[0].followed.per_1000 == 30.0
    assert issue.total == Followed(1529, 61, 7)


def test_a_story_is_told_by_all_who_were_sent_it_and_all_its_links() -> None:
    issue = followed(
        [
            link("page", Clicks(30, 2), ("stories", "a"), ("more", "a")),
            link("original", Clicks(5, 1), ("stories", "a")),
            link("shared", Clicks(10, 0), ("stories", "a")),
            link("shared", Clicks(4, 0), ("stories", "b")),
        ],
        EDITIONS,
        SENT,
        {"a": "About a"},
    )

    assert issue
    assert {one.title: one.followed for one in issue.stories} == {
        "About a": Followed(1520, 45, 3),
        "b": Followed(1500, 4, 0),
    }
    assert [name for name, _ in by_target(issue.links, scheme=True)] == [
        "https://example.org/page",
        "About a: https://example.org/shared",
        "https://example.org/original",
        "b: https://example.org/shared",
    ]


def test_links_of_few_readers_are_told_in_one_sum_or_not_at_all() -> None:
    alone = link("c", Clicks(2, 0), ("stories", "c"))
    wide = link("a", Clicks(5, 0), ("stories", "a"))
    other = link("x", Clicks(3, 1), ("stories", "x"))
    none = link("gone", Clicks(4, 0), ("stories", "nobody's"))
    editions, sent = (*EDITIONS, edition(4, "x")), SENT | {4: 5}

    hidden = followed([alone, wide, none], EDITIONS, SENT, {})
    summed = followed([alone, wide, other], editions, sent, {})

    assert hidden
    assert summed
    assert (told(hidden).keys(), hidden.few) == ({"a"}, None)
    assert hidden.total == Followed(1529, 5, 0)  # or a subtraction would tell
    assert (told(summed).keys(), summed.few) == ({"a"}, Followed(FEWEST + 4, 5, 1))
    assert summed.total == Followed(1534, 10, 1)
    assert {one.id for one in summed.stories} == {"a"}


def test_of_an_issue_to_a_few_nothing_is_told() -> None:
    issue = followed([link("c", Clicks(2, 0), ("stories", "c"))], EDITIONS, {2: 9}, {})

    assert issue == IssueFollowed(None)
    assert followed([], EDITIONS, SENT, {}) is None


def test_stories_of_several_issues_are_added_up() -> None:
    links = [link("page", Clicks(30, 2), ("stories", "a"))]
    issue = followed(links, EDITIONS, SENT, {"a": "About a"})
    assert issue

    (one,) = stories_together([issue, issue])

    assert (one.title, one.followed) == ("About a", Followed(2 * 1520, 60, 4))


@pytest.fixture
def sent(store: Store, tmp_path: Path) -> Store:
    """An issue that twelve readers of #ai and two of #kubernetes have."""
    for n in range(12):
        add(store, f"ai{n}@example.com", "ai")
    for n in range(2):
        add(store, f"k{n}@example.com", "kubernetes")
    stories = (
        story("a", "ai", title="About **ai**", link="https://example.org/a"),
        story("b", "kubernetes", link="https://example.org/b"),
    )
    draft = draft_of(tmp_path, stories, stats=StatsConfig(clicks=True))
    frozen(store, draft)
    send(store, draft, Carrier(), tmp_path)
    for story_id, number in (("a", 3), ("b", 2)):
        code = code_of(f"https://example.org/{story_id}", story_id)
        click = Click(ISSUE.id, code, ISSUE.date.date())
        store.links.add({click: Clicks(number, 1)})
    return store


def test_the_store_tells_what_was_followed_of_what_was_sent(sent: Store) -> None:
    (one,) = Statistics(sent.database).latest(1)

    assert one.clicks
    assert told(one.clicks)["a"] == Followed(12, 3, 1)
    assert [(s.title, s.followed) for s in one.clicks.stories] == [("About ai", Followed(12, 3, 1))]
    assert one.clicks.few is None
    assert one.clicks.total == Followed(14, 3, 1)


def test_of_issues_whose_counts_are_forgotten_nothing_is_told(sent: Store) -> None:
    later = Statistics(sent.database, ISSUE.date + timedelta(seconds=1))

    assert later.latest(1)[0].clicks is None
    assert replace(later, counted_since=ISSUE.date).latest(1)[0].clicks


def test_the_report_draws_a_bar_for_each_story(sent: Store) -> None:
    html = report(NEWSLETTER, Statistics(sent.database).latest(1))
    short = replace(Statistics(sent.database).latest(1)[0], clicks=IssueFollowed(None))

    assert "“About ai” was followed most: 250 for each 1,000 readers who were sent it" in html
    assert '<td>3</td><td>250</td><td class="grey">1</td>' in html
    assert ">example.org/a</th><td>12</td><td>3</td>" in html
    assert "example.org/b<" not in html  # of two readers
    assert "Clicks are not measured" not in html
    assert "http" not in html.replace('http-equiv="Content-Security-Policy"', "")
    assert "Too few readers had the same links" in report(NEWSLETTER, [short])
    assert "Clicks are not measured" in report(NEWSLETTER, [replace(short, clicks=None)])


def test_the_command_tells_stories_links_and_machines(project, run, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DIGEST_STATS__CLICKS", "true")
    people = "".join(f"r{n}@example.com,ai\n" for n in range(12))
    project.write("more.csv", "email,tags\n" + people + "z@example.com,kubernetes\n")
    run("subscribers", "import", "more.csv", "--consent", "they asked")
    run("send", "--at", "2026-11-20")
    issue = "weekly-2026-11-19"
    config = load(project.root / "digest.toml")
    with Store.open(url_of("", project.root), secret_keys(config)) as store:
        agents = [one.link for one in store.links.of(issue) if "agents" in one.link.url]
        store.links.add({Click(issue, agents[0].code, NOW.date()): Clicks(6, 41)})

    one, all_, shape = run("stats", issue), run("stats"), run("stats", "--json")

    story = one.out.partition("by story")[2].partition("by link")[0].splitlines()[2].split()
    assert story[:6] == ["About", "agents", "12", "6", "500.0", "41"]
    assert agents[0].url in one.out.partition("by link")[2]
    assert "by link" not in all_.out
    assert "clicks are not measured" not in one.err
    assert "opens are not measured" in one.err
    told = json.loads(shape.out)["issues"][0]["clicks"]
    assert {name: told[name] for name in ("readers", "people", "machines", "few")} == {
        "readers": 13, "people": 6, "machines": 41, "few": None,
    }  # fmt: skip
    assert told["stories"][0] | {"id": ""} == {
        "id": "", "title": "About agents", "readers": 12, "people": 6, "machines": 41,
        "per_1000": 500.0,
    }  # fmt: skip


def test_the_command_says_why_nothing_is_told(project, run, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DIGEST_STATS__CLICKS", "true")
    project.write("more.csv", "email,tags\nana@example.com,ai\n")
    run("subscribers", "import", "more.csv", "--consent", "they asked")
    run("send", "--at", "2026-11-20")
    issue = "weekly-2026-11-19"
    config = load(project.root / "digest.toml")
    with Store.open(url_of("", project.root), secret_keys(config)) as store:
        before = run("stats", issue)
        with store.database.writing() as connection:
            renew_links(connection, issue, ())

    one, shape = run("stats", issue), run("stats", "--json")

    assert f"planned anew while going out: {issue}; " in one.err
    assert "planned anew" not in before.err
    assert "fewer than 10 readers are not told" in before.err
    assert "fewer than" not in one.err
    assert json.loads(shape.out)["issues"][0]["clicks"]["partly"] is True
