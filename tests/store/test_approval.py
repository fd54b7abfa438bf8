"""What needs an editor's yes goes out only after it: by link or by command, of that plan alone."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from digest import planning, providers
from digest.content import read_content
from digest.scheduler import Editors, Scheduler, tick
from digest.scheduler.decision import Ask, Plan, Send
from digest.store import Store
from digest.store.ledger.records import IssueState
from digest.store.schedule.records import Answer
from digest.tokens import Keys, Purpose, sign
from digest.web import Site, application
from tests.project import Project
from tests.store import sending
from tests.store.conftest import SECRETS
from tests.store.scheduled import HOUR, THURSDAY, WEEK, WEEKLY, issues, newsletter, posts, scheduler
from tests.store.sending import Clock, readers

APPROVED = '[cadence.weekly]\napprove = true\nplan_ahead = "6h"\n'


class Room:
    """A newsletter with an editor, whose mail lies in the outbox, and a browser of theirs."""

    def __init__(self, store: Store, root: Path, language: str = "en") -> None:
        self.store, self.root = store, root
        self.clock = Clock(THURSDAY - WEEK + HOUR)
        config = newsletter(root, APPROVED)
        spoken = replace(config.newsletter, language=language)
        self.config = replace(config, outbox=root / "outbox", newsletter=spoken)
        self.scheduler: Scheduler = scheduler(self.config, store, self.clock, ask=self.ask)
        self.site = site = Site.of(
            self.config, store, Keys(SECRETS), self.clock, lambda: read_content(self.config)
        )
        self.browser = TestClient(application(site), base_url=self.config.newsletter.base_url)

    def ask(self, draft, frozen, reason):  # type: ignore[no-untyped-def]
        """As in service, but that the mail goes to the outbox."""
        draft.config = replace(draft.config, provider="outbox")
        return Editors(Keys(SECRETS), self.clock)(draft, frozen, reason)

    def at(self, moment) -> list[type]:  # type: ignore[no-untyped-def]
        """What the scheduler does at a moment."""
        self.clock.now = moment
        return [type(step) for step in self.scheduler.tick(WEEKLY).steps]

    def change(self) -> None:
        """Another title for a post that was planned."""
        Project(self.root).post("post-003", title="Another title", published="2026-01-01")

    def mails(self):  # type: ignore[no-untyped-def]
        """What the editor got."""
        files = sorted((self.root / "outbox").rglob("*.eml"), key=lambda path: path.stat().st_mtime)
        return [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in files]

    @property
    def link(self) -> str:
        """In the newest of their mails."""
        text = self.mails()[-1].get_body(("plain",)).get_content()
        return re.search(r"https://news.example.com(/approve/\S+)", text)[1]


@pytest.fixture
def room(
    request: pytest.FixtureRequest, store: Store, tmp_path: Path, carrier: sending.Carrier
) -> Iterator[Room]:
    """A week before the issue is due, and planned six hours before it."""
    readers(store, 5)
    posts(tmp_path, THURSDAY - 3 * WEEK, 6)
    made = Room(store, tmp_path, getattr(request, "param", "en"))
    assert made.at(made.clock.now) == []
    assert made.at(THURSDAY - 6 * HOUR) == [Plan, Ask]
    yield made
    made.site.close()


def test_the_editor_gets_a_test_copy_and_the_plan_with_a_link(room: Room) -> None:
    copy, notice = room.mails()
    text = notice.get_body(("plain",)).get_content()

    assert copy["Subject"].startswith("[TEST] About post-")
    assert notice["To"] == copy["To"] == "ed@example.com"
    assert notice["Subject"] == "weekly-2026-01-01: may it go out?"
    assert "4 readers, 1 different edition" in text
    assert "Story: About post-003" in text
    assert room.at(THURSDAY - HOUR) == []  # asked once
    assert len(room.mails()) == 2


@pytest.mark.parametrize("room", ["pl"], indirect=True)
def test_editors_of_a_polish_newsletter_are_asked_in_polish(room: Room) -> None:
    _, notice = room.mails()
    text = " ".join(notice.get_body(("plain",)).get_content().split())
    assert notice["Subject"] == "weekly-2026-01-01: czy może wyjść?"
    assert notice["Content-Language"] == "pl"
    assert "czwartek, 1 stycznia 2026, 09:00 GMT" in text
    assert "4 osoby, 1 wersja" in text
    assert "Tekst: About post-003" in text
    page = room.browser.get(room.link, headers={"accept-language": "en"})

    assert '<html lang="pl"' in page.text
    assert "Czy weekly-2026-01-01 może wyjść?" in page.text
    assert "za zgodą redakcji: tak stanowi ustawienie approve." in page.text
    assert "pominięto 1: nic nowego w ich tematach" in page.text
    held = room.browser.post(room.link, data={"answer": "hold"})
    assert "Wstrzymane. Nie wyjdzie, dopóki ktoś go nie zatwierdzi." in held.text
    room.browser.post(room.link, data={"answer": "approve"})
    room.change()
    room.at(THURSDAY)
    assert "zmiana od poprzedniego pytania: story post-003" in room.browser.get(room.link).text


def test_what_was_approved_by_the_link_goes_out_when_it_is_due(
    room: Room, carrier: sending.Carrier
) -> None:
    page = room.browser.get(room.link)
    assert page.status_code == 200
    assert "May weekly-2026-01-01 go out?" in page.text
    assert room.store.schedule.approval(issues(room.store)[0].number).answer is Answer.NONE
    done = room.browser.post(room.link, data={"answer": "approve"})

    assert "Approved. It goes out on Thursday, 1 January 2026, 09:00 GMT." in done.text
    assert room.at(THURSDAY - HOUR) == []
    assert room.at(THURSDAY) == [Send]
    assert len(carrier.taken) == 4
    late = room.browser.post(room.link, data={"answer": "hold"})
    assert (late.status_code, "It is done" in late.text) == (409, True)


@pytest.mark.parametrize("answer", ["hold", ""])
def test_without_a_yes_it_is_held(room: Room, carrier: sending.Carrier, answer: str) -> None:
    response = room.browser.post(room.link, data={"answer": answer})

    assert response.status_code == (200 if answer else 422)
    assert room.at(THURSDAY) == room.at(THURSDAY + 30 * HOUR) == []
    assert carrier.taken == []


def test_a_late_yes_is_acted_on_at_once(room: Room, carrier: sending.Carrier) -> None:
    assert room.at(THURSDAY + 20 * HOUR) == []
    room.browser.post(room.link, data={"answer": "approve"})

    assert room.at(THURSDAY + 20 * HOUR) == [Send]
    assert len(carrier.taken) == 4


def test_what_changed_since_the_yes_goes_out_only_after_another(
    room: Room, carrier: sending.Carrier
) -> None:
    old = room.link
    room.browser.post(old, data={"answer": "approve"})
    room.change()
    assert room.at(THURSDAY) == [Send, Ask]

    assert carrier.taken == []
    changed = "changed since you were asked: story post-003 has changed"
    assert changed in room.scheduler.tick(WEEKLY).reasons[0]
    assert changed in room.browser.get(room.link).text
    assert "replaced by another one" in room.browser.post(old, data={"answer": "approve"}).text
    assert room.at(THURSDAY + HOUR) == []
    done = room.browser.post(room.link, data={"answer": "approve"})
    assert "Approved. It goes out within a minute." in done.text
    assert room.at(THURSDAY + HOUR) == [Send]
    assert len(carrier.taken) == 3


@pytest.mark.parametrize("answer", ["approve", ""])
def test_editors_are_asked_again_while_there_is_time(
    room: Room, carrier: sending.Carrier, answer: str
) -> None:
    room.browser.post(room.link, data={"answer": answer})
    room.change()
    assert room.at(THURSDAY - 6 * HOUR + timedelta(minutes=9)) == []  # its author is still at it
    assert room.at(THURSDAY - 5 * HOUR) == [Plan, Ask]

    assert "Another title" in room.mails()[-1].get_body(("plain",)).get_content()
    assert len(room.mails()) == 4
    assert room.at(THURSDAY - 4 * HOUR) == room.at(THURSDAY) == []
    assert carrier.taken == []
    room.browser.post(room.link, data={"answer": "approve"})
    assert room.at(THURSDAY) == [Send]


@pytest.mark.parametrize("moment", ["before", "within"])
def test_of_two_processes_that_see_a_change_one_plans_and_asks(
    room: Room, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    room.change()
    room.clock.now = THURSDAY - 5 * HOUR
    other = scheduler(room.config, room.store, room.clock, ask=room.ask)
    others: list[list[type]] = []

    def first(then):  # type: ignore[no-untyped-def]
        def later(*given, **more):  # type: ignore[no-untyped-def]
            if not others:
                others.append([])  # once
                others[0] += [type(step) for step in other.tick(WEEKLY).steps]
            return then(*given, **more)

        return later

    if moment == "before":
        monkeypatch.setattr(tick, "freeze", first(tick.freeze))
    else:
        monkeypatch.setattr(planning._Audience, "contents", first(planning._Audience.contents))
    done = room.scheduler.tick(WEEKLY)

    assert others == [[Plan, Ask]]
    assert not done.failed
    assert len(room.mails()) == 4
    assert len(issues(room.store)) == 1
    assert "May weekly-2026-01-01 go out?" in room.browser.get(room.link).text


def test_an_issue_that_an_editor_held_stays_so_whatever_changes(room: Room) -> None:
    room.browser.post(room.link, data={"answer": "hold"})
    room.change()

    assert room.at(THURSDAY - HOUR) == room.at(THURSDAY) == []
    assert len(room.mails()) == 2


def test_the_page_shows_the_plan_and_not_what_posts_have_become(room: Room) -> None:
    room.change()
    text = room.browser.get(room.link).text

    assert "About post-003" in text
    assert "Another title" not in text


def test_an_issue_nobody_answered_for_is_in_the_next_one(
    room: Room, carrier: sending.Carrier
) -> None:
    old = room.link
    assert room.at(THURSDAY + WEEK - 6 * HOUR) == [Plan, Ask]
    first, second = issues(room.store)

    assert second.window.start == first.window.start
    skipped = room.store.schedule.skipped(first.id)
    assert skipped.reason == f"not sent before {second.id} was planned"
    assert f"skipped: {skipped.reason}" in room.browser.get(old).text


def test_a_link_is_of_its_purpose_its_plan_and_its_time(room: Room) -> None:
    (planned,) = issues(room.store)
    other = sign(Keys(SECRETS), Purpose.UNSUBSCRIBE, planned.number)

    assert room.browser.get(f"/approve/{other}").status_code == 404
    assert room.browser.get(room.link[:-1] + "A").status_code == 404
    room.clock.now = THURSDAY + timedelta(days=15)
    assert room.browser.get(room.link).status_code == 404


def test_an_editor_who_cannot_be_mailed_is_tried_again(
    store: Store, tmp_path: Path, carrier: sending.Carrier
) -> None:
    readers(store, 5)
    posts(tmp_path, THURSDAY - 3 * WEEK, 6)
    away = providers.ProviderError("away", outcome=sending.Outcome.TEMPORARY)
    tries = [away, 1]

    def ask(*_: object) -> int:
        answer = tries.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[return-value]

    clock = Clock(THURSDAY - 6 * HOUR)
    one = scheduler(newsletter(tmp_path, APPROVED), store, clock, ask=ask)
    assert one.tick(WEEKLY).failed
    one.tick(WEEKLY)
    assert tries  # whoever tried may be at it still
    clock.now += timedelta(minutes=6)
    one.tick(WEEKLY)

    assert tries == []
    (planned,) = issues(store)
    assert planned.state is IssueState.PLANNED
    assert store.schedule.approval(planned.number).asked == clock.now
