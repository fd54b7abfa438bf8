"""What became of issues, counted: by issue, by tag, by mailbox provider. No address leaves here.

An unsubscribing on our own pages names no issue; it counts for the issue of the reader's cadence
that went out last before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from digest.hashtags import fold
from digest.inline import plain
from digest.mailboxes import provider_of
from digest.models import Story
from digest.store.archive import Archive
from digest.store.archive.feedback import OF_DELIVERY
from digest.store.archive.schema import feedback
from digest.store.database import Database
from digest.store.followed import IssueFollowed, followed
from digest.store.ledger import Ledger
from digest.store.ledger.records import (
    Contents,
    DeliveryState,
    IssueState,
    PlannedEdition,
    PlannedIssue,
)
from digest.store.ledger.schema import delivery, issue
from digest.store.links import Links
from digest.store.records import EventKind
from digest.store.schema import event, subscriber

_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_FAR = datetime.fromisoformat("9999-12-31T00:00:00+00:00")
_FACTS = ("delivered", "deferred", "bounced", "dropped", "complained")


@dataclass(frozen=True, slots=True)
class Figures:
    """Deliveries, by what became of them."""

    readers: int = 0
    submitted: int = 0
    delivered: int = 0
    deferred: int = 0  # at some time; most of them arrived later
    bounced: int = 0
    dropped: int = 0
    complained: int = 0
    unsubscribed: int = 0
    useful: int = 0
    not_useful: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class IssueFigures:
    """One issue."""

    issue: PlannedIssue
    total: Figures
    providers: Mapping[str, Figures]  # `gmail`, `outlook`, … in the order of their readers
    tags: Mapping[str, Figures]  # readers whose edition held a story of the tag, most first
    clicks: IssueFollowed | None = None  # None: they were not counted


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of issues that have begun to go out.

    Clicks are told of issues that were due at or after `counted_since`: older ones are forgotten.
    """

    database: Database
    counted_since: datetime = _LONG_AGO

    def latest(self, number: int) -> tuple[IssueFigures, ...]:
        """The last so many issues, newest first."""
        begun = (
            one for one in Ledger(self.database).issues() if one.state is not IssueState.PLANNED
        )
        return tuple(self.of(one) for one, _ in zip(begun, range(number), strict=False))

    def of(self, planned: PlannedIssue) -> IssueFigures:
        """One issue: a pass or two over its deliveries."""
        words = self._words(planned)
        editions = self._counted(planned.number, words, delivery.c.edition)
        domains = self._counted(planned.number, words, self._domain())
        providers = _summed((provider_of(domain or ""), one) for domain, one in domains.items())
        stories = Archive(self.database).stories(planned.number)
        contents = Ledger(self.database).contents(planned.number)
        names = _tags(stories, contents.editions)
        tags = _summed((tag, one) for edition, one in editions.items() for tag in names[edition])
        total = sum(editions.values(), Figures())
        submitted = {edition: one.submitted for edition, one in editions.items()}
        return IssueFigures(
            planned, total, providers, tags, self._clicks(planned, stories, contents, submitted)
        )

    def _clicks(
        self,
        planned: PlannedIssue,
        stories: Iterable[Story],
        contents: Contents,
        submitted: Mapping[int, int],
    ) -> IssueFollowed | None:
        if planned.due < self.counted_since:
            return None
        titles = {story.id: plain(story.title or story.post_title) for story in stories}
        links = Links(self.database).of(planned.id)
        return followed(links, contents.editions, submitted, titles)

    def _words(self, planned: PlannedIssue) -> sa.Subquery:
        """The last time that each person left, and came back, between this issue and the next of
        its cadence."""
        following = sa.select(sa.func.min(issue.c.planned_at)).where(
            issue.c.cadence == planned.cadence.value,
            issue.c.due_at > planned.due,
            ~issue.c.id.startswith("~"),
        )
        until = sa.func.coalesce(following.scalar_subquery(), _FAR)
        left, back = (
            sa.func.max(sa.case((event.c.kind == kind.value, event.c.at)))
            for kind in (EventKind.UNSUBSCRIBED, EventKind.CONFIRMED)
        )
        return (
            sa.select(event.c.subscriber_id, left.label("left"), back.label("back"))
            .where(
                event.c.kind.in_((EventKind.UNSUBSCRIBED.value, EventKind.CONFIRMED.value)),
                event.c.at >= planned.planned,
                event.c.at < until,
            )
            .group_by(event.c.subscriber_id)
            .subquery()
        )

    def _counted(
        self, number: int, words: sa.Subquery, key: sa.ColumnElement[Any]
    ) -> dict[Any, Figures]:
        submitted = sa.case((delivery.c.state == DeliveryState.SUBMITTED.value, 1))
        query = (
            sa.select(
                key.label("key"),
                sa.func.count(),
                sa.func.count(submitted),
                *(sa.func.count(delivery.c[f"{fact}_at"]) for fact in _FACTS),
                sa.func.count(sa.case((_stayed_away(words), 1))),
                sa.func.count(sa.case((feedback.c.useful == 1, 1))),
                sa.func.count(sa.case((feedback.c.useful == 0, 1))),
            )
            .select_from(delivery)
            .outerjoin(subscriber, subscriber.c.id == delivery.c.subscriber_id)
            .outerjoin(words, words.c.subscriber_id == delivery.c.subscriber_id)
            .outerjoin(feedback, OF_DELIVERY)
            .where(delivery.c.issue_number == number)
            .group_by("key")
        )
        with self.database.reading() as connection:
            return {key: Figures(*counts) for key, *counts in connection.execute(query)}

    def _domain(self) -> sa.ColumnElement[str]:
        address = subscriber.c.address
        if self.database.dialect == "sqlite":
            return sa.func.substr(address, sa.func.instr(address, "@") + 1)
        return sa.func.split_part(address, "@", 2)


def _tags(
    stories: Iterable[Story], editions: Iterable[PlannedEdition]
) -> dict[int, tuple[str, ...]]:
    """Edition -> the tags of its stories, each in one spelling."""
    tags = {one.id: one.tags for one in stories}
    shown: dict[str, str] = {}
    for names in tags.values():
        for name in names:
            shown.setdefault(fold(name), name)
    return {
        edition.number: tuple(
            dict.fromkeys(
                shown[fold(name)]
                for story in (*edition.stories, *edition.more)
                for name in tags.get(story, ())
            )
        )
        for edition in editions
    }


def _stayed_away(words: sa.Subquery) -> sa.ColumnElement[bool]:
    """They left, by our pages or by the provider's word, and did not take it back."""
    gone = (words.c.left, delivery.c.unsubscribed_at)
    back = words.c.back
    return sa.or_(*(one.is_not(None) & (back.is_(None) | (back < one)) for one in gone))


def _summed(some: Iterable[tuple[str, Figures]]) -> dict[str, Figures]:
    """Added up by name; most readers first."""
    sums: dict[str, Figures] = {}
    for name, figures in some:
        sums[name] = sums.get(name, Figures()) + figures
    return dict(sorted(sums.items(), key=lambda item: (-item[1].readers, item[0])))


def added(parts: Iterable[Mapping[str, Figures]]) -> dict[str, Figures]:
    """The same of several issues."""
    return _summed(item for part in parts for item in part.items())
