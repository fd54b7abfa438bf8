"""Figures of issues: by issue, by tag, by mailbox provider; no address among them."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digest.composer import delivery_id
from digest.events import Cause, Event, Kind
from digest.mailboxes import provider_of
from digest.models import Cadence
from digest.report import Row, percent, report, verdict
from digest.store import RequestKind, Store, Wish
from digest.store.statistics import Figures, IssueFigures, Statistics, added
from tests.handmade import NEWSLETTER
from tests.invented import ISSUE
from tests.store.conftest import CONSENT, NOW
from tests.store.people import add
from tests.store.sending import Carrier, draft_of, find, frozen, send
from tests.stories import story
from tests.web.issues import weekly

LATER = NOW + timedelta(hours=2)
READERS = {
    "ana@gmail.com": ("ai",),
    "bo@googlemail.com": ("kubernetes",),
    "cy@hotmail.co.uk": ("ai", "kubernetes"),
    "di@example.org": (),
}


@pytest.fixture
def told(store: Store, tmp_path: Path) -> Store:
    """Four readers of an issue, and what became of their deliveries."""
    people = {email: add(store, email, *tags) for email, tags in READERS.items()}
    draft = draft_of(tmp_path, (story("a", "AI"), story("b", "kubernetes")))
    frozen(store, draft)
    send(store, draft, Carrier(), tmp_path)

    def event(email: str, kind: Kind, **more: object) -> Event:
        name = delivery_id(ISSUE.id, people[email])
        return Event(kind, name, email, LATER, f"{email} {kind}")._replace(**more)

    events = [event(email, Kind.DELIVERED) for email in list(people)[:3]]
    events.append(event("cy@hotmail.co.uk", Kind.COMPLAINED))
    events.append(event("di@example.org", Kind.BOUNCED, status="5.1.1", cause=Cause.MAILBOX))
    store.hearing.hear(events, LATER, "test")
    store.feedback.vote(ISSUE.id, people["ana@gmail.com"], True, LATER)
    store.feedback.vote(ISSUE.id, people["bo@googlemail.com"], False, LATER)
    store.subscriptions.unsubscribe(people["bo@googlemail.com"], LATER, "page")
    return store


def of(store: Store) -> IssueFigures:
    (one,) = Statistics(store.database).latest(5)
    return one


def test_an_issue_is_counted(told: Store) -> None:
    assert of(told).total == Figures(
        readers=4,
        submitted=4,
        delivered=3,
        bounced=1,
        complained=1,
        unsubscribed=1,
        useful=1,
        not_useful=1,
    )


def test_figures_are_told_by_mailbox_provider(told: Store) -> None:
    providers = of(told).providers

    assert list(providers) == ["gmail", "other", "outlook"]
    assert providers["gmail"] == Figures(2, 2, 2, unsubscribed=1, useful=1, not_useful=1)
    assert (providers["other"].bounced, providers["outlook"].complained) == (1, 1)
    assert sum(providers.values(), Figures()) == of(told).total


def test_figures_are_told_by_tag_of_what_each_reader_got(told: Store) -> None:
    tags = of(told).tags

    assert {tag: one.readers for tag, one in tags.items()} == {"AI": 3, "kubernetes": 3}
    assert (tags["AI"].useful, tags["AI"].not_useful) == (1, 0)
    assert (tags["kubernetes"].useful, tags["kubernetes"].not_useful) == (0, 1)


def test_who_leaves_counts_for_the_issue_before(told: Store, tmp_path: Path) -> None:
    from digest.models import Window

    date = ISSUE.date + timedelta(weeks=1)
    window = Window(ISSUE.window.end, date)
    later = replace(ISSUE, id="weekly-2026-11-26", window=window, date=date)
    fresh = story("c", "ai", published=ISSUE.date + timedelta(days=1))
    draft = draft_of(tmp_path, (fresh,), later)
    from digest.planning import freeze

    freeze(draft, told, provider="carrier", now=date)
    send(told, draft, Carrier(), tmp_path)
    ana = told.subscriptions.find("ana@gmail.com")
    assert ana is not None
    told.subscriptions.unsubscribe(ana.subscriber.id, date + timedelta(hours=1), "page")

    newest, oldest = Statistics(told.database).latest(5)

    assert (newest.issue.id, newest.total.unsubscribed) == ("weekly-2026-11-26", 1)
    assert oldest.total.unsubscribed == 1


def test_an_erased_reader_counts_without_a_provider(told: Store) -> None:
    ana = told.subscriptions.find("ana@gmail.com")
    assert ana is not None
    told.subscriptions.erase(ana.subscriber.id, LATER, "test")

    assert of(told).total.readers == 4
    assert of(told).providers["other"].readers == 2


def test_a_planned_issue_has_no_figures_yet(store: Store, tmp_path: Path) -> None:
    add(store, "ana@gmail.com")
    draft = draft_of(tmp_path)
    frozen(store, draft)

    assert Statistics(store.database).latest(5) == ()
    assert Statistics(store.database).of(find(store, draft)).total.submitted == 0


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("GMAIL.com", "gmail"),
        ("outlook.com", "outlook"),
        ("hotmail.co.uk", "outlook"),
        ("live.fr", "outlook"),
        ("yahoo.co.jp", "yahoo"),
        ("aol.com", "yahoo"),
        ("me.com", "apple"),
        ("example.org", "other"),
        ("mail.yahoo.example.org", "other"),
        ("yahoo", "other"),
        ("", "other"),
    ],
)
def test_a_domain_tells_the_mailbox_provider(domain: str, provider: str) -> None:
    assert provider_of(domain) == provider


def test_the_report_is_one_file_that_asks_nobody_for_anything(told: Store) -> None:
    one = of(told)
    named = IssueFigures(one.issue, one.total, one.providers, {"<b>": Figures(1, 1)})

    html = report(NEWSLETTER, [named])

    assert "<script" not in html
    assert "<b>" not in html
    assert "http" not in html.replace('http-equiv="Content-Security-Policy"', "")
    assert not [email for email in READERS if email in html]
    assert html.count("<svg") > 4
    assert "No issue has gone out yet" in report(NEWSLETTER, [])


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.994, "99.4 %"),
        (0.0012, "0.12 %"),
        (0.00021, "0.021 %"),
    ],
)
def test_small_shares_keep_their_digits(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_figures_add_up() -> None:
    once = {"a": Figures(1, 1), "b": Figures(5, 4)}

    assert list(added([once, once]).items()) == [("b", Figures(10, 8)), ("a", Figures(2, 2))]


def test_the_command_prints_tables_json_and_a_report(project, run):  # type: ignore[no-untyped-def]
    project.write("content/x.md", "")
    run("subscribers", "import", "subscribers/list.csv", "--consent", "they asked")
    run("send", "--at", "2026-11-19")

    plain, shape = run("stats"), run("stats", "weekly-2026-11-19", "--json")
    written = run("stats", "--html", "report.html")

    assert plain.code == 0
    assert "weekly-2026-11-19" in plain.out
    assert "by mailbox providers" in plain.out
    # nobody tells what is delivered from an outbox or what is useful; the rest is none
    assert re.split(r" {2,}", plain.out.splitlines()[1])[1:8] == ["3", "-", *["0 %"] * 4, "-"]
    assert "opens and clicks are not measured" in plain.err
    figures = json.loads(shape.out)
    assert figures["schema"] == "digest/stats@1"
    assert figures["issues"][0]["total"]["readers"] == 3
    assert written.code == 0
    assert "weekly-2026-11-19" in (project.root / "report.html").read_text()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(0, 0), (0, 0)], "Nobody has said yet"),
        ([(1, 0), (0, 1)], "Too few have answered"),
        ([(9, 1), (1, 0)], "#ai is found most useful"),
        ([(5, 5), (9, 1)], "#k8s is found most useful"),
        ([(9, 1), (9, 1)], "No topic is found more useful"),
    ],
)
def test_the_report_claims_no_more_than_the_answers_do(
    answers: list[tuple[int, int]], said: str
) -> None:
    figures = (Figures(20, 20, useful=yes, not_useful=no) for yes, no in answers)
    tags = [Row(name, one) for name, one in zip(("ai", "k8s"), figures, strict=True)]

    assert verdict(tags).startswith(said)


def test_the_report_of_a_mail_server_does_not_say_that_nothing_arrived(told: Store) -> None:
    one = of(told)
    silent = replace(one, total=replace(one.total, delivered=0))

    html = report(NEWSLETTER, [silent])

    assert "nobody has told" in html
    assert "25.0 % came back or were dropped" in html


def test_the_report_draws_no_bar_of_answers_that_say_too_little(told: Store) -> None:
    one = of(told)
    tags = {"few": Figures(20, 20, useful=4), "some": Figures(20, 20, useful=3, not_useful=2)}

    html = report(NEWSLETTER, [replace(one, tags=tags)])

    bars = html.partition('aria-label="Share of answers that found the issue useful"')[2]
    assert re.findall(r'class="name">#(\w+)', bars) == ["some"]
    alone = report(
        NEWSLETTER, [replace(one, tags={"few": tags["few"]}, total=Figures(1, 1, useful=1))]
    )
    assert "of 1 answer<" in alone
    assert "Too few have answered" in alone
    assert "Share of answers" not in alone


def test_where_somebody_tells_what_is_delivered_none_is_none(project, run):  # type: ignore[no-untyped-def]
    run("subscribers", "import", "subscribers/list.csv", "--consent", "they asked")
    run("send", "--at", "2026-11-19")
    listed = run("issues", "show", "weekly-2026-11-19", "--json", "--list", "submitted").out
    (bo,) = (one for one in json.loads(listed)["listed"] if one["email"].startswith("bo"))
    named = {"email": bo["email"], "dg_did": bo["delivery"], "sg_event_id": "abc"}
    event = {"event": "delivered", "timestamp": 1795079700, **named}
    project.write("events.ndjson", json.dumps([event]))
    run("events", "import", "events.ndjson")

    lines = run("stats").out.splitlines()

    cells = {line.split()[0]: re.split(r" {2,}", line)[1:3] for line in lines if line}
    assert cells["weekly-2026-11-19"] == ["3", "33.33 %"]
    assert cells["python"] == ["1", "0 %"]


def test_who_took_their_leaving_back_has_not_left_and_who_left_again_has(told: Store) -> None:
    bo = told.subscriptions.find("bo@googlemail.com")
    assert bo is not None
    told.subscriptions.take_back(bo.subscriber.id, CONSENT, LATER + timedelta(minutes=1))
    assert of(told).total.unsubscribed == 0

    told.subscriptions.unsubscribe(bo.subscriber.id, LATER + timedelta(hours=1), "page")

    assert of(told).total.unsubscribed == 1


def test_who_left_by_the_providers_word_and_confirmed_anew_has_not_left(told: Store) -> None:
    ana = told.subscriptions.find("ana@gmail.com")
    assert ana is not None
    name = delivery_id(ISSUE.id, ana.subscriber.id)
    event = Event(Kind.UNSUBSCRIBED, name, ana.subscriber.email, LATER, "the provider's word")
    told.hearing.hear([event], LATER, "test")
    assert of(told).total.unsubscribed == 2
    wish = Wish(ana.subscriber.preferences, Cadence.WEEKLY, "", CONSENT)
    asked = told.requests.ask(RequestKind.SUBSCRIBE, ana.subscriber.email, LATER, wish=wish)
    told.requests.confirm(asked.id, CONSENT, LATER + timedelta(minutes=5))

    assert of(told).total.unsubscribed == 1  # Bo


def test_who_comes_back_after_the_next_issue_had_left_by_this_one(
    told: Store, tmp_path: Path
) -> None:
    from digest.planning import freeze

    later = weekly(1)
    fresh = story("c", "ai", published=ISSUE.date + timedelta(days=1))
    freeze(draft_of(tmp_path, (fresh,), later), told, provider="carrier", now=later.date)
    bo = told.subscriptions.find("bo@googlemail.com")
    assert bo is not None
    told.subscriptions.take_back(bo.subscriber.id, CONSENT, later.date + timedelta(hours=1))

    assert Statistics(told.database).latest(5)[-1].total.unsubscribed == 1
