"""Complete messages for 100,000 subscribers with 1 to 5 of 12 tags over 20 stories, and memory.

Ours is all that `digest send` does for a reader: selection, edition, words, signed links, bytes.
The plain way gets the selection for nothing and does the rest with Jinja, MJML and `EmailMessage`;
the peer gets even the HTML and text for nothing. CPU seconds of one core, both ways in one run.
Counted links are exchanged once for all readers, and should cost nothing.
"""

import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from digest.composer import Reader
from digest.content import Content
from digest.hashtags import Vocabulary
from digest.issues import Draft
from digest.layout import Slot
from digest.models import Issue, Preferences, Subscriber
from digest.readership import Found
from digest.tokens import Keys

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import slow_reference  # noqa: E402
from tests.invented import ISSUE, TAGS, settings, stories, subscribers  # noqa: E402

SUBSCRIBERS, FEWER, SAMPLED = 100_000, 20_000, 100
STORIES = 20
FASTER, FLAT, SMALL = 100, 20.0, 60_000  # times; MB between few and many subscribers; bytes
MEMORY_OF = "--memory-of"


def draft_of(count: int, *, counted: bool = False) -> Draft:
    """An issue of `count` stories on the desk, nothing compiled yet."""
    config = settings(ROOT / "benchmarks")
    vocabulary = Vocabulary.of(dict.fromkeys(TAGS, 1), config.tags)
    content = Content(tuple(stories(count)), (), count, vocabulary)
    return Draft(config, content, ISSUE, Keys((b"a key for benchmarks only",)), counted=counted)


@dataclass(frozen=True)
class Invented:
    """A readership of invented people, all of them due."""

    people: Iterable[Subscriber]

    def due(self, issue: Issue, skipped: Counter[str]) -> Iterator[Subscriber]:
        return iter(self.people)

    def find(self, email: str, now: datetime) -> Found | None:
        return None


def compose(draft: Draft, readers: Iterable[Subscriber]) -> tuple[int, int]:
    """Every message of the issue, made and dropped; how many, and their bytes."""
    count = size = 0
    for batch in draft.batches(Invented(readers)):
        for reader in batch.readers:
            size += len(batch.message(reader))
            count += 1
    return count, size


class PlainWay:
    """Jinja, MJML and `EmailMessage` for one reader after the other."""

    def __init__(self, draft: Draft, readers: Iterable[Subscriber]) -> None:
        self.newsletter, self.renderer = draft.config.newsletter, draft.renderer
        self.work = [
            (batch.edition, reader)
            for batch in draft.batches(Invented(readers))
            for reader in batch.readers
        ]
        self.stories = {story.id: story for story in draft.content.stories}

    def whole(self) -> None:
        for edition, reader in self.work:
            cards, titles = (
                [self.stories[story] for story in ids] for ids in (edition.stories, edition.more)
            )
            values = {**edition.values, **reader.values()}
            html, text = slow_reference.render(self.renderer, cards, titles, ISSUE, "en", values)
            self.message(reader, values[Slot.SUBJECT], html, text)

    def email_message_alone(self) -> None:
        for edition, reader in self.work:
            html, text = edition.html(reader), edition.text(reader)
            self.message(reader, edition.values[Slot.SUBJECT], html, text)

    def message(self, reader: Reader, subject: str, html: str, text: str) -> bytes:
        return slow_reference.message(
            self.newsletter, ISSUE, "en", reader, subject, html, text
        ).as_bytes()


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def row(name: str, count: int, seconds: float, fastest: float) -> None:
    each = seconds / count
    print(
        f"{name:<34}{count:>9,}{1 / each:>12,.0f}/s{each * 1e6:>10,.1f} µs{each / fastest:>8,.0f} x"
    )


def verdict(name: str, value: str, target: str, met: bool) -> None:
    print(f"{name:<34}{value:>12}   target {target:<12}{'ok' if met else 'MISSED'}")


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_of(count: int) -> float:
    """Most memory, in MB, of a process of its own that composes for so many subscribers."""
    command = [sys.executable, __file__, MEMORY_OF, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def speed() -> None:
    draft, readers = draft_of(STORIES), list(subscribers(SUBSCRIBERS))
    counted: list[tuple[int, int]] = []
    ours = cpu_seconds(lambda: counted.append(compose(draft, readers)))
    through = draft_of(STORIES, counted=True)
    with_clicks = cpu_seconds(lambda: counted.append(compose(through, readers)))
    count, size = counted[0]
    plain = PlainWay(draft, readers[:SAMPLED])
    slow, alone = cpu_seconds(plain.whole), cpu_seconds(plain.email_message_alone)
    row("digest", count, ours, ours / count)
    row("digest, links counted", count, with_clicks, ours / count)
    row("EmailMessage, HTML given", len(plain.work), alone, ours / count)
    row("Jinja + MJML + EmailMessage", len(plain.work), slow, ours / count)
    print(f"{size / count / 1000:.0f} kB a message, {size / ours / 1e9:.1f} GB/s of one core")
    faster = slow / len(plain.work) / (ours / count)
    verdict("rate over the plain way", f"{faster:.0f} x", f">= {FASTER} x", faster >= FASTER)


def memory() -> None:
    few, many = memory_of(FEWER), memory_of(SUBSCRIBERS)
    print(f"at most {few:.0f} MB for {FEWER:,} subscribers, {many:.0f} MB for {SUBSCRIBERS:,}")
    growth = many - few
    verdict(
        "memory of 5 x the subscribers", f"{growth:+.1f} MB", f"< +{FLAT:.0f} MB", growth < FLAT
    )


def weight() -> None:
    everyone = replace(next(subscribers(1)), preferences=Preferences(everything=True))
    edition = draft_of(12).plan(Invented([everyone])).editions[0]
    size = edition.html_bytes
    verdict(
        f"HTML of {len(edition.stories)} stories", f"{size:,} B", f"< {SMALL:,} B", size < SMALL
    )


if __name__ == "__main__":
    if MEMORY_OF in sys.argv:
        compose(draft_of(STORIES), subscribers(int(sys.argv[-1])))
        print(megabytes())
    else:
        memory()  # first: a child's peak begins at the size that this process has by then
        speed()
        weight()
