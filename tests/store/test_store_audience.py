"""Who is due, and which bits they have."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.hashtags import fold
from digest.models import Cadence, Preferences
from digest.store import State, Store, SuppressionReason
from tests.store.conftest import CONSENT, NOW
from tests.store.people import add, due, due_emails


def test_each_followed_tag_is_a_bit_of_its_position(store: Store) -> None:
    add(store, "ana@example.com", "Open-Source", "ai", "unheard-of")

    (reader,) = due(store, "ai", "go", "opensource")

    assert (reader.follows, reader.mutes, reader.everything) == (0b101, 0, False)


def test_muted_tags_have_a_mask_of_their_own(store: Store) -> None:
    preferences = Preferences(everything=True, muted=("crypto",), languages=("pl", "en"))
    store.subscriptions.add("ana@example.com", CONSENT, NOW, preferences=preferences)

    (reader,) = due(store, "ai", "crypto")

    assert (reader.follows, reader.mutes, reader.everything) == (0, 0b10, True)
    assert reader.languages == ("pl", "en")


def test_an_alias_shares_the_bit_of_what_it_stands_for(store: Store) -> None:
    add(store, "ana@example.com", "k8s", "kubernetes")

    positions = {"ai": 0, "kubernetes": 1, "k8s": 1}
    (reader,) = store.audience.stream_due(Cadence.WEEKLY, NOW, positions)

    assert reader.follows == 0b10


_TAGS = [f"tag{number}" for number in range(140)]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    followed=st.sets(st.sampled_from(_TAGS), max_size=20),
    muted=st.sets(st.sampled_from(_TAGS), max_size=5),
    issue=st.lists(st.sampled_from(_TAGS), unique=True, max_size=130),
)
def test_masks_equal_those_made_one_by_one(
    store: Store, followed: set[str], muted: set[str], issue: list[str]
) -> None:
    """Any number of tags: past 31 the bits of one reader take several words of the database."""
    wanted = Preferences(tuple(followed), not followed, tuple(muted))
    added = store.subscriptions.add("ana@example.com", CONSENT, NOW, preferences=wanted)

    (reader,) = due(store, *issue)
    store.subscriptions.erase(added.subscriber.id, NOW, "next example")
    store.suppressions.remove("ana@example.com", NOW, "next example")

    kept = added.subscriber.preferences
    assert reader.follows == sum(1 << issue.index(tag) for tag in kept.tags if tag in issue)
    assert reader.mutes == sum(1 << issue.index(tag) for tag in kept.muted if tag in issue)


def test_readers_are_streamed_in_the_order_of_their_ids(store: Store) -> None:
    for number in range(20):
        add(store, f"reader{number}@example.com")

    ids = [reader.id for reader in due(store)]

    assert ids == sorted(ids)
    assert len(ids) == 20


def test_only_the_asked_cadence_is_due(store: Store) -> None:
    add(store, "daily@example.com", cadence=Cadence.DAILY)
    add(store, "weekly@example.com")

    assert due_emails(store) == {"weekly@example.com"}


def test_a_reader_carries_the_end_of_what_they_have_seen(store: Store) -> None:
    store.subscriptions.cover([add(store)], NOW)

    (reader,) = due(store)

    assert reader.covered_until == NOW


def test_reasons_for_not_being_due_are_counted_once_each(store: Store) -> None:
    add(store, "due@example.com")
    add(store, "pending@example.com", state=State.PENDING)
    store.subscriptions.unsubscribe(add(store, "left@example.com"), NOW, "test")
    store.subscriptions.pause(add(store, "paused@example.com"), NOW + timedelta(days=1), NOW)
    add(store, "bounced@example.com")
    store.suppressions.add("bounced@example.com", SuppressionReason.BOUNCED, NOW, "webhook")

    assert store.audience.skipped(Cadence.WEEKLY, NOW) == {
        "paused": 1,
        "pending": 1,
        "suppressed": 1,
        "unsubscribed": 1,
    }


def test_stopping_a_stream_half_way_gives_the_connection_back(store: Store) -> None:
    add(store, "ana@example.com")
    readers = store.audience.stream_due(Cadence.WEEKLY, NOW, {fold("ai"): 0})
    next(readers)
    readers.close()  # type: ignore[attr-defined]

    add(store, "bo@example.com")

    assert len(due(store, "ai")) == 2
