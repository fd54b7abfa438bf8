"""Readers choose their day and hour on the page of their preferences, where they may."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from digest.models import NOTHING_CHOSEN, Chosen
from digest.tokens import Purpose
from tests.web.conftest import START, Pages

CHOICE = {"what": "topics", "tag": ["kubernetes"], "cadence": "weekly", "do": "save"}


@pytest.fixture
def ana(quick_pages):
    return quick_pages.reader()


@pytest.fixture
def path(quick_pages, ana):
    return quick_pages.path("p", Purpose.PREFERENCES, ana.id)


def undo(pages: Pages, path: str, saved) -> None:
    """Press the button that the page shows after saving."""
    fields: dict[str, list[str]] = {"do": ["save"]}
    for name, value in parse_qsl(urlsplit(saved.headers["location"]).query, keep_blank_values=True):
        fields.setdefault(name, []).append(value)
    pages.client.post(path, data=fields)


def chosen_of(pages: Pages, person: int) -> Chosen:
    return pages.store.subscriptions.get(person).subscriber.chosen


def test_day_and_hour_are_there_for_the_cadence_whose_readers_may_choose(choosing, path):
    page = choosing.get(path).text

    assert re.findall(r'<select id="(\w+_\w+)"', page) == ["weekly_day", "weekly_hour"]
    assert "Thursday, 09:00 (Europe/Dublin), or when you choose" in page
    assert "the same for all readers" not in page
    assert "The hour of the mail is the newsletter" not in page


def test_without_choose_there_is_no_choice(quick_pages, ana, path):
    page = quick_pages.get(path).text
    quick_pages.post(path, **CHOICE, weekly_day="1", weekly_hour="7")

    assert "_hour" not in page
    assert "Day and hour are the same for all readers" in page
    assert chosen_of(quick_pages, ana.id) == NOTHING_CHOSEN


def test_new_subscribers_choose_later_and_are_told(choosing):
    page = choosing.get("/").text

    assert "_hour" not in page
    assert "Day and hour can be chosen later, in your preferences." in page


def test_a_reader_chooses_and_is_told_when_the_next_issue_comes(choosing, ana, path):
    fields = {**CHOICE, "weekly_day": "1", "weekly_hour": "7", "timezone": "Asia/Tokyo"}
    saved = choosing.post(path, **fields)

    page = choosing.get(saved.headers["location"]).text
    assert "The next one comes on Tuesday, 24 November 2026, 07:00 (Asia/Tokyo)." in page
    assert chosen_of(choosing, ana.id) == Chosen(1, 7)
    assert '<option value="1" selected>Tuesday</option>' in page
    assert '<option value="7" selected>07:00</option>' in page


def test_a_look_says_when_it_would_come_and_saves_nothing(choosing, ana, path):
    fields = {**CHOICE, "weekly_day": "5", "weekly_hour": "23", "do": "look"}
    answer = choosing.post(path, **fields)

    assert "It would come on Saturday, 21 November 2026, 23:00 (Europe/Dublin)." in answer.text
    assert '<option value="23" selected>' in answer.text  # as it was filled in
    assert chosen_of(choosing, ana.id) == NOTHING_CHOSEN


def test_an_hour_alone_comes_within_a_day_and_the_page_says_so_before_it_is_chosen(choosing, path):
    assert "At an hour of yours it comes at most a day later" in choosing.get(path).text

    answer = choosing.post(path, **{**CHOICE, "weekly_hour": "8", "do": "look"})

    assert "It would come on Friday, 20 November 2026, 08:00 (Europe/Dublin)." in answer.text


@pytest.mark.parametrize("before", [NOTHING_CHOSEN, Chosen(0, 0), Chosen(hour=7)])
@pytest.mark.parametrize("cadence", ["weekly", "monthly"])
def test_a_choice_is_undone_with_the_rest(choosing, ana, path, before, cadence):
    choosing.store.subscriptions.change(ana.id, START, chosen=before)
    fields = {"cadence": cadence, "weekly_day": "6", "weekly_hour": "12"}
    saved = choosing.post(path, **{**CHOICE, **fields})
    assert chosen_of(choosing, ana.id) == (Chosen(6, 12) if cadence == "weekly" else NOTHING_CHOSEN)

    undo(choosing, path, saved)

    assert chosen_of(choosing, ana.id) == before


@pytest.mark.parametrize(("day", "hour"), [("7", "24"), ("-1", "x"), ("١", "²"), ("", "")])
def test_what_is_no_day_or_hour_is_the_newsletters(choosing, ana, path, day, hour):
    choosing.post(path, **CHOICE, weekly_day=day, weekly_hour=hour)

    assert chosen_of(choosing, ana.id) == NOTHING_CHOSEN


def test_the_choice_is_in_polish_for_polish_readers(choosing):
    ana = choosing.reader("ola@example.com", languages=("pl",))

    page = choosing.get(choosing.path("p", Purpose.PREFERENCES, ana.id)).text

    assert '<option value="1">wtorek</option>' in page
    assert "Godzina" in page
