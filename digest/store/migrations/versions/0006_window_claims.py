"""A claim is a matter of its window alone; receipts are kept apart, for those who gave one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """What is claimed at this moment stays so: planned, in a window that somebody holds."""
    op.add_column("claim_window", sa.Column("claimed_at", _MOMENT))
    op.add_column(
        "claim_window", sa.Column("coverage", sa.Text, nullable=False, server_default="done")
    )
    op.create_table(
        "receipt",
        sa.Column("issue_number", _BIG, nullable=False),
        sa.Column("number", _BIG, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("issue_number", "number", name=op.f("pk_receipt")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO receipt (issue_number, number, receipt) "
        "SELECT issue_number, number, receipt FROM delivery WHERE receipt IS NOT NULL"
    )
    op.drop_column("delivery", "receipt")
    # a lease is over after every claim that it was made for: nobody in the window is left out
    op.execute("UPDATE claim_window SET claimed_at = lease_until WHERE state = 'claimed'")
    op.execute(
        "UPDATE delivery SET state = 'planned', attempts = attempts - 1 WHERE state = 'claimed'"
    )
