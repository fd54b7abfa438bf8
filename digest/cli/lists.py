"""`digest subscribers import | export`: lists in, lists out."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, TextIO

import click

from digest.cli.exits import Exit
from digest.cli.session import Session, project_command
from digest.cli.storage import aliases_of, open_store
from digest.cli.tables import counted, safe
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.roster.intake import Import, Progress, Reject
    from digest.store import Store

SHOWN = 5  # rejects told in full
_WHY = ("rejected line", "rejected column", "rejected because")


@project_command(
    name="import",
    example="digest subscribers import list.csv --consent 'Mailchimp 2026-03-01, double opt-in'",
    goes_on=True,
)
@click.argument("file", metavar="FILE|-")
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="What a column is.")
@click.option("--consent", default="", metavar="TEXT", help="How and when these people agreed.")
@click.option(
    "--on-conflict",
    type=click.Choice(["skip", "merge", "replace"]),
    default="skip",
    show_default=True,
    help="Who is here already stays, gains what is new, or gets what the file says.",
)
@click.option("--rejects", type=click.Path(path_type=Path), help="Where rows left out are listed.")
@click.option("--dry-run", is_flag=True, help="Read everything, say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def import_list(
    session: Session,
    file: str,
    mapping: tuple[str, ...],
    consent: str,
    on_conflict: str,
    rejects: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take in a list: Mailchimp, Substack, Buttondown, Ghost, listmonk, our own, or any CSV.

    May be interrupted and repeated. Nobody who left or is suppressed is brought back.
    """
    from digest.roster.intake import Import, Order
    from digest.store import OnConflict

    name = "stdin" if file == "-" else Path(file).name
    order = Order(
        name, consent, _mapped(mapping), OnConflict(on_conflict), dry_run, aliases_of(session)
    )
    with _opened(file) as stream:
        work = Import(stream, order, datetime.now(UTC))  # no store is made for what cannot be read
        store = _rehearsal(session) if dry_run else open_store(session, imports=True)
        session.say(_understood(work))
        listing = _Rejects(rejects or _beside(file), work.columns.header, write=not dry_run)
        with listing:
            result = _run(session, work, store, listing, _size(file))
    if as_json:
        shape = {"schema": "digest/import@1", "dry_run": dry_run, **asdict(result)}
        click.echo(json.dumps(shape))
    _tell(session, result, listing, dry_run=dry_run)
    return Exit.CHECKS if result.rejected or result.faulty else session.finish()


@project_command(name="export", example="digest subscribers export --format csv --out readers.csv")
@click.option(
    "--format", "shape", type=click.Choice(["csv", "ndjson"]), default="csv", show_default=True
)
@click.option("--out", metavar="FILE|-", default="-", show_default=True, help="Where to write it.")
def export_list(session: Session, shape: str, out: str) -> int:
    """Write everyone, safe to open in a spreadsheet; importing it elsewhere loses nothing."""
    from digest.roster.export import write_csv, write_ndjson

    store = open_store(session)
    write = write_csv if shape == "csv" else write_ndjson
    with _written(out) as stream:
        number = write(store, store.subscriptions.stream(), stream)
    session.say(counted(number, "subscriber") + ("" if out == "-" else f" in {out}"))
    return session.finish()


class _Rejects:
    """A CSV file of the rows left out: line, column, reason, then the row as it came.

    Made with the first such row; mend it and import it as it is.
    """

    def __init__(self, path: Path, header: tuple[str, ...], *, write: bool) -> None:
        self.path = path
        self.first: list[Reject] = []
        # of a list of rejects only the row is listed again, not why it was in that list
        self._lead = len(_WHY) if header[: len(_WHY)] == _WHY else 0
        self._header = header[self._lead :]
        self._write = write
        self._file: TextIO | None = None

    def __enter__(self) -> "_Rejects":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, reject: "Reject") -> None:
        from digest.roster.cells import guarded, unguarded

        if len(self.first) < SHOWN:
            self.first.append(reject)
        if not self._write:
            return
        if self._file is None:
            # a broken row may hold what no encoding takes
            self._file = self.path.open("w", encoding="utf-8", errors="replace", newline="")
            self.path.chmod(0o600)
            self._row(*_WHY, *self._header)
        lead = self._lead if len(reject.cells) > self._lead else 0
        cells = (guarded(unguarded(cell)) for cell in reject.cells[lead:])
        self._row(str(reject.line), reject.column, reject.reason, *cells)

    def _row(self, *cells: str) -> None:
        csv.writer(self._file, lineterminator="\n").writerow(cells)  # type: ignore[arg-type]


def _rehearsal(session: Session) -> "Store":
    """The store for a dry run: the project's, or an empty one that is gone with the command."""
    from digest.store import Store, exists, url_of

    if exists(url_of(session.config.database, session.config.root)):
        return open_store(session)
    context = click.get_current_context()
    folder = context.with_resource(TemporaryDirectory())
    store = Store.open(f"sqlite:///{folder}/rehearsal.sqlite3", [b"of no use later"], makes=True)
    context.call_on_close(store.close)
    return store


def _run(
    session: Session, work: "Import", store: "Store", listing: _Rejects, size: int
) -> "Progress":
    result = None
    with session.progress("Importing") as advance:
        try:
            for result in work.run(store, listing.add):
                advance(result.bytes_read, size)
        except KeyboardInterrupt:
            rows = result.rows if result else 0
            session.say(f"\ninterrupted after {rows:,} rows; the same command again goes on")
            raise
    assert result is not None
    return result


def _understood(work: "Import") -> str:
    columns = work.columns
    known = [
        f"{columns.header[place]} is {meaning}"
        for meaning, place in columns.places.items()
        if place < columns.named
    ]
    ignored = f"; ignored: {', '.join(columns.ignored)}" if columns.ignored else ""
    return safe(f"columns as of {columns.vendor}: {', '.join(known)}{ignored}")


def _tell(session: Session, result: "Progress", listing: _Rejects, *, dry_run: bool) -> None:
    counts = {
        "new": result.added,
        "changed": result.changed,
        "already here": result.skipped,
        "left by what the file says": result.left,
        "left out": result.rejected,
        "who left, with other cells left out": result.faulty,
    }
    parts = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    session.say(f"{counted(result.rows, 'row')}: {parts or 'nothing to do'}")
    for reject in listing.first:
        column = f"{reject.column}: " if reject.column else ""
        session.say(safe(f"  line {reject.line}: {column}{reject.reason}"))
    if listing.first and not dry_run:
        session.say(f"  all of them are in {listing.path}")
    if dry_run:
        session.say("nothing was written (dry run)")


def _mapped(mapping: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for pair in mapping:
        column, sign, meaning = pair.rpartition("=")
        if not sign:
            raise click.UsageError(f"--map {pair}: expected COLUMN=FIELD, like 'Mail=email'")
        pairs[column] = meaning.strip().lower()
    return pairs


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise DigestError(f"{file}: {error.strerror}") from error
    with stream:
        yield stream


@contextmanager
def _written(out: str) -> Iterator[TextIO]:
    if out == "-":
        stdout = TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
        yield stdout
        stdout.flush()
        stdout.detach()
        return
    path = Path(out)
    with path.open("w", encoding="utf-8", newline="") as stream:
        path.chmod(0o600)  # it holds addresses
        yield stream


def _beside(file: str) -> Path:
    return Path("stdin.rejects.csv") if file == "-" else Path(f"{file}.rejects.csv")


def _size(file: str) -> int:
    return 0 if file == "-" else Path(file).stat().st_size
