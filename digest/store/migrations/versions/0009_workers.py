"""A queue for workers on PostgreSQL, which is Procrastinate's, and the pace that senders share."""

import sqlalchemy as sa
from alembic import op

from digest.store.migrations.queue import schema

revision = "0009"
down_revision = "0008"

_FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """SQLite has no queue: one machine needs none."""
    op.add_column("issue", sa.Column("workers", _FLAG, nullable=False, server_default="0"))
    op.create_table(
        "rate_limit",
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("free_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rate_limit")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(schema())
