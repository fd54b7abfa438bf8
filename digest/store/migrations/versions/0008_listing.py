"""When each story was first seen and listed, and whom an issue passed over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """The first sync after it lists every story when it was published."""
    op.create_table(
        "story",
        sa.Column("id", _BYTEWISE, nullable=False),
        sa.Column("link", _BYTEWISE, nullable=False),
        sa.Column("listed_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("seen_in", _BIG, nullable=False),
        sa.Column("gone_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story")),
        **_CLUSTERED,
    )
    op.create_table(
        "content_sync",
        sa.Column("number", _BIG, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_content_sync")),
        **_CLUSTERED,
    )
    op.create_table(
        "passed_over",
        sa.Column("issue_number", _BIG, nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_number"],
            ["issue.number"],
            name=op.f("fk_passed_over_issue_number"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("issue_number", "subscriber_id", name=op.f("pk_passed_over")),
        **_CLUSTERED,
    )
    op.add_column("issue", sa.Column("listed_from", _MOMENT))
