"""The tables of the archive and of what readers said of an issue.

A story's text is kept once, under the hash that plans hold, however many issues it was in.
"""

import sqlalchemy as sa

from digest.store.schema import BIG, BYTEWISE, FLAG, MOMENT, metadata

story_text = sa.Table(
    "story_text",
    metadata,
    sa.Column("digest", BYTEWISE, nullable=False),  # of `body`: digest.snapshot
    sa.Column("body", sa.Text, nullable=False),  # JSON of the story
    sa.PrimaryKeyConstraint("digest"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

story_tag = sa.Table(
    "story_tag",
    metadata,
    sa.Column("key", BYTEWISE, nullable=False),  # hashtags.fold(name)
    sa.Column("digest", BYTEWISE, nullable=False),
    sa.Column("name", sa.Text, nullable=False),  # as the story spells it
    sa.PrimaryKeyConstraint("key", "digest"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

visibility = sa.Table(
    "issue_visibility",  # what the publisher said of an issue; by its id, which a new plan keeps
    metadata,
    sa.Column("issue_id", BYTEWISE, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.PrimaryKeyConstraint("issue_id"),
    sa.CheckConstraint("visibility IN ('public', 'unlisted', 'hidden')", name="visibility"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

feedback = sa.Table(
    "feedback",  # one vote a delivery, and so one a reader and issue; the last one counts
    metadata,
    sa.Column("issue_number", BIG, nullable=False),
    sa.Column("number", BIG, nullable=False),  # of the delivery
    sa.Column("useful", FLAG, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.PrimaryKeyConstraint("issue_number", "number"),
    sa.CheckConstraint("useful IN (0, 1)", name="useful"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
