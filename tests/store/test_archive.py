"""What an issue held stays what was sent, and is shown to those who may see it."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given

from digest.freshness import Frozen
from digest.issues import Draft
from digest.models import Cadence, Issue, Story, Visibility, Window
from digest.snapshot import story_digest, story_from, story_text
from digest.store import Store
from tests.invented import ISSUE, stories
from tests.store.conftest import NOW
from tests.store.sending import STORIES, Carrier, draft_of, frozen, readers, send
from tests.stories import story
from tests.test_renderer import NASTY

PUBLIC, UNLISTED, HIDDEN = Visibility


def issue(days: int, cadence: Cadence = Cadence.WEEKLY) -> Issue:
    """The issue so many days after the first one."""
    date = ISSUE.date + timedelta(days=days)
    window = Window(ISSUE.window.start, date)
    return Issue(f"{cadence}-{date:%Y-%m-%d}", cadence, window, date)


def sent(store: Store, root: Path, stories: tuple[Story, ...] = STORIES, **how: object) -> Frozen:
    """An issue that everybody has."""
    draft: Draft = draft_of(root, stories, **how)  # type: ignore[arg-type]
    plan = frozen(store, draft)
    send(store, draft, Carrier(), root)
    return plan


def test_an_issue_is_in_the_archive_once_everybody_has_it(store: Store, tmp_path: Path) -> None:
    readers(store, 5)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    before = store.archive.issues(PUBLIC), store.archive.find(ISSUE.id, PUBLIC)

    send(store, draft, Carrier(), tmp_path)

    assert before == ((), None)
    assert [one.id for one in store.archive.issues(PUBLIC)] == [ISSUE.id]
    assert store.archive.find(ISSUE.id, PUBLIC) is not None


def test_an_issue_shows_what_was_sent_whatever_becomes_of_the_posts(
    store: Store, tmp_path: Path
) -> None:
    readers(store, 5)
    plan = sent(store, tmp_path)
    edited = tuple(replace(one, title="Edited later") for one in STORIES)
    store.archive.keep(edited)

    shown = store.archive.stories(plan.issue.number)

    assert {one.id: one.title for one in shown} == {one.id: one.title for one in STORIES}
    assert [story_digest(one) for one in shown] == [one.digest for one in plan.contents.stories]


def test_planning_anew_shows_the_new_plan(store: Store, tmp_path: Path) -> None:
    readers(store, 5)
    frozen(store, draft_of(tmp_path))
    edited = (replace(STORIES[0], title="A better title"),)
    draft = draft_of(tmp_path, edited)
    plan = frozen(store, draft, replan=True)
    send(store, draft, Carrier(), tmp_path)

    assert [one.title for one in store.archive.stories(plan.issue.number)] == ["A better title"]


def test_the_publisher_decides_who_sees_an_issue(store: Store, tmp_path: Path) -> None:
    readers(store, 2)
    sent(store, tmp_path)
    archive = store.archive

    def seen(default: Visibility) -> tuple[bool, bool]:
        listed = bool(archive.issues(default)) and bool(archive.told(default))
        return listed, archive.find(ISSUE.id, default) is not None

    assert [seen(one) for one in Visibility] == [(True, True), (False, True), (False, False)]
    archive.say(ISSUE.id, UNLISTED, NOW)
    assert [seen(one) for one in Visibility] == [(False, True)] * 3
    archive.say(ISSUE.id, HIDDEN, NOW)
    assert [seen(one) for one in Visibility] == [(False, False)] * 3
    archive.say(ISSUE.id, PUBLIC, NOW)
    assert [seen(one) for one in Visibility] == [(True, True)] * 3
    assert archive.said() == {ISSUE.id: PUBLIC}


def test_an_issue_that_nobody_has_is_shown_to_nobody(store: Store, tmp_path: Path) -> None:
    readers(store, 2)
    frozen(store, draft_of(tmp_path))
    store.archive.say(ISSUE.id, PUBLIC, NOW)

    assert store.archive.issues(PUBLIC) == ()
    person = store.subscriptions.find("reader0@example.com")
    assert person is not None
    assert store.archive.own(ISSUE.id, person.subscriber.id) is None


def test_every_change_of_what_is_shown_changes_the_stamp(store: Store, tmp_path: Path) -> None:
    readers(store, 2)
    stamps = [store.archive.stamp(PUBLIC)]
    sent(store, tmp_path)
    stamps.append(store.archive.stamp(PUBLIC))
    for later, said in enumerate((UNLISTED, PUBLIC, HIDDEN)):
        store.archive.say(ISSUE.id, said, NOW + timedelta(seconds=later))
        stamps.append(store.archive.stamp(PUBLIC))

    assert len(set(stamps)) == len(stamps)
    assert store.archive.stamp(PUBLIC) == stamps[-1]


def test_a_story_is_told_once_in_the_issue_that_held_it_first(store: Store, tmp_path: Path) -> None:
    readers(store, 3)
    sent(store, tmp_path)
    again = (replace(STORIES[0], title="Edited"), story("new", "ai"))
    later = issue(7)
    sent(store, tmp_path, again, issue=later)

    told = store.archive.told(PUBLIC)

    by_story = {one.story.id: one.issue.id for one in told}
    assert by_story == {**dict.fromkeys(("agents", "ferry", "tables"), ISSUE.id), "new": later.id}
    assert told[0].story.id == "new"
    assert [one.story.id for one in store.archive.told(PUBLIC, "ai")] == ["new", "agents"]
    assert len(store.archive.told(PUBLIC, limit=2, skip=3)) == 1


def test_tags_are_counted_in_public_stories(store: Store, tmp_path: Path) -> None:
    readers(store, 3)
    sent(store, tmp_path, (story("a", "AI Open-Source"), story("b", "ai"), story("c", "crypto")))

    assert [tuple(tag) for tag in store.archive.tags(PUBLIC)] == [
        ("ai", "AI", 2),
        ("crypto", "crypto", 1),
        ("opensource", "Open-Source", 1),
    ]
    assert store.archive.tags(HIDDEN) == ()


def test_each_reader_sees_the_edition_they_were_sent(store: Store, tmp_path: Path) -> None:
    readers(store, 5)
    sent(store, tmp_path)
    store.archive.say(ISSUE.id, HIDDEN, NOW)

    def titles(email: str) -> list[str]:
        found = store.subscriptions.find(email)
        assert found is not None
        own = store.archive.own(ISSUE.id, found.subscriber.id)
        assert own is not None
        return [one.id for one in own.stories]

    assert titles("reader0@example.com") == ["agents"]
    assert titles("reader3@example.com") == ["agents", "ferry"]
    assert store.archive.own(ISSUE.id, 12345) is None
    assert store.archive.own("weekly-2020-01-02", 12345) is None


@given(NASTY)
def test_a_story_is_the_same_after_it_was_written_down(words: str) -> None:
    one = replace(stories(1)[0], title=words, takeaways=(words, "x"), tags=(words,))

    assert story_from(story_text(one)) == replace(one, line=0)


def test_what_an_older_version_did_not_write_down_is_empty() -> None:
    kept = story_text(STORIES[0]).replace('"disclaimer": "", ', "").replace('"line": 0, ', "")

    assert story_from(kept) == replace(STORIES[0], line=0)


@pytest.mark.parametrize("votes", [[True], [False, True], [True, True, True]])
def test_the_last_vote_of_a_reader_counts(store: Store, tmp_path: Path, votes: list[bool]) -> None:
    readers(store, 2)
    sent(store, tmp_path)
    found = store.subscriptions.find("reader0@example.com")
    assert found is not None
    person = found.subscriber.id

    counted = [store.feedback.vote(ISSUE.id, person, one, NOW) for one in votes]

    assert counted == [True] * len(votes)
    assert store.feedback.of(ISSUE.id, person) is votes[-1]


def test_nobody_votes_on_an_issue_they_were_not_sent(store: Store, tmp_path: Path) -> None:
    readers(store, 1)
    sent(store, tmp_path)
    moment: datetime = NOW

    assert not store.feedback.vote(ISSUE.id, 4711, True, moment)
    assert not store.feedback.vote("weekly-2020-01-02", 4711, True, moment)
    assert store.feedback.of(ISSUE.id, 4711) is None
