"""Importing: what is taken in, what is left out and why, and what is never brought back."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import SubscribersError
from digest.models import Preferences
from digest.preferences import mute
from digest.roster import intake
from digest.roster.intake import Progress
from digest.store import (
    Consent,
    EventKind,
    OnConflict,
    State,
    Store,
    SuppressionReason,
)
from tests.store.conftest import NOW, SECRETS
from tests.store.lists import csv_of, ndjson_of, take_in
from tests.store.people import add, due, due_emails

ROOT = Path(__file__).resolve().parent.parent.parent
ANA = "email,name,tags,language\nAna@Example.com,Ana,ai #open-source,pl en\n"


def _ana(store: Store) -> Preferences:
    found = store.subscriptions.find("ana@example.com")
    assert found is not None
    return found.subscriber.preferences


def test_a_row_becomes_a_due_reader_with_evidence(store: Store) -> None:
    result, _ = take_in(store, ANA, consent="the fair of 2026")

    (reader,) = due(store, "opensource")
    assert (reader.email, reader.name, reader.follows) == ("Ana@example.com", "Ana", 1)
    assert reader.languages == ("pl", "en")
    (given,) = store.subscriptions.consents([reader.id])[reader.id]
    assert given == Consent(NOW, "import", "the fair of 2026", "", "list.csv")
    assert result.added == 1


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("ana.example.com,,,,,", "email", "@-sign"),
        ("a@example.com,,Europe/Warszawa,,,", "timezone", "IANA name like Europe/Warsaw"),
        ("a@example.com,,,hourly,,", "cadence", "expected daily, weekly, monthly"),
        ("a@example.com,,,,Klingon,", "language", "is no language"),
        ("a@example.com,,,,,###", "tags", "names no tag"),
        (f"a@example.com,{'x' * 300},,,,", "name", "longer than 200"),
    ],
)
def test_an_impossible_cell_is_named_and_left_out(
    store: Store, row: str, column: str, reason: str
) -> None:
    header = "email,name,timezone,cadence,language,tags\n"
    result, rejects = take_in(store, f"{header}{row}\nok@example.com,,,,,\n")

    (reject,) = rejects
    assert (reject.line, reject.column) == (2, column)
    assert reason in reject.reason
    assert result == Progress(result.bytes_read, 2, added=1, rejected=1)


def test_without_a_statement_of_consent_nothing_is_imported(store: Store) -> None:
    with pytest.raises(SubscribersError, match="nothing says that these people agreed"):
        take_in(store, ANA, consent="")


def test_a_blank_statement_of_consent_is_none(store: Store) -> None:
    with pytest.raises(SubscribersError, match="consent is blank"):
        take_in(store, ANA, consent="  ")


def test_importing_again_adds_nobody(store: Store) -> None:
    take_in(store, ANA)
    before = csv_of(store)

    result, rejects = take_in(store, ANA, on_conflict=OnConflict.MERGE)

    assert (result.added, result.changed, result.skipped, rejects) == (0, 0, 1, [])
    assert csv_of(store) == before


@pytest.mark.parametrize(
    ("policy", "tags", "name"),
    [
        (OnConflict.SKIP, ("go",), "Old"),
        (OnConflict.MERGE, ("ai", "go", "open-source"), "Old"),
        (OnConflict.REPLACE, ("ai", "open-source"), "Ana"),
    ],
)
def test_a_conflict_is_settled_as_asked(
    store: Store, policy: OnConflict, tags: tuple[str, ...], name: str
) -> None:
    person = add(store, "ana@example.com", "go", name="Old")
    store.subscriptions.change(person, NOW, mute(["crypto"]))

    take_in(store, ANA, on_conflict=policy)

    found = store.subscriptions.get(person)
    assert found is not None
    assert (found.subscriber.preferences.tags, found.subscriber.name) == (tags, name)
    assert found.subscriber.preferences.muted == ("crypto",)
    kinds = [event.kind for event in store.subscriptions.history(person)]
    assert (EventKind.IMPORTED in kinds) == (policy is not OnConflict.SKIP)


def test_a_repeated_row_is_a_conflict_with_the_first(store: Store) -> None:
    text = "email,tags\nana@example.com,ai\nbo@example.com,ai\nANA@example.com,go\n"

    result, _ = take_in(store, text, on_conflict=OnConflict.MERGE)

    assert (result.added, result.changed) == (2, 1)
    assert _ana(store).tags == ("ai", "go")


@pytest.mark.parametrize("policy", list(OnConflict))
@pytest.mark.parametrize("leave", ["unsubscribe", "erase"])
def test_who_left_is_never_brought_back(store: Store, policy: OnConflict, leave: str) -> None:
    getattr(store.subscriptions, leave)(add(store), NOW, "test")

    _, rejects = take_in(store, ANA, on_conflict=policy)

    assert due_emails(store) == set()
    assert [(reject.line, reject.column) for reject in rejects] == [(2, "email")]
    assert "never brought back" in rejects[0].reason


def test_a_suppressed_address_is_left_out(store: Store) -> None:
    store.suppressions.add("ana@example.com", SuppressionReason.COMPLAINED, NOW, "webhook")

    _, (reject,) = take_in(store, ANA)

    assert reject.reason.startswith("suppressed (complained)")
    assert store.subscriptions.find("ana@example.com") is None


@pytest.mark.parametrize("policy", list(OnConflict))
def test_a_file_that_says_someone_left_is_believed(store: Store, policy: OnConflict) -> None:
    add(store)

    result, _ = take_in(store, "email,state\nana@example.com,unsubscribed\n", on_conflict=policy)

    assert result.left == 1
    assert due_emails(store) == set()


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ("ana@example.com,blocklisted,,10 Jun 2022,,", "created"),
        ("ana@example.com,unsubscribed,Mars/X,,,", "timezone"),
        ("ana@example.com,complained,Mars/X,never,###,", "tags timezone created"),
        ("ana@example.com,who knows,,,,10 Jun 2022", "state"),
        ("ana@example.com,bounced,,,,someday", "left_at"),
    ],
)
def test_who_left_is_believed_whatever_the_other_cells_hold(
    store: Store, row: str, columns: str
) -> None:
    add(store)
    header = "email,state,timezone,created,tags,left_at\n"

    result, (reject,) = take_in(store, f"{header}{row}\n")

    assert (result.rows, result.left, result.rejected, result.faulty) == (1, 1, 0, 1)
    assert due_emails(store) == set()
    assert store.suppressions.reasons("ana@example.com")
    first, *others = columns.split()
    assert reject.column == first
    assert all(f"; {name}: " in reject.reason for name in others)
    assert "that they left is taken in" in reject.reason


@pytest.mark.parametrize("cell", ["0000-00-00 00:00:00", "n/a", "-"])
def test_what_is_no_time_is_not_taken_for_the_time_they_left(store: Store, cell: str) -> None:
    result, _ = take_in(store, f"email,left_at\nana@example.com,{cell}\n")

    assert (result.rejected, result.added) == (1, 0)
    assert store.suppressions.reasons("ana@example.com") == ()


def test_each_object_of_ndjson_is_read_by_its_own_keys(store: Store) -> None:
    text = (
        '{"email": "ana@example.com"}\n'
        '{"email": "left@example.com", "state": "unsubscribed"}\n'
        '{"email": "gone@example.com", "suppressed": "bounced"}\n'
        '{"email": "bo@example.com", "tags": ["go"], "shoes": 44}\n'
    )

    result, _ = take_in(store, text)

    assert (result.added, result.rejected) == (4, 0)
    assert due_emails(store) == {"ana@example.com", "bo@example.com"}
    bo = store.subscriptions.find("bo@example.com")
    assert bo is not None
    assert bo.subscriber.preferences.tags == ("go",)


def test_an_object_replaces_only_what_it_has(store: Store) -> None:
    ana, bo = add(store, "ana@example.com", "go"), add(store, "bo@example.com", "go", name="Old")
    text = (
        '{"email": "ana@example.com", "name": "Ana"}\n{"email": "bo@example.com", "tags": "ai"}\n'
    )

    take_in(store, text, on_conflict=OnConflict.REPLACE)

    people = [store.subscriptions.get(one) for one in (ana, bo)]
    found = [(p.subscriber.name, p.subscriber.preferences.tags) for p in people if p]
    assert found == [("Ana", ("go",)), ("Old", ("ai",))]


def test_a_pending_reader_is_confirmed_by_a_merged_import(store: Store) -> None:
    person = add(store, state=State.PENDING)

    take_in(store, ANA, on_conflict=OnConflict.MERGE)

    assert due_emails(store) == {"ana@example.com"}
    assert len(store.subscriptions.consents([person])[person]) == 2


def test_a_dry_run_counts_what_a_run_would_do_and_writes_nothing(store: Store) -> None:
    add(store, "bo@example.com", "go")
    text = ANA + "bo@example.com,,rust,\nana@example.com,Twice,,\nbad,,,\n"

    planned, planned_rejects = take_in(store, text, on_conflict=OnConflict.MERGE, dry_run=True)
    assert store.subscriptions.find("ana@example.com") is None

    done, rejects = take_in(store, text, on_conflict=OnConflict.MERGE)
    assert (planned.added, planned.changed) == (done.added, done.changed) == (1, 1)
    assert planned_rejects == rejects


def test_evidence_in_the_file_stands_over_the_statement(store: Store) -> None:
    take_in(store, ANA, consent="the fair")
    exported = csv_of(store)
    other = take_in_elsewhere(store, exported)

    assert '""text"": ""the fair""' in other


def take_in_elsewhere(store: Store, exported: str) -> str:
    """Erase everyone, forget that they left, and import the export again."""
    for one in list(store.subscriptions.stream()):
        store.subscriptions.erase(one.subscriber.id, NOW, "test")
        store.suppressions.remove(one.subscriber.email, NOW, "test")
    take_in(store, exported, consent="another statement")
    return csv_of(store)


_IMPORT = """
import sys
from datetime import UTC, datetime
from digest.roster.intake import Import, Order
from digest.store import Store

