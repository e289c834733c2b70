"""Bring a database to the schema of this version, or refuse it."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from detector.errors import StoreError

__all__ = ["NEWEST", "migrate"]

NEWEST = "0020"
# Alembic keeps the migration that runs in names of its modules: one of a process at a time.
_TURN = threading.Lock()


def migrate(connection: sa.Connection) -> None:
    """Apply what is missing; `StoreError` where the database was written by a newer version."""
    at = _version(connection)
    if at == NEWEST:
        return
    # Imported late: a start on an up-to-date database does not pay for Alembic.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "pipelines.stores:migrations")
    config.set_main_option("path_separator", "os")
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if at is not None and at not in known:
        raise StoreError(
            f"the database has schema {at}, this serinus knows up to {NEWEST}:"
            " start the version that wrote it, or give another data directory"
        )
    with _TURN:
        command.upgrade(config, "head")


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(sa.text("select version_num from alembic_version")).first()
    return None if row is None else str(row[0])
