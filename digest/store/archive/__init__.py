"""What issues held, for everybody: the stories as they were sent, and who may see them.

An issue is in the archive once everybody has it (`done`); one that the publisher has published by
hand, as soon as its first message left. Texts are kept by their hash and never change, so the set
of issues that are shown says all about every page: `stamp`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from digest.hashtags import fold
from digest.models import Cadence, Story, Visibility, Window
from digest.snapshot import digest_of, story_from, story_text
from digest.store.archive import schema as tables
from digest.store.archive.records import (
    ArchivedIssue,
    ArchivedTag,
    OwnEdition,
    Stamp,
    ToldStory,
)
from digest.store.database import Database
from digest.store.dialects import insert_new
from digest.store.ledger.records import IssueState
from digest.store.ledger.schema import delivery, edition, issue, issue_story

__all__ = ["Archive", "ArchivedIssue", "ArchivedTag", "OwnEdition", "Stamp", "ToldStory"]

_PAGE = 500
_SAID = tables.visibility.c.visibility
_VISIBLE = (Visibility.PUBLIC.value, Visibility.UNLISTED.value)
_ISSUES = issue.outerjoin(tables.visibility, tables.visibility.c.issue_id == issue.c.id)
_HEAD = (
    issue.c.number,
    issue.c.id,
    issue.c.cadence,
    issue.c.window_start,
    issue.c.window_end,
    issue.c.due_at,
)


@dataclass(frozen=True, slots=True)
class Archive:
    """The issues on the web. `default` is what an issue is that the publisher said nothing of."""

    database: Database

    def keep(self, stories: Iterable[Story]) -> None:
        """Keep the stories as they are now, each text once. Before the plan that names them."""
        texts = {story_text(story): story for story in stories}
        with self.database.writing() as connection:
            for text, story in texts.items():
                _keep(connection, digest_of(text), text, story)

    def say(self, name: str, visibility: Visibility | None, now: datetime) -> None:
        """Show or hide an issue from now on; None: as the configuration says."""
        table = tables.visibility
        with self.database.writing() as connection:
            connection.execute(sa.delete(table).where(table.c.issue_id == name))
            if visibility is not None:
                row = {"issue_id": name, "visibility": visibility.value, "at": now}
                connection.execute(sa.insert(table), [row])

    def said(self) -> dict[str, Visibility]:
        """What the publisher said, by the id of the issue."""
        query = sa.select(tables.visibility.c.issue_id, _SAID)
        with self.database.reading() as connection:
            return {name: Visibility(said) for name, said in connection.execute(query)}

    def issues(self, default: Visibility) -> tuple[ArchivedIssue, ...]:
        """Those that everybody may find, newest first."""
        query = _heads(default).where(_is(default, Visibility.PUBLIC.value))
        with self.database.reading() as connection:
            return tuple(map(_issue, connection.execute(query)))

    def find(self, name: str, default: Visibility) -> ArchivedIssue | None:
        """The issue that whoever knows its address may see."""
        query = _heads(default).where(issue.c.id == name, _is(default, *_VISIBLE))
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return _issue(row) if row is not None else None

    def stories(self, number: int) -> tuple[Story, ...]:
        """What an issue held, in its order."""
        return self.stories_of([number]).get(number, ())

    def stories_of(self, numbers: Sequence[int]) -> dict[int, tuple[Story, ...]]:
        """The same of many issues; those whose texts were not kept are left out."""
        held = issue_story.c.issue_number
        query = (
            sa.select(held, tables.story_text.c.body)
            .join(issue_story, issue_story.c.digest == tables.story_text.c.digest)
            .where(held.in_(numbers), issue_story.c.omitted == "")
            .order_by(held, issue_story.c.place)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        found = groupby(rows, key=itemgetter(0))
        return {number: tuple(story_from(body) for _, body in held) for number, held in found}

    def told(
        self, default: Visibility, tag: str = "", *, limit: int = _PAGE, skip: int = 0
    ) -> tuple[ToldStory, ...]:
        """Public stories, newest first; each once, in the first issue that held it.

        `tag` is a folded one; empty: all.
        """
        first = sa.func.row_number().over(
            partition_by=issue_story.c.story_id, order_by=(issue.c.due_at, issue.c.number)
        )
        one = _public_stories(default, tag, first.label("turn"), issue_story.c.place).subquery()
        query = (
            sa.select(one)
            .where(one.c.turn == 1)
            .order_by(one.c.due_at.desc(), one.c.number.desc(), one.c.place)
            .limit(limit)
            .offset(skip)
        )
        with self.database.reading() as connection:
            return tuple(
                ToldStory(_issue(row, default), story_from(row.body))
                for row in connection.execute(query)
            )

    def tags(self, default: Visibility) -> tuple[ArchivedTag, ...]:
        """The tags of public stories, with how many stories each has; most first."""
        table = tables.story_tag
        stories = sa.func.count(issue_story.c.story_id.distinct())
        query = (
            sa.select(table.c.key, sa.func.min(table.c.name), stories)
            .join(issue_story, issue_story.c.digest == table.c.digest)
            .join(issue, issue.c.number == issue_story.c.issue_number)
            .outerjoin(tables.visibility, tables.visibility.c.issue_id == issue.c.id)
            .where(issue_story.c.omitted == "", _is(default, Visibility.PUBLIC.value))
            .group_by(table.c.key)
            .order_by(stories.desc(), table.c.key)
        )
        with self.database.reading() as connection:
            return tuple(ArchivedTag(*row) for row in connection.execute(query))

    def own(self, name: str, person: int) -> OwnEdition | None:
        """A reader's edition of an issue, whatever everybody may see; None: they have none."""
        query = (
            sa.select(*_HEAD, edition.c.language, edition.c.stories, edition.c.more)
            .join(delivery, delivery.c.issue_number == issue.c.number)
            .join(
                edition,
                (edition.c.issue_number == issue.c.number)
                & (edition.c.number == delivery.c.edition),
            )
            .where(
                issue.c.id == name,
                issue.c.state != IssueState.PLANNED.value,
                delivery.c.subscriber_id == person,
            )
        )
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            texts = dict(map(tuple, connection.execute(_bodies(row.number))))
        return OwnEdition.of(_issue(row, Visibility.UNLISTED), row, texts)

    def stamp(self, default: Visibility) -> Stamp:
        """Another one as soon as any public or unlisted page may look different."""
        shown = _heads(default).where(_is(default, *_VISIBLE)).order_by(None).subquery()
        counts = sa.select(
            sa.func.count(), sa.func.sum(shown.c.number), sa.func.max(shown.c.number)
        )
        said = sa.select(sa.func.count(), sa.func.max(tables.visibility.c.at))
        with self.database.reading() as connection:
            issues = connection.execute(counts.select_from(shown)).one()
            return Stamp(*map(str, (*issues, *connection.execute(said).one())))


