"""Deliveries of an issue that goes out zone by zone wait for their hour."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Windows that were planned before wait for nothing."""
    op.add_column("claim_window", sa.Column("release_at", _MOMENT))
