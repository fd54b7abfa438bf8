"""Windows of senders that died, or that seem to have died."""

import resource
from datetime import timedelta
from pathlib import Path

import pytest

from digest.composer import delivery_id
from digest.pace import Patience
from digest.providers import Provider, Receipt
from digest.providers.outbox import Outbox
from digest.sender import journal as journals
from digest.sender.journal import Journal, Remains
from digest.sender.recovery import Recovery
from digest.store import Store
from digest.store.ledger.claims import LEASE
from digest.store.ledger.records import Claim, Closing, DeliveryState, Mark
from tests.store.conftest import NOW
from tests.store.sending import Carrier, Clock, draft_of, find, frozen, readers, states

READERS = 6


@pytest.fixture
def held(store: Store, tmp_path: Path):  # type: ignore[no-untyped-def]
    """A sender that has claimed everything and begun with the first two."""
    readers(store, READERS)
    draft = draft_of(tmp_path)
    frozen(store, draft)
    issue = find(store, draft)
    journal = Journal(tmp_path / "journal", "carrier")
    claims = store.ledger.claims(issue.number, journal.owner)
    claim = claims.turn(None, NOW).claim
    assert claim is not None
    journal.begin(claim.held.claim)
    journal.start(0)
    journal.answer(0, Receipt("", "taken\nas 1", new=True))
    journal.start(1)
    yield draft, journal, claims, claim
    journal.path.unlink(missing_ok=True)


def recover(
    store: Store,
    root: Path,
    draft,
    clock: Clock,
    provider: Provider | None = None,  # type: ignore[no-untyped-def]
) -> int:
    """As the next sender begins. `root` is where it keeps its journals."""
    issue, journal = find(store, draft), Journal(root / "journal", "carrier")
    claims = store.ledger.claims(issue.number, journal.owner)
    provider = provider or Carrier()
    try:
        return Recovery(
            store.ledger, claims, issue.id, root / "journal", provider, Patience(), clock
        ).recover()
    finally:
        journal.close()


def test_a_living_sender_keeps_its_window_however_long_it_takes(
    store: Store, tmp_path: Path, held
) -> None:  # type: ignore[no-untyped-def]
    draft, journal, _, _ = held

    assert recover(store, tmp_path, draft, Clock(NOW + 9 * LEASE)) == 0
    assert states(store, draft) == {"claimed": READERS}
    journal.abandon()


def test_a_killed_sender_leaves_unknown_only_what_it_had_begun(
    store: Store, tmp_path: Path, held
) -> None:  # type: ignore[no-untyped-def]
    draft, journal, _, _ = held
    journal.abandon()

    assert recover(store, tmp_path, draft, Clock()) == 1
    assert states(store, draft) == {"planned": READERS - 2, "submitted": 1, "unknown": 1}
    (row,) = store.ledger.deliveries(find(store, draft).number, DeliveryState.SUBMITTED)
    assert row.receipt == "taken as 1"


def test_a_line_that_was_cut_off_does_not_count(store: Store, tmp_path: Path, held) -> None:  # type: ignore[no-untyped-def]
    draft, journal, _, _ = held
    journal.abandon()
    text = journal.path.read_bytes()
    journal.path.write_bytes(text[: text.index(b"taken") + 3])

    recover(store, tmp_path, draft, Clock())

    assert states(store, draft) == {"planned": READERS - 1, "unknown": 1}


