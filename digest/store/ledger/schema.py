"""The tables of the ledger: issues, their editions, and one row per delivery.

A delivery holds no address, so that it outlives the person it went to. There is no index on its
state: work is found through `claim_window`, a row for a thousand. Nor is `claimed` written in it:
a delivery is claimed while it is planned in a window that somebody holds (`windows.in_hand`).
"""

import sqlalchemy as sa

from digest.store.schema import BIG, BYTEWISE, FLAG, MOMENT, metadata


def _issue() -> sa.Column[int]:
    return sa.Column(
        "issue_number", BIG, sa.ForeignKey("issue.number", ondelete="CASCADE"), nullable=False
    )


issue = sa.Table(
    "issue",
    metadata,
    sa.Column("number", BIG, sa.Identity(), primary_key=True),
    # `weekly-2026-11-19`; begins with `~` while it is being planned, and after it was replaced
    sa.Column("id", BYTEWISE, nullable=False, unique=True),
    sa.Column("cadence", sa.Text, nullable=False),
    sa.Column("window_start", MOMENT, nullable=False),
    sa.Column("window_end", MOMENT, nullable=False),
    sa.Column("due_at", MOMENT, nullable=False),
    sa.Column("planned_at", MOMENT, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),  # the configured one; the last that was used
    sa.Column("paused_because", sa.Text, nullable=False),  # empty unless paused
    sa.Column("readers", BIG, nullable=False),
    sa.Column("listed_from", MOMENT),  # how far back it looks; empty: to the start of its window
    sa.Column("workers", FLAG, nullable=False, server_default="0"),  # 1: they send it, by jobs
    sa.CheckConstraint(
        "state IN ('planned', 'sending', 'paused', 'done', 'cancelled')", name="state"
    ),
    sqlite_strict=True,
)

basis = sa.Table(
    "issue_basis",  # what the plan depends on, apart from stories; never a secret
    metadata,
    _issue(),
    sa.Column("part", BYTEWISE, nullable=False),  # `template story.mjml`, `config newsletter`
    sa.Column("digest", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("issue_number", "part"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

issue_story = sa.Table(
    "issue_story",
    metadata,
    _issue(),
    sa.Column("place", BIG, nullable=False),
    sa.Column("story_id", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("omitted", sa.Text, nullable=False),  # why no reader gets it; empty: it is in
    sa.PrimaryKeyConstraint("issue_number", "place"),
    sa.Index("ix_issue_story_digest", "digest"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

edition = sa.Table(
    "edition",
    metadata,
    _issue(),
    sa.Column("number", BIG, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("stories", sa.Text, nullable=False),  # JSON list of ids, in order
    sa.Column("more", sa.Text, nullable=False),
    sa.Column("oldest", MOMENT, nullable=False),  # listed moment of its stories
    sa.Column("html_bytes", BIG, nullable=False),
    sa.Column("readers", BIG, nullable=False),
    sa.PrimaryKeyConstraint("issue_number", "number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

skip = sa.Table(
    "issue_skip",
    metadata,
    _issue(),
    sa.Column("reason", BYTEWISE, nullable=False),
    sa.Column("subscribers", BIG, nullable=False),
    sa.PrimaryKeyConstraint("issue_number", "reason"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

allowance = sa.Table(
    "issue_allowance",  # errors that a person allowed it to go out with
    metadata,
    _issue(),
    sa.Column("check_id", BYTEWISE, nullable=False),  # `link/dead`
    sa.Column("findings", BIG, nullable=False),
    sa.Column("allowed_by", sa.Text, nullable=False),  # who ran the command
    sa.Column("allowed_at", MOMENT, nullable=False),
    sa.PrimaryKeyConstraint("issue_number", "check_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

passed_over = sa.Table(
    "passed_over",  # who gets none of an issue for want of a story, until it begins to go out
    metadata,
    _issue(),
    sa.Column("subscriber_id", BIG, nullable=False),
    sa.PrimaryKeyConstraint("issue_number", "subscriber_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

delivery = sa.Table(
    "delivery",
    metadata,
    # No foreign keys: a check per row costs more than the row (and a subscriber may be erased)
    sa.Column("issue_number", BIG, nullable=False),
    sa.Column("number", BIG, nullable=False),  # from 0, in the order of handing over
    sa.Column("subscriber_id", BIG, nullable=False),
    sa.Column("edition", BIG, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", BIG, nullable=False, server_default="0"),
    sa.Column("retry_at", MOMENT),
    sa.Column("reason", sa.Text),
    # facts, each set once; only the first is our own
    sa.Column("submitted_at", MOMENT),
    sa.Column("delivered_at", MOMENT),
    sa.Column("deferred_at", MOMENT),
    sa.Column("bounced_at", MOMENT),
    sa.Column("dropped_at", MOMENT),
    sa.Column("complained_at", MOMENT),
    sa.Column("unsubscribed_at", MOMENT),
    sa.PrimaryKeyConstraint("issue_number", "number"),
    sa.UniqueConstraint("issue_number", "subscriber_id"),
    sa.CheckConstraint(
        # `claimed` was written before revision 0005
        "state IN ('planned', 'claimed', 'submitted', 'failed', 'unknown', 'suppressed', "
        "'cancelled')",
        name="state",
    ),
    # On PostgreSQL with a fillfactor of 60: room for the next version of a row on its own page
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

receipt = sa.Table(
    "receipt",  # what a provider calls what it took; in the delivery it would double every change
    metadata,
    sa.Column("issue_number", BIG, nullable=False),
    sa.Column("number", BIG, nullable=False),  # of the delivery
    sa.Column("receipt", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("issue_number", "number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

claim_window = sa.Table(
    "claim_window",
    metadata,
    _issue(),
    sa.Column("lo", BIG, nullable=False),  # deliveries lo <= number < hi
    sa.Column("hi", BIG, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ready_at", MOMENT),  # when the first of its deliveries may be handed over
    sa.Column("release_at", MOMENT),  # before which none of them may; of an issue that goes by zone
    sa.Column("owner", sa.Text),
    sa.Column("claim", BIG),  # counts an owner's claims
    sa.Column("lease_until", MOMENT),
    sa.Column("claimed_at", MOMENT),
    # whether `covered_until` of those who were handed something was moved: done, due, or moving
    sa.Column("coverage", sa.Text, nullable=False, server_default="done"),
    sa.PrimaryKeyConstraint("issue_number", "lo"),
    sa.CheckConstraint("state IN ('open', 'claimed', 'done')", name="state"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

provider_event = sa.Table(
    "provider_event",  # which events were heard, so that the same one again changes nothing
    metadata,
    sa.Column("id", BYTEWISE, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.PrimaryKeyConstraint("id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

soft_bounce = sa.Table(
    "soft_bounce",
    metadata,
    sa.Column("address_hash", sa.LargeBinary, nullable=False),
    sa.Column("event_id", BYTEWISE, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.PrimaryKeyConstraint("address_hash", "event_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

rate_limit = sa.Table(
    "rate_limit",
    metadata,
    sa.Column("name", BYTEWISE, nullable=False),  # of a provider
    # seconds since 1970; never `REAL` on PostgreSQL, which is off by a minute there
    sa.Column("free_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
    sa.PrimaryKeyConstraint("name"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
