"""The do-not-mail list knows people by a keyed hash."""

from datetime import timedelta

import pytest

from digest.errors import StoreError
from digest.store import EventKind, Store, SuppressionReason
from tests.store.conftest import CONSENT, NOW, SECRETS
from tests.store.people import add, due_emails

LATER = NOW + timedelta(days=1)


def test_a_suppressed_address_is_not_due(store: Store) -> None:
    person = add(store, "Ana@example.com")

    assert store.suppressions.add("aNA@EXAMPLE.com", SuppressionReason.BOUNCED, LATER, "webhook")

    assert due_emails(store) == set()
    assert store.suppressions.reasons("ana@example.com") == (SuppressionReason.BOUNCED,)
    assert store.subscriptions.history(person)[-1].kind is EventKind.SUPPRESSED


def test_a_repeated_suppression_keeps_its_first_moment(store: Store) -> None:
    store.suppressions.add("ana@example.com", SuppressionReason.MANUAL, NOW, "first")

    assert not store.suppressions.add("ana@example.com", SuppressionReason.MANUAL, LATER, "again")

    (kept,) = store.suppressions.stream()
    assert (kept.at, kept.source) == (NOW, "first")


def test_an_address_can_be_suppressed_before_it_is_known(store: Store) -> None:
    store.suppressions.add("ana@example.com", SuppressionReason.MANUAL, NOW, "request")

    with pytest.raises(StoreError, match=r"suppressed \(manual\)"):
        add(store)


def test_removing_takes_off_every_reason(store: Store) -> None:
    add(store)
    store.suppressions.add("ana@example.com", SuppressionReason.BOUNCED, NOW, "webhook")
    store.suppressions.add("ana@example.com", SuppressionReason.MANUAL, NOW, "request")

    removed = store.suppressions.remove("ana@example.com", LATER, "by mistake")

    assert removed == (SuppressionReason.BOUNCED, SuppressionReason.MANUAL)
    assert due_emails(store) == {"ana@example.com"}


def test_removing_does_not_subscribe_who_left(store: Store) -> None:
    store.subscriptions.unsubscribe(add(store), NOW, "one-click")

    store.suppressions.remove("ana@example.com", LATER, "by mistake")

    assert due_emails(store) == set()


def test_many_addresses_are_added_once_each(store: Store) -> None:
    addresses = [f"reader{number % 1500}@example.com" for number in range(2000)]

    first = sum(store.suppressions.add_all(addresses, SuppressionReason.MANUAL, NOW, "file"))
    again = sum(store.suppressions.add_all(addresses, SuppressionReason.MANUAL, NOW, "file"))

    assert (first, again) == (1500, 0)
    assert len(list(store.suppressions.stream())) == 1500


def test_no_address_is_kept_in_the_list(store: Store) -> None:
    store.suppressions.add("ana@example.com", SuppressionReason.MANUAL, NOW, "request")

    with store.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM suppression").all()

    assert "ana" not in repr(rows)
    assert "secret" not in repr(store)


def test_a_store_is_refused_with_another_secret(store: Store, fresh_url: object) -> None:
    add(store)
    url = store.database.engine.url.render_as_string(hide_password=False)

    with pytest.raises(StoreError, match="secret key is not the one"):
        Store.open(url, (b"another secret, also long enough",))


def test_a_rotated_secret_still_knows_who_left(store: Store) -> None:
    store.subscriptions.erase(add(store), NOW, "test")
    url = store.database.engine.url.render_as_string(hide_password=False)

    with Store.open(url, (b"a new secret, also long enough", *SECRETS)) as rotated:
        assert rotated.suppressions.reasons("ana@example.com") == (SuppressionReason.ERASED,)


def test_an_address_longer_than_is_taken_now_can_be_found_and_mailed_no_more(store):
    was_taken = "a" * 65 + "@example.com"
    store.suppressions.add(was_taken, SuppressionReason.COMPLAINED, NOW, "test")

    assert store.suppressions.reasons(was_taken) == (SuppressionReason.COMPLAINED,)
    assert store.subscriptions.find(was_taken) is None
    with pytest.raises(ValueError, match="too long"):
        store.subscriptions.add(was_taken, CONSENT, NOW)
