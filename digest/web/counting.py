"""Counts how often links are followed, and forgets who followed them.

A request writes nothing. Visits wait in memory, so that what a program does to a whole mail can be
told from what a person does; then numbers without a reader are added to the store, in the
background, and what was waiting when the process was killed is not counted. Whoever follows is
known as a hash under a key that lasts for a day of this process, and never leaves it.
"""

import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b

from digest import logs
from digest.errors import StoreError
from digest.store.links import Click, Clicks, Links
from digest.web.restraint import network

WAIT = timedelta(seconds=10)
FOLLOWED = 5  # different links of an issue that a person may follow while they wait
OF_PLACE = 50  # visits from one address that may wait; where there are more, programs are at work
OF_NETWORK = 500  # from one network (/24 or /64); what comes beyond is not counted
WAITING = 10_000  # visits, at half a kB each; what comes beyond is not counted
REMEMBERED = 100_000  # of today: who followed what, and which of them were programs

_BROWSER = re.compile(r"(?:Mozilla|Opera)/")
_PROGRAM = re.compile(
    r"bot|crawl|spider|slurp|scan|fetch|preview|proxy|https?:|curl|wget|python|java/|okhttp|axios"
    r"|headless|phantom|selenium|playwright|puppeteer|lighthouse|monitor|barracuda|mimecast",
    re.IGNORECASE,
)


def is_program(agent: str) -> bool:
    """Whether a user agent is none of a browser, or says itself that nobody sits there."""
    return not _BROWSER.match(agent) or _PROGRAM.search(agent) is not None


@dataclass(slots=True)
class _Stay:
    """What one visitor has followed of one issue within the waiting time."""

    since: datetime
    place: bytes
    network: bytes
    program: bool
    codes: set[str] = field(default_factory=set)


class _Recent(dict[bytes, None]):
    """The last so many of what was put in."""

    def put(self, one: bytes) -> None:
        if len(self) >= REMEMBERED:
            del self[next(iter(self))]
        self[one] = None


@dataclass(slots=True)
class _Today:
    """What is known of visitors, until the day ends."""

    day: date
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    seen: _Recent = field(default_factory=_Recent)  # visitor, issue, link
    programs: _Recent = field(default_factory=_Recent)  # visitors

    def hash(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode("utf-8", "replace")
        return blake2b(text, digest_size=12, key=self.key).digest()


class Counting:
    """The counts of one site. Its methods may be called from any thread."""

    def __init__(self, links: Links, now: Callable[[], datetime]) -> None:
        self._links, self._now = links, now
        self._lock = threading.Lock()
        self._writes = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._today = _Today(now().date())
        self._stays: dict[tuple[bytes, str], _Stay] = {}  # by visitor and issue, oldest first
        self._places: Counter[bytes] = Counter()  # visits that wait, by address
        self._networks: Counter[bytes] = Counter()  # visits that wait, by network
        self._crowds: set[bytes] = set()  # addresses from where too much comes, as long as it does
        self._waiting = 0
        self._counts: dict[Click, Clicks] = {}
        self._lost = 0

    def note(self, issue: str, code: str, asker: str, agent: str) -> None:
        """Somebody at the address `asker` followed a link; counted later, once a day."""
        now = self._now()
        around = network(asker)
        place = around if ":" in asker else asker
        with self._lock:
            self._turn_over(now)
            known = self._today
            at, visitor = known.hash(place), known.hash(place, agent)
            mark = known.hash(visitor.hex(), issue, code)
            if mark in known.seen or self._closing.is_set():
                return
            net = known.hash(around)
            if self._waiting >= WAITING or self._networks[net] >= OF_NETWORK:
                self._lost += 1
                return
            known.seen.put(mark)
            program = is_program(agent)
            stay = self._stays.setdefault((visitor, issue), _Stay(now, at, net, program))
            stay.codes.add(code)
            self._places[at] += 1
            self._networks[net] += 1
            self._waiting += 1
            if self._places[at] > OF_PLACE:
                self._crowds.add(at)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="clicks", daemon=True)
                self._thread.start()

    def write(self, *, everything: bool = False) -> None:
        """Add what has waited long enough (or everything) to the store.

        Where that is not there, it is kept for the next time.
        """
        with self._writes:
            with self._lock:
                self._turn_over(self._now(), everything=everything)
                counts, self._counts = self._counts, {}
                lost, self._lost = self._lost, 0
            if lost:
                logs.get("web").warning("web.clicks_lost", number=lost)
            try:
                self._links.add(counts)
            except StoreError as error:
                logs.get("web").warning("web.clicks_late", failure=error)
                with self._lock:
                    for click, number in counts.items():
                        self._count(click, *number)

    def close(self) -> None:
        """Count what waits, and take nothing more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self.write(everything=True)

    def _run(self) -> None:
        while not self._closing.wait(WAIT.total_seconds()):
            self.write()

    def _turn_over(self, now: datetime, *, everything: bool = False) -> None:
        """Judge the visits that have waited; at the end of a day all, and forget the visitors."""
        ended = self._today.day != now.date()
        while self._stays:
            (visitor, issue), stay = next(iter(self._stays.items()))
            if not (everything or ended or stay.since + WAIT <= now):
                break
            del self._stays[visitor, issue]
            self._judge(visitor, issue, stay)
        if ended:
            self._today = _Today(now.date())

    def _judge(self, visitor: bytes, issue: str, stay: _Stay) -> None:
        known = self._today
        if len(stay.codes) > FOLLOWED:
            known.programs.put(visitor)
        program = stay.program or visitor in known.programs or stay.place in self._crowds
        for code in stay.codes:
            self._count(Click(issue, code, known.day), int(not program), int(program))
        self._waiting -= len(stay.codes)
        self._networks[stay.network] -= len(stay.codes)
        if not self._networks[stay.network]:
            del self._networks[stay.network]
        self._places[stay.place] -= len(stay.codes)
        if not self._places[stay.place]:
            del self._places[stay.place]
            self._crowds.discard(stay.place)

    def _count(self, click: Click, people: int, machines: int) -> None:
        before = self._counts.get(click, Clicks())
        self._counts[click] = Clicks(before.people + people, before.machines + machines)
