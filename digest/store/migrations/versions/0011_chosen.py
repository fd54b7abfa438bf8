"""Readers may choose the day and the hour of their issues."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nobody has chosen yet."""
    op.add_column("subscriber", sa.Column("day", _SMALL))
    op.add_column("subscriber", sa.Column("hour", _SMALL))
