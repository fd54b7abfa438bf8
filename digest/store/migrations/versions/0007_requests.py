"""What was asked for on the pages and waits for a yes from the mailbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """One table; what is in it is forgotten after days."""
    op.create_table(
        "request",
        sa.Column("address_hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", _BIG, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("subscriber_id", _BIG),
        sa.Column("wish", sa.Text, nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("mailed_at", _MOMENT),
        sa.Column("done_at", _MOMENT),
        sa.PrimaryKeyConstraint("address_hash", "kind", name=op.f("pk_request")),
        sa.UniqueConstraint("id", name=op.f("uq_request_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_request_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "kind IN ('subscribe', 'change', 'link', 'own')", name=op.f("ck_request_kind")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
