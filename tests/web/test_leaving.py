"""Unsubscribing: by a button or by one POST of a mail provider, never by following a link."""

import asyncio
import re
import sqlite3
from contextlib import closing

import httpx2
import pytest

from digest.composer.message import LIST_UNSUBSCRIBE_BYTES
from digest.models import State, SuppressionReason
from digest.store import Store
from digest.tokens import Purpose, unsubscribe_url
from digest.web.site import WRITERS
from tests.store.conftest import SECRETS
from tests.web.conftest import START, Pages

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def ana(pages):
    return pages.reader()


@pytest.fixture
def path(pages, ana):
    return pages.path("u", Purpose.UNSUBSCRIBE, ana.id)


def state(pages, ana):
    return pages.store.subscriptions.get(ana.id).state


def test_a_get_and_a_head_change_nothing(pages, ana, path):
    shown = pages.get(path)
    pages.client.head(path)

    assert "Unsubscribe from Platform Weekly?" in shown.text
    assert "a•••@example.com" in shown.text
    assert state(pages, ana) is State.CONFIRMED


@pytest.mark.parametrize(
    "form", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}]
)
def test_one_click_answers_200_without_redirect_or_cookie(pages, ana, path, form):
    answer = pages.client.post(path, **form)

    assert answer.status_code == 200
    assert not answer.cookies
    assert state(pages, ana) is State.UNSUBSCRIBED
    assert SuppressionReason.UNSUBSCRIBED in pages.store.suppressions.reasons(ana.email)
    assert "one-click" in [event.detail for event in pages.store.subscriptions.history(ana.id)]


def test_one_click_as_gmail_sends_it(pages, ana, path):
    body = b"List-Unsubscribe=One-Click"
    headers = {"content-type": "application/x-www-form-urlencoded", "user-agent": "Google"}

    answer = pages.client.post(path, content=body, headers=headers)

    assert (len(body), answer.status_code) == (26, 200)
    assert state(pages, ana) is State.UNSUBSCRIBED


def test_a_post_of_something_else_shows_the_page(pages, ana, path):
    assert "Unsubscribe from Platform Weekly?" in pages.post(path, x="y").text
    assert state(pages, ana) is State.CONFIRMED


def test_leaving_twice_is_leaving_once(pages, ana, path):
    pages.post(path, **ONE_CLICK)
    events = len(pages.store.subscriptions.history(ana.id))
    again = pages.post(path, **ONE_CLICK)

    assert again.status_code == 200
    assert len(pages.store.subscriptions.history(ana.id)) == events
    assert "You are unsubscribed" in pages.get(path).text


def test_two_clicks_and_an_undo(pages, ana, path):
    done = pages.post(path, **ONE_CLICK, page="1")
    assert "We will not mail you again" in done.text
    undo = re.search(r'action="(/b/[^"]+)"', done.text)[1]

    assert "still subscribed" in pages.post(undo).text
    back = pages.store.subscriptions.get(ana.id)
    assert (back.state, back.suppressions) == (State.CONFIRMED, ())
    assert back.subscriber == ana


def test_an_undo_is_for_who_just_left_and_for_half_an_hour(pages, ana, path):
    done = pages.post(path, **ONE_CLICK, page="1")
    undo = re.search(r'action="(/b/[^"]+)"', done.text)[1]
    assert "/b/" not in pages.post(path, **ONE_CLICK, page="1").text  # had left before
    assert "/b/" not in pages.get(path).text

    pages.clock.pass_(minutes=31)
    assert pages.post(undo).status_code == 404
    assert state(pages, ana) is State.UNSUBSCRIBED


def test_an_undo_takes_back_its_own_leaving_and_no_later_one(pages, ana, path):
    first = re.search(r'action="(/b/[^"]+)"', pages.post(path, **ONE_CLICK, page="1").text)[1]
    pages.post(first)
    second = re.search(r'action="(/b/[^"]+)"', pages.post(path, **ONE_CLICK, page="1").text)[1]

    assert "You are unsubscribed" in pages.post(first).text
    assert pages.post(first.replace("leaving=1", "leaving=2")).status_code == 404
    assert state(pages, ana) is State.UNSUBSCRIBED
    assert "still subscribed" in pages.post(second).text
    assert state(pages, ana) is State.CONFIRMED


def test_an_undo_is_no_answer_to_what_the_provider_tells_later(pages, ana, path):
    undo = re.search(r'action="(/b/[^"]+)"', pages.post(path, **ONE_CLICK, page="1").text)[1]
    pages.post(undo)
    pages.store.suppressions.add(ana.email, SuppressionReason.UNSUBSCRIBED, START, "sendgrid")

    assert "You are unsubscribed" in pages.post(undo).text
    assert "You are unsubscribed" in pages.get(path).text


