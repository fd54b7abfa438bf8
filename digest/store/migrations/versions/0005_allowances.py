"""Errors that a person allowed an issue to go out with, by the ids of their checks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "issue_allowance",
        sa.Column("issue_number", _BIG, nullable=False),
        sa.Column("check_id", _BYTEWISE, nullable=False),
        sa.Column("findings", _BIG, nullable=False),
        sa.Column("allowed_by", sa.Text, nullable=False),
        sa.Column("allowed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("issue_number", "check_id", name=op.f("pk_issue_allowance")),
        sa.ForeignKeyConstraint(
            ["issue_number"],
            ["issue.number"],
            name=op.f("fk_issue_allowance_issue_number"),
            ondelete="CASCADE",
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
