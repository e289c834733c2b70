"""What Alembic runs: the steps, on the connection that the store was opened with."""

from __future__ import annotations

from alembic import context

from pipelines.stores.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
