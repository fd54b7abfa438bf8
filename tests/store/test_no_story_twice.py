"""The first invariant on a real store: posts taken in, issues laid out, planned and sent."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from digest import config
from digest.cadence import issue_due
from digest.content import Content
from digest.desk import Desk, glance, take_in
from digest.errors import Outcome as Trouble
from digest.errors import StaleError
from digest.freshness import require_fresh
from digest.hashtags import Vocabulary
from digest.issues import Draft
from digest.models import Cadence, Issue, Story, Window
from digest.planning import freeze
from digest.store import Consent, Store
from digest.tokens import Keys
from tests.no_story_twice import SCHEDULE, SCRIPT, ZONE, Outcome, Person, World
from tests.store.conftest import SECRETS
from tests.store.sending import Carrier, Clock, find, refused, send
from tests.stories import story

_CONFIG = """
[newsletter]
name = "Platform Weekly"
sender = "news@example.com"
postal_address = "Example Ltd, 1 High Street, Dublin"
base_url = "https://news.example.com"
timezone = "Europe/Warsaw"
[cadence.daily]
at = "02:30"
[cadence.weekly]
at = "thu 09:00"
[cadence.monthly]
at = "20 09:00"
"""
DAY = timedelta(days=1)


class StoredNewsletter:
    """The newsletter as it is."""

    def __init__(self, store: Store, root: Path) -> None:
        self.store, self.root = store, root
        self.config = config.parse(_CONFIG, root / config.FILE, {})
        self.numbers: dict[int, int] = {}  # subscriber id -> reader
        self.people: dict[int, Person] = {}

    def content(self, stories: tuple[Story, ...]) -> Content:
        tags = Counter(tag for one in stories for tag in one.tags)
        vocabulary = Vocabulary.of(tags, self.config.tags)
        return Content(stories, (), len(stories), vocabulary)

    def sync(self, stories: tuple[Story, ...], now: datetime) -> None:
        take_in(self.store, lambda: self.content(stories), now)

    def desk(self, stories: tuple[Story, ...], now: datetime) -> Desk:
        content, listing = take_in(self.store, lambda: self.content(stories), now)
        return Desk(self.config, content, listing, Keys(SECRETS), self.store, now)

    def join(self, person: Person, now: datetime) -> None:
        consent = Consent(now, "form", "I want it")
        added = self.store.subscriptions.add(
            f"reader{person.number}@example.com", consent, now, cadence=person.cadence
        )
        self.numbers[added.subscriber.id] = person.number
        self.change(person, now)

    def change(self, person: Person, now: datetime) -> None:
        self.people[person.number] = person
        tags = tuple(sorted(person.tags))
        number = next(i for i, reader in self.numbers.items() if reader == person.number)
        self.store.subscriptions.change(
            number,
            now,
            lambda wanted: type(wanted)(tags, everything=False),
            cadence=person.cadence,
        )

    def send(
        self,
        cadence: Cadence,
        moment: datetime,
        stories: tuple[Story, ...],
        failing: Iterable[int],
        now: datetime,
    ) -> Outcome | None:
        issue = issue_due(cadence, SCHEDULE[cadence], ZONE, moment)
        if self.store.ledger.find(issue.id):
            return None
        draft = self.desk(stories, now).lay_out(issue)
        freeze(draft, self.store, provider="carrier", now=now)
        no = refused(Trouble.PERMANENT)
        carrier = Carrier(**{f"reader{number}": no for number in failing})
        send(self.store, draft, carrier, self.root, clock=Clock(now))
        return self._outcome(draft)

    def _outcome(self, draft: Draft) -> Outcome:
        number = find(self.store, draft).number
        editions = {one.number: one for one in self.store.ledger.contents(number).editions}
        query = f"SELECT subscriber_id, edition, state FROM delivery WHERE issue_number = {number}"
        with self.store.database.reading() as connection:
            rows = connection.exec_driver_sql(query).all()
        cadence = draft.issue.cadence
        got = {one.number: () for one in self.people.values() if one.cadence is cadence}
        failed = {self.numbers[who] for who, _, state in rows if state == "failed"}
        for who, which, state in rows:
            if state == "submitted":
                got[self.numbers[who]] = (*editions[which].stories, *editions[which].more)
        return Outcome(
            draft.issue, {r: ids for r, ids in got.items() if r not in failed}, frozenset(failed)
        )


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(script=SCRIPT)
def test_nobody_gets_a_story_twice_and_nobody_loses_one(
    fresh_url: Callable[[], str], tmp_path: Path, script: tuple[list, list]
) -> None:
    with Store.open(fresh_url(), SECRETS) as store:
        World(StoredNewsletter(store, tmp_path)).play(script)


WEEKLY = Issue(
    "weekly-2026-10-15",
    Cadence.WEEKLY,
    Window(datetime(2026, 10, 8, 7, tzinfo=UTC), datetime(2026, 10, 15, 7, tzinfo=UTC)),
    datetime(2026, 10, 15, 9, tzinfo=ZONE),
)
DUE = WEEKLY.window.end
READER = Person(0, Cadence.WEEKLY, frozenset({"ai"}))


@pytest.fixture
def newsletter(store: Store, tmp_path: Path) -> StoredNewsletter:
    """With one weekly reader, and a sync a week before the issue is due."""
    made = StoredNewsletter(store, tmp_path)
    made.join(READER, DUE - 7 * DAY)
    made.sync((), DUE - 7 * DAY)
    return made


def planned(newsletter: StoredNewsletter, draft: Draft) -> dict[tuple[str, ...], int]:
    """Stories of each edition -> readers."""
    frozen = freeze(draft, newsletter.store, provider="carrier", now=DUE)
    return {one.stories: one.readers for one in frozen.contents.editions}


def test_a_plan_made_ahead_ends_when_it_is_made(newsletter: StoredNewsletter) -> None:
    early, late = (
        story(name, "ai", published=DUE - days * DAY) for name, days in (("early", 3), ("late", 1))
    )
    draft = newsletter.desk((early, late), DUE - 2 * DAY).lay_out(WEEKLY)

    assert planned(newsletter, draft) == {("early",): 1}
    assert find(newsletter.store, draft).window.end == DUE - 2 * DAY


def test_what_appears_after_a_plan_made_ahead_makes_it_stale_unless_it_was_meant_so(
    newsletter: StoredNewsletter,
) -> None:
    early = story("early", "ai", published=DUE - 3 * DAY)
    store = newsletter.store
    ahead = newsletter.desk((early,), DUE - 2 * DAY).lay_out(WEEKLY)
    plan = freeze(ahead, store, provider="carrier", now=DUE - 2 * DAY)
    late = story("late", "ai", published=DUE - DAY)

    draft = newsletter.desk((early, late), DUE).lay_out(WEEKLY)

    with pytest.raises(StaleError, match="story late is new"):
        require_fresh(draft, plan)
    require_fresh(draft, plan, ahead=True)


def test_a_planned_issue_is_laid_out_as_it_was_planned_though_its_readers_have_been_reached(
    newsletter: StoredNewsletter,
) -> None:
    old = story("old", "ai", published=DUE - 9 * DAY)
    newsletter.sync((old,), DUE - 7 * DAY)
    newsletter.store.subscriptions.cover(newsletter.numbers, DUE - 14 * DAY)
    draft = newsletter.desk((old,), DUE).lay_out(WEEKLY)
    assert planned(newsletter, draft) == {("old",): 1}
    send(newsletter.store, draft, Carrier(), newsletter.root, clock=Clock(DUE))

    again = newsletter.desk((old,), DUE + DAY).lay_out(WEEKLY)

    assert again.candidates()[0] == (old,)
    require_fresh(again, plan_found(newsletter, again))


def plan_found(newsletter: StoredNewsletter, draft: Draft):  # type: ignore[no-untyped-def]
    """What is in the ledger."""
    return freeze(draft, newsletter.store, provider="carrier", now=DUE)


def test_who_follows_a_tag_later_gets_no_old_stories_of_it(newsletter: StoredNewsletter) -> None:
    """They were looked at when these were news."""
    stories = tuple(story(tag, tag, published=DUE - DAY) for tag in ("rust", "ai"))
    newsletter.join(Person(1, Cadence.WEEKLY, frozenset({"rust"})), DUE - 7 * DAY)
    newsletter.change(Person(0, Cadence.WEEKLY, frozenset({"nothing"})), DUE)
    sent = newsletter.send(Cadence.WEEKLY, DUE, stories, (), DUE)
    assert sent
    assert sent.got == {0: (), 1: ("rust",)}
    newsletter.change(READER, DUE)

    later = newsletter.send(Cadence.WEEKLY, DUE + 7 * DAY, stories, (), DUE + 7 * DAY)

    assert later
    assert later.got == {0: (), 1: ()}


def test_content_read_before_another_process_saw_a_story_is_not_taken_in(
    newsletter: StoredNewsletter,
) -> None:
    listings = newsletter.store.listings
    since = listings.number()
    listings.record((story("new", published=DUE - DAY),), DUE, since)

    assert listings.record((), DUE, since) is None
    assert listings.record((), DUE, listings.number()) == {}


def test_looking_says_what_taking_in_would_and_writes_nothing(
    newsletter: StoredNewsletter,
) -> None:
    store, late = newsletter.store, story("late", published=DUE - 30 * DAY)
    number = store.listings.number()

    seen = glance(store, newsletter.content((late,)).stories, DUE).times

    assert seen == {"late": DUE - 7 * DAY}
    assert store.listings.number() == number
    assert store.listings.record((late,), DUE, number) == seen
