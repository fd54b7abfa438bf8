"""Alembic's environment and revisions, inside the package so that the wheel carries them."""
