"""Events of the provider: our endpoint against parsing the same JSON and one bulk write.

Both take the same bodies of 10,000 events about the same deliveries of one SQLite store, turn by
turn in one run. Ours also checks the signature, refuses what was told before, finds the deliveries,
and decides what each event means for a delivery and for an address. CPU seconds of this process.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from digest import config
from digest.composer import delivery_id
from digest.store import Store
from digest.tokens import Keys
from digest.web import Site, application

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.store.lists import take_in  # noqa: E402
from tests.store.sending import draft_of, frozen  # noqa: E402

EVENTS, ROUNDS, TARGET = 10_000, 9, 0.5
DELIVERIES = EVENTS // 2
SECRETS = (b"a secret of the benchmark, long enough",)
PATH = "/webhooks/sendgrid"
NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
# SendGrid tells of a delivery when it has it (`processed`) and again when it knows more: of a
# thousand so many times this, and `delivered` of the rest.
RARE = {"deferred": 25, "bounce": 6, "dropped": 3, "spamreport": 1}
_PEOPLE = """
SELECT address, subscriber_id, number FROM delivery JOIN subscriber ON id = subscriber_id
"""
_TABLE = """
CREATE TABLE inbox (id TEXT PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, delivery TEXT,
  address TEXT NOT NULL, reason TEXT) STRICT, WITHOUT ROWID
"""
_WRITE = "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


def kinds() -> list[str]:
    rare = [kind for kind, share in RARE.items() for _ in range(share)]
    return rare + ["delivered"] * (1000 - len(rare))


def bodies(people: list[tuple[str, int]], issue: str, rounds: int) -> list[bytes]:
    """Each round tells of earlier moments than the one before, so that every one is written."""
    made, names = [], kinds()
    for turn in range(rounds):
        at = int(NOW.timestamp()) - 60 * turn
        made.append(
            json.dumps(
                [
                    event(turn, 2 * n + later, who, issue, kind, at)
                    for n, who in enumerate(people)
                    for later, kind in enumerate(("processed", names[n % 1000]))
                ],
                separators=(",", ":"),
            ).encode()
        )
    return made


def event(
    turn: int, n: int, who: tuple[str, int], issue: str, kind: str, at: int
) -> dict[str, Any]:
    """With all that SendGrid sends along."""
    address, person = who
    found = {
        "email": address,
        "timestamp": at,
        "smtp-id": f"<{n:020x}@geopod-ismtpd-{n % 7}>",
        "event": kind,
        "category": ["digest"],
        "sg_event_id": b64encode(blake2b(f"{turn} {n}".encode(), digest_size=33).digest()).decode(),
        "sg_message_id": f"XBg2anf2TqCy6WXKQFhieQ.filter{n:04}.16648.5515E0B88.0",
        "dg_did": delivery_id(issue, person),
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

    def __init__(self, folder: Path) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._private, self._loop = private, asyncio.Runner()
        source = f'[sendgrid]\nwebhook_keys = ["{b64encode(der).decode()}"]\n'
        settings = config.parse(source, folder / config.FILE, {})
        self.store = Store.open(f"sqlite:///{folder / 'digest.sqlite3'}", SECRETS, makes=True)
        rows = "".join(f"reader{n}@example.org,ai\n" for n in range(DELIVERIES))
        take_in(self.store, "email,tags\n" + rows)
        plan = frozen(self.store, draft_of(folder))
        self.issue, self.number = plan.issue.id, plan.issue.number
        with self.store.database.writing() as connection:
            connection.exec_driver_sql(_TABLE)
            connection.exec_driver_sql("UPDATE delivery SET state = 'submitted'")
            connection.exec_driver_sql("UPDATE issue SET state = 'done'")
            found = connection.exec_driver_sql(_PEOPLE).all()
        self.people = [(address, person) for address, person, _ in found]
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
            connection.exec_driver_sql(_WRITE, rows)


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


def seconds(work: Callable[[Any], None], request: object) -> float:
    start = time.process_time()
    work(request)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="say where our time goes")
    profile = parser.parse_args().profile
    with tempfile.TemporaryDirectory() as folder:
        stand = Stand(Path(folder))
        made = bodies(stand.people, stand.issue, ROUNDS + 2)
        first, *rest = [stand.signed(body) for body in made]
        stand.ours(first)
        if profile:
            import cProfile

            cProfile.runctx(
                "stand.ours(rest[-1])", {}, {"stand": stand, "rest": rest}, sort="tottime"
            )
            return
        pairs = [(seconds(stand.ours, body), seconds(stand.plain, body)) for body in rest[:-1]]
        # the least of each: what others do on the machine only ever adds
        ours, plain = map(min, zip(*pairs, strict=True))
        stand.close()
    print(f"{EVENTS:,} events, {len(made[0]) / 1e6:.1f} MB, the best of {len(pairs)} rounds")
    print(f"webhook               {EVENTS / ours:>9,.0f} events/s of one core")
    print(f"parse and one write   {EVENTS / plain:>9,.0f} events/s of one core")
    verdict = "ok" if plain / ours >= TARGET else "MISSED"
    print(f"rate over that        {plain / ours:>9.2f}   target >= {TARGET}   {verdict}")


if __name__ == "__main__":
    main()
