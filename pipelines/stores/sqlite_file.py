"""Connections to one SQLite file: write-ahead log, one writer at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from detector.errors import StoreError
from pipelines.stores.connections import Cursor, Transaction, Values
from pipelines.stores.migrate import migrate
from pipelines.stores.statements import Statement

__all__ = ["SqliteFile"]

_BUSY_MS = 5000
# Several processes that start at once wait for the one that makes the tables.
_OPENING_MS = 60_000
# Threads that ask at once; connections beyond them are closed when they come back.
_KEPT = 8


class SqliteFile:
    """`Connections` to one SQLite file, made or migrated."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the data directory {path.parent} cannot be made: {error}") from error
        self.engine = sa.create_engine(
            f"sqlite:///{path}", connect_args={"timeout": _BUSY_MS / 1000}, pool_size=_KEPT
        )
        sa.event.listen(self.engine, "connect", _configured_by_engine)
        try:
            self._migrate()
        except BaseException:
            self.engine.dispose()
            raise

    def _migrate(self) -> None:
        with self.built() as connection:
            connection.exec_driver_sql(f"pragma busy_timeout={_OPENING_MS}")
            connection.exec_driver_sql("begin immediate")
            migrate(connection)
            connection.commit()
            connection.exec_driver_sql(f"pragma busy_timeout={_BUSY_MS}")

    @contextmanager
    def built(self) -> Iterator[sa.Connection]:
        """A connection for queries that are built at run time."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"the store {self.path} failed: {cause}") from error

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Looks, each at what is written by then."""
        with self._lent() as connection:
            yield _transaction(connection)

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Transaction]:
        """All or nothing; `durable` returns only when it is on the disk."""
        with self._writing, self._lent() as connection:
            if durable:
                connection.execute("pragma synchronous=full")
            try:
                connection.execute("begin immediate")
                yield _transaction(connection)
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise
            finally:
                if durable:
                    connection.execute("pragma synchronous=normal")

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        """A connection that nobody else uses."""
        try:
            connection = self._taken()
            try:
                yield connection
            finally:
                self._give_back(connection)
        except sqlite3.Error as error:
            raise StoreError(f"the store {self.path} failed: {error}") from error

    def _taken(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return _connected(self.path)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction or len(self._idle) >= _KEPT:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()


def _transaction(connection: sqlite3.Connection) -> Transaction:
    def execute(statement: Statement, values: Values) -> Cursor:
        return connection.execute(statement.text, values)

    def many(statement: Statement, rows: Iterable[Values]) -> None:
        connection.executemany(statement.text, rows)

    # Whoever writes to the file is alone as it is.
    return Transaction(execute, many, lambda _: None)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
    )
    _configure(connection)
    return connection


def _configured_by_engine(connection: Any, record: object) -> None:  # noqa: ANN401 - a DBAPI one
    del record
    _configure(connection)


def _configure(connection: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode=wal",
        "synchronous=normal",
        "foreign_keys=on",
        f"busy_timeout={_BUSY_MS}",
    ):
        connection.execute(f"pragma {pragma}")
