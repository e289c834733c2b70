"""The shared store: one PostgreSQL database for as many replicas as ask."""

from __future__ import annotations

from detector.ports import Stores
from pipelines.stores.postgres_server import PostgresServer
from pipelines.stores.tables import stores_on

__all__ = ["PostgresDatabase"]


class PostgresDatabase(PostgresServer):
    """One database with its connections."""

    def stores(self) -> Stores:
        """All stores of the gate in this database."""
        return stores_on(self)
