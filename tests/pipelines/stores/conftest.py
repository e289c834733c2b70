"""Every kind of store behind the one port: what holds for one has to hold for all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from detector.ports import Stores
from pipelines.stores.connections import Connections
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.servers import RunningPostgres, running_postgres

KINDS = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.real)]
_numbers = count()


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    """A PostgreSQL for the tests of a module."""
    with running_postgres() as running:
        yield running


@pytest.fixture
def empty(server: RunningPostgres) -> str:
    """The address of an empty database."""
    return server.database(f"test{next(_numbers)}")


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Stores of every kind, empty."""
    match request.param:
        case "memory":
            yield memory_stores()
        case "sqlite":
            database = Database(tmp_path / "deep" / "serinus.db")
            yield database.stores()
            database.close()
        case _:
            yield from _postgres(request.getfixturevalue("empty"))


@pytest.fixture(params=KINDS[1:])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connections]:
    """A database of every kind, migrated."""
    if request.param == "sqlite":
        opened: Connections = Database(tmp_path / "stream.db")
    else:
        from pipelines.stores.postgres import PostgresDatabase

        opened = PostgresDatabase(request.getfixturevalue("empty"))
    yield opened
    opened.close()


def _postgres(address: str) -> Iterator[Stores]:
    # Imported late: a machine without it runs the other kinds.
    from pipelines.stores.postgres import PostgresDatabase

    database = PostgresDatabase(address)
    yield database.stores()
    database.close()
