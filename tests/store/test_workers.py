"""Workers as processes, against a real PostgreSQL and a real mail server; one is killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from digest import providers
from digest.config import load
from digest.errors import Outcome, StoreError
from digest.providers import Refusal
from digest.store import Store
from digest.store.ledger.records import IssueState
from digest.tokens import Keys
from digest.workers import BATCH, submit
from digest.workers.workplace import Workplace
from tests.mailservers import real_server
from tests.project import SETTINGS, Project
from tests.store.lists import take_in
from tests.store.scheduled import (
    HOUR,
    THURSDAY,
    WEEK,
    issues,
    newsletter,
    posts,
    scheduler,
    ticks,
)
from tests.store.sending import Carrier, Clock, readers
from tests.store.served import kill, until
from tests.store.test_serve_schedule import CONNECTIONS, KEY, SlowKeeper

READERS = 900
ISSUE = "weekly-2026-11-19"
pytestmark = pytest.mark.parametrize("fresh_url", ["postgresql"], indirect=True)


@dataclass
class Office:
    """A planned issue, and the server that takes its mail."""

    root: Path
    url: str
    keeper: SlowKeeper

    @property
    def took(self) -> int:
        return len(self.keeper.envelopes)

    def store(self) -> Store:
        return Store.open(self.url, (KEY.encode(),))

    def states(self) -> dict[str, int]:
        with self.store() as store:
            planned = store.ledger.find(ISSUE)
            assert planned is not None
            states = store.ledger.totals(planned.number).states
        return {state.value: n for state, n in states.items() if n}

    def done(self) -> bool:
        with self.store() as store:
            planned = store.ledger.find(ISSUE)
            return planned is not None and planned.state is IssueState.DONE

    def digest(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "digest", *words]
        return subprocess.run(
            command, cwd=self.root, env=self.environ(), capture_output=True, text=True, check=False
        )

    @contextmanager
    def worker(self, name: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A running one; killed at the end, unless it has ended."""
        command = [sys.executable, "-m", "digest", "worker"]
        with (
            (self.root / f"{name}.log").open("a") as log,
            subprocess.Popen(command, cwd=self.root, env=self.environ(), stderr=log) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "DIGEST_CONFIG": str(self.root / "digest.toml"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }

    def jobs(self) -> int:
        with self.store() as store, store.database.reading() as connection:
            query = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'digest.batches'"
            return int(connection.exec_driver_sql(query).scalar_one())


@pytest.fixture
def office(tmp_path: Path, fresh_url, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DIGEST_SECRET_KEY", KEY)
    keeper, project, url = SlowKeeper(), Project(tmp_path), fresh_url()
    with real_server(keeper) as port:
        project.write(
            "digest.toml",
            f'{SETTINGS}[store]\ndatabase = "{url}"\n[delivery]\nprovider = "smtp"\n'
            f'workers = true\n[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
            f"connections = {CONNECTIONS}\n",
        )
        for slug in ("agents", "ferry", "tables"):
            project.post(slug)
        with Store.open(url, (KEY.encode(),)) as store:
            rows = "".join(f"reader{n}@example.com,*\n" for n in range(READERS))
            take_in(store, f"email,tags\n{rows}")
        office = Office(tmp_path, url, keeper)
        planned = office.digest("plan", "--at", "2026-11-20")
        assert planned.returncode == 0, planned.stderr
        yield office


def send(office: Office) -> None:
    sent = office.digest("send", ISSUE, "--confirm", str(READERS))
    assert sent.returncode == 0, sent.stderr
    assert "is with the workers: 4 batches more" in sent.stderr


def test_two_workers_share_an_issue_and_one_is_killed(office: Office) -> None:
    send(office)
    with office.worker("one") as one, office.worker("other") as other:
        until(lambda: office.took > READERS // 5, "both are at work")
        kill(one)
        until(office.done, "the other did the rest")
        until(lambda: office.jobs() == 0, "the dead one's job was swept")
        other.terminate()
        assert other.wait(20) == 0

    readers, states = office.keeper.readers, office.states()
    assert set(readers.values()) == {1}
    assert states["submitted"] + states.get("unknown", 0) == READERS
    assert states.get("unknown", 0) <= CONNECTIONS
    assert states["submitted"] <= len(readers) <= READERS


class PutsOff(Carrier):
    """Takes nobody for now."""

    asked = 0

    def hand_over(self, batch):  # type: ignore[no-untyped-def]
        for reader in batch.readers:
            self.asked += 1
            yield Refusal(reader.delivery, Outcome.TEMPORARY, "busy")


def test_a_worker_leaves_an_issue_alone_while_everybody_is_put_off(office: Office) -> None:
    send(office)
    carrier = PutsOff()
    with office.store() as store:
        (planned,) = store.ledger.issues()
        configured = load(office.root / "digest.toml", office.environ())
        place = Workplace(configured, store, Keys((KEY.encode(),)), carrier)
        for window in range(0, READERS, BATCH):
            place.send(planned.number, window)
        place.close()

    assert carrier.asked == BATCH
    assert office.states() == {"planned": READERS}


def test_what_is_left_to_workers_twice_is_sent_once(office: Office) -> None:
    send(office)
    again = office.digest("send", ISSUE, "--confirm", str(READERS))
    with office.store() as store:
        planned = store.ledger.find(ISSUE)
        assert planned is not None
        assert submit(store, planned.number, "smtp") == 0

    assert "0 batches more" in again.stderr
    assert office.jobs() == 4


def test_a_rollback_takes_the_jobs_along(office: Office) -> None:
    with office.store() as store:
        planned = store.ledger.find(ISSUE)
        assert planned is not None

        def defer(connection: object, windows: object) -> None:
            from digest.workers.queue import defer as really

            really()(connection, windows)  # type: ignore[arg-type]
            raise StoreError("the last moment")

        with pytest.raises(StoreError, match="the last moment"):
            store.ledger.enqueue(planned.number, "smtp", defer, most=250)
        found = store.ledger.find(ISSUE)

    assert (office.jobs(), found and found.state) == (0, IssueState.PLANNED)


def test_a_paused_issue_gets_no_jobs_and_a_resumed_one_does(office: Office) -> None:
    with office.store() as store:
        planned = store.ledger.find(ISSUE)
        assert planned is not None
        store.ledger.operator.pause(planned.number, "by hand")
        assert submit(store, planned.number, "smtp") == 0

        store.ledger.operator.resume(planned.number)
        assert submit(store, planned.number, "smtp") == 4


def test_a_worker_without_the_posts_of_the_plan_sends_nothing(office: Office) -> None:
    Project(office.root).post("agents", title="Another title")
    with office.store() as store:
        planned = store.ledger.find(ISSUE)
        assert planned is not None
        submit(store, planned.number, "smtp")
    with office.worker("stale"):
        until(lambda: "worker.failed" in (office.root / "stale.log").read_text(), "it refuses")

    assert office.took == 0
    assert office.states() == {"planned": READERS}


def test_the_schedule_leaves_what_is_due_to_workers(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as it ticks: a batch that waits for a worker gets no second job."""
    monkeypatch.setitem(providers._MODULES, "carrier", "tests.store.carried")
    monkeypatch.setattr("tests.store.carried.CARRIER", Carrier())
    readers(store, 5)
    posts(tmp_path, THURSDAY - 3 * WEEK, 9)
    clock = Clock(THURSDAY - HOUR)
    configured = replace(newsletter(tmp_path), workers=True)

    for done in ticks(scheduler(configured, store, clock), clock, THURSDAY + 2 * HOUR, HOUR / 4):
        assert not done.failed

    (issue,) = issues(store)
    with store.database.reading() as connection:
        jobs = connection.exec_driver_sql("SELECT args FROM procrastinate_jobs").scalars().all()
    assert (issue.state, jobs) == (IssueState.SENDING, [{"issue": issue.number, "window": 0}])
