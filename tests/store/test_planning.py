"""A plan: who gets what, frozen once, and stale as soon as what it was made of has changed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digest.config import Limits, TagConfig
from digest.errors import StaleError, StoreError
from digest.models import Cadence, Window
from digest.planning import plan_of
from digest.store import Store, SuppressionReason
from digest.store.ledger.records import IssueState
from tests.invented import ISSUE
from tests.store.conftest import NOW
from tests.store.people import add
from tests.store.sending import (
    STORIES,
    Carrier,
    draft_of,
    find,
    frozen,
    readers,
    send,
    states,
)


def test_every_due_reader_has_one_delivery_and_the_others_a_reason(
    store: Store, tmp_path: Path
) -> None:
    readers(store, 10)
    add(store, "gardener@example.com", "gardening")
    add(store, "monthly@example.com", cadence=Cadence.MONTHLY)
    add(store, "bounced@example.com")
    store.suppressions.add("bounced@example.com", SuppressionReason.BOUNCED, NOW, "test")

    plan = frozen(store, draft_of(tmp_path))

    assert plan.issue.readers == 10
    assert states(store, draft_of(tmp_path)) == {"planned": 10}
    assert plan.contents.skipped == {
        "monthly, not due": 1,
        "nothing new for their tags": 1,
        "suppressed": 1,
    }


def test_editions_are_distinct_and_their_readers_sum_to_all(store: Store, tmp_path: Path) -> None:
    readers(store, 23)

    editions = frozen(store, draft_of(tmp_path)).contents.editions

    assert sum(edition.readers for edition in editions) == 23
    assert sorted(edition.stories for edition in editions) == [
        ("agents",),
        ("agents", "ferry"),
        ("agents", "ferry", "tables"),
        ("ferry",),
        ("tables",),
    ]


def test_planning_twice_gives_the_same_issue(store: Store, tmp_path: Path) -> None:
    readers(store, 7)
    first = frozen(store, draft_of(tmp_path))
    add(store, "late@example.com")

    assert frozen(store, draft_of(tmp_path)) == first
    assert states(store, draft_of(tmp_path)) == {"planned": 7}


def test_a_plan_is_stale_when_anything_it_was_made_of_changes(store: Store, tmp_path: Path) -> None:
    readers(store, 3)
    frozen(store, draft_of(tmp_path))
    edited = replace(STORIES[0], title="Another title")
    new = replace(STORIES[1], id="new", post="content/new.md")
    newsletter = replace(draft_of(tmp_path).config.newsletter, name="Renamed")

    with pytest.raises(StaleError) as stale:
        frozen(store, draft_of(tmp_path, (edited, STORIES[1], new), newsletter=newsletter))

    assert stale.value.changes == (
        "config newsletter has changed",
        "story agents has changed",
        "story new is new",
        "story tables is gone",
    )


LONGER = replace(ISSUE, window=Window(ISSUE.window.start - timedelta(days=7), ISSUE.window.end))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"limits": Limits(max_stories=3)}, "config selection"),
        ({"tags": TagConfig(aliases={"ki": "ai"})}, "config tags"),
        ({"issue": LONGER}, "the window"),
    ],
)
def test_a_plan_is_stale_when_who_would_get_what_changes(
    store: Store, tmp_path: Path, change: dict[str, object], told: str
) -> None:
    readers(store, 3)
    frozen(store, draft_of(tmp_path))

    with pytest.raises(StaleError) as stale:
        frozen(store, draft_of(tmp_path, **change))  # type: ignore[arg-type]

    assert stale.value.changes == (f"{told} has changed",)


def test_what_comes_after_a_plan_that_was_made_ahead_leaves_it_as_it_is(
    store: Store, tmp_path: Path
) -> None:
    readers(store, 3)
    end = ISSUE.window.end - timedelta(hours=6)
    frozen(store, draft_of(tmp_path, issue=replace(ISSUE, window=Window(ISSUE.window.start, end))))
    new = replace(STORIES[1], id="new", post="content/new.md", published=end + timedelta(hours=1))
    later = draft_of(tmp_path, (*STORIES, new))

    assert frozen(store, later, ahead=True).issue.window.end == end
    with pytest.raises(StaleError, match="story new is new"):
        frozen(store, later)


def test_a_plan_of_another_version_of_the_program_is_stale(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers(store, 3)
    frozen(store, draft_of(tmp_path))
    monkeypatch.setattr("digest.freshness.__version__", "9.9.9")

    with pytest.raises(StaleError, match="the version of digest has changed"):
        frozen(store, draft_of(tmp_path))


def test_a_changed_template_is_named(store: Store, tmp_path: Path) -> None:
    readers(store, 1)
    frozen(store, draft_of(tmp_path))
    own = tmp_path / "templates" / "story.mjml"
    own.parent.mkdir()
    own.write_text("<mj-text>{{ story.title }}</mj-text>")

    with pytest.raises(StaleError, match=r"template story\.mjml has changed"):
        frozen(store, draft_of(tmp_path))


def test_a_story_that_moved_in_its_file_changes_nothing(store: Store, tmp_path: Path) -> None:
    readers(store, 1)
    first = frozen(store, draft_of(tmp_path))

    moved = (replace(STORIES[0], line=40), *STORIES[1:])
    assert frozen(store, draft_of(tmp_path, moved)) == first


def test_replanning_makes_a_new_plan_and_leaves_no_row_of_the_old(
    store: Store, tmp_path: Path
) -> None:
    readers(store, 5)
    first = frozen(store, draft_of(tmp_path))
    add(store, "late@example.com")

    second = frozen(store, draft_of(tmp_path), replan=True)

    assert second.issue.number != first.issue.number
    assert (second.issue.id, second.issue.readers) == (first.issue.id, 6)
    assert sum(store.ledger.totals(first.issue.number).states.values()) == 0
    assert [issue.id for issue in store.ledger.issues()] == [ISSUE.id]


def test_what_has_begun_keeps_its_readers_and_editions_and_takes_posts_as_they_are_now(
    store: Store, tmp_path: Path
) -> None:
    readers(store, 3)
    first = frozen(store, draft_of(tmp_path))
    send(store, draft_of(tmp_path), Carrier(), tmp_path, canary=1)
    add(store, "late@example.com")
    mended = draft_of(tmp_path, (replace(STORIES[0], title="Mended"), *STORIES[1:]))
    with pytest.raises(StaleError):
        frozen(store, mended)

    renewed = frozen(store, mended, replan=True)

    assert frozen(store, mended).issue.number == first.issue.number
    assert renewed.contents.editions == first.contents.editions
    assert states(store, mended) == {"planned": 2, "submitted": 1}


def test_what_has_begun_is_not_brought_up_to_date_without_a_story_of_its_editions(
    store: Store, tmp_path: Path
) -> None:
    readers(store, 3)
    before = frozen(store, draft_of(tmp_path))
    send(store, draft_of(tmp_path), Carrier(), tmp_path, canary=1)

    with pytest.raises(StoreError, match="of its stories tables is gone"):
        frozen(store, draft_of(tmp_path, STORIES[:2]), replan=True)

    assert frozen(store, draft_of(tmp_path)).contents == before.contents


def test_what_is_done_is_never_planned_anew(store: Store, tmp_path: Path) -> None:
    readers(store, 3)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    send(store, draft, Carrier(), tmp_path)

    with pytest.raises(StoreError, match="begun to be handed over"):
        frozen(store, draft, replan=True)

    assert states(store, draft) == {"submitted": 3}


def test_what_is_done_is_told_of_also_when_a_post_of_it_is_gone(
    store: Store, tmp_path: Path
) -> None:
    readers(store, 3)
    done = frozen(store, draft_of(tmp_path))

    plan = plan_of(draft_of(tmp_path, STORIES[:2]), done)

    assert sorted(one.id for edition in plan.editions for one in edition.stories) == [
        "agents",
        "ferry",
    ]


def test_of_two_plans_made_at_once_the_first_finished_counts(store: Store, tmp_path: Path) -> None:
    readers(store, 4)
    draft = draft_of(tmp_path)
    slow = store.ledger.draw(draft.issue, "carrier", NOW)
    slow.add([(1, 0), (2, 0)])
    quick = frozen(store, draft)

    assert not slow.finish(draft.issue.id, quick.contents, replaces=0)
    assert find(store, draft) == quick.issue
    assert sum(store.ledger.totals(slow.number).states.values()) == 0


def test_what_a_killed_planner_left_is_swept_by_a_later_one(store: Store, tmp_path: Path) -> None:
    left = store.ledger.draw(ISSUE, "carrier", NOW - timedelta(days=2))
    left.add([(1, 0)])

    frozen(store, draft_of(tmp_path))

    assert sum(store.ledger.totals(left.number).states.values()) == 0


def test_stories_that_a_reader_has_had_are_not_planned_again(store: Store, tmp_path: Path) -> None:
    """Whatever issue covered them: the mark is the reader's."""
    published = [ISSUE.window.start + timedelta(days=day) for day in (1, 3)]
    told = tuple(replace(one, published=at) for one, at in zip(STORIES[:2], published, strict=True))
    between = ISSUE.window.start + timedelta(days=2)
    store.subscriptions.cover([add(store, "half@example.com")], between)
    store.subscriptions.cover([add(store, "all@example.com")], ISSUE.window.end)

    plan = frozen(store, draft_of(tmp_path, told))

    assert [edition.stories for edition in plan.contents.editions] == [("ferry",)]
    assert plan.contents.skipped == {"covered by an earlier issue": 1}


def test_an_issue_is_found_and_compared_with_the_one_before(store: Store, tmp_path: Path) -> None:
    readers(store, 2)
    plan = frozen(store, draft_of(tmp_path)).issue

    assert plan.state is IssueState.PLANNED
    assert (plan.window, plan.due) == (ISSUE.window, ISSUE.date)
    assert store.ledger.before(Cadence.WEEKLY, ISSUE.window.end) is None
    assert store.ledger.before(Cadence.WEEKLY, ISSUE.window.end + timedelta(days=7)) == plan
