"""The tables, once, for both databases. Changing one means a new revision in `migrations/versions`.

STRICT tables take INTEGER, TEXT and BLOB only; the variants below keep to that on SQLite. Ids of
people are random 63-bit numbers, so that they tell nothing in a link. Suppressions hold a keyed
hash and no address: forgetting a person does not forget that they left.
"""

import sqlalchemy as sa

from digest.store.timestamps import UtcDateTime

# Oldest first. A test holds this equal to the scripts; opening a store must not import Alembic.
REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
)
HEAD = REVISIONS[-1]

HASH_BYTES = 16

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
FLAG = SMALL  # 0 or 1
MOMENT = UtcDateTime()
# The same order on both databases, whatever the locale of the server
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _person() -> sa.Column[int]:
    return sa.Column(
        "subscriber_id", BIG, sa.ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False
    )


subscriber = sa.Table(
    "subscriber",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("address", BYTEWISE, nullable=False, unique=True),  # identity: one person, one row
    sa.Column("address_hash", sa.LargeBinary, nullable=False),  # what a suppression knows
    sa.Column("email", sa.Text, nullable=False),  # as mailed: the spelling they typed
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("languages", sa.Text, nullable=False),  # `en,pl`, in order; empty: any
    sa.Column("timezone", sa.Text, nullable=False),  # IANA; empty: the newsletter's
    sa.Column("cadence", sa.Text, nullable=False),
    sa.Column("everything", FLAG, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("pause_until", MOMENT),
    sa.Column("covered_until", MOMENT),  # end of the last window handed over to them
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("day", SMALL),  # chosen: of the week, 0 is Monday, or of the month
    sa.Column("hour", SMALL),  # chosen: 0 to 23
    sa.CheckConstraint("cadence IN ('daily', 'weekly', 'monthly')", name="cadence"),
    sa.CheckConstraint("state IN ('pending', 'confirmed', 'unsubscribed')", name="state"),
    sa.CheckConstraint("everything IN (0, 1)", name="everything"),
    sqlite_strict=True,  # on PostgreSQL with a fillfactor of 80, as `covered_until` often changes
)
# Few are not confirmed; counting a tag's readers subtracts these few from an index-only count.
# On PostgreSQL it is as partial: to say so here would import 3 MB wherever the store is SQLite.
sa.Index(
    "ix_subscriber_not_confirmed",
    subscriber.c.id,
    sqlite_where=subscriber.c.state != "confirmed",
)

tag = sa.Table(
    "tag",
    metadata,
    sa.Column("id", BIG, sa.Identity(), primary_key=True),
    sa.Column("key", BYTEWISE, nullable=False, unique=True),  # hashtags.fold(name)
    sa.Column("name", sa.Text, nullable=False),  # as shown
    sqlite_strict=True,
)

subscriber_tag = sa.Table(
    "subscriber_tag",
    metadata,
    _person(),
    sa.Column("tag_id", BIG, sa.ForeignKey("tag.id"), nullable=False),
    sa.Column("muted", FLAG, nullable=False),  # 1: never show; 0: followed
    sa.PrimaryKeyConstraint("subscriber_id", "tag_id"),
    sa.CheckConstraint("muted IN (0, 1)", name="muted"),
    sa.Index("ix_subscriber_tag_tag", "tag_id", "muted", "subscriber_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

statement = sa.Table(
    "consent_statement",  # a million imported rows share one text
    metadata,
    sa.Column("id", BIG, sa.Identity(), primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),  # of the three texts below
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sqlite_strict=True,
)

consent = sa.Table(
    "consent",  # append-only: a trigger refuses changes; only erasing the person removes it
    metadata,
    _person(),
    sa.Column("number", BIG, nullable=False),
    sa.Column("statement_id", BIG, sa.ForeignKey("consent_statement.id"), nullable=False),
    sa.Column("given_at", MOMENT, nullable=False),
    sa.Column("how", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_id", "number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

event = sa.Table(
    "subscriber_event",  # append-only, like consent
    metadata,
    _person(),
    sa.Column("number", BIG, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("subscriber_id", "number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

suppression = sa.Table(
    "suppression",
    metadata,
    sa.Column("address_hash", sa.LargeBinary, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("address_hash", "reason"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

setting = sa.Table(
    "store_setting",  # facts about this database, such as which secret made its hashes
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

request = sa.Table(
    "request",  # asked for on the pages, not yet confirmed from a mailbox; forgotten after days
    metadata,
    sa.Column("address_hash", sa.LargeBinary, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("id", BIG, nullable=False, unique=True),  # random: what the mailed link names
    sa.Column("email", sa.Text, nullable=False),  # empty once answered
    sa.Column("subscriber_id", BIG, sa.ForeignKey("subscriber.id", ondelete="CASCADE")),
    sa.Column("wish", sa.Text, nullable=False),  # JSON of a Wish; empty: there is none
    sa.Column("asked_at", MOMENT, nullable=False),
    sa.Column("mailed_at", MOMENT),  # when the last link was mailed
    sa.Column("done_at", MOMENT),
    sa.Column("mails", SMALL, nullable=False, server_default="0"),  # until a day has none
    sa.PrimaryKeyConstraint("address_hash", "kind"),
    sa.CheckConstraint("kind IN ('subscribe', 'change', 'link', 'own')", name="kind"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

story = sa.Table(
    "story",  # every story that was ever seen, also when it is gone
    metadata,
    sa.Column("id", BYTEWISE, nullable=False),
    sa.Column("link", BYTEWISE, nullable=False),  # of its original; empty: none, or handed on
    sa.Column("listed_at", MOMENT, nullable=False),
    sa.Column("seen_at", MOMENT, nullable=False),  # by the first sync that had it
    sa.Column("seen_in", BIG, nullable=False),  # number of the sync it last appeared in
    sa.Column("gone_at", MOMENT),  # when it was found missing
    sa.PrimaryKeyConstraint("id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

content_sync = sa.Table(
    "content_sync",  # the last one alone
    metadata,
    sa.Column("number", BIG, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.PrimaryKeyConstraint("number"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
