"""Requests: what anybody may ask for in anybody's name, and what only the mailbox can answer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.errors import StoreError
from digest.models import (
    NOTHING_CHOSEN,
    Cadence,
    Chosen,
    Preferences,
    State,
    SuppressionReason,
)
from digest.store import Consent, RequestKind, Wish
from digest.store.records import LIFTED_BY_CONFIRMING
from tests.store.conftest import CONSENT, NOW

LATER = NOW + timedelta(hours=1)
YES = Consent(LATER, "confirmation", "Yes", "v1", "the mailed link")
WISH = Wish(Preferences(("ai", "python"), muted=("crypto",)), Cadence.DAILY, "", CONSENT)
ANA = "ana@example.com"
NEW = "ana@new.example"


def asked(store, email=ANA, wish=WISH, now=NOW):
    return store.requests.ask(RequestKind.SUBSCRIBE, email, now, wish=wish)


def test_asking_makes_nobody_a_subscriber(store):
    asked(store)

    assert store.subscriptions.find(ANA) is None
    assert sum(store.subscriptions.count().values()) == 0


def test_a_yes_subscribes_as_wished_with_both_consents(store):
    found = store.requests.confirm(asked(store).id, YES, LATER)

    assert found.state is State.CONFIRMED
    assert found.subscriber.preferences == WISH.preferences
    assert found.subscriber.cadence is Cadence.DAILY
    assert store.subscriptions.consents([found.subscriber.id]) == {
        found.subscriber.id: (CONSENT, YES)
    }


def test_a_yes_counts_once_and_what_was_asked_is_forgotten(store):
    one = asked(store)
    person = store.requests.confirm(one.id, YES, LATER).subscriber.id

    with pytest.raises(StoreError):
        store.requests.confirm(one.id, YES, LATER)
    kept = store.requests.find(one.id)
    assert (kept.email, kept.wish, kept.person, kept.done) == ("", None, person, LATER)


def test_an_address_gets_one_mail_a_day_however_it_is_spelled(store):
    first = asked(store)
    again = asked(store, "ANA@Example.com", now=NOW + timedelta(hours=23))
    next_day = asked(store, now=NOW + timedelta(days=1))

    assert [first.mail, again.mail, next_day.mail] == [True, False, True]
    assert first.id == again.id == next_day.id


@pytest.mark.parametrize("other", ["ANA@example.com", "ana@Example.com"])
def test_a_mailed_link_stands_for_the_spelling_it_was_mailed_to(store, other):
    one = asked(store)
    asked(store, other, now=LATER)

    assert store.requests.confirm(one.id, YES, LATER).subscriber.email == ANA


def test_a_link_mailed_to_another_spelling_is_a_new_one_and_the_old_is_dead(store):
    old = asked(store)
    new = asked(store, "ANA@example.com", now=NOW + timedelta(days=1))

    assert new.mail
    assert store.requests.find(old.id) is None
    assert store.requests.find(new.id).email == "ANA@example.com"


def test_a_link_that_was_used_or_has_run_out_is_mailed_again(store):
    half = timedelta(minutes=30)

    def ask(at):
        return store.requests.ask(RequestKind.OWN, ANA, at, between=half)

    first = ask(NOW)
    early, late = ask(NOW + half / 2), ask(NOW + half)
    store.requests.used(RequestKind.OWN, "ANA@example.com", NOW + half)
    fresh, again = ask(NOW + half), ask(NOW + half)

    assert [one.mail for one in (first, early, late, fresh, again)] == [1, 0, 1, 1, 0]
    assert first.id == early.id == late.id != fresh.id


def test_a_yes_is_for_the_mailbox_it_came_from_and_for_none_that_looks_like_it(store):
    mine, theirs = "victim@straße.example", "victim@strasse.example"
    one, other = asked(store, mine), asked(store, theirs)
    person = store.requests.confirm(one.id, YES, LATER).subscriber

    assert other.mail
    assert person.email == mine
    assert store.subscriptions.find(theirs) is None


@pytest.mark.parametrize("leave", ["unsubscribe", "erase"])
def test_a_look_alike_brings_nobody_back_who_left(store, leave):
    gone, alike = "gone@fass.example", "gone@faß.example"
    person = store.subscriptions.add(gone, CONSENT, NOW).subscriber.id
    getattr(store.subscriptions, leave)(person, NOW, "test")
    stands = store.suppressions.reasons(gone)
    store.requests.confirm(asked(store, alike).id, YES, LATER)

    assert store.suppressions.reasons(gone) == stands != ()
    assert store.subscriptions.find(alike).subscriber.id != person
    with pytest.raises(StoreError):
        store.subscriptions.add(gone, CONSENT, LATER)


def test_a_mailed_change_moves_whom_it_was_mailed_for(store):
    ana = store.subscriptions.add(ANA, CONSENT, NOW).subscriber.id
    mallory = store.subscriptions.add("mallory@example.org", CONSENT, NOW).subscriber.id
    hers = store.requests.ask(RequestKind.CHANGE, NEW, NOW, person=ana)
    again = store.requests.ask(RequestKind.CHANGE, NEW, LATER, person=ana)
    other = store.requests.ask(RequestKind.CHANGE, NEW, LATER, person=mallory)

    assert (again.id, again.mail) == (hers.id, False)
    assert other.mail
    with pytest.raises(StoreError):
        store.requests.move(hers.id, LATER)
    assert store.requests.move(other.id, LATER).subscriber.id == mallory


def test_readers_who_take_turns_mail_an_address_three_times_a_day(store):
    readers = [
        store.subscriptions.add(email, CONSENT, NOW).subscriber.id
        for email in (ANA, "mallory@example.org")
    ]

    def ask(hour, turn):
        at = NOW + timedelta(hours=hour)
        return store.requests.ask(RequestKind.CHANGE, NEW, at, person=readers[turn % 2])

    tried = [ask(hour, hour) for hour in range(6)]
    last = tried[2]
    kept = store.requests.find(last.id)
    next_day = ask(2 + 24, 1)

    assert [one.mail for one in tried] == [True, True, True, False, False, False]
    assert {one.id for one in tried[2:]} == {last.id}
    assert kept.person == readers[0]
    assert next_day.mail


def test_what_the_mailbox_answered_is_not_counted(store):
    readers = [
        store.subscriptions.add(email, CONSENT, NOW).subscriber.id
        for email in (ANA, "bo@example.com")
    ]

    def ask(turn):
        return store.requests.ask(RequestKind.CHANGE, NEW, NOW, person=readers[turn % 2])

    for turn in range(3):
        ask(turn)
    store.requests.used(RequestKind.CHANGE, NEW, NOW)

    assert [ask(turn).mail for turn in range(4)] == [True, True, True, False]


def test_a_mail_in_turn_that_was_not_handed_over_is_not_counted(store):
    readers = [
        store.subscriptions.add(email, CONSENT, NOW).subscriber.id
        for email in (ANA, "bo@example.com")
    ]
    for turn in range(6):
        one = store.requests.ask(RequestKind.CHANGE, NEW, NOW, person=readers[turn % 2])
        store.requests.not_mailed(one.id)

    assert one.mail


def test_the_newest_wish_counts(store):
    one = asked(store)
    asked(store, wish=replace(WISH, cadence=Cadence.MONTHLY), now=LATER)

    assert store.requests.confirm(one.id, YES, LATER).subscriber.cadence is Cadence.MONTHLY


def test_a_mail_that_was_not_handed_over_does_not_count(store):
    store.requests.not_mailed(asked(store).id)

    assert asked(store).mail


def test_who_left_comes_back_by_a_new_request_and_not_by_the_old_link(store):
    old = asked(store)
    person = store.requests.confirm(old.id, YES, LATER).subscriber.id
    store.subscriptions.unsubscribe(person, LATER, "one-click")

    new = asked(store, wish=replace(WISH, preferences=Preferences(("go",))), now=LATER)
    with pytest.raises(StoreError):
        store.requests.confirm(old.id, YES, LATER)
    back = store.requests.confirm(new.id, YES, LATER)

    assert new.mail
    assert new.id != old.id
    assert back.subscriber.id == person
    assert back.state is State.CONFIRMED
    assert back.suppressions == ()
    assert back.subscriber.preferences.tags == ("go",)


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINED, SuppressionReason.MANUAL])
def test_a_complaint_and_the_publishers_no_stand(store, reason):
    store.suppressions.add(ANA, reason, NOW, "test")
    one = asked(store)

    with pytest.raises(StoreError):
        store.requests.confirm(one.id, YES, LATER)
    assert store.subscriptions.find(ANA) is None


def test_a_yes_from_the_new_mailbox_moves_a_subscription(store):
    person = store.subscriptions.add(ANA, CONSENT, NOW).subscriber.id
    one = store.requests.ask(RequestKind.CHANGE, "ana@new.example", NOW, person=person)

    moved = store.requests.move(one.id, LATER)

    assert moved.subscriber.id == person
    assert store.subscriptions.find(ANA) is None
    assert store.subscriptions.find("ana@new.example") == moved


def test_a_subscription_never_moves_onto_another(store):
    person = store.subscriptions.add(ANA, CONSENT, NOW).subscriber.id
    store.subscriptions.add("bo@example.com", CONSENT, NOW)
    one = store.requests.ask(RequestKind.CHANGE, "bo@example.com", NOW, person=person)

    with pytest.raises(StoreError):
        store.requests.move(one.id, LATER)
    assert store.subscriptions.find(ANA)


def moving(store, reason=None):
    """A reader who asked to move to an address that something stands against."""
    person = store.subscriptions.add(ANA, CONSENT, NOW).subscriber.id
    if reason is not None:
        store.suppressions.add(NEW, reason, NOW, "test")
    return person, store.requests.ask(RequestKind.CHANGE, NEW, NOW, person=person).id


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINED, SuppressionReason.MANUAL])
def test_nobody_moves_to_an_address_that_said_no(store, reason):
    _, request = moving(store, reason)

    with pytest.raises(StoreError):
        store.requests.move(request, LATER)
    assert store.subscriptions.find(ANA)
    assert store.subscriptions.find(NEW) is None


@pytest.mark.parametrize("reason", LIFTED_BY_CONFIRMING)
def test_a_yes_from_the_new_mailbox_lifts_what_a_yes_can(store, reason):
    _, request = moving(store, reason)

    assert store.requests.move(request, LATER).suppressions == ()


MOVING_ON = {
    SuppressionReason.BOUNCED: (),
    SuppressionReason.COMPLAINED: (SuppressionReason.COMPLAINED,),
    SuppressionReason.MANUAL: (SuppressionReason.MANUAL,),
}


@pytest.mark.parametrize("reason", MOVING_ON)
def test_a_complaint_and_the_publishers_no_move_with_their_reader(store, reason):
    _, request = moving(store)
    store.suppressions.add(ANA, reason, NOW, "test")
    moved = store.requests.move(request, LATER)

    assert moved.suppressions == MOVING_ON[reason]
    assert moved.goes_on is (reason is SuppressionReason.BOUNCED)
    assert store.suppressions.reasons(NEW) == MOVING_ON[reason]
    assert reason in store.suppressions.reasons(ANA)


@pytest.mark.parametrize("reason", [None, *LIFTED_BY_CONFIRMING])
def test_a_subscription_that_has_ended_moves_and_stays_ended(store, reason):
    person, request = moving(store, reason)
    store.subscriptions.unsubscribe(person, NOW, "one-click")
    moved = store.requests.move(request, LATER)

    assert moved.state is State.UNSUBSCRIBED
    assert set(moved.suppressions) == {SuppressionReason.UNSUBSCRIBED} | ({reason} - {None})


def test_who_moved_is_known_by_the_new_address_alone(store):
    person, request = moving(store)
    store.requests.move(request, LATER)
    told = [event.detail for event in store.subscriptions.history(person)]
    store.suppressions.add(ANA, SuppressionReason.BOUNCED, LATER, "test")
    untouched = store.subscriptions.get(person).suppressions
    store.suppressions.add(NEW, SuppressionReason.BOUNCED, LATER, "test")

    assert "moved to another address" in told
    assert untouched == ()
    assert store.subscriptions.get(person).suppressions == (SuppressionReason.BOUNCED,)


def test_a_yes_ends_a_pause(store):
    """They asked for mail now, whatever they wanted before."""
    person = store.subscriptions.add(ANA, CONSENT, NOW).subscriber.id
    store.subscriptions.pause(person, NOW + timedelta(days=90), NOW)

    assert store.requests.confirm(asked(store).id, YES, LATER).pause_until is None


@pytest.mark.parametrize(("cadence", "kept"), [(Cadence.WEEKLY, True), (Cadence.DAILY, False)])
def test_a_chosen_day_is_kept_with_the_cadence_that_has_it(store, cadence, kept):
    chosen = Chosen(day=3, hour=7)
    person = store.subscriptions.add(ANA, CONSENT, NOW).subscriber.id
    store.subscriptions.change(person, NOW, cadence=Cadence.WEEKLY, chosen=chosen)
    found = store.requests.confirm(asked(store, wish=replace(WISH, cadence=cadence)).id, YES, LATER)

    assert found.subscriber.chosen == (chosen if kept else NOTHING_CHOSEN)


def test_a_link_for_one_thing_does_not_do_another(store):
    person = store.subscriptions.add(ANA, CONSENT, NOW).subscriber.id
    change = store.requests.ask(RequestKind.CHANGE, "ana@new.example", NOW, person=person)

    with pytest.raises(StoreError):
        store.requests.confirm(change.id, YES, LATER)
    with pytest.raises(StoreError):
        store.requests.move(asked(store).id, LATER)


def test_what_nobody_confirmed_is_purged(store):
    old, new = asked(store), asked(store, "bo@example.com", now=NOW + timedelta(days=5))

    assert store.requests.purge(NOW) == 0
    assert store.requests.purge(NOW + timedelta(days=1)) == 1
    assert store.requests.find(old.id) is None
    assert store.requests.find(new.id)


def test_erasing_a_person_forgets_what_they_asked_for(store):
    person = store.subscriptions.add(ANA, CONSENT, NOW).subscriber.id
    link = store.requests.ask(RequestKind.LINK, ANA, NOW)
    change = store.requests.ask(RequestKind.CHANGE, "ana@new.example", NOW, person=person)

    store.subscriptions.erase(person, LATER, "test")

    assert store.requests.find(link.id) is None
    assert store.requests.find(change.id) is None
