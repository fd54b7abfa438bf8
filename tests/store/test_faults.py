"""Every fault of `benchmarks/faults.py`, at a size that fits: nothing twice, nothing lost."""

from pathlib import Path

import pytest

from digest.store import Store
from tests.store.faults import ALL, Fault, campaign
from tests.store.sending import draft_of, frozen, readers

DELIVERIES = 400


@pytest.mark.parametrize("fault", ALL, ids=lambda one: f"{one.carrier}, {one.name}")
def test_whatever_happens_nothing_is_handed_over_twice_and_none_is_lost(
    sqlite_store: Store, tmp_path: Path, fault: Fault
) -> None:
    readers(sqlite_store, DELIVERIES)
    draft = draft_of(tmp_path)
    frozen(sqlite_store, draft)

    outcome = campaign(sqlite_store, draft, tmp_path, fault, DELIVERIES)

    assert outcome.held, outcome
