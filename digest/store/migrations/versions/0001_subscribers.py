"""Subscribers, their tags, consent, history and suppressions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_STRICT = {"sqlite_strict": True}
_CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}


def _person(table: str) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return sa.Column("subscriber_id", _BIG, nullable=False), sa.ForeignKeyConstraint(
        ["subscriber_id"],
        ["subscriber.id"],
        name=op.f(f"fk_{table}_subscriber_id"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    """Create everything of issue 3."""
    _subscribers()
    _tags()
    _evidence()
    _suppressions()
    for table in ("consent", "subscriber_event"):
        _append_only(table)


def _subscribers() -> None:
    op.create_table(
        "subscriber",
        sa.Column("id", _BIG, autoincrement=False, nullable=False),
        sa.Column("address", _BYTEWISE, nullable=False),
        sa.Column("address_hash", sa.LargeBinary, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("languages", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("cadence", sa.Text, nullable=False),
        sa.Column("everything", _FLAG, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("pause_until", _MOMENT),
        sa.Column("covered_until", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("address", name=op.f("uq_subscriber_address")),
        sa.CheckConstraint(
            "cadence IN ('daily', 'weekly', 'monthly')", name=op.f("ck_subscriber_cadence")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'unsubscribed')", name=op.f("ck_subscriber_state")
        ),
        sa.CheckConstraint("everything IN (0, 1)", name=op.f("ck_subscriber_everything")),
        **_STRICT,
    )
    confirmed = sa.text("state != 'confirmed'")
    op.create_index(
        "ix_subscriber_not_confirmed",
        "subscriber",
        ["id"],
        sqlite_where=confirmed,
        postgresql_where=confirmed,
    )


def _tags() -> None:
    op.create_table(
        "tag",
        sa.Column("id", _BIG, sa.Identity(), nullable=False),
        sa.Column("key", _BYTEWISE, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint("key", name=op.f("uq_tag_key")),
        **_STRICT,
    )
    op.create_table(
        "subscriber_tag",
        *_person("subscriber_tag"),
        sa.Column("tag_id", _BIG, nullable=False),
        sa.Column("muted", _FLAG, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "tag_id", name=op.f("pk_subscriber_tag")),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_subscriber_tag_tag_id")),
        sa.CheckConstraint("muted IN (0, 1)", name=op.f("ck_subscriber_tag_muted")),
        **_CLUSTERED,
    )
    op.create_index("ix_subscriber_tag_tag", "subscriber_tag", ["tag_id", "muted", "subscriber_id"])


def _evidence() -> None:
    op.create_table(
        "consent_statement",
        sa.Column("id", _BIG, sa.Identity(), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_statement")),
        sa.UniqueConstraint("digest", name=op.f("uq_consent_statement_digest")),
        **_STRICT,
    )
    op.create_table(
        "consent",
        *_person("consent"),
        sa.Column("number", _BIG, nullable=False),
        sa.Column("statement_id", _BIG, nullable=False),
        sa.Column("given_at", _MOMENT, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "number", name=op.f("pk_consent")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["consent_statement.id"], name=op.f("fk_consent_statement_id")
        ),
        **_CLUSTERED,
    )
    op.create_table(
        "subscriber_event",
        *_person("subscriber_event"),
        sa.Column("number", _BIG, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "number", name=op.f("pk_subscriber_event")),
        **_CLUSTERED,
    )


def _suppressions() -> None:
    op.create_table(
        "suppression",
        sa.Column("address_hash", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("address_hash", "reason", name=op.f("pk_suppression")),
        **_CLUSTERED,
    )
    op.create_table(
        "store_setting",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_setting")),
        **_CLUSTERED,
    )


def _append_only(table: str) -> None:
    """Refuse every UPDATE: evidence that can be edited proves nothing."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"
    )
