"""A worker's short lease: kept as long as its process runs, and another's when it does not."""

from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from digest.errors import StoreError
from digest.providers import Batch
from digest.sender import Hands, Job, Stopping
from digest.store import Store
from digest.workers import require_queue
from tests.store.conftest import NOW
from tests.store.sending import Carrier, Clock, draft_of, find, frozen, material, readers, states

READERS = 600
LEASE = timedelta(seconds=30)


def hands(store: Store, draft, root: Path, carrier: Carrier, **how: object) -> Hands:  # type: ignore[no-untyped-def]
    issue = find(store, draft)
    store.ledger.begin_sending(issue.number, carrier.name)
    what = material(store, draft, issue.number)
    job = Job(store.ledger, issue, what, carrier, root / "journal", **how)  # type: ignore[arg-type]
    return Hands(job, Stopping())


class StandingStill(Carrier):
    """A machine that stands still in the midst of the first batch, while another takes over."""

    def __init__(self, clock: Clock, meanwhile) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.clock, self.meanwhile = clock, meanwhile

    def hand_over(self, batch: Batch):  # type: ignore[no-untyped-def]
        for answer in super().hand_over(batch):
            if len(self.taken) == 3:
                self.clock.sleep(LEASE.total_seconds() + 1)
                self.meanwhile()
            yield answer


def test_a_worker_that_stood_still_hands_over_no_batch_that_is_anothers(
    store: Store, tmp_path: Path
) -> None:
    readers(store, READERS)
    draft, clock, other = draft_of(tmp_path), Clock(), Carrier()
    frozen(store, draft)
    elsewhere = tmp_path / "elsewhere"

    def take_over() -> None:
        with hands(store, draft, elsewhere, other, now=clock) as there:
            assert there.recover() == 1
            assert there.send_one_batch().claim is None

    still = StandingStill(clock, take_over)
    with hands(store, draft, tmp_path, still, now=clock, clock=clock.seconds, lease=LEASE) as here:
        here.send_one_batch()
        here.put_down()

    assert len(still.taken) <= 250
    assert other.taken == []
    assert states(store, draft) == {
        "submitted": len(still.taken), "unknown": READERS - len(still.taken)
    }  # fmt: skip


def test_a_lease_is_renewed_while_a_batch_takes_long(store: Store, tmp_path: Path) -> None:
    readers(store, 2)
    draft, renewed = draft_of(tmp_path), Event()
    frozen(store, draft)

    class Slow(Carrier):
        def hand_over(self, batch: Batch):  # type: ignore[no-untyped-def]
            assert renewed.wait(30)
            yield from super().hand_over(batch)

    worker = hands(store, draft, tmp_path, Slow(), now=Clock(), lease=timedelta(milliseconds=40))
    renew = worker.claims.renew

    def noted(held, now):  # type: ignore[no-untyped-def]
        kept = renew(held, now)
        renewed.set()
        return kept

    with worker, pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(worker.claims), "renew", lambda _, held, now: noted(held, now))
        worker.send_one_batch()
        worker.put_down()

    assert states(store, draft) == {"submitted": 2}


def test_workers_need_postgresql(sqlite_store: Store) -> None:
    with pytest.raises(StoreError, match="workers need PostgreSQL"):
        require_queue(sqlite_store)


def test_a_missing_extra_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if store.database.dialect == "sqlite":
        return
    monkeypatch.setitem(__import__("sys").modules, "procrastinate", None)

    with pytest.raises(StoreError, match="procrastinate") as refused:
        require_queue(store)

    assert "digest-newsletter[postgres]" in refused.value.hint


def test_a_window_is_claimed_by_its_number_alone(store: Store, tmp_path: Path) -> None:
    readers(store, 5)
    draft, carrier = draft_of(tmp_path), Carrier()
    frozen(store, draft)

    with hands(store, draft, tmp_path, carrier, now=Clock(NOW)) as worker:
        assert worker.send_one_batch(3).claim is None
        assert worker.send_one_batch(0).claim is not None
        worker.put_down()
        assert worker.send_one_batch(0).claim is None

    assert len(carrier.taken) == 5
