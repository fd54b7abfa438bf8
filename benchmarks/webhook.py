"""Events of the provider: our endpoint against parsing the same JSON and one bulk write.

Both take the same bodies of 10,000 events about the same deliveries of one store, turn by turn in
one run, on either database. Ours also checks the signature, refuses what was told before, finds the
deliveries, and decides what each event means for a delivery and for an address. The plain way puts
every event away under its id, as fast as the database takes rows: `executemany` on SQLite, arrays
(`INSERT ... SELECT unnest`) on PostgreSQL.

    twice   each delivery in order, `processed` and what came of it: 5,000 deliveries
    once    each event about another delivery, in order, and no word of `processed`
    mixed   after a send to 200,000, with three smaller issues before it: deliveries in any order,
            half of the events `processed`, and the plain way has an event of each already

CPU seconds (user and system) of this process; the database server's are told beside them. Each case
has a process of its own.

    python benchmarks/webhook.py [--shape twice|once|mixed] [--database sqlite|postgresql]
                                 [--rounds 9] [--profile]
"""

import argparse
import asyncio
import gc
import json
import random
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from digest import config
from digest.composer import delivery_id
from digest.providers.sendgrid import parse
from digest.store import Store
from digest.store.ledger.places import place_name
from digest.store.ledger.schema import issue
from digest.tokens import Keys
from digest.web import Site, application

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks._meter import Meter, Spent  # noqa: E402
from benchmarks.ledger import SECRETS, database, draft_of, fill  # noqa: E402
from tests.store.sending import frozen  # noqa: E402