with Store.open(sys.argv[1], [sys.argv[2].encode()]) as store, open(sys.argv[3], "rb") as file:
    order = Order("list.csv", "they asked")
    for progress in Import(file, order, datetime(2026, 11, 19, 9, tzinfo=UTC)).run(store, print):
        print(progress.rows, flush=True)
"""


def _run(store: Store, path: Path) -> "subprocess.Popen[str]":
    url = store.database.engine.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-c", _IMPORT, url, SECRETS[0].decode(), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture(scope="session")
def long_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200,000 rows."""
    path = tmp_path_factory.mktemp("lists") / "long.csv"
    with path.open("w") as file:
        file.write("email,name,tags\n")
        for number in range(200_000):
            file.write(f"reader{number}@example.com,Reader {number},tag{number % 50} ai\n")
    return path


def test_a_killed_import_leaves_whole_batches_and_is_repeated(
    store: Store, long_list: Path
) -> None:
    """The same rows as one uninterrupted import: everyone once, with all tags and evidence."""
    killed = _run(store, long_list)
    assert killed.stdout is not None
    for _ in range(3):  # it is somewhere in the fourth batch, or later
        killed.stdout.readline()
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()

    partial = store.subscriptions.count()[State.CONFIRMED]
    assert partial % intake.BATCH == 0
    assert intake.BATCH * 3 <= partial < 200_000

    again = _run(store, long_list)
    again.communicate()
    assert again.returncode == 0
    assert _totals(store) == (200_000, 400_000, 200_000)
    assert sum(tag.followers for tag in store.tags.readers()) == 400_000


