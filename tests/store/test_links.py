"""Counted links and their counts, on both databases: written with the plan, added to, forgotten."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.clicks import CountedLink, Place, code_of
from digest.config.stats import StatsConfig
from digest.errors import StaleError
from digest.freshness import begun
from digest.issues import Draft
from digest.store import Store
from digest.store.links import Click, Clicks, write_links
from tests.invented import ISSUE
from tests.store.conftest import NOW
from tests.store.people import add
from tests.store.sending import Carrier, draft_of, find, frozen, send
from tests.stories import story

ON = StatsConfig(clicks=True)
LINK = CountedLink("abcdefghij23", "https://example.org/a", (Place("en", "stories", "a"),))
DAY = date(2026, 11, 19)
AI = story("a", "ai", link="https://example.org/a")
OPS = story("b", "kubernetes", link="https://example.org/b")


def counted(root: Path, *stories: object) -> Draft:
    return draft_of(root, stories or (AI, OPS), stats=ON)  # type: ignore[arg-type]


def urls(store: Store) -> dict[str, tuple[Place, ...]]:
    return {one.link.url: one.link.places for one in store.links.of(ISSUE.id)}


def kept(store: Store, *links: CountedLink) -> None:
    with store.database.writing() as connection:
        write_links(connection, ISSUE.id, links)


def test_a_plan_writes_down_the_links_of_its_stories(store: Store, tmp_path: Path) -> None:
    add(store, "ana@example.com", "ai")
    frozen(store, counted(tmp_path))

    assert Place("en", "stories", "a") in urls(store)["https://example.org/a"]
    assert "https://example.org/b" not in urls(store)  # nobody gets that story
    code = code_of("https://example.org/a", "a")
    assert store.links.find(ISSUE.id, code) == "https://example.org/a"
    assert store.links.find("weekly-2026-11-12", code) is None


def test_without_the_setting_a_plan_writes_none(store: Store, tmp_path: Path) -> None:
    add(store, "ana@example.com", "ai")
    frozen(store, draft_of(tmp_path, (AI,)))

    assert store.links.of(ISSUE.id) == ()


def test_a_plan_that_is_not_finished_leaves_no_link(store: Store, tmp_path: Path) -> None:
    add(store, "ana@example.com", "ai")
    draft = counted(tmp_path)
    frozen(store, draft)
    contents = store.ledger.contents(find(store, draft).number)
    late = store.ledger.draw(draft.issue, "carrier", NOW, draft.listing.reach)

    assert not late.finish(ISSUE.id, contents, 0, [LINK])  # there is a plan already
    assert store.links.find(ISSUE.id, LINK.code) is None


@pytest.mark.parametrize("before", [True, False])
def test_a_plan_is_stale_once_the_setting_has_changed(
    store: Store, tmp_path: Path, before: bool
) -> None:
    add(store, "ana@example.com", "ai")
    drafts = {True: counted(tmp_path), False: draft_of(tmp_path, (AI, OPS))}
    frozen(store, drafts[before])

    with pytest.raises(StaleError, match="config stats has changed"):
        frozen(store, drafts[not before])


def test_links_of_what_has_left_already_stay_when_the_rest_is_planned_anew(
    store: Store, tmp_path: Path
) -> None:
    add(store, "ana@example.com", "ai")
    add(store, "bo@example.com", "ai")
    draft = counted(tmp_path)
    frozen(store, draft)
    send(store, draft, Carrier(), tmp_path, limit=1)
    assert begun(store, find(store, draft))

    mended = story("a", "ai", link="https://example.org/mended")
    frozen(store, counted(tmp_path, mended, OPS), replan=True)

    assert {"https://example.org/a", "https://example.org/mended"} <= urls(store).keys()


def test_counts_are_added_up(store: Store) -> None:
    other = CountedLink("abcdefghij24", "https://example.org/ż?“x”", LINK.places)
    kept(store, LINK, other)
    first, later = Click(ISSUE.id, LINK.code, DAY), Click(ISSUE.id, LINK.code, date(2026, 11, 20))

    store.links.add({first: Clicks(2, 1), later: Clicks(3, 0)})
    store.links.add({first: Clicks(1, 4)})
    store.links.add({})

    assert store.links.of(ISSUE.id) == ((LINK, Clicks(6, 5)), (other, Clicks(0, 0)))
    assert store.links.of("weekly-2026-11-12") == ()


def test_processes_that_add_at_the_same_time_lose_nothing(store: Store) -> None:
    other = CountedLink("abcdefghij24", "https://example.org/b", LINK.places)
    kept(store, LINK, other)
    counts = {Click(ISSUE.id, one.code, DAY): Clicks(1, 2) for one in (LINK, other)}
    turned = dict(reversed(counts.items()))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(store.links.add, [counts, turned] * 10))

    assert [one.clicks for one in store.links.of(ISSUE.id)] == [Clicks(20, 40)] * 2


def test_the_same_link_in_another_plan_has_its_places(store: Store) -> None:
    moved = CountedLink(LINK.code, LINK.url, (Place("pl", "more", "b"),))
    kept(store, LINK)
    kept(store, moved)

    assert [one.link for one in store.links.of(ISSUE.id)] == [moved]


def test_counts_are_forgotten_after_thirteen_months_and_links_never(store: Store) -> None:
    kept(store, LINK)
    days = (date(2025, 10, 18), date(2025, 10, 19), DAY)
    store.links.add({Click(ISSUE.id, LINK.code, day): Clicks(1, 1) for day in days})
    now = datetime(2026, 11, 19, 12, tzinfo=UTC)

    assert store.links.purge(now) == 1
    assert store.links.purge(now) == 0
    assert store.links.of(ISSUE.id) == ((LINK, Clicks(2, 2)),)
    store.links.purge(datetime(2028, 2, 29, tzinfo=UTC))
    assert store.links.of(ISSUE.id) == ((LINK, Clicks(0, 0)),)


def test_no_reader_is_in_what_is_written(store: Store, tmp_path: Path) -> None:
    person = add(store, "ana@example.com", "ai")
    frozen(store, counted(tmp_path))
    (link, *_) = store.links.of(ISSUE.id)
    store.links.add({Click(ISSUE.id, link.link.code, DAY): Clicks(1, 0)})

    with store.database.reading() as connection:
        for table in ("counted_link", "click_count"):
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()
            assert rows
            written = json.dumps([list(map(str, row)) for row in rows])
            assert str(person) not in written
            assert "ana@" not in written
