"""An issue to plan and send in tests, and a carrier that remembers what it was given."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from digest.composer import Reader
from digest.content import Content
from digest.errors import Outcome
from digest.freshness import Frozen
from digest.hashtags import Vocabulary
from digest.issues import Draft
from digest.models import Issue, Story
from digest.planning import freeze
from digest.providers import Answer, Batch, Receipt, Refusal
from digest.sender import Job, Material, Report, Stopping, run
from digest.store import Store
from digest.store.ledger.records import DeliveryState, PlannedIssue
from digest.tokens import Keys
from tests.invented import ISSUE, settings
from tests.store.conftest import NOW, SECRETS
from tests.store.lists import take_in
from tests.stories import story

STORIES = (
    story("agents", "ai python"),
    story("ferry", "kubernetes"),
    story("tables", "accessibility"),
)
TAGS = ("ai", "kubernetes", "accessibility", "ai kubernetes", "*")


def draft_of(
    root: Path, stories: tuple[Story, ...] = STORIES, issue: Issue = ISSUE, **config: object
) -> Draft:
    """An issue of three stories on the desk."""
    configured = replace(settings(root), **config)  # type: ignore[arg-type]
    tags = Counter(tag for one in stories for tag in one.tags)
    vocabulary = Vocabulary.of(tags, configured.tags)
    content = Content(stories, (), len(stories), vocabulary)
    return Draft(configured, content, issue, Keys(SECRETS), counted=configured.stats.clicks)


def readers(store: Store, number: int) -> None:
    """Weekly readers of these stories, in five kinds."""
    rows = (f"reader{n}@example.com,{TAGS[n % len(TAGS)]}\n" for n in range(number))
    take_in(store, "email,tags\n" + "".join(rows))


def frozen(store: Store, draft: Draft, **how: object) -> Frozen:
    """The plan of the draft's issue."""
    return freeze(draft, store, provider="carrier", now=NOW, **how)  # type: ignore[arg-type]


def material(store: Store, draft: Draft, number: int) -> Material:
    """Messages and readers of a planned issue, as `digest send` gives them."""

    def edition(which: int, released: datetime | None):  # type: ignore[no-untyped-def]
        one = store.ledger.edition(number, which)
        return draft.frozen(one.language, one.stories, one.more, date=released)

    return Material(draft.issue.id, edition, draft.reader)


class Carrier:
    """Takes what it is given and remembers it; `answers` says otherwise for some addresses."""

    name = "carrier"

    def __init__(self, **answers: Refusal | BaseException) -> None:
        self.answers = answers  # by the part of the address before the @
        self.taken: list[str] = []
        self.readers: list[Reader] = []  # as they were given

    def hand_over(self, batch: Batch) -> Iterator[Answer]:
        self.readers += batch.readers
        for reader in batch.readers:
            answer = self.answers.get(reader.address.partition("@")[0])
            if isinstance(answer, BaseException):
                raise answer
            batch.starting(reader.delivery)
            if answer is None:
                self.taken.append(reader.address)
                yield Receipt(reader.delivery, f"r-{len(self.taken)}", new=True)
            else:
                yield replace(answer, delivery=reader.delivery)

    def close(self) -> None:
        """Nothing to let go of."""


def refused(outcome: Outcome, words: str = "no such mailbox", wait: float = 0.0) -> Refusal:
    """What a carrier may answer."""
    return Refusal("", outcome, words, wait)


class Clock:
    """A time that goes on when somebody sleeps."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Patient(Stopping):
    """Sleeps on a clock of tests, and is stopped by nobody."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.sleep = clock.sleep  # type: ignore[method-assign]


def send(
    store: Store,
    draft: Draft,
    carrier: Carrier,
    root: Path,
    *,
    clock: Clock | None = None,
    stopping: Stopping | None = None,
    **job: object,
) -> Report:
    """One run of the sender over the draft's issue."""
    clock = clock or Clock()
    issue = find(store, draft)
    what = Job(
        store.ledger,
        issue,
        material(store, draft, issue.number),
        carrier,
        root / "journal",
        now=clock,
        clock=clock.seconds,
        **job,  # type: ignore[arg-type]
    )
    return run(what, stopping or Patient(clock))


def find(store: Store, draft: Draft) -> PlannedIssue:
    """The planned issue."""
    found = store.ledger.find(draft.issue.id)
    assert found is not None
    return found


def states(store: Store, draft: Draft) -> dict[str, int]:
    """How many deliveries are in each state that any is in."""
    totals = store.ledger.totals(find(store, draft).number)
    return {state.value: n for state, n in totals.states.items() if n}


def in_state(store: Store, draft: Draft, state: DeliveryState) -> list[str]:
    """The addresses of the deliveries in one state."""
    return [row.email for row in store.ledger.deliveries(find(store, draft).number, state)]
