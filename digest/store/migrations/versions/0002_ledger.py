"""Issues, editions, deliveries, and what providers told of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Create everything of issue 4."""
    _issues()
    _contents()
    _deliveries()
    _windows()
    _events()


def _number(name: str = "number") -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _of_issue(table: str) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return _number("issue_number"), sa.ForeignKeyConstraint(
        ["issue_number"],
        ["issue.number"],
        name=op.f(f"fk_{table}_issue_number"),
        ondelete="CASCADE",
    )


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _issues() -> None:
    op.create_table(
        "issue",
        sa.Column("number", _BIG, sa.Identity(), nullable=False),
        sa.Column("id", _BYTEWISE, nullable=False),
        _text("cadence"),
        sa.Column("window_start", _MOMENT, nullable=False),
        sa.Column("window_end", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("planned_at", _MOMENT, nullable=False),
        _text("state"),
        _text("provider"),
        _text("paused_because"),
        _number("readers"),
        _number("errors_allowed"),
        _key("issue", "number"),
        sa.UniqueConstraint("id", name=op.f("uq_issue_id")),
        sa.CheckConstraint(
            "state IN ('planned', 'sending', 'paused', 'done', 'cancelled')",
            name=op.f("ck_issue_state"),
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "issue_basis",
        *_of_issue("issue_basis"),
        sa.Column("part", _BYTEWISE, nullable=False),
        _text("digest"),
        _key("issue_basis", "issue_number", "part"),
        **_CLUSTERED,
    )


def _contents() -> None:
    op.create_table(
        "issue_story",
        *_of_issue("issue_story"),
        _number("place"),
        _text("story_id"),
        _text("digest"),
        _text("omitted"),
        _key("issue_story", "issue_number", "place"),
        **_CLUSTERED,
    )
    op.create_table(
        "edition",
        *_of_issue("edition"),
        _number(),
        _text("id"),
        _text("language"),
        _text("stories"),
        _text("more"),
        sa.Column("oldest", _MOMENT, nullable=False),
        _number("html_bytes"),
        _number("readers"),
        _key("edition", "issue_number", "number"),
        **_CLUSTERED,
    )
    op.create_table(
        "issue_skip",
        *_of_issue("issue_skip"),
        sa.Column("reason", _BYTEWISE, nullable=False),
        _number("subscribers"),
        _key("issue_skip", "issue_number", "reason"),
        **_CLUSTERED,
    )


def _deliveries() -> None:
    facts = ("submitted", "delivered", "deferred", "bounced", "dropped", "complained")
    op.create_table(
        "delivery",
        _number("issue_number"),
        _number(),
        _number("subscriber_id"),
        _number("edition"),
        _text("state"),
        sa.Column("attempts", _BIG, nullable=False, server_default="0"),
        sa.Column("retry_at", _MOMENT),
        sa.Column("receipt", sa.Text),
        sa.Column("reason", sa.Text),
        *(sa.Column(f"{fact}_at", _MOMENT) for fact in (*facts, "unsubscribed")),
        _key("delivery", "issue_number", "number"),
        sa.UniqueConstraint("issue_number", "subscriber_id", name=op.f("uq_delivery_issue_number")),
        sa.CheckConstraint(
            "state IN ('planned', 'claimed', 'submitted', 'failed', 'unknown', 'suppressed', "
            "'cancelled')",
            name=op.f("ck_delivery_state"),
        ),
        postgresql_with={"fillfactor": 60},
        **_CLUSTERED,
    )


def _windows() -> None:
    op.create_table(
        "claim_window",
        *_of_issue("claim_window"),
        _number("lo"),
        _number("hi"),
        _text("state"),
        sa.Column("ready_at", _MOMENT),
        sa.Column("owner", sa.Text),
        sa.Column("claim", _BIG),
        sa.Column("lease_until", _MOMENT),
        _key("claim_window", "issue_number", "lo"),
        sa.CheckConstraint(
            "state IN ('open', 'claimed', 'done')", name=op.f("ck_claim_window_state")
        ),
        **_CLUSTERED,
    )


def _events() -> None:
    op.create_table(
        "provider_event",
        sa.Column("id", _BYTEWISE, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        _key("provider_event", "id"),
        **_CLUSTERED,
    )
    op.create_table(
        "soft_bounce",
        sa.Column("address_hash", sa.LargeBinary, nullable=False),
        sa.Column("event_id", _BYTEWISE, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        _key("soft_bounce", "address_hash", "event_id"),
        **_CLUSTERED,
    )
