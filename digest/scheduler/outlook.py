"""What lies ahead: the issues that are due next, and how each cadence stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from digest.cadence import upcoming
from digest.config import Config
from digest.content import Content
from digest.desk import Desk, glance
from digest.dues import closing_zone, issue_at
from digest.models import Cadence, Issue
from digest.planning import issue_of
from digest.scheduler.decision import Rest, decide
from digest.scheduler.looking import look
from digest.store import Store
from digest.store.schedule.records import Answer, Skipped, Standing
from digest.tokens import Keys


@dataclass(frozen=True, slots=True)
class Ahead:
    """An issue to come, as things are now."""

    issue: Issue
    readers: int  # who would be mailed, if anything is there for them
    stories: int  # in its window so far
    state: str  # `planned`, `approved`, `held`; empty: nothing is written of it yet


@dataclass(frozen=True, slots=True)
class Outlook:
    """The schedule as a person asks for it."""

    ahead: tuple[Ahead, ...]
    cadences: dict[Cadence, Standing]
    reasons: dict[Cadence, tuple[str, ...]]  # why nothing more is done now
    skipped: tuple[Skipped, ...]


def issues_ahead(config: Config, now: datetime, number: int, store: Store | None) -> list[Issue]:
    """The issues of every cadence that are due next, in the order of their moments."""
    found = [
        one
        for cadence in config.schedule
        for one in islice(_of_cadence(config, store, cadence, now), number)
    ]
    return sorted(found, key=lambda one: (one.window.end, one.id))[:number]


def outlook(
    config: Config, store: Store, content: Content, keys: Keys, now: datetime, number: int
) -> Outlook:
    """The next so many issues. Looking does not make a cadence go out by itself."""
    standings = {one: store.schedule.standing(one) for one in config.schedule}
    known = {one: standing for one, standing in standings.items() if standing}
    steps = {one: decide(look(config, store, one, now), now) for one in known}
    desk = Desk(config, content, glance(store, content.stories, now), keys, store, now)
    return Outlook(
        tuple(_ahead(desk, one) for one in issues_ahead(config, now, number, store)),
        known,
        {one: step.reasons for one, step in steps.items() if isinstance(step, Rest)},
        store.schedule.skipped_since(min((one.since for one in known.values()), default=now))[:5],
    )


def _of_cadence(
    config: Config, store: Store | None, cadence: Cadence, now: datetime
) -> Iterator[Issue]:
    """One cadence's issues to come; each window begins where the one before ends."""
    end = None
    due, zone = config.schedule[cadence].due, closing_zone(config, cadence)
    for moment in upcoming(due, zone, now):
        if end is None and store is not None:
            one = issue_of(config, store, cadence, moment)
        else:
            one = issue_at(config, cadence, moment, end)
        end = one.window.end
        yield one


def _ahead(desk: Desk, issue: Issue) -> Ahead:
    store, (stories, _) = desk.store, desk.look(issue, None).candidates()
    readers = store.audience.count(issue.cadence, issue.window.end)
    planned, state = store.ledger.find(issue.id), ""
    if planned is not None:
        approval = store.schedule.approval(planned.number)
        readers, state = planned.readers, planned.state.value
        if approval is not None and approval.answer is not Answer.NONE:
            state = approval.answer.value
    return Ahead(issue, readers, len(stories), state)
