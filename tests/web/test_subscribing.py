"""Subscribe and confirm: nobody is a subscriber before the mailbox says yes."""

import re
from datetime import timedelta

import pytest

from digest.models import Cadence, State, SuppressionReason
from tests.web.conftest import START, Pages

WANTED = {"email": "ana@new.example", "what": "topics", "tag": ["ai", "python"]}
WEEKLY = {**WANTED, "cadence": "weekly"}


def test_nothing_is_ticked_before(pages):
    html = pages.get("/").text

    assert 'value="ai"' in html
    assert "checked" not in html
    assert "selected" not in html


def test_each_topic_says_how_often_it_appears(quick_pages, project):
    for number in range(6):
        project.post(f"more{number}", tags="#python", published="2026-11-17")

    html = quick_pages.get("/").text

    near = html[html.index('name="tag" value="python"') :]
    assert "about 2 stories a month" in near[: near.index("</li>")]


def test_a_reader_subscribes_confirms_and_is_in(pages):
    answer = pages.fill("/", **WEEKLY)

    assert answer.status_code == 200
    assert "Check your inbox" in answer.text
    assert pages.store.subscriptions.find(WANTED["email"]) is None
    (mail,) = pages.mails()
    assert mail["To"] == WANTED["email"]
    asked = pages.get(pages.link())
    assert "weekly, about #ai and #python" in asked.text
    assert pages.store.subscriptions.find(WANTED["email"]) is None

    done = pages.post(pages.link(), do="confirm")

    assert "You are in" in done.text
    assert "19 November 2026, 09:00 (Europe/Dublin)" in done.text
    found = pages.store.subscriptions.find(WANTED["email"])
    assert found.state is State.CONFIRMED
    assert found.subscriber.preferences.tags == ("ai", "python")
    assert found.subscriber.cadence is Cadence.WEEKLY
    form, yes = pages.store.subscriptions.consents([found.subscriber.id])[found.subscriber.id]
    assert (form.how, form.text) == (
        "form",
        "I want to get Platform Weekly by email. I can stop at any time.",
    )
    assert (yes.how, yes.text) == ("confirmation", "Confirm my subscription")


def test_confirming_twice_is_once(pages):
    pages.fill("/", **WEEKLY)
    pages.post(pages.link(), do="confirm")

    assert "Already confirmed" in pages.post(pages.link(), do="confirm").text
    assert "Already confirmed" in pages.get(pages.link()).text
    assert pages.store.subscriptions.count()[State.CONFIRMED] == 1


def test_a_link_that_was_used_says_so_to_who_left_since(pages):
    pages.fill("/", **WEEKLY, language="pl")
    link = pages.link()
    pages.post(link, do="confirm")
    known = pages.store.subscriptions.find(WANTED["email"]).subscriber
    pages.store.subscriptions.unsubscribe(known.id, pages.clock(), "test")

    page = pages.post(link, do="confirm").text

    assert "Ten odnośnik został już użyty" in page  # in their own language
    assert "Zapisz się ponownie" in page
    assert pages.store.subscriptions.get(known.id).state is State.UNSUBSCRIBED


def test_a_new_subscriber_is_led_to_their_preferences_on_the_same_site(quick_pages):
    quick_pages.fill("/", **WEEKLY)

    page = quick_pages.post(quick_pages.link(), do="confirm").text

    (path,) = re.findall(r'class="button" href="(/p/[^"]+)"', page)
    assert "Your preferences" in quick_pages.get(path).text


def test_a_confirmation_has_no_advertising_and_one_link(pages):
    pages.fill("/", **WEEKLY)

    (mail,) = pages.mails()
    text, html = (part.get_content() for part in mail.iter_parts())
    assert len(re.findall("https?://", text)) == 1
    assert len(set(re.findall(r'href="([^"]+)"', html))) == 1
    assert mail["List-Unsubscribe"] is None
    assert "ferry" not in text + html  # no story


def test_whose_address_it_is_not_deletes_it(pages):
    pages.fill("/", **WEEKLY)
    link = pages.link()

    assert "forgotten" in pages.post(link, do="forget").text
    assert pages.post(link, do="confirm").status_code == 404
    assert pages.store.subscriptions.find(WANTED["email"]) is None


