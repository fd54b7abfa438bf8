"""Links of mails may be counted, without a reader."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Issues that were planned before have no counted links."""
    op.create_table(
        "counted_link",
        sa.Column("issue_id", _BYTEWISE, nullable=False),
        sa.Column("code", _BYTEWISE, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("places", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("issue_id", "code", name="pk_counted_link"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "click_count",
        sa.Column("issue_id", _BYTEWISE, nullable=False),
        sa.Column("code", _BYTEWISE, nullable=False),
        sa.Column("day", _BYTEWISE, nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.Column("machines", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("issue_id", "code", "day", name="pk_click_count"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_click_count_day", "click_count", ["day"])
