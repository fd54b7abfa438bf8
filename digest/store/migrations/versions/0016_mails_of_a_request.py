"""Readers who take turns may not mail an address all day: its mails are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """What was mailed before is not counted."""
    op.add_column("request", sa.Column("mails", _SMALL, nullable=False, server_default="0"))
