"""Since when issues go out by themselves, which were skipped, and which an editor approved."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Create the tables of the schedule."""
    op.create_table(
        "schedule",
        sa.Column("cadence", _BYTEWISE, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("paused_because", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cadence", name=op.f("pk_schedule")),
        **_CLUSTERED,
    )
    op.create_table(
        "skipped_issue",
        sa.Column("id", _BYTEWISE, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skipped_issue")),
        **_CLUSTERED,
    )
    op.create_table(
        "approval",
        sa.Column("issue_number", _BIG, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asking_since", _MOMENT),
        sa.Column("asked_at", _MOMENT),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_at", _MOMENT),
        sa.PrimaryKeyConstraint("issue_number", name=op.f("pk_approval")),
        sa.ForeignKeyConstraint(
            ["issue_number"],
            ["issue.number"],
            name=op.f("fk_approval_issue_number"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("answer IN ('', 'approved', 'held')", name=op.f("ck_approval_answer")),
        **_CLUSTERED,
    )
