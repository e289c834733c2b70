"""The embedded store: one SQLite file, write-ahead log, safe for threads and for kill -9."""

from __future__ import annotations

from pathlib import Path

from detector.ports import Stores
from pipelines.stores.sqlite_file import SqliteFile
from pipelines.stores.tables import stores_on

__all__ = ["Database", "open_sqlite"]


def open_sqlite(path: Path) -> Stores:
    """The stores of a file, which is made or migrated; `StoreError` where it cannot be used."""
    return Database(path).stores()


class Database(SqliteFile):
    """One SQLite file with its connections."""

    def stores(self) -> Stores:
        """All stores of the gate on this file."""
        return stores_on(self)