def test_an_undo_does_not_lift_a_complaint(pages, ana, path):
    done = pages.post(path, **ONE_CLICK, page="1")
    undo = re.search(r'action="(/b/[^"]+)"', done.text)[1]
    pages.store.suppressions.add(ana.email, SuppressionReason.COMPLAINED, START, "a report")

    assert "You are unsubscribed" in pages.post(undo).text
    assert state(pages, ana) is State.UNSUBSCRIBED


def test_the_link_works_after_years_and_after_a_deletion(pages, ana, path):
    pages.store.subscriptions.erase(ana.id, START, "test")
    pages.clock.pass_(days=4000)

    assert pages.get(path).status_code == 200
    assert pages.post(path, **ONE_CLICK).status_code == 200
    assert pages.post(path, **ONE_CLICK, page="1").status_code == 200


def test_a_look_at_the_link_of_nobody_does_not_say_that_something_was_done(quick_pages):
    nobody = quick_pages.path("u", Purpose.UNSUBSCRIBE, 0)

    for answer in (quick_pages.get(nobody), quick_pages.post(nobody, **ONE_CLICK, page="1")):
        assert "No subscription belongs to this link" in answer.text
        assert "Done" not in answer.text
        assert "unsubscribed" not in answer.text


def test_who_has_left_and_looks_again_is_not_told_that_it_was_done_now(quick_pages):
    ana = quick_pages.reader()
    path = quick_pages.path("u", Purpose.UNSUBSCRIBE, ana.id)
    assert "Done" in quick_pages.post(path, **ONE_CLICK, page="1").text

    again = quick_pages.get(path).text

    assert "You are unsubscribed" in again
    assert "Done" not in again


def test_the_link_works_with_a_key_that_was_rotated(project, pages, ana, path, monkeypatch):
    from tests.web.conftest import Pages

    old = "a-secret-key-for-tests"
    monkeypatch.setenv("DIGEST_SECRET_KEY", f"a-newer-secret-key-for-tests {old}")
    later = Pages(pages.config, pages.store)

    assert later.post(path, **ONE_CLICK).status_code == 200
    assert state(pages, ana) is State.UNSUBSCRIBED


def test_the_header_keeps_to_77_bytes(pages, path):
    url = unsubscribe_url(pages.config.newsletter.base_url, path.removeprefix("/u/"))

    assert len(f"<{url}>") <= LIST_UNSUBSCRIBE_BYTES
    assert "ana" not in url.lower()


def test_one_click_is_not_limited(quick_pages):
    for number in range(60):
        person = quick_pages.reader(f"a{number}@example.com").id
        path = quick_pages.path("u", Purpose.UNSUBSCRIBE, person)
        assert quick_pages.post(path, **ONE_CLICK).status_code == 200


def test_the_preferences_page_leads_out_in_one_click(quick_pages):
    ana = quick_pages.reader()
    page = quick_pages.get(quick_pages.path("p", Purpose.PREFERENCES, ana.id)).text
    leave = re.search(r'action="(/u/[^"]+)"', page)[1]

    assert "unsubscribed" in quick_pages.post(leave, **ONE_CLICK, page="1").text
    assert state(quick_pages, ana) is State.UNSUBSCRIBED


def test_pages_are_there_while_the_database_is_locked_and_more_leave_than_there_are_threads(
    quick_pages,
):
    file = quick_pages.store.database.engine.url.database

    async def all_at_once(pages: Pages) -> tuple[list[int], int, set[int]]:
        leave = pages.path("u", Purpose.UNSUBSCRIBE, pages.reader().id)
        mine = pages.path("p", Purpose.PREFERENCES, pages.reader("ben@example.com").id)
        transport = httpx2.ASGITransport(pages.app)
        base, pool = pages.config.newsletter.base_url, pages.store.database.engine.pool
        async with httpx2.AsyncClient(transport=transport, base_url=base, timeout=None) as client:
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                left = [asyncio.create_task(client.post(leave, data=ONE_CLICK)) for _ in range(60)]
                async with asyncio.timeout(30):
                    while pool.checkedout() < WRITERS:
                        await asyncio.sleep(0.01)
                shown = [
                    (await client.get(at)).status_code for at in ("/", "/archive", leave, mine)
                ]
                answered = sum(one.done() for one in left)
            return shown, answered, {(await one).status_code for one in left}

    with Store.open(f"sqlite:///{file}", SECRETS, patience=60) as patient:
        told = asyncio.run(all_at_once(Pages(quick_pages.config, patient)))

    assert told == ([200] * 4, 0, {200})
