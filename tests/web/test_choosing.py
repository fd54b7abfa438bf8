"""Preferences: seen before they are saved, saved as shown, undone after."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from digest.models import Cadence, State, SuppressionReason
from digest.tokens import Purpose
from tests.web.conftest import START

CHOICE = {"what": "topics", "tag": ["kubernetes"], "cadence": "weekly", "do": "save"}


@pytest.fixture
def ana(quick_pages):
    return quick_pages.reader(muted=("crypto",))


@pytest.fixture
def path(quick_pages, ana):
    return quick_pages.path("p", Purpose.PREFERENCES, ana.id)


def ticked(page: str) -> set[tuple[str, str]]:
    return set(re.findall(r'name="(\w+)" value="([^"]*)" checked', page))


def test_the_page_shows_what_is_chosen_and_hides_whose_it_is(quick_pages, path):
    page = quick_pages.get(path).text

    assert ticked(page) == {
        ("what", "topics"),
        ("tag", "ai"),
        ("tag", "python"),
        ("mute", "crypto"),  # no story has it any more
        ("cadence", "weekly"),
    }
    assert "a•••@example.com" in page
    assert "ana@example.com" not in page


def test_a_reader_saves_and_is_told_the_result(pages):
    ana = pages.reader()
    path = pages.path("p", Purpose.PREFERENCES, ana.id)

    answer = pages.post(path, **CHOICE, mute=["ai"], language="en", timezone="Asia/Tokyo")

    assert answer.status_code == 303
    shown = pages.get(answer.headers["location"]).text
    assert "You now get Platform Weekly: weekly, about #kubernetes." in shown
    found = pages.store.subscriptions.get(ana.id).subscriber
    assert found.preferences.tags == ("kubernetes",)
    assert found.preferences.muted == ("ai",)
    assert found.preferences.languages == ("en",)
    assert found.timezone == "Asia/Tokyo"


def test_saving_is_undone_by_one_button(quick_pages, ana, path):
    before = quick_pages.store.subscriptions.get(ana.id)
    saved = quick_pages.post(path, **CHOICE, pause="14")
    page = quick_pages.get(saved.headers["location"]).text
    undo = page[page.index("Saved.") : page.index("Undo")]
    fields: dict[str, list[str]] = {"do": ["save"]}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', undo):
        fields.setdefault(name, []).append(html.unescape(value))

    quick_pages.client.post(path, data=fields)

    assert quick_pages.store.subscriptions.get(ana.id) == before


def test_everything_is_one_choice(quick_pages, ana, path):
    quick_pages.post(path, what="everything", cadence="weekly", do="save")

    assert quick_pages.store.subscriptions.get(ana.id).subscriber.preferences.everything


@pytest.mark.parametrize("days", [14, 30, 90])
def test_a_pause_ends_by_itself_and_can_be_ended(quick_pages, ana, path, days):
    quick_pages.post(path, **CHOICE, pause=str(days))
    paused = quick_pages.store.subscriptions.get(ana.id)
    kept = quick_pages.post(path, **CHOICE, pause="paused")

    assert paused.pause_until == START + timedelta(days=days)
    assert "Paused until" in quick_pages.get(kept.headers["location"]).text
    assert quick_pages.store.subscriptions.get(ana.id).pause_until == paused.pause_until

    quick_pages.post(path, **CHOICE, pause="")
    assert quick_pages.store.subscriptions.get(ana.id).pause_until is None


def test_no_topic_is_not_an_unsubscribing(quick_pages, ana, path):
    answer = quick_pages.post(path, what="topics", cadence="weekly", do="save")

    assert answer.status_code == 422
    assert "Choose at least one topic" in answer.text
    assert quick_pages.store.subscriptions.get(ana.id).subscriber == ana


def test_a_look_shows_the_digest_of_the_unsaved_form_and_saves_nothing(quick_pages, ana, path):
    answer = quick_pages.post(path, **{**CHOICE, "do": "look"})

    assert answer.status_code == 200
    mail = html.unescape(re.search(r'srcdoc="([^"]*)"', answer.text)[1])
    assert "About ferry" in mail
    assert "About agents" not in mail
    assert "So far 1 story" in answer.text
    assert ("tag", "kubernetes") in ticked(answer.text)  # the form is as it was filled in
    assert quick_pages.store.subscriptions.get(ana.id).subscriber == ana


def test_a_look_is_caged(quick_pages, path):
    answer = quick_pages.post(path, **{**CHOICE, "do": "look"})

    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in answer.text
    assert "style-src 'self' 'unsafe-inline'" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


def test_a_look_does_not_show_what_is_not_published_yet(quick_pages, project, path):
    project.post("tomorrow", tags="#k8s", published="2026-11-19T08:00:00")

    answer = quick_pages.post(path, **{**CHOICE, "do": "look"})

    assert "About tomorrow" not in answer.text


def test_the_links_of_a_look_are_those_of_the_page_and_of_no_mail_that_was_sent(
    quick_pages, ana, path
):
    page = quick_pages.post(path, **{**CHOICE, "do": "look"}).text
    mail = html.unescape(re.search(r'srcdoc="([^"]*)"', page)[1])
    links = set(re.findall(r'href="https://news\.example\.com(/[^"]+)', mail))
    leave = next(link for link in links if link.startswith("/u/"))

    assert links == {path, f"{path}#pause", leave}
    assert "No more mail will go to:" in quick_pages.get(leave).text
    assert quick_pages.store.subscriptions.get(ana.id).state is State.CONFIRMED
    assert "<span>View in browser</span>" in mail
    assert "<span>Was this issue useful?</span>" in mail


def test_a_look_gives_no_link_that_lasts_longer_than_the_one_it_was_seen_by(quick_pages, ana):
    path = quick_pages.path("p", Purpose.PREFERENCES, ana.id, expires=START + timedelta(hours=1))
    page = quick_pages.post(path, **{**CHOICE, "do": "look"}).text

    assert set(re.findall(r"https://news\.example\.com(/p/[\w-]+)", page)) == {path}


@pytest.mark.parametrize("pause", ["14", "paused"])
def test_a_look_with_a_pause_says_until_when_nothing_would_come(quick_pages, ana, path, pause):
    quick_pages.store.subscriptions.pause(ana.id, START + timedelta(days=30), START)
    until = {"14": "2 December 2026", "paused": "18 December 2026"}[pause]

    page = quick_pages.post(path, **{**CHOICE, "do": "look"}, pause=pause).text

    assert f"With this pause you would get nothing until {until}." in page
    assert "would come on" not in page


def test_a_look_without_the_pause_says_when_mail_would_come(quick_pages, ana, path):
    quick_pages.store.subscriptions.pause(ana.id, START + timedelta(days=30), START)

    page = quick_pages.post(path, **{**CHOICE, "do": "look"}, pause="").text

    assert "would get nothing" not in page
    assert "It would come on Thursday, 19 November 2026, 09:00" in page


def test_a_newsletter_without_stories_promises_none_and_offers_no_topics(quick_pages, project):
    for post in (project.root / "content").iterdir():
        post.unlink()

    for path in ("/", quick_pages.path("p", Purpose.PREFERENCES, quick_pages.reader(tags=()).id)):
        page = quick_pages.get(path).text
        assert "less than one story a week" in page
        assert "Topics" not in page
        assert "topics I pick" not in page


def test_many_picked_topics_are_told_by_the_first_of_them(quick_pages, project):
    tags = [f"topic-{number:02d}" for number in range(60)]
    project.post("many", tags=" ".join(f"#{tag}" for tag in tags))
    fields = {"what": "topics", "tag": tags, "cadence": "weekly"}
    path = quick_pages.path("p", Purpose.PREFERENCES, quick_pages.reader().id)

    saved = quick_pages.post(path, **fields, do="save")
    quick_pages.fill("/", **fields, email="bo@example.com")

    told = "#topic-10, #topic-11 and 48 more."
    assert told in quick_pages.get(saved.headers["location"]).text
    (mail,) = quick_pages.mails()
    assert told in " ".join(mail.get_body(("plain",)).get_content().split())


def test_a_look_says_when_there_is_nothing(quick_pages, path):
    quick_pages.clock.pass_(days=60)

    answer = quick_pages.post(path, **{**CHOICE, "do": "look"})

    assert "Nothing of late fits this choice" in answer.text


def test_a_look_after_the_issue_shows_the_last_one(quick_pages, path):
    quick_pages.clock.pass_(days=1)

    answer = quick_pages.post(path, **{**CHOICE, "do": "look"})

    assert "nothing new for you since the last issue" in answer.text
    assert "About ferry" in answer.text


def test_who_left_is_told_and_comes_back_through_their_mailbox(pages):
    ana = pages.reader()
    path = pages.path("p", Purpose.PREFERENCES, ana.id)
    pages.store.subscriptions.unsubscribe(ana.id, START, "test")

    assert "You are unsubscribed" in pages.get(path).text
    assert "You are unsubscribed" in pages.post(path, **CHOICE).text  # nothing is saved
    assert "Check your inbox" in pages.post(path, do="again").text
    assert pages.store.subscriptions.get(ana.id).state is State.UNSUBSCRIBED

    pages.post(pages.link(), do="confirm")
    back = pages.store.subscriptions.get(ana.id)
    assert back.state is State.CONFIRMED
    assert back.subscriber.preferences == ana.preferences


def test_whose_mailbox_refused_us_can_have_it_tried_again(quick_pages, ana, path):
    quick_pages.store.suppressions.add(ana.email, SuppressionReason.BOUNCED, START, "test")

    assert "Your mailbox refused our mail" in quick_pages.get(path).text
    quick_pages.post(path, do="again")
    quick_pages.post(quick_pages.link(), do="confirm")
    assert quick_pages.store.subscriptions.get(ana.id).suppressions == ()


def test_tags_of_the_form_are_those_that_were_offered(quick_pages, ana, path):
    quick_pages.post(path, **{**CHOICE, "tag": ["<b>buy</b>", "Kubernetes", "K8S", "crypto"]})

    saved = quick_pages.store.subscriptions.get(ana.id).subscriber.preferences
    assert saved.tags == ("crypto", "kubernetes")


def test_the_address_of_a_saved_page_fills_in_fields_and_nothing_else(quick_pages, path):
    page = quick_pages.get(f"{path}?saved&what=topics&tag=%22%3E%3Cscript%3E&do=look&x=1").text

    assert "<script>" not in page
    assert 'name="x"' not in page


def test_the_page_is_in_the_readers_language(quick_pages):
    ana = quick_pages.reader(languages=("pl",))

    page = quick_pages.get(quick_pages.path("p", Purpose.PREFERENCES, ana.id)).text

    assert '<html lang="pl"' in page
    assert "czwartek, 09:00 (Europe/Dublin)" in page


def test_a_cadence_that_the_newsletter_has_not_is_not_offered(quick_pages, ana, path):
    assert 'value="daily"' not in quick_pages.get(path).text
    assert quick_pages.post(path, **{**CHOICE, "cadence": "daily"}).status_code == 422
    assert quick_pages.store.subscriptions.get(ana.id).subscriber.cadence is Cadence.WEEKLY


def test_where_a_saved_page_leads_is_this_page(quick_pages, path):
    location = quick_pages.post(path, **CHOICE).headers["location"]

    assert urlsplit(location)[:3] == ("", "", path)
    assert ("tag", "ai") in parse_qsl(urlsplit(location).query)


def test_a_look_leaves_out_what_the_reader_was_sent(quick_pages, ana, path):
    quick_pages.store.subscriptions.cover([ana.id], START)

    answer = quick_pages.post(path, **{**CHOICE, "do": "look"})

    assert "About ferry" not in answer.text


def form(page: str) -> dict[str, list[str]]:
    """What a browser sends when the form is saved as it is shown."""
    inside = page[page.index('id="form"') : page.index('name="do"')]
    fields: dict[str, list[str]] = {"do": ["save"]}
    for name, value in ticked(inside):
        fields.setdefault(name, []).append(value)
    for name, options in re.findall(
        r'(?s)<select id="[^"]*" name="(\w+)".*?>(.*?)</select>', inside
    ):
        shown = re.findall(r"<option([^>]*)>([^<]*)", options)
        (chosen,) = [one for one in shown if "selected" in one[0]] or shown[:1]
        value = re.search(r'value="([^"]*)"', chosen[0])
        fields[name] = [value[1] if value else chosen[1]]
    return fields


@pytest.mark.parametrize(
    "languages", [("pl", "en"), ("de",), ("en",), ("de", "en"), ()], ids=" ".join
)
def test_a_form_saved_as_it_is_shown_changes_nothing(quick_pages, languages):
    bo = quick_pages.reader("bo@example.com", languages=languages)
    quick_pages.store.subscriptions.change(bo.id, START, lambda _: bo.preferences, timezone="UTC")
    path = quick_pages.path("p", Purpose.PREFERENCES, bo.id)
    before = quick_pages.store.subscriptions.get(bo.id)

    quick_pages.client.post(path, data=form(quick_pages.get(path).text))

    assert quick_pages.store.subscriptions.get(bo.id) == before


def test_what_a_form_has_no_field_for_stays(quick_pages):
    bo = quick_pages.reader("bo@example.com", languages=("pl", "en"))
    path = quick_pages.path("p", Purpose.PREFERENCES, bo.id)

    quick_pages.post(path, **CHOICE)

    after = quick_pages.store.subscriptions.get(bo.id).subscriber.preferences
    assert after.languages == ("pl", "en")


def test_languages_of_a_form_are_known_ones(quick_pages, ana, path):
    quick_pages.post(path, **CHOICE, language="en pl en")
    assert quick_pages.store.subscriptions.get(ana.id).subscriber.preferences.languages == (
        "en",
        "pl",
    )

    quick_pages.post(path, **CHOICE, language="en tlh")
    assert quick_pages.store.subscriptions.get(ana.id).subscriber.preferences.languages == ()


@pytest.mark.parametrize("then", ["", "90"])
def test_an_undo_brings_a_pause_back(quick_pages, ana, path, then):
    quick_pages.store.subscriptions.pause(ana.id, START + timedelta(days=40, hours=3), START)
    before = quick_pages.store.subscriptions.get(ana.id)
    saved = quick_pages.post(path, **CHOICE, pause=then)
    undo = parse_qsl(urlsplit(saved.headers["location"]).query, keep_blank_values=True)
    fields: dict[str, list[str]] = {"do": ["save"]}
    for name, value in undo:
        fields.setdefault(name, []).append(value)

    quick_pages.client.post(path, data=fields)

    assert quick_pages.store.subscriptions.get(ana.id) == before


@pytest.mark.parametrize(
    "pause", ["9999-12-31T23:59:59+00:00", "2026-12-01", "2020-01-01T00:00:00+00:00", "²", "-1"]
)
def test_a_pause_that_nobody_offers_is_none(quick_pages, ana, path, pause):
    quick_pages.post(path, **CHOICE, pause=pause)

    assert quick_pages.store.subscriptions.get(ana.id).pause_until is None


def test_what_is_saved_is_told_as_the_stories_spell_it(quick_pages):
    bo = quick_pages.reader("bo@example.com", tags=("KUBERNETES",))  # the store keeps a first one
    path = quick_pages.path("p", Purpose.PREFERENCES, bo.id)

    saved = quick_pages.post(path, **CHOICE)

    assert "about #kubernetes." in quick_pages.get(saved.headers["location"]).text


def test_what_a_reader_follows_comes_first_among_the_topics(quick_pages):
    cy = quick_pages.reader("cy@example.com", tags=("python", "gardening"))
    page = quick_pages.get(quick_pages.path("p", Purpose.PREFERENCES, cy.id)).text

    shown = re.findall(r'name="tag" value="([^"]+)"( checked)?', page)
    assert shown[:2] == [("python", " checked"), ("gardening", " checked")]
    assert {ticked for _, ticked in shown[2:]} == {""}


def test_a_look_counts_the_stories_that_the_mail_counts(quick_pages):
    config = quick_pages.config
    quick_pages.config = replace(config, limits=replace(config.limits, max_stories=1))
    path = quick_pages.path("p", Purpose.PREFERENCES, quick_pages.reader().id)

    page = quick_pages.post(path, what="everything", cadence="weekly", do="look").text

    assert "More for your tags" in page
    assert "1 story for you this week" in page
    assert "So far 1 story is in your next digest." in page
