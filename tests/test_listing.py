"""Listing: by which moment a story belongs to a window, however late it appears."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.cadence import issue_due
from digest.listing import Known, Sync, moment_of, sync
from digest.models import Issue, Preferences, Story, Window
from digest.selector import Caps, Selector
from tests.no_story_twice import SCHEDULE, SCRIPT, ZONE, Outcome, Person, World
from tests.stories import story

LAST = datetime(2026, 11, 19, 9, tzinfo=UTC)
NOW = LAST + timedelta(days=2)
HOUR = timedelta(hours=1)
LINK = "https://example.org/original"


def listed(stories, known=(), last=LAST, now=NOW, **how) -> Sync:  # type: ignore[no-untyped-def]
    return sync(stories, known, last, now, **how)


def test_the_first_sync_lists_a_story_when_it_was_published():
    old = story("old", published=LAST - timedelta(days=400))

    assert listed([old], last=None).times == {"old": old.published}


def test_a_late_story_is_listed_at_the_sync_before_the_one_that_first_saw_it():
    late = story("late", published=LAST - timedelta(days=3))

    assert listed([late]).times == {"late": LAST}


def test_a_story_on_time_or_dated_ahead_is_listed_when_it_is_published():
    stories = [story("today", published=LAST + HOUR), story("ahead", published=NOW + HOUR)]

    assert listed(stories).times == {"today": LAST + HOUR, "ahead": NOW + HOUR}


def test_what_was_listed_before_the_last_sync_stays_so_whatever_its_date_says_now():
    known = Known("a", "", LAST - HOUR)

    made = listed([story("a", published=NOW - HOUR)], [known])

    assert made.times == {"a": LAST - HOUR}
    assert made.changed == ()


def test_a_story_that_is_not_out_yet_may_be_put_off():
    known = Known("a", "", NOW - HOUR)

    assert listed([story("a", published=NOW + 9 * HOUR)], [known]).times == {"a": NOW + 9 * HOUR}


def test_what_is_listed_at_the_last_sync_itself_may_be_put_off_too():
    """A window that this sync closed ends there, and does not hold it."""
    known = Known("a", "", LAST)

    assert listed([story("a", published=NOW + 9 * HOUR)], [known]).times == {"a": NOW + 9 * HOUR}


def test_a_story_that_is_away_for_long_went_when_that_was_first_seen():
    away = Known("a", "", LAST - HOUR, gone=True)

    assert listed([], [away]).gone == ()


def test_where_the_clock_was_set_back_a_late_story_is_listed_now_and_not_in_the_future():
    ahead = NOW + 9 * HOUR
    made = listed([story("late", published=LAST)], last=ahead)

    assert (made.at, made.times) == (NOW, {"late": NOW})
    closed = NOW + HOUR  # the end of a window that was closed before the clock went back
    assert moment_of(ahead, NOW, closed) == closed
    assert moment_of(closed, NOW, ahead) == closed


def test_a_draft_is_not_there_yet():
    made = listed([story("a", draft=True)])

    assert (made.times, made.changed) == ({}, ())


def test_a_moved_file_is_the_same_story_when_its_link_is():
    before = Known("old#one", "en example.org/original", LAST - 9 * HOUR)
    moved = story("new#one", link=LINK, published=NOW)

    made = listed([moved], [before])

    assert made.times == {"new#one": before.listed}
    assert made.gone == ("old#one",)
    assert replace(before, link="") in made.changed  # its link went on: it is nobody else's


def test_the_stories_of_a_moved_post_that_share_a_link_keep_their_headings_moments():
    link = "en example.org/original"
    before = [Known(f"old#{name}", link, LAST - n * HOUR) for n, name in enumerate("abc", 1)]
    moved = [story(f"new#{name}", link=LINK) for name in ("c", "a", "other")]

    times = listed(moved, before).times

    assert times == {
        "new#c": LAST - 3 * HOUR,
        "new#a": LAST - HOUR,
        "new#other": LAST - 2 * HOUR,
    }


def test_another_post_about_the_same_page_is_a_story_of_its_own_while_the_first_is_there():
    first = Known("a", "en example.org/original", LAST - HOUR)

    made = listed([story("a", link=LINK), story("b", link=LINK)], [first])

    assert made.times == {"a": LAST - HOUR, "b": LAST}


def test_a_translation_or_a_bare_host_makes_no_two_stories_one():
    gone = [Known("a", "en example.org/original", LAST - HOUR)]
    stories = [
        story("a.pl", link=LINK, language="pl"),
        story("home", link="https://example.org/"),
    ]

    assert set(listed(stories, gone).times.values()) == {LAST}


def test_a_story_that_was_away_while_an_issue_passed_over_it_is_listed_anew():
    gone = Known("a", "", LAST - 99 * HOUR, gone=True)
    back = story("a", published=LAST - 100 * HOUR)

    assert listed([back], [gone], missed={"a"}).times == {"a": LAST}
    assert listed([back], [gone]).times == {"a": gone.listed}


@given(
    last=st.datetimes(timezones=st.just(UTC)),
    now=st.datetimes(timezones=st.just(UTC)),
    planned=st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_a_sync_is_never_before_now_nor_before_a_window_that_a_sync_has_closed(last, now, planned):
    at = moment_of(last, now, planned)

    assert now <= at <= max(now, last)
    if planned is not None and planned <= last:
        assert at >= planned


class PureNewsletter:
    """The rules on nothing but dictionaries: listing, cadence, selector and marks."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.gone_at: dict[str, datetime] = {}
        self.last: datetime | None = None
        self.people: dict[int, Person] = {}
        self.marks: dict[int, datetime] = {}
        self.issues: dict[str, tuple[Issue, datetime, set[str]]] = {}
        self.first: dict[int, datetime] = {}  # start of the first window with a delivery

    def sync(self, stories: tuple[Story, ...], now: datetime) -> None:
        self._take_in(stories, now)

    def _take_in(self, stories: tuple[Story, ...], now: datetime) -> Sync:
        ends = [issue.window.end for issue, _, _ in self.issues.values()]
        missed = {one.id for one in self.known.values() if one.gone and self._missed(one)}
        made = sync(
            stories,
            self.known.values(),
            self.last,
            now,
            planned_until=max(ends, default=None),
            missed=missed,
        )
        self.last = made.at
        self.known |= {one.id: one for one in made.changed}
        for name in made.gone:
            self.known[name] = replace(self.known[name], gone=True)
            self.gone_at[name] = made.at
        return made

    def _missed(self, one: Known) -> bool:
        held = any(one.id in stories for _, _, stories in self.issues.values())
        return not held and any(
            one.listed in issue.window and planned >= self.gone_at[one.id]
            for issue, planned, _ in self.issues.values()
        )

    def join(self, person: Person, now: datetime) -> None:
        self.people[person.number] = person

    change = join

    def send(self, cadence, moment, stories, failing, now):  # type: ignore[no-untyped-def]
        due = issue_due(cadence, SCHEDULE[cadence], ZONE, moment)
        if due.id in self.issues:
            return None
        listing = self._take_in(stories, now)
        start = due.window.start
        window = Window(start, max(start, min(due.window.end, now)))
        for number, begin in self.first.items():
            self.marks.setdefault(number, begin)
        readers = [one for one in self.people.values() if one.cadence is cadence]
        marks = [self.marks[one.number] for one in readers if one.number in self.marks]
        selector = Selector(
            stories,
            window,
            window.end,
            key=str,
            caps=Caps(99),
            listed=lambda one: listing.times[one.id],
            reach=min(marks, default=None),
        )
        held = {one.id for one in selector.candidates}
        self.issues[due.id] = (replace(due, window=window), now, held)
        got, failed = {}, set()
        for reader in readers:
            mark = self.marks.get(reader.number)
            picks = selector.select(Preferences(tuple(reader.tags)), mark).picks
            if reader.number in failing and picks:
                self.first.setdefault(reader.number, start)
                failed.add(reader.number)
                continue
            got[reader.number] = tuple(pick.story.id for pick in picks)
            self.marks[reader.number] = max(mark or window.end, window.end)
        return Outcome(self.issues[due.id][0], got, frozenset(failed))


@settings(max_examples=200, deadline=None)
@given(SCRIPT)
def test_nobody_gets_a_story_twice_and_nobody_loses_one(script):
    World(PureNewsletter()).play(script)
