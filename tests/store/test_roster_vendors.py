"""Exports of other services are understood by their columns."""

from datetime import UTC, datetime

import pytest

from digest.errors import SubscribersError
from digest.models import Preferences
from digest.roster.vendors import IGNORE, recognise
from digest.store import State, Store, Subscription, SuppressionReason
from tests.store.lists import take_in
from tests.store.people import due_emails

MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,'
    "TIMEZONE,CC,LAST_CHANGED,LEID,EUID,NOTES,TAGS,UNSUB_TIME,CLEAN_TIME\n"
    'ana@example.com,Ana,Kovač,2,"2021-03-01 10:00:00",,"2021-03-01 10:05:00",Europe/Zagreb,HR,,'
    '1,a,,"""AI"",""Open Source""",,\n'
    'left@example.com,,,2,,,,,,,2,b,,,"2022-01-01 00:00:00",\n'
    'gone@example.com,,,2,,,,,,,3,c,,,,"2022-01-01 00:00:00"\n'
)
SUBSTACK = (
    "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
    "ana@example.com,false,,other,false,2025-01-01T00:00:00.000Z,\n"
    "left@example.com,true,,yearly,true,2025-01-01T00:00:00.000Z,\n"
)
BUTTONDOWN = (
    "email,notes,metadata,tags,creation_date,type,unsubscription_date\n"
    "ana@example.com,,{},ai,2023-05-05T10:00:00Z,regular,\n"
    "left@example.com,,{},,2023-05-05T10:00:00Z,unsubscribed,2024-01-01T00:00:00Z\n"
    "new@example.com,,{},,2023-05-05T10:00:00Z,unactivated,\n"
)
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,"
    "deleted_at,labels,tiers\n"
    'm1,ana@example.com,Ana,"VIP, early",true,false,,2024-01-15T10:00:00.000Z,,"ai,go",\n'
    "m2,left@example.com,,,false,false,,2024-01-15T10:00:00.000Z,,,\n"
)
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'u1,ana@example.com,Ana,"{""city"": ""Zagreb""}",enabled,2024-01-15T10:00:00Z,\n'
    "u2,left@example.com,,{},blocklisted,2024-01-15T10:00:00Z,\n"
)


def _people(store: Store) -> dict[str, Subscription]:
    return {one.subscriber.email: one for one in store.subscriptions.stream()}


@pytest.mark.parametrize("text", [MAILCHIMP, SUBSTACK, BUTTONDOWN, GHOST, LISTMONK])
def test_who_left_elsewhere_is_not_due_here(store: Store, text: str) -> None:
    result, rejects = take_in(store, text)

    assert rejects == []
    assert result.added == text.count("@example.com")
    assert due_emails(store) == {"ana@example.com"}
    assert store.suppressions.reasons("left@example.com")


def test_mailchimp_names_tags_and_times_are_kept(store: Store) -> None:
    take_in(store, MAILCHIMP)

    ana, gone = _people(store)["ana@example.com"], _people(store)["gone@example.com"]
    assert ana.subscriber.name == "Ana Kovač"
    assert ana.subscriber.timezone == "Europe/Zagreb"
    assert ana.subscriber.preferences.tags == ("AI", "Open Source")
    assert ana.created == datetime(2021, 3, 1, 10, tzinfo=UTC)
    assert store.subscriptions.history(ana.subscriber.id)[0].at.minute == 5
    assert gone.suppressions == (SuppressionReason.BOUNCED,)


def test_a_free_substack_reader_is_a_reader(store: Store) -> None:
    take_in(store, SUBSTACK)

    ana = _people(store)["ana@example.com"]
    assert ana.state is State.CONFIRMED
    assert ana.subscriber.preferences == Preferences(everything=True)


def test_buttondowns_unactivated_are_pending(store: Store) -> None:
    take_in(store, BUTTONDOWN)

    assert _people(store)["new@example.com"].state is State.PENDING


def test_a_mapping_stands_over_what_is_recognised() -> None:
    header = ["Email Address", "MEMBER_RATING", "Interests", "TAGS"]

    found = recognise(header, {"interests": "tags"}, "list.csv")

    assert (found.vendor, found.places) == ("Mailchimp", {"email": 0, "tags": 2})
    assert found.ignored == ("MEMBER_RATING", "TAGS")


def test_a_column_can_be_ignored() -> None:
    assert "name" not in recognise(["email", "name"], {"name": IGNORE}, "list.csv").places


@pytest.mark.parametrize(
    ("header", "mapping", "message"),
    [
        (["address"], {}, r"no column holds addresses \(found: address\)"),
        (["email", "Email"], {}, "'email' and 'Email' are both email"),
        (["email"], {"mail": "email"}, "--map names a column 'mail' that is not there"),
        (["email", "x"], {"x": "tag"}, "there is no field 'tag'"),
    ],
)
def test_columns_that_cannot_be_understood_are_refused(
    header: list[str], mapping: dict[str, str], message: str
) -> None:
    with pytest.raises(SubscribersError, match=message):
        recognise(header, mapping, "list.csv")
