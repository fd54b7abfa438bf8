"""What was allowed is in `issue_allowance`; a count of it, always 0 since, goes."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """SQLite takes a column out of a table in its place since 3.35: nothing that refers to the
    table notices."""
    op.drop_column("issue", "errors_allowed")
