"""`digest serve` as a process: the mail arrives when it is due, once, whatever is killed."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from digest.models import Cadence
from digest.store import Store, url_of
from digest.store.ledger.records import DeliveryState, IssueState
from tests.mailservers import Keeper, real_server
from tests.project import SETTINGS, Project
from tests.store.lists import take_in
from tests.store.served import DUE, events, kill, serving, shift, until

READERS = 150
KEY = "a-secret-of-the-tests-long-enough"
ISSUE = "weekly-2027-11-25"
CONNECTIONS = 4
BEFORE = 2.5  # seconds until the issue is due


@dataclass
class SlowKeeper(Keeper):
    """Takes its time, so that a kill finds the sender at work."""

    async def handle_DATA(self, server, session, envelope):  # type: ignore[no-untyped-def]  # noqa: N802
        await asyncio.sleep(0.02)
        return await super().handle_DATA(server, session, envelope)

    @property
    def readers(self) -> Counter[str]:
        """How often each was mailed."""
        return Counter(to for _, to in self.envelopes)


@dataclass
class Running:
    """A newsletter in a folder, and the server that takes its mail."""

    root: Path
    url: str
    keeper: SlowKeeper

    @property
    def took(self) -> int:
        return len(self.keeper.envelopes)

    def store(self) -> Store:
        return Store.open(self.url, (KEY.encode(),))

    def state(self) -> IssueState | None:
        with self.store() as store:
            found = store.ledger.find(ISSUE)
        return found.state if found else None

    def unknown(self) -> list[str]:
        """Who may have got it: handed over, and killed before the answer."""
        with self.store() as store:
            found = store.ledger.find(ISSUE)
            assert found is not None
            rows = store.ledger.deliveries(found.number, DeliveryState.UNKNOWN)
            return [row.email for row in rows]


@pytest.fixture
def newsletter(tmp_path: Path, fresh_url, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:  # type: ignore[no-untyped-def]
    """Readers, three posts, and a real mail server on this machine."""
    monkeypatch.setenv("DIGEST_SECRET_KEY", KEY)
    keeper = SlowKeeper()
    with real_server(keeper) as port:
        project = Project(tmp_path)
        url = fresh_url()
        database = f'[store]\ndatabase = "{url}"\n' if "postgresql" in url else ""
        project.write(
            "digest.toml",
            f'{SETTINGS}[web]\nhost = "127.0.0.1"\n{database}[cadence.weekly]\nat = "thu 09:00"\n'
            f'[delivery]\nprovider = "smtp"\n[smtp]\nhost = "127.0.0.1"\nport = {port}\n'
            f'security = "none"\nconnections = {CONNECTIONS}\n',
        )
        if "sqlite" in url:
            Path(url.removeprefix("sqlite:///")).rename(tmp_path / "digest.sqlite3")
            url = url_of("", tmp_path)
        for slug in ("agents", "ferry", "tables"):
            project.post(slug, published="2027-11-20")
        with Store.open(url, (KEY.encode(),)) as store:
            rows = "".join(f"reader{n}@example.com,*\n" for n in range(READERS))
            take_in(store, f"email,tags\n{rows}")
            store.schedule.enrol(Cadence.WEEKLY, DUE - timedelta(days=6))
        yield Running(tmp_path, url, keeper)


@pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
def test_the_mail_arrives_when_it_is_due(newsletter: Running) -> None:
    with serving(newsletter.root, shift(BEFORE), "--port", "0") as process:
        until(lambda: newsletter.state() is IssueState.DONE, "the issue is sent")
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(20) == 0
        assert time.monotonic() - began < 10

    assert set(newsletter.keeper.readers.values()) == {1}
    assert len(newsletter.keeper.readers) == READERS
    assert events(newsletter.root) == [
        "schedule.started", "web.listening", "issue.planned", "issue.sending", "issue.sent",
        "web.stopped", "schedule.stopped",
    ]  # fmt: skip


def test_kill_9_before_during_and_after_gives_every_reader_the_issue_once(
    newsletter: Running,
) -> None:
    root, ahead = newsletter.root, shift(BEFORE)
    with serving(root, ahead, "--schedule") as process:
        until(lambda: "schedule.started" in events(root), "it runs")
        kill(process)  # before it was due
    with serving(root, ahead, "--schedule") as process:
        until(lambda: newsletter.took > READERS // 5, "some got it")
        kill(process)  # in the midst of it
    assert newsletter.took < READERS
    with serving(root, ahead, "--schedule") as process:
        until(lambda: newsletter.state() is IssueState.DONE, "the rest got it")
        kill(process)  # afterwards
    took = newsletter.took
    with serving(root, ahead, "--schedule") as process:
        until(lambda: events(root).count("schedule.started") == 4, "it runs again")
        time.sleep(0.5)  # some ticks
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    readers, unknown = newsletter.keeper.readers, newsletter.unknown()
    assert newsletter.took == took
    assert set(readers.values()) == {1}
    assert len(readers.keys() | set(unknown)) == READERS
    assert len(unknown) <= CONNECTIONS * 2  # on the wire when it was killed


@pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
def test_sigterm_in_the_midst_finishes_what_is_in_flight_and_loses_nothing(
    newsletter: Running,
) -> None:
    root, ahead = newsletter.root, shift(BEFORE)
    with serving(root, ahead, "--schedule") as process:
        until(lambda: newsletter.took > 10, "some got it")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert newsletter.unknown() == []
    with serving(root, ahead, "--schedule"):
        until(lambda: newsletter.state() is IssueState.DONE, "the rest got it")

    assert set(newsletter.keeper.readers.values()) == {1}
    assert len(newsletter.keeper.readers) == READERS


@pytest.mark.parametrize("fresh_url", ["postgresql"], indirect=True)
def test_two_services_share_an_issue_and_one_that_is_killed_costs_nobody_theirs(
    newsletter: Running,
) -> None:
    root, ahead = newsletter.root, shift(BEFORE)
    with serving(root, ahead, "--schedule") as one, serving(root, ahead, "--schedule"):
        until(lambda: newsletter.took > READERS // 5, "some got it")
        kill(one)
        until(lambda: newsletter.state() is IssueState.DONE, "the rest got it")

    readers, unknown = newsletter.keeper.readers, newsletter.unknown()
    assert set(readers.values()) == {1}
    assert len(readers.keys() | set(unknown)) == READERS
    assert len(unknown) <= CONNECTIONS * 2


@pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
def test_sighup_takes_a_new_configuration_and_refuses_a_broken_one(newsletter: Running) -> None:
    root = newsletter.root
    good = (root / "digest.toml").read_text()
    with serving(root, shift(3600), "--port", "0") as process:
        until(lambda: "web.listening" in events(root), "it runs")
        (root / "digest.toml").write_text(good.replace("thu 09:00", "someday"))
        process.send_signal(signal.SIGHUP)
        until(lambda: "config.refused" in events(root), "it is refused")
        assert process.poll() is None
        (root / "digest.toml").write_text(good.replace("thu 09:00", "thu 07:00"))
        process.send_signal(signal.SIGHUP)
        until(lambda: newsletter.state() is IssueState.DONE, "it was due two hours ago")

    assert "config.reloaded" in events(root)
