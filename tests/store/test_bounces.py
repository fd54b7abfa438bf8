"""The bounce mailbox and the ledger: only an id of ours counts, and each mail once."""

import json
from pathlib import Path

import pytest

from digest.composer import delivery_id
from digest.models import SuppressionReason
from digest.store import Store, connect, migrate
from tests.store.conftest import CONSENT, NOW
from tests.store.sending import Carrier, draft_of, find, frozen, readers, send
from tests.test_bounces import QMAIL, complaint, status_report


@pytest.fixture
def mailed(project, monkeypatch):  # type: ignore[no-untyped-def]
    """A project whose issue two readers have, and the ids of their deliveries."""
    monkeypatch.setenv("DIGEST_SECRET_KEY", "a-secret-key-for-these-tests")
    url = f"sqlite:///{project.root / 'digest.sqlite3'}"
    migrate.upgrade(connect(url))
    with Store.open(url, (b"a-secret-key-for-these-tests",)) as store:
        readers(store, 2)
        draft = draft_of(project.root)
        frozen(store, draft)
        send(store, draft, Carrier(), project.root)
        people = [store.subscriptions.find(f"reader{n}@example.com") for n in range(2)]
        ids = [delivery_id(draft.issue.id, one.subscriber.id) for one in people if one]
        number = find(store, draft).number
        assert CONSENT
        yield project.root, store, ids, number


def place(root: Path, *mails: bytes) -> str:
    folder = root / "returned"
    folder.mkdir(exist_ok=True)
    for number, mail in enumerate(mails):
        (folder / f"{number}.eml").write_bytes(mail)
    return str(folder)


def facts(store: Store, number: int) -> dict[str, int]:
    return {fact: n for fact, n in store.ledger.totals(number).facts.items() if n}


def test_bounces_and_complaints_suppress_our_own_addresses(mailed, run):  # type: ignore[no-untyped-def]
    root, store, (one, two), number = mailed
    folder = place(root, status_report(one), complaint(two))

    done = run("bounces", "import", folder, "--json")

    shape = json.loads(done.out)
    assert (done.code, shape["mails"], shape["suppressed"]) == (0, 2, 2)
    assert facts(store, number) == {"bounced": 1, "complained": 1}
    assert store.suppressions.reasons("reader0@example.com") == (SuppressionReason.BOUNCED,)
    assert store.suppressions.reasons("reader1@example.com") == (SuppressionReason.COMPLAINED,)
    assert store.suppressions.reasons("ana@example.org") == ()  # whom the reports name


def test_a_mail_that_was_read_before_changes_nothing(mailed, run):  # type: ignore[no-untyped-def]
    root, store, (one, _), _ = mailed
    folder = place(root, status_report(one))
    run("bounces", "import", folder)
    store.suppressions.remove("reader0@example.com", NOW, "test")

    done = run("bounces", "import", folder)

    assert "1 known before" in done.err
    assert store.suppressions.reasons("reader0@example.com") == ()


def test_a_mail_without_an_id_of_ours_is_not_believed(mailed, run):  # type: ignore[no-untyped-def]
    root, store, _, number = mailed
    forged = status_report("z" * 20).replace(b"ana@example.org", b"reader0@example.com")
    bare = QMAIL.replace(b"bounces+abcdefghij234567abcd@", b"bounces@")
    folder = place(root, forged, bare, complaint("y" * 20))

    done = run("bounces", "import", folder, "--json")

    assert json.loads(done.out)["kinds"]["not ours"] == 3
    assert facts(store, number) == {}
    assert store.suppressions.reasons("reader0@example.com") == ()


def test_a_broken_mail_never_stops_the_run(mailed, run):  # type: ignore[no-untyped-def]
    root, store, (one, _), number = mailed
    folder = place(root, b"", b"\x00" * 50, b"X" * (10 * 1024 * 1024 + 1), status_report(one))

    done = run("bounces", "import", folder)

    assert done.code == 0
    assert "3 unreadable" in done.out
    assert "unreadable: too large" in done.out
    assert facts(store, number) == {"bounced": 1}


def test_a_dry_run_changes_nothing(mailed, run):  # type: ignore[no-untyped-def]
    root, store, (one, _), number = mailed

    done = run("bounces", "import", place(root, status_report(one)), "--dry-run")

    assert "1 bounced" in done.out
    assert "nothing is changed" in done.err
    assert facts(store, number) == {}


def test_no_address_is_printed(mailed, run):  # type: ignore[no-untyped-def]
    root, _, (one, _), _ = mailed

    done = run("bounces", "import", place(root, status_report(one)))

    assert "no such user" in done.out
    assert "@" not in done.out + done.err
