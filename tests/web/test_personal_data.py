"""What only the mailbox's owner may do: move, download, delete; and fresh links."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from digest.models import State, SuppressionReason
from digest.tokens import Purpose
from tests.web.conftest import START

NEW = "ana@new.example"


@pytest.fixture
def ana(pages):
    return pages.reader()


@pytest.fixture
def own(pages, ana):
    """The path that was mailed."""
    path = pages.path("p", Purpose.PREFERENCES, ana.id)
    assert "Check your inbox" in pages.post(path, do="own").text
    return pages.link()


def test_the_link_goes_to_the_mailbox_and_lasts_half_an_hour(pages, ana, own):
    assert pages.mails()[-1]["To"] == ana.email
    assert pages.get(own).status_code == 200

    pages.clock.pass_(minutes=30)
    assert pages.get(own).status_code == 404


def test_the_link_is_mailed_again_once_it_has_run_out(pages, ana, own):
    path = pages.path("p", Purpose.PREFERENCES, ana.id)
    waiting = pages.post(path, do="own").text
    sent = len(pages.mails())
    pages.clock.pass_(minutes=30)
    again = pages.post(path, do="own").text

    assert "No other one was mailed now" in waiting
    assert "a message is on its way" in again
    assert "at most one such mail a day" not in waiting + again
    assert [sent, len(pages.mails())] == [1, 2]
    assert pages.get(pages.link()).status_code == 200


@pytest.mark.parametrize("fields", [{"do": "download"}, {"do": "move", "email": NEW}])
def test_the_link_is_mailed_again_once_it_was_used(pages, ana, own, fields):
    path = pages.path("p", Purpose.PREFERENCES, ana.id)
    pages.post(own, **fields)

    assert "a message is on its way" in pages.post(path, do="own").text
    assert pages.mails()[-1]["Subject"] == "Your data at Platform Weekly"


def test_the_page_says_what_is_counted_of_links(pages, ana, own):
    plain = pages.get(own).text
    counting = pages.counting()
    told = counting.get(own).text
    polish = counting.get(own + "?lang=pl").text

    assert "We keep no record of what you open or click." in plain
    assert "or click" not in told
    assert "count how often it is followed, and never by whom" in told
    assert "jak często ktoś go otwiera" in polish


def test_all_that_is_kept_can_be_downloaded(pages, ana, own):
    answer = pages.post(own, do="download")

    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    kept = json.loads(answer.text)
    assert kept["email"] == ana.email
    assert kept["tags"] == ["ai", "python"]
    assert [event["kind"] for event in kept["history"]] == ["added", "consent"]
    assert kept["issues"] == []


def test_everything_is_deleted_and_never_comes_back_by_an_import(pages, ana, own):
    assert "Everything is deleted" in pages.post(own, do="delete").text

    assert pages.store.subscriptions.get(ana.id) is None
    assert pages.store.suppressions.reasons(ana.email) == (SuppressionReason.ERASED,)
    assert pages.get(own).status_code == 404


def test_a_second_press_of_delete_says_that_it_is_done(pages, ana, own):
    first, second = (pages.post(own, do="delete") for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert "Everything is deleted" in second.text


def test_delete_pressed_at_the_same_moment_is_done_for_everybody(pages, ana, own):
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: pages.post(own, do="delete"), range(5)))

    assert [answer.status_code for answer in answers] == [200] * 5
    assert pages.store.subscriptions.get(ana.id) is None


def test_a_subscription_moves_when_the_new_mailbox_says_yes(pages, ana, own):
    assert NEW in pages.post(own, do="move", email=NEW).text
    assert pages.mails()[-1]["To"] == NEW
    link = pages.link()
    assert NEW in pages.get(link).text
    assert pages.store.subscriptions.get(ana.id).subscriber.email == ana.email

    assert f"From now on it goes to {NEW}." in pages.post(link).text
    assert pages.store.subscriptions.get(ana.id).subscriber.email == NEW
    assert pages.mails()[-1]["To"] == ana.email  # the old one is told
    assert "has moved" in pages.post(link).text  # pressed twice
    assert len(pages.mails()) == 3


def leave(pages, ana):
    pages.store.subscriptions.unsubscribe(ana.id, START, "test")


def complain(pages, ana):
    pages.store.suppressions.add(ana.email, SuppressionReason.COMPLAINED, START, "a report")


@pytest.mark.parametrize("end", [leave, complain])
def test_who_gets_no_issues_moves_and_gets_none_at_the_new_address(pages, ana, own, end):
    end(pages, ana)
    pages.post(own, do="move", email=NEW)
    asked, link = text(pages.mails()[-1]), pages.link()
    shown, done = pages.get(link).text, pages.post(link).text
    told = pages.mails()[-1]

    assert "They get no issues, and that stays so." in asked
    assert "You get no issues, and that stays so." in shown
    assert f"We know you by {NEW} now. You get no issues, as before." in done
    assert "You get no issues, as before." in text(told)
    assert told["Subject"] == "Your address at Platform Weekly has changed"
    assert not pages.store.subscriptions.find(NEW).goes_on
    assert "subscription" not in asked + told["Subject"]


def text(mail):
    (part, *_) = mail.iter_parts()
    return " ".join(part.get_content().split())


def test_who_left_is_not_told_that_they_get_what_somebody_wants_moved_there(pages, ana, own):
    bo = pages.reader("bo@example.com")
    pages.store.subscriptions.unsubscribe(bo.id, START, "test")
    pages.post(own, do="move", email=bo.email)

    assert pages.mails()[-1]["Subject"] == "Your link to Platform Weekly"


def test_a_mailed_link_moves_whom_it_was_mailed_for_or_nobody(pages, ana, own):
    mallory = pages.reader("mallory@example.org")
    pages.post(own, do="move", email=NEW)
    hers = pages.link()
    pages.post(pages.path("d", Purpose.OWN, mallory.id), do="move", email=NEW)

    assert [mail["To"] for mail in pages.mails()[-2:]] == [NEW, NEW]
    assert (pages.get(hers).status_code, pages.post(hers).status_code) == (404, 404)
    assert "has moved" in pages.post(pages.link()).text
    assert pages.store.subscriptions.get(mallory.id).subscriber.email == NEW
    assert pages.store.subscriptions.get(ana.id).subscriber.email == ana.email


def test_who_asks_to_move_is_answered_in_their_own_language(quick_pages):
    bo = quick_pages.reader("bo@example.com", languages=("pl",))
    own = quick_pages.path("d", Purpose.OWN, bo.id)

    assert '<html lang="pl"' in quick_pages.post(own, do="move", email=NEW).text


def test_moving_to_somebody_elses_address_tells_only_them(pages, ana, own):
    bo = pages.reader("bo@example.com")
    fresh = pages.post(own, do="move", email=NEW).text.replace(NEW, "X")

    assert pages.post(own, do="move", email=bo.email).text.replace(bo.email, "X") == fresh
    told = pages.mails()[-1]
    assert (told["To"], told["Subject"]) == (bo.email, "You get Platform Weekly already")


def test_an_address_that_was_taken_meanwhile_is_refused(pages, ana, own):
    pages.post(own, do="move", email=NEW)
    link = pages.link()
    pages.reader(NEW)

    assert pages.post(link).status_code == 409
    assert pages.store.subscriptions.get(ana.id).subscriber.email == ana.email


def test_what_is_no_address_is_said(quick_pages):
    person = quick_pages.reader().id
    path = quick_pages.path("d", Purpose.OWN, person, expires=START + timedelta(minutes=30))
    answer = quick_pages.post(path, do="move", email="ana")

    assert answer.status_code == 422
    assert "Enter an email address" in answer.text


def test_a_fresh_link_goes_to_subscribers_alone_and_the_page_is_the_same(pages, ana):
    known = pages.fill("/link", email=ana.email).text.replace(ana.email, "X")
    unknown = pages.fill("/link", email=NEW).text.replace(NEW, "X")

    assert known == unknown
    (mail,) = pages.mails()
    assert mail["To"] == ana.email
    assert "Your preferences" in pages.get(pages.link()).text


def test_a_fresh_link_expires_with_the_season(quick_pages):
    quick_pages.fill("/link", email=quick_pages.reader().email)
    link = quick_pages.link()
    quick_pages.clock.pass_(days=90)

    assert quick_pages.get(link).status_code == 404


def test_who_left_gets_a_link_too(quick_pages):
    ana = quick_pages.reader()
    quick_pages.store.subscriptions.unsubscribe(ana.id, START, "test")
    quick_pages.fill("/link", email=ana.email)

    assert "You are unsubscribed" in quick_pages.get(quick_pages.link()).text
    assert quick_pages.store.subscriptions.get(ana.id).state is State.UNSUBSCRIBED


@pytest.mark.parametrize("fields", [{"email": "x"}, {"email": NEW, "shown": ""}])
def test_the_form_for_a_link_says_what_is_wrong(quick_pages, fields):
    answer = (
        quick_pages.fill("/link", **{k: v for k, v in fields.items() if k != "shown"})
        if ("shown" not in fields)
        else quick_pages.post("/link", **fields)
    )

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_program_at_the_form_for_a_link_is_thanked(quick_pages):
    ana = quick_pages.reader()

    assert "Check your inbox" in quick_pages.fill("/link", email=ana.email, website="x").text
    assert quick_pages.mails() == []


def test_who_was_here_with_a_longer_address_than_is_taken_now_can_still_do_everything(
    quick_pages, monkeypatch
):
    with monkeypatch.context() as before:
        before.setattr("digest.addresses.LONGEST_LOCAL", 99)
        ana = quick_pages.reader("a" * 65 + "@example.com")
    path = quick_pages.path("p", Purpose.PREFERENCES, ana.id)

    assert quick_pages.post(path, do="own").status_code == 200
    assert "/d/" in quick_pages.link()
    quick_pages.fill("/link", email=ana.email)
    assert "/p/" in quick_pages.link()
    quick_pages.post(
        quick_pages.path("u", Purpose.UNSUBSCRIBE, ana.id), **{"List-Unsubscribe": "One-Click"}
    )
    assert quick_pages.post(path, do="again").status_code == 200
    assert "/c/" in quick_pages.link()
