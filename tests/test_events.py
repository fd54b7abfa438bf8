"""What events mean: the same in any order, told once or ten times."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.events import (
    GOING_WELL,
    Ban,
    Cause,
    Changes,
    Event,
    Fact,
    Kind,
    OurFault,
    Settle,
    SoftBounce,
    Stamp,
    Suppress,
    effects,
    gather,
    worn_out,
)
from digest.store.records import SuppressionReason

NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
DELIVERED = Event(Kind.DELIVERED, "a", "ana@example.org", NOW, "e1")
ADDRESSES = ("", "ana@example.org", "bo@example.org")

events = st.builds(
    Event,
    kind=st.sampled_from(Kind),
    delivery=st.sampled_from([None, "a", "b"]),
    address=st.sampled_from(ADDRESSES),
    at=st.integers(0, 5).map(lambda hours: NOW + timedelta(hours=hours)),
    event_id=st.uuids().map(str),
    reason=st.sampled_from(["", "no such user", "mailbox full"]),
    status=st.sampled_from(["", "4.2.2", "5.0.0", "5.1.1", "5.1.8", "5.2.2"]),
    cause=st.sampled_from(Cause),
)


def told(kind: Kind, **changed: object) -> Event:
    return DELIVERED._replace(kind=kind, **changed)


def bans(event: Event) -> list[Ban]:
    return [effect.ban for effect in effects(event) if isinstance(effect, Suppress)]


def kinds_of(event: Event) -> set[type]:
    return {type(effect) for effect in effects(event)}


@given(st.lists(events, max_size=8).flatmap(lambda e: st.tuples(st.just(e), st.permutations(e))))
def test_order_makes_no_difference(both):
    told_so, told_otherwise = both

    assert gather(told_so) == gather(told_otherwise)


@given(st.lists(events, max_size=8), st.data())
def test_telling_again_makes_no_difference(once, data):
    again = data.draw(st.lists(st.sampled_from(once), max_size=8)) if once else []

    assert gather(once + again) == gather(once)


@given(st.lists(events, max_size=8))
def test_of_every_fact_the_earliest_telling_counts(many):
    for (delivery, address, fact), telling in gather(many).stamps.items():
        moments = [
            effect.at
            for event in many
            if event.reason or event.kind is not Kind.DELIVERED  # those are gathered apart
            for effect in effects(event)
            if isinstance(effect, Stamp) and (effect.delivery, effect.fact) == (delivery, fact)
            if delivery or effect.address == address
        ]
        assert telling.at == min(moments)


@given(events)
def test_what_is_our_own_fault_never_suppresses_anybody(event):
    if event.cause is Cause.SENDER and event.kind in {Kind.BOUNCED, Kind.BLOCKED, Kind.DROPPED}:
        assert not bans(event)


@given(events)
def test_an_address_that_is_not_told_is_never_suppressed_or_counted(event):
    assert not {Suppress, SoftBounce, OurFault} & kinds_of(event._replace(address=""))


@pytest.mark.parametrize("kind", Kind)
def test_any_event_about_a_delivery_settles_it_when_it_was_unknown(kind):
    assert Settle("a") in list(effects(told(kind)))


@pytest.mark.parametrize("kind", [Kind.PROCESSED, Kind.DEFERRED, Kind.DELIVERED])
def test_news_of_somebody_elses_mail_changes_nothing(kind):
    assert gather([told(kind, delivery=None)]) == Changes()


def test_a_bounce_without_our_argument_is_about_the_address():
    bounce = told(Kind.BOUNCED, delivery=None, status="5.1.1", reason="no such user")

    assert list(effects(bounce)) == [
        Stamp(None, "ana@example.org", Fact.BOUNCED, NOW, "no such user"),
        Suppress("ana@example.org", Ban.BOUNCED, NOW, "no such user"),
    ]


@pytest.mark.parametrize(
    ("changed", "effect"),
    [
        ({"cause": Cause.MAILBOX}, Suppress),
        ({"status": "5.1.1"}, Suppress),
        ({"cause": Cause.MAILBOX, "status": "5.1.1"}, Suppress),
        ({"cause": Cause.MAILBOX, "status": "5.2.2"}, SoftBounce),  # the mailbox is full
        ({"cause": Cause.MAILBOX, "status": "4.4.7"}, SoftBounce),
        ({"status": "5.0.0"}, SoftBounce),
        ({}, SoftBounce),
        ({"cause": Cause.SENDER, "status": "5.1.1"}, OurFault),
        ({"status": "5.1.8"}, OurFault),  # the sender's address is bad, not the reader's
    ],
)
def test_a_bounce_is_hard_soft_or_our_own_fault(changed, effect):
    assert kinds_of(told(Kind.BOUNCED, **changed)) == {Settle, Stamp, effect}


def test_a_blocked_message_counts_and_never_suppresses_at_once():
    blocked = told(Kind.BLOCKED, cause=Cause.MAILBOX, status="5.1.1")

    assert kinds_of(blocked) == {Settle, Stamp, SoftBounce}


@pytest.mark.parametrize(
    ("kind", "cause", "expected"),
    [
        (Kind.COMPLAINED, Cause.UNCLEAR, [Ban.COMPLAINED]),
        (Kind.UNSUBSCRIBED, Cause.UNCLEAR, [Ban.UNSUBSCRIBED]),
        (Kind.DROPPED, Cause.BOUNCED, [Ban.BOUNCED]),
        (Kind.DROPPED, Cause.MAILBOX, [Ban.BOUNCED]),
        (Kind.DROPPED, Cause.COMPLAINED, [Ban.COMPLAINED]),
        (Kind.DROPPED, Cause.UNSUBSCRIBED, [Ban.UNSUBSCRIBED]),
        (Kind.DROPPED, Cause.UNCLEAR, []),
        (Kind.DELIVERED, Cause.UNCLEAR, []),
        (Kind.DEFERRED, Cause.UNCLEAR, []),
    ],
)
def test_who_complains_leaves_or_cannot_be_reached_is_suppressed(kind, cause, expected):
    assert bans(told(kind, cause=cause)) == expected


def test_three_soft_bounces_within_two_weeks_wear_an_address_out():
    def days(*numbers: int) -> bool:
        return worn_out([NOW + timedelta(days=number) for number in numbers])

    assert days(0, 7, 14)
    assert days(30, 0, 14, 7)
    assert not days(0, 7, 15)
    assert not days(0, 1)


@given(st.lists(st.integers(0, 40), max_size=8))
def test_an_address_is_worn_out_when_some_window_holds_three(days):
    moments = [NOW + timedelta(days=day) for day in days]

    plainly = any(sum(0 <= other - day <= 14 for other in days) >= 3 for day in days)
    assert worn_out(moments) == plainly


def test_every_ban_is_a_reason_of_the_do_not_mail_list():
    assert {ban.value for ban in Ban} <= {reason.value for reason in SuppressionReason}


def test_no_address_is_in_what_an_event_or_effect_prints():
    bounce = told(Kind.BOUNCED, status="5.1.1")

    assert "ana@" not in repr([bounce, *effects(bounce)])


@given(st.lists(events, max_size=10))
def test_what_goes_well_is_gathered_as_its_effects_say(many):
    """The quick way for most events is held to the slow one for all."""
    changes = gather(many)
    slow: dict[str, list[datetime]] = {}
    for effect in (effect for event in many for effect in effects(event)):
        if isinstance(effect, Stamp) and effect.delivery and effect.fact is Fact.DELIVERED:
            slow.setdefault(effect.delivery, []).append(effect.at)
    named = {key[0]: one.at for key, one in changes.stamps.items() if key[2] is Fact.DELIVERED}

    for name, moments in slow.items():
        quick = [found[name] for found in (changes.delivered, named) if name in found]
        assert min(quick) == min(moments)
    assert changes.settled == {event.delivery for event in many if event.delivery}
    assert set(changes.delivered) <= set(slow)


@given(events)
def test_an_event_that_goes_well_means_nothing_for_the_address(event):
    harmless = not {Suppress, SoftBounce, OurFault} & kinds_of(event)

    assert harmless or event.kind not in GOING_WELL