def test_after_a_power_cut_everything_without_an_answer_is_unknown(
    store: Store, tmp_path: Path, held, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    draft, journal, _, _ = held
    journal.abandon()
    boot = tmp_path / "boot_id"
    boot.write_text("another start of the machine\n")
    monkeypatch.setattr(journals, "_BOOT", boot)

    recover(store, tmp_path, draft, Clock())

    assert states(store, draft) == {"submitted": 1, "unknown": READERS - 1}


def test_another_machine_waits_for_the_lease_and_then_knows_nothing(
    store: Store, tmp_path: Path, held
) -> None:  # type: ignore[no-untyped-def]
    draft, journal, _, _ = held
    elsewhere = tmp_path / "elsewhere"

    assert recover(store, elsewhere, draft, Clock(NOW + LEASE - timedelta(seconds=1))) == 0
    assert recover(store, elsewhere, draft, Clock(NOW + LEASE)) == 1
    assert states(store, draft) == {"unknown": READERS}
    journal.abandon()


def test_a_sender_that_was_given_up_settles_what_it_knows_after_all(
    store: Store, tmp_path: Path, held
) -> None:  # type: ignore[no-untyped-def]
    draft, journal, claims, claim = held
    recover(store, tmp_path / "elsewhere", draft, Clock(NOW + LEASE))

    assert not claims.renew(claim.held, NOW + LEASE)
    claims.close(Closing(claim.held, _taken(claim, 4)), NOW + LEASE)

    assert states(store, draft) == {"submitted": 4, "unknown": READERS - 4}
    journal.abandon()


def _taken(claim: Claim, number: int) -> tuple[Mark, ...]:
    return tuple(
        Mark(one.number, DeliveryState.SUBMITTED, "taken") for one in claim.deliveries[:number]
    )


def test_the_outbox_is_asked_what_it_has(store: Store, tmp_path: Path, held) -> None:  # type: ignore[no-untyped-def]
    draft, journal, claims, claim = held
    claims.close(Closing(claim.held, ()), NOW)  # that was another provider's
    journal.abandon()
    own = Journal(tmp_path / "journal", "outbox")
    claims = store.ledger.claims(find(store, draft).number, own.owner)
    again = claims.turn(None, NOW).claim
    own.begin(again.held.claim)
    own.start(0)
    own.start(1)
    own.abandon()
    folder = tmp_path / "outbox" / draft.issue.id / "0000"
    folder.mkdir(parents=True)
    name = delivery_id(draft.issue.id, again.deliveries[1].subscriber.id)
    (folder / f"{name}.eml").write_bytes(b"a message")

    recover(store, tmp_path, draft, Clock(), Outbox(tmp_path / "outbox"))

    assert states(store, draft) == {"planned": READERS - 1, "submitted": 1}


def test_an_answer_is_in_the_journal_when_another_delivery_is_on_its_way(tmp_path: Path) -> None:
    """A pipelined connection starts the next message before the last answer is heard of."""
    journal = Journal(tmp_path, "carrier")
    journal.begin(1)
    journal.start(0)
    journal.start(1)
    journal.answer(0, Receipt("", "taken", new=True))
    journal.abandon()

    remains = journals.Remains(tmp_path, journal.owner)
    found = remains.read(1)
    remains.close()

    assert found == {0: Receipt("", "taken", new=True), 1: None}


def test_a_start_that_the_disk_has_no_room_for_is_refused_and_spoils_no_other(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, "smtp")
    journal.begin(1)
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.stat().st_size + 4, was[1]))
    started: list[int] = []

    def start_on() -> None:
        for number in range(10**6):
            journal.start(number)
            started.append(number)

    try:
        with pytest.raises(OSError, match=r"space|large"):
            start_on()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
    journal.start(10**9)
    journal.abandon()

    remains = Remains(tmp_path, journal.owner)
    assert remains.read(1) == {**dict.fromkeys(started), 10**9: None}
    remains.remove()


@pytest.mark.parametrize("came", [b"2 sta\0\0\0\0", b"\0\0\0tarted\n", b"2 st\0\0ted\n"])
def test_a_line_of_which_a_part_was_written_when_the_sender_was_killed_is_none(
    tmp_path: Path, came: bytes
) -> None:
    """The bytes of a line come into memory in any order."""
    journal = Journal(tmp_path, "smtp")
    journal.begin(1)
    journal.start(1)
    journal.abandon()
    data = journal.path.read_bytes()
    whole = data.rstrip(b"\0")
    journal.path.write_bytes((whole + came).ljust(len(data), b"\0"))

    remains = Remains(tmp_path, journal.owner)
    assert remains.read(1) == {1: None}
    remains.remove()


def test_nothing_of_a_longer_window_before_is_left_in_a_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "smtp")
    journal.begin(1)
    journal.start(*range(20_000))
    journal.begin(2)
    journal.start(7)
    journal.abandon()

    remains = Remains(tmp_path, journal.owner)
    assert (remains.read(2), remains.read(1)) == ({7: None}, {})
    remains.remove()
