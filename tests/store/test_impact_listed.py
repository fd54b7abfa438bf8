"""What `digest check --impact` says where a store knows when stories were listed."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from digest.changes import Change
from digest.config import load, secret_keys
from digest.content import read_content
from digest.desk import Desk, glance, take_in
from digest.impact import Impact, impacts
from digest.models import Cadence, Preferences
from digest.planning import freeze, issue_of
from digest.readership import StoredReaders
from digest.store import Store
from digest.tokens import Keys
from tests.project import Project
from tests.store import sending
from tests.store.conftest import CONSENT

TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC)  # issues are due on Thursdays at nine
THURSDAY = datetime(2026, 11, 26, 9, tzinfo=UTC)
WEEK, HOUR = timedelta(weeks=1), timedelta(hours=1)
LAST, NEXT, LATER = "weekly-2026-11-26", "weekly-2026-12-03", "weekly-2026-12-10"


class Newsroom:
    """A weekly newsletter with one reader of everything."""

    def __init__(self, project: Project, store: Store) -> None:
        self.project, self.store = project, store
        self.config = load(project.root / "digest.toml")
        self.keys = Keys(secret_keys(self.config))
        self.read = partial(read_content, self.config)
        wishes = Preferences(everything=True)
        store.subscriptions.add("ana@example.com", CONSENT, TUESDAY, preferences=wishes)

    def sync(self, now: datetime) -> None:
        """Read the posts and note what is new."""
        take_in(self.store, self.read, now)

    def plan(self, now: datetime, *, send: bool = True, limit: int | None = None) -> None:
        """The weekly issue of `THURSDAY`, laid out now; `limit` ends it after so many readers."""
        content, listing = take_in(self.store, self.read, now)
        desk = Desk(self.config, content, listing, self.keys, self.store, now)
        draft = desk.lay_out(issue_of(self.config, self.store, Cadence.WEEKLY, THURSDAY))
        freeze(draft, self.store, provider="carrier", now=now)
        if send:
            sending.send(self.store, draft, sending.Carrier(), self.project.root, limit=limit)

    def told(self, slug: str, now: datetime) -> Impact:
        """What is said of a post that was edited."""
        path, content = self.project.root / "content" / f"{slug}.md", self.read()
        listing, people = glance(self.store, content.stories, now), StoredReaders(self.store)
        desk = Desk(self.config, content, listing, self.keys, self.store, now)
        change = Change(path, path.read_bytes())
        (found,) = impacts(self.config, content, [change], people, self.keys, now, desk)
        return found

    def issues(self, slug: str, now: datetime) -> dict[str, int]:
        """The weekly issues that a post is in, and how many get it."""
        return {
            reach.issue.id: reach.readers
            for reach in self.told(slug, now).reaches
            if reach.issue.cadence is Cadence.WEEKLY
        }


@pytest.fixture
def newsroom(project: Project, sqlite_store: Store) -> Newsroom:
    return Newsroom(project, sqlite_store)


def test_a_post_that_came_late_is_in_the_issue_in_whose_window_it_was_listed(newsroom):  # type: ignore[no-untyped-def]
    newsroom.sync(TUESDAY)
    newsroom.project.post("late", published="2020-01-06")

    assert newsroom.issues("late", TUESDAY + HOUR) == {LAST: 1}
    newsroom.sync(TUESDAY + HOUR)
    assert newsroom.issues("late", TUESDAY + 2 * HOUR) == {LAST: 1}


def test_a_post_that_went_out_is_in_no_issue_again(newsroom):  # type: ignore[no-untyped-def]
    newsroom.sync(TUESDAY)
    newsroom.project.post("late", published="2020-01-06")
    newsroom.plan(THURSDAY)

    assert newsroom.issues("late", THURSDAY + HOUR) == {}


def test_what_comes_after_an_early_issue_is_in_the_next(newsroom):  # type: ignore[no-untyped-def]
    newsroom.plan(TUESDAY)
    newsroom.project.post("new", published="2026-11-24T14:00:00")

    assert newsroom.issues("new", TUESDAY + 3 * HOUR) == {NEXT: 1}


def test_what_comes_while_an_issue_goes_out_is_in_the_next(newsroom):  # type: ignore[no-untyped-def]
    wishes = Preferences(everything=True)
    newsroom.store.subscriptions.add("bo@example.com", CONSENT, TUESDAY, preferences=wishes)
    newsroom.project.post("sent", published="2026-11-20")
    newsroom.plan(TUESDAY, limit=1)
    newsroom.project.post("new", published="2026-11-24T14:00:00")
    newsroom.project.post("late", published="2020-01-06")

    assert list(newsroom.issues("new", TUESDAY + 3 * HOUR)) == [NEXT]
    assert list(newsroom.issues("late", TUESDAY + 3 * HOUR)) == [NEXT]


def test_until_an_issue_is_planned_what_is_listed_in_its_window_is_in_it(newsroom):  # type: ignore[no-untyped-def]
    newsroom.plan(THURSDAY - HOUR, send=False)
    newsroom.project.post("new", published="2026-11-26T08:30:00")

    assert newsroom.issues("new", THURSDAY + HOUR) == {LAST: 1}


def test_what_is_published_weeks_from_now_is_in_the_issue_of_that_week(newsroom):  # type: ignore[no-untyped-def]
    newsroom.project.post("planned", published="2026-12-08")

    assert newsroom.issues("planned", TUESDAY) == {LATER: 1}
