"""What issues held, who may see them on the web, and whether they were useful."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Issues that were planned before have no texts: nobody can say any more what they held."""
    op.create_table(
        "story_text",
        sa.Column("digest", _BYTEWISE, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_story_text")),
        **_CLUSTERED,
    )
    op.create_table(
        "story_tag",
        sa.Column("key", _BYTEWISE, nullable=False),
        sa.Column("digest", _BYTEWISE, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", "digest", name=op.f("pk_story_tag")),
        **_CLUSTERED,
    )
    op.create_table(
        "issue_visibility",
        sa.Column("issue_id", _BYTEWISE, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_issue_visibility")),
        sa.CheckConstraint(
            "visibility IN ('public', 'unlisted', 'hidden')",
            name=op.f("ck_issue_visibility_visibility"),
        ),
        **_CLUSTERED,
    )
    op.create_table(
        "feedback",
        sa.Column("issue_number", _BIG, nullable=False),
        sa.Column("number", _BIG, nullable=False),
        sa.Column("useful", _FLAG, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("issue_number", "number", name=op.f("pk_feedback")),
        sa.CheckConstraint("useful IN (0, 1)", name=op.f("ck_feedback_useful")),
        **_CLUSTERED,
    )
    op.create_index("ix_issue_story_digest", "issue_story", ["digest"])
