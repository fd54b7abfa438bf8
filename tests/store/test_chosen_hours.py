"""Readers choose their own day and hour: one issue, once each, when they want it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.models import NOTHING_CHOSEN, Cadence, Chosen
from digest.store import EventKind, Store
from digest.store.intake import OnConflict
from digest.store.ledger.records import IssueState
from tests.store import sending
from tests.store.conftest import NOW
from tests.store.lists import csv_of, ndjson_of, take_in
from tests.store.people import add
from tests.store.scheduled import HOUR, THURSDAY, WEEK, WEEKLY, issues, newsletter, posts, scheduler
from tests.store.sending import Clock

CHOOSE = '[cadence.weekly]\nat = "thu 09:00"\nchoose = true\n'
READERS = {  # time zone, day and hour, and when they get the issue of that Thursday
    "tuesday": ("Asia/Tokyo", "tue", "7", "Tue 06 07:00"),
    "friday": ("America/New_York", "4", "18:00", "Fri 02 18:00"),
    "evening": ("", "", "20", "Thu 01 20:00"),
    "nothing": ("Asia/Tokyo", "", "", "Thu 01 18:00"),  # nine in Dublin
}
TICKS = (0, 8, 9, 19, 20, 21, 22, 23)  # of UTC: when somebody gets it, and the hour before
LIST = "email,tags,timezone,day,hour\n" + "".join(
    f"{name}@example.com,*,{zone},{day},{hour}\n" for name, (zone, day, hour, _) in READERS.items()
)


@pytest.fixture
def begun(store: Store, tmp_path: Path, carrier: sending.Carrier) -> Clock:
    """Readers with their choices, posts, and a clock before the schedule begins."""
    take_in(store, LIST)
    posts(tmp_path, THURSDAY - 3 * WEEK, 6)
    return Clock(THURSDAY - HOUR)


def arrivals(
    store: Store, root: Path, clock: Clock, carrier: sending.Carrier, cadences: str, until: datetime
) -> Iterator[tuple[datetime, str]]:
    """Who got something when, while a process of its own ticks at those hours."""
    configured = newsletter(root, cadences)
    seen = 0
    while clock.now < until:
        if clock.now.hour in TICKS:
            scheduler(configured, store, clock).tick(WEEKLY)
        yield from ((clock.now, address.split("@")[0]) for address in carrier.taken[seen:])
        seen = len(carrier.taken)
        clock.now += HOUR


def test_each_reader_gets_one_issue_once_at_the_hour_they_chose(
    store: Store, tmp_path: Path, carrier: sending.Carrier, begun: Clock
) -> None:
    got = list(arrivals(store, tmp_path, begun, carrier, CHOOSE, THURSDAY + WEEK))

    moments = {name: moment for moment, name in got}
    assert len(got) == len(moments) == len(READERS)
    for name, (zone, _, _, expected) in READERS.items():
        local = moments[name].astimezone(ZoneInfo(zone or "Europe/Dublin"))
        assert f"{local:%a %d %H:%M}" == expected, name
    (issue,) = issues(store)
    assert issue.state is IssueState.DONE
    assert issue.window.end == THURSDAY


def test_the_next_issue_follows_a_week_later_and_no_story_is_told_twice(
    sqlite_store: Store, tmp_path: Path, carrier: sending.Carrier
) -> None:
    take_in(sqlite_store, LIST)
    posts(tmp_path, THURSDAY - 3 * WEEK, 6)
    clock = Clock(THURSDAY - HOUR)

    got = list(arrivals(sqlite_store, tmp_path, clock, carrier, CHOOSE, THURSDAY + 2 * WEEK))

    for name in READERS:
        first, second = (moment for moment, address in got if address == name)
        assert second - first == WEEK
    told = [
        {one.id for one in sqlite_store.ledger.contents(issue.number).stories if not one.omitted}
        for issue in issues(sqlite_store)
    ]
    assert all(not one & other for one, other in pairwise(told))


def test_where_readers_cannot_choose_what_they_chose_waits(
    sqlite_store: Store, tmp_path: Path, carrier: sending.Carrier
) -> None:
    take_in(sqlite_store, LIST)
    posts(tmp_path, THURSDAY - 3 * WEEK, 6)
    plain = CHOOSE.replace("true", "false")
    clock = Clock(THURSDAY - HOUR)

    got = list(arrivals(sqlite_store, tmp_path, clock, carrier, plain, THURSDAY + HOUR))

    assert {moment for moment, _ in got} == {THURSDAY}
    assert len(got) == len(READERS)


def test_who_chose_nothing_gets_it_in_their_morning_where_it_goes_by_zone(
    sqlite_store: Store, tmp_path: Path, carrier: sending.Carrier
) -> None:
    take_in(sqlite_store, LIST)
    posts(tmp_path, THURSDAY - 3 * WEEK, 6)
    both = CHOOSE + "local_time = true\n"
    clock = Clock(THURSDAY - WEEK + 20 * HOUR)

    got = arrivals(sqlite_store, tmp_path, clock, carrier, both, THURSDAY + 5 * timedelta(days=1))

    moments = {name: moment for moment, name in got}
    tokyo = ZoneInfo("Asia/Tokyo")
    assert f"{moments['nothing'].astimezone(tokyo):%a %d %H:%M}" == "Thu 01 09:00"
    assert f"{moments['tuesday'].astimezone(tokyo):%a %d %H:%M}" == "Tue 06 07:00"


def test_a_choice_is_kept_with_a_line_of_history(store: Store) -> None:
    person = add(store, "ana@example.com")

    store.subscriptions.change(person, NOW, chosen=Chosen(1, 7))
    store.subscriptions.change(person, NOW, timezone="Asia/Tokyo")  # leaves it alone

    found = store.subscriptions.get(person)
    assert found is not None
    assert found.subscriber.chosen == Chosen(1, 7)
    changes = [one for one in store.subscriptions.history(person) if one.kind is EventKind.CHANGED]
    assert changes[0].detail == "day (none) → tue; hour (none) → 07:00"


def test_another_cadence_forgets_the_choice_unless_one_comes_with_it(store: Store) -> None:
    person = add(store, "ana@example.com")
    change = store.subscriptions.change
    change(person, NOW, chosen=Chosen(1, 7))

    assert change(person, NOW, cadence=Cadence.WEEKLY).subscriber.chosen == Chosen(1, 7)
    assert change(person, NOW, cadence=Cadence.MONTHLY).subscriber.chosen == NOTHING_CHOSEN
    again = change(person, NOW, cadence=Cadence.DAILY, chosen=Chosen(1, 7)).subscriber
    assert again.chosen == Chosen(None, 7)  # a daily issue has no day
    found = store.subscriptions.get(person)
    assert found is not None
    assert found.subscriber == again


@pytest.mark.parametrize("written", [csv_of, ndjson_of])
def test_an_export_brings_choices_back(sqlite_store: Store, written) -> None:  # type: ignore[no-untyped-def]
    monthly, daily = "m@example.com,,monthly,28,0", "d@example.com,,daily,,23"
    take_in(sqlite_store, f"email,tags,cadence,day,hour\n{monthly}\n{daily}\n")
    take_in(sqlite_store, LIST)
    exported = written(sqlite_store)
    people = list(sqlite_store.subscriptions.stream())
    for one in people:
        sqlite_store.subscriptions.change(one.subscriber.id, NOW, chosen=NOTHING_CHOSEN)

    take_in(sqlite_store, exported, on_conflict=OnConflict.REPLACE)

    assert list(sqlite_store.subscriptions.stream()) == people
    chosen = {one.subscriber.email[0]: one.subscriber.chosen for one in people}
    assert chosen["m"] == Chosen(28, 0)
    assert chosen["d"] == Chosen(None, 23)
    assert chosen["t"] == Chosen(1, 7)


def test_a_list_fills_a_choice_where_there_is_none_of_the_same_cadence(sqlite_store: Store) -> None:
    ana, eve, bob = (add(sqlite_store, f"{name}@example.com") for name in ("ana", "eve", "bob"))
    sqlite_store.subscriptions.change(eve, NOW, chosen=Chosen(hour=5))
    sqlite_store.subscriptions.change(bob, NOW, cadence=Cadence.MONTHLY)
    rows = "".join(f"{name}@example.com,tue,7\n" for name in ("ana", "eve", "bob"))

    take_in(sqlite_store, f"email,day,hour\n{rows}", on_conflict=OnConflict.MERGE)

    found = [sqlite_store.subscriptions.get(one) for one in (ana, eve, bob)]
    assert [one and one.subscriber.chosen for one in found] == [
        Chosen(1, 7),
        Chosen(hour=5),
        NOTHING_CHOSEN,
    ]


@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        ("weekly,7,", "day", "'7' is no day of a weekly issue; expected mon to sun (or 0 to 6)"),
        ("monthly,29,", "day", "'29' is no day of a monthly issue; expected 1 to 28"),
        ("monthly,thu,", "day", "'thu' is no day of a monthly issue"),
        ("daily,,24", "hour", "'24' is no full hour; expected 0 to 23, or like 07:00"),
        ("daily,,07:30", "hour", "'07:30' is no full hour"),
        ("daily,,٣", "hour", "'٣' is no full hour"),
    ],
)
def test_a_choice_that_there_is_not_is_told_with_its_place(
    sqlite_store: Store, cells: str, column: str, said: str
) -> None:
    progress, rejects = take_in(sqlite_store, f"email,cadence,day,hour\na@example.com,{cells}\n")

    (reject,) = rejects
    assert (reject.line, reject.column) == (2, column)
    assert said in reject.reason
    assert progress.rejected == 1
