"""What pages say of stories goes by when they were listed, as the issues do."""

from datetime import timedelta

import pytest

from digest.content import read_content
from digest.desk import Desk, take_in
from digest.models import Cadence
from digest.planning import coming_issue, freeze
from digest.web.topics import TopicCounter
from tests.store import sending
from tests.web.conftest import START

HOUR = timedelta(hours=1)


class Newsroom:
    """A site whose posts are read in and sent, an hour at a time."""

    def __init__(self, pages, project):
        self.pages, self.project = pages, project
        self.ana = pages.reader()

    def sync(self):
        site = self.pages.site
        return take_in(site.store, lambda: read_content(site.config), site.now())

    def send(self):
        """The issue to come goes out now, before its time."""
        site = self.pages.site
        issue = coming_issue(site.config, site.store, Cadence.WEEKLY, site.now())
        desk = Desk(site.config, *self.sync(), site.keys, site.store, site.now())
        draft = desk.lay_out(issue)
        freeze(draft, site.store, provider="carrier", now=site.now())
        sending.send(site.store, draft, sending.Carrier(), self.project.root)
        self.pages.clock.pass_(hours=1)
        return issue.id

    def look(self, covered=None):
        site = self.pages.site
        here = "https://news.example.com/p/x"
        return site.look(read_content(site.config), self.ana, covered, site.now(), here)


@pytest.fixture
def newsroom(quick_pages, project):
    return Newsroom(quick_pages, project)


def test_a_look_shows_a_post_that_came_late_in_the_issue_to_come(newsroom):
    newsroom.sync()
    newsroom.project.post("late", tags="#ai", published="2026-06-01")

    look = newsroom.look()

    assert look.upcoming
    assert "About late" in look.html


def test_a_look_after_an_early_issue_is_at_the_one_after_it(newsroom):
    early = newsroom.send()
    newsroom.project.post("fresh", tags="#ai", published="2026-11-18T12:30:00")

    look = newsroom.look()

    assert (early, look.issue.id) == ("weekly-2026-11-19", "weekly-2026-11-26")
    assert "About fresh" in look.html
    assert "About agents" not in look.html


def test_a_look_shows_nothing_that_a_reader_was_sent_under_another_name(newsroom):
    newsroom.send()
    (newsroom.project.root / "content" / "agents.md").rename(
        newsroom.project.root / "content" / "moved.md"
    )

    assert newsroom.look(covered=START) is None


def test_the_stories_of_a_tag_are_counted_when_they_were_listed(quick_pages, project):
    newsroom = Newsroom(quick_pages, project)
    newsroom.sync()
    for number in range(6):
        project.post(f"late-{number}", tags="#rust", published="2020-01-06")
    content, listing = newsroom.sync()

    topics = TopicCounter()(content, lambda: listing, START + HOUR)

    assert {topic.key: topic.monthly for topic in topics.tags}["rust"] == 2
    assert topics.weekly == 1  # ten in thirteen weeks
