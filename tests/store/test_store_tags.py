"""Tags over all readers: counted, renamed, merged."""

from datetime import timedelta

import pytest

from digest.errors import StoreError
from digest.models import Preferences
from digest.preferences import mute
from digest.store import State, Store, TagReaders
from tests.store.conftest import CONSENT, NOW
from tests.store.people import add, due


def _followed(store: Store, email: str) -> Preferences:
    found = store.subscriptions.find(email)
    assert found is not None
    return found.subscriber.preferences


def test_only_confirmed_readers_are_counted(store: Store) -> None:
    add(store, "ana@example.com", "ai", "go")
    add(store, "bo@example.com", "AI")
    add(store, "pending@example.com", "ai", state=State.PENDING)
    store.subscriptions.unsubscribe(add(store, "left@example.com", "ai"), NOW, "test")
    store.subscriptions.change(add(store, "cy@example.com"), NOW, mute(["go"]))

    assert store.tags.readers() == (TagReaders("ai", "ai", 2, 0), TagReaders("go", "go", 1, 1))
    assert store.tags.everything() == 1


def test_renaming_changes_the_spelling_and_nothing_else(store: Store) -> None:
    add(store, "ana@example.com", "open-source")

    store.tags.rename("OpenSource", "Open Source")

    assert _followed(store, "ana@example.com").tags == ("Open Source",)
    assert due(store, "opensource")[0].follows == 1


@pytest.mark.parametrize("new", ["Python3", "Kubernetes"])
def test_renaming_to_another_tag_is_refused_as_posts_keep_theirs(store: Store, new: str) -> None:
    add(store, "ana@example.com", "python", "kubernetes")

    with pytest.raises(StoreError, match="is another tag than #python") as refused:
        store.tags.rename("python", new)

    assert f"digest tags merge python {new}" in refused.value.hint
    assert due(store, "python")[0].follows == 1


def test_readers_can_be_moved_to_a_tag_that_nobody_follows_yet(store: Store) -> None:
    add(store, "ana@example.com", "golang")

    assert store.tags.merge("golang", "Go", NOW) == 1

    assert _followed(store, "ana@example.com").tags == ("Go",)


def test_merging_moves_followers_and_keeps_what_was_said_about_the_target(store: Store) -> None:
    add(store, "ana@example.com", "k8s")
    add(store, "bo@example.com", "k8s", "kubernetes")
    preferences = Preferences(("k8s",), muted=("kubernetes",))
    store.subscriptions.add("cy@example.com", CONSENT, NOW, preferences=preferences)

    assert store.tags.merge("k8s", "kubernetes", NOW) == 3

    assert store.tags.readers() == (TagReaders("kubernetes", "kubernetes", 2, 1),)
    assert _followed(store, "cy@example.com").muted == ("kubernetes",)


def test_merging_is_told_in_the_history(store: Store) -> None:
    person = add(store, "ana@example.com", "k8s")
    add(store, "bo@example.com", "kubernetes")

    store.tags.merge("k8s", "kubernetes", NOW + timedelta(days=1))

    assert store.subscriptions.history(person)[-1].detail == "#k8s merged into #kubernetes"


@pytest.mark.parametrize("name", ["unheard-of", ""])
def test_an_unknown_tag_is_refused(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="nobody follows or mutes"):
        store.tags.rename(name, "other")
