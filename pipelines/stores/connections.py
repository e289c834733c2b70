"""Connections to one SQLite file: reads, transactions, and errors as the stores tell them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from detector.errors import StoreError
from pipelines.stores.migrate import migrate
from pipelines.stores.statements import Statement

__all__ = ["Connections", "Row", "Transaction"]

Row: TypeAlias = tuple[Any, ...]
_BUSY_MS = 5000
# Threads that ask at once; connections beyond them are closed when they come back.
_KEPT = 8


class Transaction:
    """What a transaction, or one look, can do."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    def run(self, statement: Statement, values: Mapping[str, object] | None = None) -> int:
        """Execute; the number of rows that it changed."""
        return self._run(statement.text, statement.with_fixed(values or {})).rowcount

    def first(self, statement: Statement, asked: Mapping[str, object]) -> Row | None:
        """The only row that a statement finds, None without any."""
        rows = self.rows(statement, asked)
        return rows[0] if rows else None

    def rows(self, statement: Statement, asked: Mapping[str, object]) -> list[Row]:
        """All rows that a statement finds."""
        return self._run(statement.text, statement.with_fixed(asked)).fetchall()


class Connections:
    """One SQLite file, made or migrated. Statements are compiled once and run by the driver.

    `engine` is for what is built at run time or seldom: it costs several times as much.
    """

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
        with self.built() as connection:
            connection.exec_driver_sql("begin immediate")
            migrate(connection)
            connection.commit()

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
            yield Transaction(connection)

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Transaction]:
        """All or nothing; `durable` returns only when it is on the disk."""
        with self._writing, self._lent() as connection:
            if durable:
                connection.execute("pragma synchronous=full")
            try:
                connection.execute("begin immediate")
                yield Transaction(connection)
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
