"""One person's subscription: what is kept, and what each change does."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from digest.errors import StoreError
from digest.models import Cadence, Preferences
from digest.preferences import everything, follow, mute, unfollow, unmute
from digest.store import Consent, EventKind, Filter, State, Store, SuppressionReason
from digest.store.bulk import new_ids
from tests.store.conftest import CONSENT, NOW
from tests.store.people import add, due_emails

LATER = NOW + timedelta(days=1)


def test_a_subscriber_is_kept_as_given(store: Store) -> None:
    added = store.subscriptions.add(
        "Ana@Example.COM",
        CONSENT,
        NOW,
        name="Ana Ć",
        preferences=Preferences(("open-source", "AI"), muted=("crypto",), languages=("pl", "en")),
        cadence=Cadence.DAILY,
        timezone="Europe/Warsaw",
    )

    found = store.subscriptions.find("ana@example.com")

    assert found == added
    assert found.subscriber.email == "Ana@example.com"
    assert found.subscriber.preferences.tags == ("AI", "open-source")
    assert found.created == NOW
    assert 0 < found.subscriber.id < 2**63


@pytest.mark.parametrize("twin", ["ANA@example.com", "ana@EXAMPLE.com", " ana@example.com "])
def test_an_address_is_unique_whatever_its_case(store: Store, twin: str) -> None:
    add(store, "ana@example.com")

    with pytest.raises(StoreError, match="is here already"):
        add(store, twin)


@pytest.mark.parametrize("email", ["ana@żółw.pl", "żółw@example.com", "ana@xn--w-uga1v8h.pl"])
def test_international_addresses_are_found_again(store: Store, email: str) -> None:
    person = add(store, email)

    found = store.subscriptions.find(email.upper())

    assert found is not None
    assert found.subscriber.id == person


def test_both_spellings_of_an_international_domain_are_one_person(store: Store) -> None:
    add(store, "ana@żółw.pl")

    with pytest.raises(StoreError, match="is here already"):
        add(store, "ana@xn--w-uga1v8h.pl")


def test_an_impossible_address_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="@-sign"):
        add(store, "ana.example.com")

    assert store.subscriptions.count()[State.CONFIRMED] == 0


def test_following_a_tag_ends_getting_everything(store: Store) -> None:
    person = add(store)

    changed = store.subscriptions.change(person, NOW, follow(["#Open-Source", "AI"]))

    assert changed.subscriber.preferences == Preferences(tags=("AI", "Open-Source"))
    assert store.subscriptions.get(person) == changed


def test_a_tag_is_followed_or_muted_never_both(store: Store) -> None:
    person = add(store, "ana@example.com", "ai", "go")

    muted = store.subscriptions.change(person, NOW, mute(["AI"])).subscriber.preferences
    back = store.subscriptions.change(person, NOW, follow(["a-i"])).subscriber.preferences

    assert (muted.tags, muted.muted) == (("go",), ("AI",))
    assert (back.tags, back.muted) == (("a-i", "go"), ())


@pytest.mark.parametrize(
    ("edit", "tags", "muted", "all_tags"),
    [
        (unfollow(["AI"]), ("go",), ("crypto",), False),
        (unmute(["Crypto"]), ("ai", "go"), (), False),
        (everything(), (), ("crypto",), True),
    ],
)
def test_edits_change_only_what_they_name(
    store: Store, edit: object, tags: tuple[str, ...], muted: tuple[str, ...], all_tags: bool
) -> None:
    preferences = Preferences(("ai", "go"), muted=("crypto",))
    person = store.subscriptions.add("a@example.com", CONSENT, NOW, preferences=preferences)

    changed = store.subscriptions.change(person.subscriber.id, NOW, edit)  # type: ignore[arg-type]

    assert changed.subscriber.preferences == Preferences(tags, all_tags, muted)


def test_history_says_what_changed_and_what_was_agreed_to(store: Store) -> None:
    person = add(store, "ana@example.com", "ai")
    store.subscriptions.change(person, LATER, follow(["go"]), cadence=Cadence.DAILY, name="Ana")

    history = store.subscriptions.history(person)

    assert [event.kind for event in history] == [
        EventKind.ADDED,
        EventKind.CONSENT,
        EventKind.CHANGED,
    ]
    assert history[1].detail == "I want the newsletter (form, the sign-up page, v1)"
    assert history[2].detail == "follows #go; name (none) → Ana; cadence weekly → daily"


def test_a_change_that_changes_nothing_leaves_no_trace(store: Store) -> None:
    person = add(store, "ana@example.com", "ai")

    store.subscriptions.change(person, LATER, follow(["AI"]))

    assert len(store.subscriptions.history(person)) == 2


@pytest.mark.parametrize("table", ["consent", "subscriber_event"])
def test_evidence_cannot_be_edited(store: Store, table: str) -> None:
    add(store)

    with (
        pytest.raises((StoreError, sa.exc.IntegrityError), match="append-only"),
        store.database.writing() as connection,
    ):
        connection.exec_driver_sql(f"UPDATE {table} SET number = 7")


def test_a_paused_reader_is_due_again_when_the_pause_ends(store: Store) -> None:
    person = add(store)
    store.subscriptions.pause(person, LATER, NOW)

    assert due_emails(store) == set()
    assert due_emails(store, at=LATER) == {"ana@example.com"}


def test_resuming_ends_a_pause_once(store: Store) -> None:
    person = add(store)
    store.subscriptions.pause(person, LATER, NOW)

    assert store.subscriptions.resume(person, NOW)
    assert not store.subscriptions.resume(person, NOW)
    assert due_emails(store) == {"ana@example.com"}


def test_who_unsubscribes_is_suppressed_and_keeps_preferences(store: Store) -> None:
    person = add(store, "ana@example.com", "ai")

    assert store.subscriptions.unsubscribe(person, NOW, "one-click")
    assert not store.subscriptions.unsubscribe(person, LATER, "one-click")

    found = store.subscriptions.get(person)
    assert found is not None
    assert found.state is State.UNSUBSCRIBED
    assert found.suppressions == (SuppressionReason.UNSUBSCRIBED,)
    assert found.subscriber.preferences.tags == ("ai",)
    assert due_emails(store) == set()


def test_erasing_leaves_nothing_but_the_keyed_hash(store: Store) -> None:
    person = add(store, "ana@example.com", "ai")
    store.subscriptions.erase(person, NOW, "asked by mail")

    assert store.subscriptions.find("ana@example.com") is None
    assert store.subscriptions.history(person) == ()
    with store.database.reading() as connection:
        for table in ("subscriber", "subscriber_tag", "consent", "subscriber_event"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
    (left,) = store.suppressions.stream()
    assert (left.reason, left.email) == (SuppressionReason.ERASED, "")


@pytest.mark.parametrize("leave", ["unsubscribe", "erase"])
def test_who_left_cannot_be_added_again(store: Store, leave: str) -> None:
    getattr(store.subscriptions, leave)(add(store), NOW, "test")

    with pytest.raises(StoreError, match=r"is suppressed|has left"):
        add(store, "ANA@example.com")

    assert due_emails(store) == set()


def test_who_was_erased_comes_back_by_confirming(store: Store) -> None:
    store.subscriptions.erase(add(store), NOW, "test")

    person = add(store, state=State.PENDING)
    assert due_emails(store) == set()
    store.subscriptions.confirm(person, Consent(LATER, "confirmation", "Yes"), LATER)

    assert due_emails(store) == {"ana@example.com"}
    assert store.suppressions.reasons("ana@example.com") == ()


def test_who_left_is_taken_back_at_their_own_request_with_evidence(store: Store) -> None:
    person = add(store, "ana@example.com", "ai")
    store.subscriptions.unsubscribe(person, NOW, "test")

    store.subscriptions.take_back(person, CONSENT, NOW)

    assert due_emails(store) == {"ana@example.com"}
    kinds = [event.kind for event in store.subscriptions.history(person)]
    assert (kinds.count(EventKind.CONFIRMED), kinds.count(EventKind.CONSENT)) == (1, 2)


@pytest.mark.parametrize("reason", ["complained", "bounced", "manual"])
def test_who_is_suppressed_for_more_than_leaving_is_not_taken_back(
    store: Store, reason: str
) -> None:
    person = add(store)
    store.subscriptions.unsubscribe(person, NOW, "test")
    store.suppressions.add("ana@example.com", SuppressionReason(reason), NOW, "test")

    with pytest.raises(StoreError, match=reason):
        store.subscriptions.take_back(person, CONSENT, NOW)

    assert not due_emails(store)


def test_only_who_left_is_taken_back(store: Store) -> None:
    with pytest.raises(StoreError, match="has not left") as refused:
        store.subscriptions.take_back(add(store, state=State.PENDING), CONSENT, NOW)

    assert refused.value.hint == "see what stands: digest subscribers show ana@example.com"


@pytest.mark.parametrize("text", ["łukasz", "ŁUKASZ", "zo\u0308e", "STRASSE"])
def test_a_search_knows_the_case_of_every_script(store: Store, text: str) -> None:
    add(store, "ana@example.com")
    add(store, "lu@example.com", name="Łukasz Zöe Straße")

    found = list(store.subscriptions.stream(Filter(text=text), limit=1))

    assert [one.subscriber.email for one in found] == ["lu@example.com"]


def test_confirming_does_not_lift_a_complaint(store: Store) -> None:
    person = add(store)
    store.suppressions.add("ana@example.com", SuppressionReason.COMPLAINED, NOW, "webhook")

    with pytest.raises(StoreError, match="complained"):
        store.subscriptions.confirm(person, CONSENT, NOW)

    assert due_emails(store) == set()


def test_the_covered_mark_never_moves_back(store: Store) -> None:
    person, other = add(store), add(store, "bo@example.com")
    store.subscriptions.cover([person, other], LATER)
    store.subscriptions.cover([person], NOW)

    found = [one.covered_until for one in store.subscriptions.stream()]
    assert found == [LATER, LATER]


def test_changing_someone_who_is_gone_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="not here any more"):
        store.subscriptions.pause(12345, LATER, NOW)


@pytest.mark.parametrize(
    ("chosen", "emails"),
    [
        (Filter(), ["ana@example.com", "bo@example.org", "cy@example.org"]),
        (Filter(tag="ai"), ["bo@example.org"]),
        (Filter(domain="Example.org"), ["bo@example.org", "cy@example.org"]),
        (Filter(state=State.UNSUBSCRIBED), ["cy@example.org"]),
        (Filter(text="AN"), ["ana@example.com"]),
        (Filter(text="%"), []),
    ],
)
def test_filters_choose_whom_to_list(store: Store, chosen: Filter, emails: list[str]) -> None:
    add(store, "ana@example.com")
    add(store, "bo@example.org", "ai")
    store.subscriptions.unsubscribe(add(store, "cy@example.org", "go"), NOW, "test")

    assert [one.subscriber.email for one in store.subscriptions.stream(chosen)] == emails


def test_a_limit_ends_the_list(store: Store) -> None:
    for number in range(3):
        add(store, f"reader{number}@example.com")

    assert len(list(store.subscriptions.stream(limit=2))) == 2


@pytest.mark.parametrize("number", [1, 5000])
def test_new_ids_are_distinct_positive_and_fit_a_signed_column(number: int) -> None:
    ids = new_ids(number)

    assert len(set(ids)) == number
    assert all(0 < one < 2**63 for one in ids)
    assert set(ids).isdisjoint(new_ids(number))


@pytest.mark.parametrize(("days", "kept"), [(30, True), (200, False)])
def test_who_comes_back_after_long_is_new_and_gets_no_backlog(
    store: Store, days: int, kept: bool
) -> None:
    person = store.subscriptions.add("ana@example.com", CONSENT, NOW).subscriber.id
    store.subscriptions.cover([person], NOW)
    store.subscriptions.unsubscribe(person, NOW, "page")

    store.subscriptions.confirm(person, CONSENT, NOW + timedelta(days=days))

    found = store.subscriptions.get(person)
    assert found
    assert found.covered_until == (NOW if kept else None)
