"""Addresses that differ in more than case are two people: ß is no ss. Hashes need the secret."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Note that hashes are of the old kind, where there are any; `store.former` does the rest."""
    op.execute(
        "INSERT INTO store_setting (name, value) SELECT 'former-hashes', 'everywhere'"
        " WHERE EXISTS (SELECT 1 FROM subscriber) OR EXISTS (SELECT 1 FROM suppression)"
    )