def test_the_answer_does_not_tell_who_is_subscribed(pages):
    from tests.store.conftest import CONSENT

    pages.store.subscriptions.add("known@new.example", CONSENT, START)
    pages.store.suppressions.add(
        "angry@new.example", SuppressionReason.COMPLAINED, START, "a report"
    )
    answers = {
        pages.fill("/", **{**WEEKLY, "email": email}).text.replace(email, "X")
        for email in ("fresh@new.example", "known@new.example", "angry@new.example")
    }

    assert len(answers) == 1
    subjects = {mail["To"]: mail["Subject"] for mail in pages.mails()}
    assert subjects == {
        "fresh@new.example": "Please confirm: Platform Weekly",
        "known@new.example": "You get Platform Weekly already",
    }


def test_a_stranger_changes_nothing_of_a_subscriber(pages):
    from tests.store.conftest import CONSENT

    before = pages.store.subscriptions.add(WANTED["email"], CONSENT, START)

    pages.fill("/", **WEEKLY)

    assert pages.store.subscriptions.find(WANTED["email"]) == before


def test_a_yes_from_a_mailbox_subscribes_nobody_whose_address_looks_like_it(pages):
    mine, theirs = "victim@straße.example", "victim@strasse.example"
    pages.fill("/", **WEEKLY | {"email": mine})
    link = pages.link()
    pages.fill("/", **WEEKLY | {"email": theirs})
    told = pages.mails()[-1]["To"]
    done = pages.post(link, do="confirm").text

    assert told == theirs
    assert "You are in" in done
    assert pages.store.subscriptions.find(mine).subscriber.email == mine
    assert pages.store.subscriptions.find(theirs) is None


def test_one_confirmation_goes_to_an_address_a_day(pages):
    for _ in range(3):
        pages.fill("/", **WEEKLY)
    assert len(pages.mails()) == 1

    pages.clock.pass_(days=1)
    pages.fill("/", **WEEKLY)
    assert len(pages.mails()) == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "ana"}, "Enter an email address, like ana@example.com"),
        ({"email": ""}, "Enter an email address, like ana@example.com"),
        ({"email": "a" * 65 + "@example.com"}, "Enter an email address, like ana@example.com"),
        ({"what": "", "tag": []}, "Choose at least one topic"),
        ({"what": "topics", "tag": ["gardening"]}, "Choose at least one topic"),
        ({"cadence": ""}, "Choose how often"),
        ({"cadence": "hourly"}, "Choose how often"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(quick_pages, fields, said):
    answer = quick_pages.fill("/", **{**WEEKLY, **fields})

    assert answer.status_code == 422
    assert answer.text.count(said) == 2  # above, and at the field
    assert 'role="alert"' in answer.text
    assert "<title>Error:" in answer.text
    assert f'value="{fields.get("email", WANTED["email"])}"' in answer.text
    assert quick_pages.mails() == []


def test_a_ticked_topic_is_enough(quick_pages):
    quick_pages.fill("/", **{**WEEKLY, "what": ""})

    assert len(quick_pages.mails()) == 1


def test_a_program_that_fills_in_everything_is_thanked_and_nothing_is_done(quick_pages):
    answer = quick_pages.fill("/", **WEEKLY, website="https://spam.example")

    assert "Check your inbox" in answer.text
    assert quick_pages.mails() == []


@pytest.mark.parametrize("shown", ["", "1763467200.", "1763467200.0000", "x.é", None])
def test_a_form_that_was_not_shown_is_shown_again(quick_pages, shown):
    fields = WEEKLY if shown is None else {**WEEKLY, "shown": shown}
    answer = quick_pages.post("/", **fields)

    assert answer.status_code == 422
    assert "send it once more" in answer.text
    assert quick_pages.mails() == []


def test_a_form_sent_too_soon_or_too_late_is_shown_again(quick_pages):
    shown = re.search(r'name="shown" value="([^"]+)"', quick_pages.get("/").text)[1]

    for wait in (timedelta(seconds=1), timedelta(days=2)):
        quick_pages.clock.at = START + wait
        assert quick_pages.post("/", **WEEKLY, shown=shown).status_code == 422


def test_too_many_tries_from_one_place_are_refused(quick_pages):
    answers = [
        quick_pages.fill("/", **{**WEEKLY, "email": f"a{number}@new.example"})
        for number in range(11)
    ]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].headers["retry-after"]
    assert "Too many tries" in answers[-1].text


