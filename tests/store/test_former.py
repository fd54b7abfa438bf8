"""A store from before revision 0015: who left it is not mailed, and look-alikes are told apart."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from digest.errors import StoreError
from digest.models import State, SuppressionReason
from digest.store import RequestKind, Store, connect, migrate
from digest.store.schema import setting, subscriber, suppression
from digest.store.suppressions import insert_suppression
from tests.store.conftest import CONSENT, NOW, SECRETS
from tests.store.lists import take_in
from tests.store.people import add, due_emails

READER, LEFT, ERASED = "ana@straße.example", "bo@straße.example", "cy@straße.example"


@pytest.fixture
def old(fresh_url: Callable[[], str]) -> Iterator[Store]:
    """What an older program left: one who reads, one who left, one who was erased."""
    url = fresh_url()
    with Store.open(url, SECRETS) as store:
        for email in (READER, LEFT, ERASED):
            add(store, email)
        store.requests.ask(RequestKind.LINK, READER, NOW)
        store.subscriptions.unsubscribe(person(store, LEFT), NOW, "test")
        store.subscriptions.erase(person(store, ERASED), NOW, "test")
        with store.database.writing() as connection:
            for email in (READER, LEFT, ERASED):
                key, former = store.hasher(email), store.hasher.former_of(email)
                for table in (subscriber, suppression):
                    update = sa.update(table).where(table.c.address_hash == key)
                    connection.execute(update.values(address_hash=former))
                where = subscriber.c.email == email
                connection.execute(
                    sa.update(subscriber).where(where).values(address=email.casefold())
                )
            connection.execute(sa.text("ALTER TABLE request DROP COLUMN mails"))  # of 0016
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0014'"))
    database = connect(url)
    migrate.upgrade(database)
    database.engine.dispose()
    with Store.open(url, SECRETS) as store:
        yield store


def person(store: Store, email: str) -> int:
    found = store.subscriptions.find(email)
    assert found is not None
    return found.subscriber.id


def suppress_as_before_and_now(store: Store, email: str) -> None:
    former = store.hasher.former_of(email)
    assert former is not None
    store.suppressions.add(email, SuppressionReason.COMPLAINED, NOW, "test")
    with store.database.writing() as connection:
        insert_suppression(connection, former, SuppressionReason.COMPLAINED, NOW, "test")


def test_people_are_found_and_stand_as_before(old: Store) -> None:
    left = old.subscriptions.find(LEFT)

    assert due_emails(old) == {READER}
    assert left is not None
    assert (left.state, left.suppressions) == (
        State.UNSUBSCRIBED,
        (SuppressionReason.UNSUBSCRIBED,),
    )


def test_what_is_said_of_an_address_from_now_on_counts_for_its_reader(old: Store) -> None:
    old.suppressions.add(READER, SuppressionReason.COMPLAINED, NOW, "test")

    assert due_emails(old) == set()


@pytest.mark.parametrize("email", [ERASED, "cy@strasse.example"])
def test_nobody_is_brought_back_who_was_erased_or_may_be_who_was(old: Store, email: str) -> None:
    take_in(old, f"email\n{email}\n")

    assert old.subscriptions.find(email) is None
    assert old.suppressions.reasons(email) == (SuppressionReason.ERASED,)
    with pytest.raises(StoreError):
        old.subscriptions.add(email, CONSENT, NOW)


def test_an_import_names_each_reason_once(old: Store) -> None:
    never = "dee@straße.example"
    suppress_as_before_and_now(old, never)
    _, (refused,) = take_in(old, f"email\n{never}\n")

    assert "suppressed (complained)" in refused.reason


def test_who_came_back_is_imported_like_anybody(old: Store) -> None:
    old.subscriptions.take_back(person(old, LEFT), CONSENT, NOW)

    assert take_in(old, f"email\n{LEFT}\n")[1] == []


@pytest.mark.parametrize("email", [ERASED, "cy@strasse.example"])
def test_the_publisher_takes_off_a_no_of_before(old: Store, email: str) -> None:
    assert old.suppressions.remove(email, NOW, "test") == (SuppressionReason.ERASED,)
    assert old.suppressions.reasons(email) == ()
    add(old, email)

    assert due_emails(old) == {READER, email}


def test_the_no_of_a_look_alike_who_is_here_is_taken_off_by_its_own_name(old: Store) -> None:
    alike = "dee@strasse.example"
    add(old, alike)
    old.suppressions.add(alike, SuppressionReason.COMPLAINED, NOW, "test")

    with pytest.raises(StoreError, match=alike):
        old.suppressions.remove("dee@straße.example", NOW, "test")
    assert old.suppressions.reasons(alike) == (SuppressionReason.COMPLAINED,)


def test_who_looks_like_a_reader_is_somebody_else(old: Store) -> None:
    assert old.subscriptions.find("ana@strasse.example") is None
    add(old, "ana@strasse.example")

    assert due_emails(old) == {"ana@strasse.example", READER}


def test_a_store_that_was_begun_after_it_has_no_such_hashes(store: Store) -> None:
    with store.database.reading() as connection:
        names = connection.scalars(sa.select(setting.c.name)).all()

    assert "former-hashes" not in names
    assert not store.hasher.former


def test_people_are_hashed_anew_once(old: Store) -> None:
    url = old.database.engine.url.render_as_string(hide_password=False)
    with Store.open(url, SECRETS) as again:
        assert again.hasher == replace(again.hasher, former=True) == old.hasher
        assert due_emails(again) == {READER}
