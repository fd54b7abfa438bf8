"""Issues that were sent, and the links that their readers have."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from digest.models import Cadence, Issue, Story
from digest.tokens import Purpose, sign
from tests.invented import ISSUE
from tests.newsletter import STORIES
from tests.store.people import add
from tests.store.sending import Carrier, draft_of, frozen, send
from tests.web.conftest import Pages

READER = "ana@example.com"


def weekly(weeks: int = 0, cadence: Cadence = Cadence.WEEKLY) -> Issue:
    """The issue so many weeks after the first one."""
    date = ISSUE.date + timedelta(weeks=weeks)
    window = replace(ISSUE.window, end=date)
    return Issue(f"{cadence}-{date:%Y-%m-%d}", cadence, window, date)


def sent(
    pages: Pages, stories: tuple[Story, ...] = STORIES, issue: Issue = ISSUE, *tags: str
) -> Issue:
    """An issue that its readers have; Ana, of these tags or of everything, is one."""
    store, root = pages.store, Path(pages.config.root)
    if store.subscriptions.find(READER) is None:
        add(store, READER, *tags)
    draft = draft_of(root, stories, issue)
    frozen(store, draft)
    send(store, draft, Carrier(), root)
    return issue


def ana(pages: Pages) -> int:
    found = pages.store.subscriptions.find(READER)
    assert found is not None
    return found.subscriber.id


def link(pages: Pages, purpose: Purpose, issue: Issue = ISSUE, person: int | None = None) -> str:
    """The path that a reader's mail links to."""
    subject = ana(pages) if person is None else person
    token = sign(pages.site.keys, purpose, subject, context=issue.id)
    return f"/{'i' if purpose is Purpose.VIEW else 'f'}/{issue.id}/{token}"
