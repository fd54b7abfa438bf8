"""Clicks of an issue that was planned anew: what only a few had is not told as if all had it."""

from pathlib import Path

import pytest

from digest.clicks import code_of
from digest.config.stats import StatsConfig
from digest.issues import Draft
from digest.store import Store
from digest.store.followed import Followed, IssueFollowed
from digest.store.links import Click, Clicks
from digest.store.statistics import Statistics
from tests.invented import ISSUE
from tests.store.people import add
from tests.store.sending import Carrier, draft_of, find, frozen, send
from tests.stories import story

OLD, MENDED, OTHER = (f"https://example.org/{name}" for name in ("old", "mended", "other"))
CANARY, READERS = 3, 40


@pytest.fixture
def root(store: Store, tmp_path: Path) -> Path:
    for n in range(READERS):
        add(store, f"r{n}@example.com", "ai")
    return tmp_path


def draft(root: Path, link: str, *, counted: bool = True) -> Draft:
    """An issue of two stories, of which one leads to `link`."""
    stories = (story("a", "ai", link=link), story("b", "ai", link=OTHER))
    return draft_of(root, stories, stats=StatsConfig(clicks=counted))


def told(store: Store, *urls: str) -> tuple[IssueFollowed | None, dict[str, Followed]]:
    """What is told once each link of story a was followed twice, and the one of b once."""
    codes = {code_of(url, "a"): 2 for url in urls} | {code_of(OTHER, "b"): 1}
    day = ISSUE.date.date()
    store.links.add({Click(ISSUE.id, code, day): Clicks(n) for code, n in codes.items()})
    (one,) = Statistics(store.database).latest(1)
    assert one.total.submitted == READERS
    links = one.clicks.links if one.clicks else ()
    return one.clicks, {link.url: link.followed for link in links if link.url.startswith(OLD[:19])}


def sent_in_parts(store: Store, root: Path, first: Draft, *rest: Draft) -> None:
    """The first to a few, and every other to some more; the last to all who are left."""
    frozen(store, first)
    for one in rest:
        send(store, first, Carrier(), root, canary=CANARY)
        store.ledger.operator.resume(find(store, first).number)
        first = one
        frozen(store, first, replan=True)
    send(store, first, Carrier(), root)


def test_a_link_of_the_first_mails_alone_or_of_the_last_is_not_told(
    store: Store, root: Path
) -> None:
    sent_in_parts(store, root, draft(root, OLD), draft(root, MENDED))

    issue, links = told(store, OLD, MENDED)

    assert links == {OTHER: Followed(READERS, 1, 0)}
    assert issue
    assert issue.partly
    assert issue.total == Followed(READERS, 1, 0)
    assert issue.few is None
    assert {one.id: one.followed.people for one in issue.stories} == {"b": 1}


def test_a_link_that_came_back_is_not_told(store: Store, root: Path) -> None:
    sent_in_parts(store, root, draft(root, OLD), draft(root, MENDED), draft(root, OLD))

    assert told(store, OLD, MENDED)[1] == {OTHER: Followed(READERS, 1, 0)}


@pytest.mark.parametrize(
    "counted", [(True, False), (False, True), (True, False, True), (False, True, True)]
)
def test_where_a_part_went_out_uncounted_nothing_is_told(
    store: Store, root: Path, counted: tuple[bool, ...]
) -> None:
    sent_in_parts(store, root, *(draft(root, OLD, counted=one) for one in counted))

    assert told(store, OLD)[0] == IssueFollowed(None, partly=True)


def test_links_of_a_plan_of_which_nothing_left_are_gone(store: Store, root: Path) -> None:
    frozen(store, draft(root, OLD))
    second = draft(root, MENDED)
    frozen(store, second, replan=True)
    send(store, second, Carrier(), root)

    issue, links = told(store, OLD, MENDED)

    assert store.links.find(ISSUE.id, code_of(OLD, "a")) is None
    assert links == {MENDED: Followed(READERS, 2, 0), OTHER: Followed(READERS, 1, 0)}
    assert issue
    assert not issue.partly


def test_an_issue_that_went_out_uncounted_has_no_links_of_an_earlier_plan(
    store: Store, root: Path
) -> None:
    frozen(store, draft(root, OLD))
    second = draft(root, OLD, counted=False)
    frozen(store, second, replan=True)
    send(store, second, Carrier(), root)

    assert told(store, OLD)[0] is None


def test_what_every_mail_holds_is_told_as_ever(store: Store, root: Path) -> None:
    sent_in_parts(store, root, draft(root, OLD), draft(root, OLD))

    issue, links = told(store, OLD)

    assert links == {OLD: Followed(READERS, 2, 0), OTHER: Followed(READERS, 1, 0)}
    assert issue
    assert not issue.partly
