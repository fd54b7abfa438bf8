"""Run by Alembic: applies revisions over the connection that `digest.store.migrate` hands in."""

from alembic import context

from digest.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by building it anew
)
context.run_migrations()