def _totals(store: Store) -> tuple[int, int, int]:
    with store.database.reading() as connection:
        tables = ("subscriber", "subscriber_tag", "consent")
        people, tags, consents = (
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0
            for table in tables
        )
    return people, tags, consents


def test_an_import_says_how_far_it_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BATCH", 2)
    text = "email\n" + "".join(f"reader{number}@example.com\n" for number in range(5))
    from io import BytesIO

    order = intake.Order("list.csv", "they asked")
    steps = list(intake.Import(BytesIO(text.encode()), order, NOW).run(store, print))

    assert [step.added for step in steps] == [2, 4, 5]
    assert steps[-1].bytes_read == len(text)


def test_exports_of_an_emptied_field_come_back(store: Store) -> None:
    """Someone who follows nothing is not taken for someone who gets everything."""
    store.subscriptions.add(
        "ana@example.com", Consent(NOW, "form", "yes"), NOW, preferences=Preferences()
    )

    exported = csv_of(store)

    assert take_in_elsewhere(store, exported) == exported
    assert _ana(store) == Preferences()
    assert ndjson_of(store).count('"tags": []') == 1


def test_created_is_kept_in_utc(store: Store) -> None:
    take_in(store, "email,created\nana@example.com,2020-02-02T12:00:00+02:00\n")

    found = store.subscriptions.find("ana@example.com")
    assert found is not None
    assert found.created == datetime(2020, 2, 2, 10, tzinfo=UTC)
