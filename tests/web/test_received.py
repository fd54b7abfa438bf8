"""A reader's own edition, and whether it was useful."""

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.models import Visibility
from digest.tokens import Purpose, sign
from tests.newsletter import STORIES
from tests.web.conftest import Pages
from tests.web.issues import READER, ana, link, sent, weekly

VIEW, FEEDBACK = Purpose.VIEW, Purpose.FEEDBACK


def test_a_reader_sees_the_edition_they_were_sent(pages):
    issue = sent(pages, STORIES, weekly(), "postgres", "ai")

    answer = pages.client.get(link(pages, VIEW))

    assert answer.status_code == 200
    assert answer.text.count("<article") == 2
    assert "Open weights" in answer.text
    assert "on-call" not in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert issue.id not in answer.text.replace(link(pages, VIEW), "")


def test_the_page_of_an_edition_says_nothing_of_its_reader(pages):
    sent(pages)

    html = pages.client.get(link(pages, VIEW)).text

    assert READER not in html
    for private in ('="/u/', '="/p/', '="/f/', "Ana", str(ana(pages))):
        assert private not in html


def test_a_reader_sees_their_edition_of_a_hidden_issue(pages):
    issue = sent(pages)
    pages.store.archive.say(issue.id, Visibility.HIDDEN, pages.clock())

    assert pages.client.get(link(pages, VIEW)).status_code == 200


def test_the_link_of_a_test_leads_to_the_public_page(pages):
    issue = sent(pages)

    answer = pages.client.get(link(pages, VIEW, person=4711))

    assert answer.status_code == 302
    assert answer.headers["location"] == f"/archive/{issue.id}"
    pages.store.archive.say(issue.id, Visibility.HIDDEN, pages.clock())
    assert pages.client.get(link(pages, VIEW, person=4711)).status_code == 404


def votes(pages: Pages) -> bool | None:
    return pages.store.feedback.of(weekly().id, ana(pages))


def test_following_the_link_counts_nothing(pages):
    sent(pages)

    for method in ("GET", "HEAD"):
        answer = pages.client.request(method, link(pages, FEEDBACK) + "?useful=yes")
        assert answer.status_code == 200

    assert votes(pages) is None


def test_a_reader_has_one_vote_and_may_change_it(pages):
    sent(pages)
    path = link(pages, FEEDBACK)

    yes = pages.client.post(path, data={"useful": "yes"})
    pages.clock.pass_(days=1)
    no = pages.client.post(path, data={"useful": "no"})

    assert "You found this issue useful." in yes.text
    assert "You did not find this issue useful." in no.text
    assert votes(pages) is False
    assert "You did not find this issue useful." in pages.client.get(path).text


@pytest.mark.parametrize("body", [{}, {"useful": "maybe"}, {"useful": ""}, {"other": "yes"}])
def test_a_vote_that_is_none_is_asked_again(pages, body):
    sent(pages)

    answer = pages.client.post(link(pages, FEEDBACK), data=body)

    assert answer.status_code == 422
    assert votes(pages) is None


def test_a_link_works_for_its_purpose_and_issue_alone(pages):
    issue = sent(pages)
    sent(pages, STORIES[:1], weekly(1))
    keys, person = pages.site.keys, ana(pages)
    old = pages.clock() - timedelta(days=1)
    bad = [
        sign(keys, Purpose.PREFERENCES, person),
        sign(keys, VIEW, person),
        sign(keys, VIEW, person, context=weekly(1).id),
        sign(keys, VIEW, person, context=issue.id, expires=old),
        "x" * 34,
        "",
    ]

    answers = [pages.client.get(f"/i/{issue.id}/{token}") for token in bad]
    answers.append(pages.client.get(link(pages, VIEW).replace("/i/", "/f/")))
    answers.append(
        pages.client.post(link(pages, VIEW).replace("/i/", "/f/"), data={"useful": "yes"})
    )

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert votes(pages) is None


def test_a_reader_can_download_what_they_answered(pages):
    sent(pages)
    own = pages.path("d", Purpose.OWN, ana(pages))
    asked = [pages.post(own, do="download").json()["issues"][0]["useful"]]

    for answer in ("yes", "no"):
        pages.client.post(link(pages, FEEDBACK), data={"useful": answer})
        asked.append(pages.post(own, do="download").json()["issues"][0]["useful"])

    assert asked == [None, True, False]


def test_the_question_is_asked_in_the_readers_language(quick_pages):
    pages = quick_pages
    sent(pages)
    pages.store.subscriptions.change(
        ana(pages), pages.clock(), lambda wanted: replace(wanted, languages=("pl",))
    )
    path, browser = link(pages, FEEDBACK), {"accept-language": "en"}

    asked = pages.client.get(path, headers=browser).text
    thanked = pages.client.post(path, data={"useful": "yes"}, headers=browser).text

    assert '<html lang="pl"' in asked
    assert '<html lang="pl"' in thanked