EVENTS, ROUNDS, TARGET = 10_000, 9, 0.5
SHAPES = {"twice": EVENTS // 2, "once": EVENTS, "mixed": 200_000}  # readers of the issue
EARLIER, SMALLER = 3, 25_000  # issues before the mixed one, and readers of each
SECONDS = 30  # SendGrid keeps events for so long before it tells them
PATH = "/webhooks/sendgrid"
NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
# SendGrid tells of a delivery when it has it (`processed`) and again when it knows more: of a
# thousand so many times this, and `delivered` of the rest.
RARE = {"deferred": 25, "bounce": 6, "dropped": 3, "spamreport": 1}
_PEOPLE = """
SELECT email, subscriber_id, issue.id, issue_number, delivery.number FROM delivery
JOIN subscriber ON subscriber.id = subscriber_id JOIN issue ON issue.number = issue_number
ORDER BY issue_number, delivery.number
"""
_OF_EARLIER = """
INSERT INTO delivery (issue_number, number, subscriber_id, edition, state, submitted_at)
SELECT issue_number + 1000 + {n}, row_number() OVER (ORDER BY subscriber_id) - 1, subscriber_id, 0,
  state, submitted_at FROM delivery
WHERE issue_number < 1000 AND number - number / {every} * {every} = {n}
"""
_TABLE = """
CREATE TABLE inbox (id TEXT PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, delivery TEXT,
  address TEXT NOT NULL, reason TEXT)
"""
_WRITE = {
    "sqlite": "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "postgresql": """
INSERT INTO inbox
SELECT * FROM unnest(%s::text[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[])
ON CONFLICT DO NOTHING
""",
}


class Told(NamedTuple):
    """A delivery that a provider tells of."""

    address: str
    person: int
    issue: str
    issue_number: int
    number: int


def kinds() -> list[str]:
    rare = [kind for kind, share in RARE.items() for _ in range(share)]
    return rare + ["delivered"] * (1000 - len(rare))


def bodies(deliveries: Sequence[Told], shape: str, rounds: int) -> list[bytes]:
    """Each round tells of earlier moments than the one before, so that every one is written."""
    chance, names, made = random.Random(7), kinds(), []
    for turn in range(rounds):
        at = int(NOW.timestamp()) - 60 * turn
        told = [
            event(turn, n, one, kind, at - chance.randrange(SECONDS))
            for n, (one, kind) in enumerate(SHAPED[shape](deliveries, names, chance))
        ]
        made.append(json.dumps(told, separators=(",", ":")).encode())
    return made


Shaped = Iterator[tuple[Told, str]]


def twice(deliveries: Sequence[Told], names: Sequence[str], _: random.Random) -> Shaped:
    for n, one in enumerate(deliveries):
        yield one, "processed"
        yield one, names[n % len(names)]


def once(deliveries: Sequence[Told], names: Sequence[str], _: random.Random) -> Shaped:
    for n, one in enumerate(deliveries):
        yield one, names[n % len(names)]


def mixed(deliveries: Sequence[Told], names: Sequence[str], chance: random.Random) -> Shaped:
    for n, one in enumerate(chance.sample(deliveries, EVENTS)):
        yield one, names[n % len(names)] if chance.random() < 0.5 else "processed"


SHAPED = {"twice": twice, "once": once, "mixed": mixed}


def _event_id(turn: int, n: int) -> str:
    return b64encode(blake2b(f"{turn} {n}".encode(), digest_size=33).digest()).decode()


def event(turn: int, n: int, one: Told, kind: str, at: int) -> dict[str, Any]:
    """With all that SendGrid sends along."""
    found = {
        "email": one.address,
        "timestamp": at,
        "smtp-id": f"<{n:020x}@geopod-ismtpd-{n % 7}>",
        "event": kind,
        "category": ["digest"],
        "sg_event_id": _event_id(turn, n),
        "sg_message_id": f"XBg2anf2TqCy6WXKQFhieQ.filter{n:04}.16648.5515E0B88.0",
        "dg_did": delivery_id(one.issue, one.person),
        "dg_row": place_name(one.issue_number, one.number),
        "ip": "192.0.2.17",
        "tls": 1,
    }
    words = {
        "delivered": {"response": "250 2.0.0 OK  1763546400 x12si4823 - gsmtp"},
        "deferred": {"response": "421 4.7.0 try again later", "attempt": "3"},
        "bounce": {"reason": "550 5.1.1 no such user", "status": "5.1.1", "type": "bounce"},
        "dropped": {"reason": "Bounced Address"},
    }
    return found | words.get(kind, {})


class Stand:
    """A store with an issue that was handed over, and the application over it."""

    def __init__(self, folder: Path, url: str, shape: str) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._private, self._loop = private, asyncio.Runner()
        source = f'[sendgrid]\nwebhook_keys = ["{b64encode(der).decode()}"]\n'
        settings = config.parse(source, folder / config.FILE, {})
        fill(url, SHAPES[shape])
        self.store = Store.open(url, SECRETS)
        frozen(self.store, draft_of())
        self.dialect = self.store.database.dialect
        strict = " STRICT, WITHOUT ROWID" if self.dialect == "sqlite" else ""
        with self.store.database.writing() as connection:
            run = connection.exec_driver_sql
            run(_TABLE + strict)
            run("UPDATE delivery SET state = 'submitted'")
            run("UPDATE issue SET state = 'done'")
            head = connection.execute(sa.select(issue)).one()._asdict()
            for n in range(1, EARLIER + 1) if shape == "mixed" else ():
                older = {"number": head["number"] + 1000 + n, "id": f"weekly-2026-0{n}-01"}
                connection.execute(sa.insert(issue).values({**head, **older}))
                run(_OF_EARLIER.format(n=n, every=SHAPES[shape] // SMALLER))
            self.deliveries = [Told(*row) for row in run(_PEOPLE)]
            if shape == "mixed":  # what was told of them before
                self._put_away(
                    connection,
                    [
                        (_event_id(-1, n), 1763546400, "processed", "", one.address, None)
                        for n, one in enumerate(self.deliveries)
                    ],
                )
        if self.dialect == "postgresql":  # as its own autovacuum does, at no moment of our choice
            import psycopg

            with psycopg.connect(self.store.database.address, autocommit=True) as settled:
                settled.execute("VACUUM ANALYZE")
        self._site = Site.of(settings, self.store, Keys(SECRETS), lambda: NOW)
        self.app = application(self._site)
        gc.collect()
        gc.freeze()  # as `digest serve` does

    def signed(self, body: bytes) -> tuple[dict[str, str], bytes]:
        """A request of SendGrid's."""
        stamp = str(int(NOW.timestamp()))
        signature = self._private.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
        headers = {
            "host": "news.example.com",
            "content-type": "application/json",
            "content-length": str(len(body)),
            "x-twilio-email-event-webhook-signature": b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": stamp,
        }
        return headers, body

    def ours(self, request: tuple[dict[str, str], bytes]) -> None:
        """The whole way of a request, but for the socket."""
        status = self._loop.run(post(self.app, *request))
        assert status in (200, 204), status

    def close(self) -> None:
        self._loop.close()
        self._site.close()
        self.store.close()

    def ours_in_place(self, request: tuple[dict[str, str], bytes]) -> None:
        """The same without its web server's threads, so that a profiler sees it."""
        events = list(parse(request[1]))
        self.store.hearing.hear(events, NOW, "sendgrid")

    def plain(self, request: tuple[dict[str, str], bytes]) -> None:
        """Parse, believe everything, and put each event away under its id to be looked at later."""
        rows = [
            (
                one["sg_event_id"],
                one["timestamp"],
                one["event"],
                one.get("dg_did"),
                one["email"],
                one.get("reason") or one.get("response"),
            )
            for one in json.loads(request[1])
        ]
        with self.store.database.writing() as connection:
            self._put_away(connection, rows)

    def _put_away(self, connection: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
        columns: Any = rows
        if self.dialect == "postgresql":
            columns = tuple(map(list, zip(*rows, strict=True)))
        connection.exec_driver_sql(_WRITE[self.dialect], columns)


async def post(app: Any, headers: dict[str, str], body: bytes) -> int:
    """One POST, in the pieces that a socket would give."""
    pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
    waiting = [
        {"type": "http.request", "body": piece, "more_body": n < len(pieces) - 1}
        for n, piece in enumerate(pieces)
    ]
    status = 0

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return status


def spent(work: Callable[[Any], None], request: object, server: int) -> Spent:
    meter = Meter(server)
    work(request)
    return meter.parts()


def measure(shape: str, url: str, server: int, rounds: int, profile: bool) -> dict[str, Any]:
    """Both ways in turns: the least of each, as what others do on the machine only ever adds."""
    with tempfile.TemporaryDirectory() as folder:
        stand = Stand(Path(folder), url, shape)
        first, *rest = [stand.signed(body) for body in bodies(stand.deliveries, shape, rounds + 1)]
        stand.ours(first)
        stand.plain(first)
        if profile:
            import cProfile

            cProfile.runctx(
                "stand.ours_in_place(rest[-1])", {}, {"stand": stand, "rest": rest}, sort="tottime"
            )
            return {}
        ours, plain = zip(
            *((spent(stand.ours, one, server), spent(stand.plain, one, server)) for one in rest),
            strict=True,
        )
        stand.close()
    return {"ours": ours, "plain": plain, "bytes": len(first[1])}


def compare(shape: str, kind: str, rounds: int, profile: bool) -> bool:
    """One case, in a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="digest-webhook-"))
    try:
        with database(kind, folder) as (url_of, server):
            case = (shape, url_of("told"), str(server), str(rounds), str(int(profile)))
            command = [sys.executable, __file__, "--measure", *case]
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    finally:
        shutil.rmtree(folder)
    if profile:
        print(out)
        return True
    found = cast("dict[str, Any]", json.loads(out.splitlines()[-1]))
    print(f"{shape}, {kind}: {EVENTS:,} events, {found['bytes'] / 1e6:.1f} MB, best of {rounds}")
    best = {}
    for name, label in (("ours", "webhook"), ("plain", "parse and one write")):
        own, servers = (min(values) for values in zip(*found[name], strict=True))
        best[name] = own
        beside = f"   the server's CPU {servers * 1e6 / EVENTS:.1f} us an event" if servers else ""
        print(f"  {label:<20} {EVENTS / own:>9,.0f} events/s of one core{beside}")
    rate = best["plain"] / best["ours"]
    met = bool(rate >= TARGET)
    verdict = "ok" if met else "MISSED"
    print(f"  {'rate over that':<20} {rate:>9.2f}   target >= {TARGET}   {verdict}", flush=True)
    return met


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--profile", action="store_true", help="say where our time goes")
    parser.add_argument("--measure", nargs=5, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        shape, url, server, rounds, profile = asked.measure
        print(json.dumps(measure(shape, url, int(server), int(rounds), profile == "1")))
        return
    met = [
        compare(shape, kind, asked.rounds, asked.profile)
        for shape in asked.shape or SHAPES
        for kind in asked.database or ("sqlite", "postgresql")
    ]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
