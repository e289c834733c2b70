"""What the stores need of a database: looks, transactions, and errors as they tell them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

import sqlalchemy as sa

from pipelines.stores.statements import Statement

__all__ = ["Connections", "Cursor", "Many", "Row", "Transaction", "Values"]

Row: TypeAlias = tuple[Any, ...]
Values: TypeAlias = Mapping[str, object]
Many: TypeAlias = Callable[[Statement, Iterable[Values]], object]


class Cursor(Protocol):
    """What is used of a driver's cursor."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        ...

    def fetchall(self) -> list[Row]:
        """All rows that were found."""
        ...


class Transaction:
    """What a transaction, or one look, can do; statements are run by the driver itself."""

    def __init__(
        self,
        execute: Callable[[Statement, Values], Cursor],
        many: Many,
        alone: Callable[[str], object],
    ) -> None:
        self._execute, self._many, self._alone = execute, many, alone

    def run(self, statement: Statement, values: Values | None = None) -> int:
        """Execute; the number of rows that it changed."""
        return self._execute(statement, statement.with_fixed(values or {})).rowcount

    def run_many(self, statement: Statement, rows: Iterable[Values]) -> None:
        """Execute once for each of some rows, which costs less than one by one."""
        self._many(statement, (statement.with_fixed(row) for row in rows))

    def first(self, statement: Statement, asked: Values) -> Row | None:
        """The only row that a statement finds, None without any."""
        rows = self.rows(statement, asked)
        return rows[0] if rows else None

    def rows(self, statement: Statement, asked: Values) -> list[Row]:
        """All rows that a statement finds."""
        return self._execute(statement, statement.with_fixed(asked)).fetchall()

    def alone(self, name: str) -> None:
        """Wait until no other transaction holds this name; it is held until the end of this one.

        For what is looked up before it is written, where no unique key would tell of a race.
        """
        self._alone(name)


class Connections(Protocol):
    """One database, made or migrated; every method raises `StoreError` where it fails."""

    def read(self) -> AbstractContextManager[Transaction]:
        """Looks, each at what is written by then."""
        ...

    def write(self, *, durable: bool = False) -> AbstractContextManager[Transaction]:
        """All or nothing; `durable` returns only when it is on the disk."""
        ...

    def built(self) -> AbstractContextManager[sa.Connection]:
        """A connection for queries that are built at run time, or seldom: it costs more."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
