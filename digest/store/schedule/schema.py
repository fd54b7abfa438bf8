"""The tables of the schedule: few rows, for what the clock and the ledger do not tell."""

import sqlalchemy as sa

from digest.store.schema import BIG, BYTEWISE, MOMENT, metadata

schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("cadence", BYTEWISE, nullable=False),
    sa.Column("since", MOMENT, nullable=False),  # nothing that was due before goes out by itself
    sa.Column("paused_because", sa.Text, nullable=False),  # empty unless paused
    sa.PrimaryKeyConstraint("cadence"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

skipped_issue = sa.Table(
    "skipped_issue",
    metadata,
    sa.Column("id", BYTEWISE, nullable=False),  # `weekly-2026-11-19`
    sa.Column("due_at", MOMENT, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

approval = sa.Table(
    "approval",  # of one plan: another plan of the same issue needs another one
    metadata,
    sa.Column("issue_number", BIG, sa.ForeignKey("issue.number", ondelete="CASCADE")),
    sa.Column("reason", sa.Text, nullable=False),  # why somebody has to say yes
    sa.Column("asking_since", MOMENT),  # a process is mailing the editors
    sa.Column("asked_at", MOMENT),  # they were mailed
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("answered_at", MOMENT),
    sa.PrimaryKeyConstraint("issue_number"),
    sa.CheckConstraint("answer IN ('', 'approved', 'held')", name="answer"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