def _keep(connection: sa.Connection, digest: str, text: str, story: Story) -> None:
    row = {"digest": digest, "body": text}
    if not connection.execute(insert_new(connection, tables.story_text), [row]).rowcount:
        return  # its tags are there as well
    names = {fold(tag): tag for tag in reversed(story.tags) if fold(tag)}
    rows = [{"key": key, "digest": digest, "name": name} for key, name in names.items()]
    if rows:
        connection.execute(insert_new(connection, tables.story_tag), rows)


def _said(default: Visibility) -> sa.ColumnElement[str]:
    return sa.func.coalesce(_SAID, default.value)


def _is(default: Visibility, *wanted: str) -> sa.ColumnElement[bool]:
    """An issue is shown in one of these ways, and has gone so far that it may be."""
    begun = _SAID.is_not(None) & (issue.c.state != IssueState.PLANNED.value)
    everybody = issue.c.state == IssueState.DONE.value
    return _said(default).in_(wanted) & (begun | everybody) & ~issue.c.id.startswith("~")


def _heads(default: Visibility) -> sa.Select[Any]:
    return (
        sa.select(*_HEAD, _said(default).label("visibility"))
        .select_from(_ISSUES)
        .order_by(issue.c.due_at.desc(), issue.c.id)
    )


def _public_stories(default: Visibility, tag: str, *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    query = (
        sa.select(*_HEAD, tables.story_text.c.body, *more)
        .select_from(_ISSUES)
        .join(issue_story, issue_story.c.issue_number == issue.c.number)
        .join(tables.story_text, tables.story_text.c.digest == issue_story.c.digest)
        .where(issue_story.c.omitted == "", _is(default, Visibility.PUBLIC.value))
    )
    if not tag:
        return query
    table = tables.story_tag
    return query.join(table, table.c.digest == issue_story.c.digest).where(table.c.key == tag)


def _bodies(number: int) -> sa.Select[Any]:
    return (
        sa.select(issue_story.c.story_id, tables.story_text.c.body)
        .join(tables.story_text, tables.story_text.c.digest == issue_story.c.digest)
        .where(issue_story.c.issue_number == number)
    )


def _issue(row: Any, visibility: Visibility | None = None) -> ArchivedIssue:
    return ArchivedIssue(
        row.number,
        row.id,
        Cadence(row.cadence),
        Window(row.window_start, row.window_end),
        row.due_at,
        visibility or Visibility(row.visibility),
    )
