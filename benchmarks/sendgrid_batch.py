"""Hand-over to a local SendGrid in a process of its own: against the official objects, and memory.

Both ways make the same requests of the same readers, 250 in each, and send them to the same server
in the same run; CPU seconds of this process alone.
`--recipients 1000000` measures the memory of a whole large issue.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from digest.composer import EditionMessage, Reader
from digest.content import Content
from digest.events import gather
from digest.hashtags import Vocabulary
from digest.issues import Draft
from digest.models import Preferences
from digest.providers import Batch
from digest.providers.sendgrid import Sendgrid, parse
from digest.providers.sendgrid.carrier import Way
from digest.providers.sendgrid.letters import Form, Request, Stationery
from digest.tokens import Keys

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import official_sendgrid  # noqa: E402
from tests.fake_sendgrid import KEY, PATH  # noqa: E402
from tests.invented import ISSUE, TAGS, settings, stories, subscribers  # noqa: E402

OURS, OFFICIAL, ROUNDS = 30_000, 4_000, 3  # readers of a round
RECIPIENTS, FEW = 200_000, 20_000  # readers whose memory is measured
EVENTS = 10_000
MOST = 250  # personalizations of a request
CHEAPER, SMALL, FLAT = 8.0, 200.0, 20.0  # times; MB; MB more for ten times the readers
MEMORY_OF = "--memory-of"


def newsletter() -> Draft:
    """An issue of 12 stories, which makes messages of about 60 kB."""
    config = settings(ROOT / "benchmarks")
    vocabulary = Vocabulary.of(dict.fromkeys(TAGS, 1), config.tags)
    content = SimpleNamespace(stories=stories(12), vocabulary=vocabulary)
    return Draft(config, cast("Content", content), ISSUE, Keys((b"a key for benchmarks only",)))


def edition_of(draft: Draft) -> EditionMessage:
    found = draft.composition(Preferences(everything=True))
    assert found is not None
    return found.message


def people(draft: Draft, count: int) -> Iterator[Reader]:
    """Readers as an issue has them; past a thousand only delivery, address and place are new."""
    some = [draft.reader(subscriber) for subscriber in subscribers(min(count, 1000))]
    for n in range(count):
        delivery = f"d{n:019d}"
        address, place = f"reader.{n}@example.org", f"12.{n}"
        yield replace(some[n % len(some)], delivery=delivery, address=address, place=place)


def headers() -> dict[str, str]:
    kind = "application/json"
    return {"Authorization": f"Bearer {KEY}", "Accept": kind, "Content-Type": kind}


@contextmanager
def server() -> Iterator[tuple[str, Callable[[], int]]]:
    """The address of a SendGrid in another process, and how many readers it has taken."""
    command = [sys.executable, "-m", "tests.fake_sendgrid"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        asked, told = process.stdin, process.stdout
        assert asked
        assert told
        url = told.readline().strip()

        def taken() -> int:
            asked.write("?\n")
            asked.flush()
            return int(told.readline())

        try:
            yield url, taken
        finally:
            asked.close()


def hand_over(url: str, draft: Draft, edition: EditionMessage, readers: Iterator[Reader]) -> None:
    """All readers, batch by batch, as the sender does it."""
    way = Way(url + PATH, headers(), MOST, 1, None)
    with closing(Sendgrid(way, draft.config.newsletter)) as provider:
        while batch := list(islice(readers, MOST)):
            for _ in provider.hand_over(Batch(ISSUE.id, edition, batch)):
                pass


class Official:
    """The official client and its objects, for the same content."""

    def __init__(self, url: str, draft: Draft, edition: EditionMessage) -> None:
        from sendgrid import SendGridAPIClient

        self.client = SendGridAPIClient(KEY, host=url)
        form = Form(Stationery(draft.config.newsletter, sandbox=False), edition)
        request = next(form.requests(list(people(draft, 1)), 1))
        assert isinstance(request, Request)
        self.shared: dict[str, Any] = json.loads(request.body())
        self.tags = list(self.shared["personalizations"][0]["substitutions"])

    def send(self, readers: Sequence[Reader]) -> None:
        for start in range(0, len(readers), MOST):
            part = readers[start : start + MOST]
            self.client.send(official_sendgrid.mail(self.shared, part, self.tags))


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def verdict(name: str, value: str, target: str, met: bool) -> None:
    print(f"{name:<34}{value:>12}   target {target:<12}{'ok' if met else 'MISSED'}")


def row(name: str, count: int, seconds: float, least: float) -> None:
    each = seconds / count
    print(f"{name:<34}{count:>9,}{each * 1e6:>10,.2f} µs{each / least:>8,.1f} x")


def speed(draft: Draft) -> None:
    """The best of some rounds of either way, in turns."""
    edition, ours, official = edition_of(draft), [], []
    readers = list(people(draft, OURS))
    with server() as (url, taken):
        slow = Official(url, draft, edition)
        for _ in range(ROUNDS):
            ours.append(cpu_seconds(lambda: hand_over(url, draft, edition, iter(readers))))
            official.append(cpu_seconds(lambda: slow.send(readers[:OFFICIAL])))
        assert taken() == ROUNDS * (OURS + OFFICIAL)
    least, most = min(ours) / OURS, min(official) / OFFICIAL
    row("digest", OURS, min(ours), least)
    row("Mail and Personalization objects", OFFICIAL, min(official), least)
    size = len(edition.html(readers[0]).encode())
    print(f"{size / 1000:.0f} kB of HTML, {MOST} readers a request")
    cheaper = most / least
    verdict("CPU less than official", f"{cheaper:.1f} x", f">= {CHEAPER:.0f} x", cheaper >= CHEAPER)


def memory(recipients: int) -> None:
    few, many = memory_of(FEW), memory_of(recipients)
    verdict(f"memory of {recipients:,}", f"{many:.0f} MB", f"< {SMALL:.0f} MB", many < SMALL)
    growth = many - few
    verdict(f"more than {FEW:,}", f"{growth:+.1f} MB", f"< +{FLAT:.0f} MB", growth < FLAT)


def memory_of(count: int) -> float:
    """Most memory, in MB, of a process of its own that hands over to so many."""
    command = [sys.executable, __file__, MEMORY_OF, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def alone(count: int) -> None:
    draft = newsletter()
    with server() as (url, taken):
        hand_over(url, draft, edition_of(draft), people(draft, count))
        assert taken() == count
    print(megabytes())


def events() -> None:
    raw = json.dumps([_told(n) for n in range(EVENTS)]).encode()
    bare = min(cpu_seconds(lambda: json.loads(raw)) for _ in range(ROUNDS))
    ours = min(cpu_seconds(lambda: gather(parse(raw))) for _ in range(ROUNDS))
    row("events, JSON alone", EVENTS, bare, bare / EVENTS)
    row("events, parsed and gathered", EVENTS, ours, bare / EVENTS)


def _told(number: int) -> dict[str, object]:
    return {
        "email": f"reader.{number}@example.org",
        "timestamp": 1795078800 + number,
        "event": ("processed", "delivered", "delivered", "bounce")[number % 4],
        "type": "bounce",
        "status": "5.1.1",
        "reason": f"550 5.1.1 <reader.{number}@example.org>: no such user here",
        "sg_event_id": f"event-{number}",
        "sg_message_id": f"XBg2anf2TqCy6WXKQFhieQ.filter-{number}",
        "dg_did": f"d{number:019d}",
    }


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    arguments.add_argument("--recipients", type=int, default=RECIPIENTS)
    arguments.add_argument(MEMORY_OF, type=int, default=0, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.memory_of:
        alone(chosen.memory_of)
    else:
        memory(chosen.recipients)  # first: a child's peak begins at the size of this process
        speed(newsletter())
        events()