def test_sign_up_can_be_closed(quick_pages):
    pages = quick_pages.configured(sign_up=False)

    assert "closed" in pages.get("/").text
    assert "closed" in pages.post("/", **WEEKLY).text
    assert pages.mails() == []


def test_an_unconfirmed_address_is_purged_and_its_link_is_dead(pages):
    pages.fill("/", **WEEKLY)
    link = pages.link()
    pages.clock.pass_(days=8)

    assert pages.get(link).status_code == 404
    assert pages.store.requests.purge(pages.clock() - pages.site.confirm_time) == 1


def test_who_cannot_be_mailed_is_told_after_the_click(pages):
    pages.fill("/", **WEEKLY)
    pages.store.suppressions.add(WANTED["email"], SuppressionReason.MANUAL, START, "the publisher")

    answer = pages.post(pages.link(), do="confirm")

    assert answer.status_code == 409
    assert pages.store.subscriptions.find(WANTED["email"]) is None


def test_a_mail_that_was_not_taken_may_be_asked_for_again(quick_pages, monkeypatch):
    from digest.errors import Outcome, ProviderError
    from digest.notices import Postman

    def fail(self, notice, now):
        raise ProviderError("busy", outcome=Outcome.TEMPORARY)

    with monkeypatch.context() as broken:
        broken.setattr(Postman, "post", fail)
        quick_pages.fill("/", **WEEKLY)
        quick_pages.site.mail.flush()
    quick_pages.fill("/", **WEEKLY)

    assert len(quick_pages.mails()) == 1


def test_the_pages_speak_polish(quick_pages):
    answer = quick_pages.get("/?lang=pl")

    assert '<html lang="pl"' in answer.text
    assert "Zapisz się" in answer.text


@pytest.mark.parametrize("form", ["/", "/link"])
def test_the_work_is_the_same_whoever_is_behind_an_address(pages, form):
    import sqlalchemy as sa

    pages.reader("known@new.example")
    pages.store.suppressions.add("angry@new.example", SuppressionReason.COMPLAINED, START, "x")
    pages.get(form)  # which topics there are is asked once, whoever comes
    done: list[list[str]] = []
    engine = pages.store.database.engine

    def note(*told: object) -> None:
        done[-1].append(str(told[2]).partition(" IN (")[0])  # an empty list is written otherwise

    sa.event.listen(engine, "before_cursor_execute", note)
    for email in ("fresh@new.example", "known@new.example", "angry@new.example"):
        done.append([])
        pages.fill(form, **{**WEEKLY, "email": email})
        pages.site.mail.flush()

    fresh, known, angry = done
    assert fresh == known == angry
    assert len(fresh) > 5


def test_a_newsletter_may_live_under_a_path(quick_pages):
    from dataclasses import replace

    base = "https://example.com/weekly"
    newsletter = replace(quick_pages.config.newsletter, base_url=base)
    pages = Pages(
        replace(quick_pages.config, newsletter=newsletter), quick_pages.store, quick_pages.clock
    )

    assert f'href="/weekly/{pages.app.state.sheet.name}"' in pages.get("/").text
    pages.fill("/", **WEEKLY)
    assert "You are in" in pages.post(pages.link(), do="confirm").text


def test_who_signs_up_on_a_polish_page_is_written_to_in_polish_and_misses_no_story(
    quick_pages, project
):
    project.post("polski", tags="#ai #pl")
    polish = {"accept-language": "pl"}
    page = quick_pages.get("/", headers=polish).text
    chosen = re.search(r'(?s)name="language".*?<option value="([^"]*)" selected>([^<]*)<', page)

    quick_pages.fill("/", **WEEKLY, language=chosen[1])
    quick_pages.post(quick_pages.link(), do="confirm")
    found = quick_pages.store.subscriptions.find("ana@new.example")
    quick_pages.fill("/link", email="ana@new.example")

    assert chosen[2] == "polski, angielski"
    assert found.subscriber.preferences.languages == ("pl", "en")
    assert quick_pages.mails()[-1]["Subject"] == "Twój odnośnik do Platform Weekly"


def test_on_a_page_in_the_newsletters_own_language_any_language_is_the_first_choice(
    quick_pages, project
):
    project.post("polski", tags="#ai #pl")

    page = quick_pages.get("/").text

    options = re.search(r'(?s)name="language".*?</select>', page)[0]
    assert re.findall(r'<option value="([^"]*)"( selected)?>', options) == [
        ("", ""),
        ("en", ""),
        ("pl", ""),
    ]
