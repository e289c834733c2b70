"""Connections to a PostgreSQL server: bounded in number and time, made again when they break."""

from __future__ import annotations

import select
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError

from detector.errors import ConfigError, StoreError
from pipelines.stores.connections import Cursor, Transaction, Values
from pipelines.stores.migrate import migrate
from pipelines.stores.statements import Statement

__all__ = ["PostgresServer", "postgres_url", "shown_url"]

# Threads that ask at once keep theirs; a few more for pages and deliveries.
_KEPT, _MORE = 8, 8
_WAIT_S = 3.0
# What is not answered by then is broken off; a question may take 9.5 s in all.
_ANSWER_MS = 6000
_CONNECT: dict[str, object] = {
    "connect_timeout": 3,
    "application_name": "serinus",
    # A network that swallows packets would hold a thread for minutes.
    "tcp_user_timeout": _ANSWER_MS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_SETTINGS = (
    f"set statement_timeout = {_ANSWER_MS}; set lock_timeout = {_ANSWER_MS};"
    " set idle_in_transaction_session_timeout = 30000"
)
_SCHEMES = ("postgresql", "postgres")
_BEGIN = "begin isolation level read committed"
# What a power cut may take back: the last fraction of a second, whole transactions only.
_BEGIN_LIGHT = f"{_BEGIN}; set local synchronous_commit = off"
_ALONE = "select pg_advisory_xact_lock(hashtextextended(%(name)s, 0))"
_MIGRATING = "select pg_advisory_xact_lock(hashtextextended('serinus migration', 0))"


def postgres_url(text: str) -> sa.URL:
    """The address of a database; `ConfigError` for what is none."""
    try:
        url = sa.make_url(text)
    except ArgumentError as error:
        raise ConfigError("store: is no address such as postgresql://user@host/name") from error
    if url.get_backend_name() not in _SCHEMES:
        raise ConfigError(
            f"store: {url.drivername!r} is unknown; give postgresql://user@host/name, or leave it"
            " out for the SQLite file in `data`"
        )
    return url.set(drivername="postgresql+psycopg")


def shown_url(text: str) -> str:
    """The same without its password, for people."""
    address = postgres_url(text).set(drivername="postgresql")
    # A password may also come as a parameter.
    return address.difference_update_query(["password"]).render_as_string(hide_password=True)


class PostgresServer:
    """`Connections` to one database of a server, migrated."""

    def __init__(self, url: str) -> None:
        address = postgres_url(url)
        self.where = shown_url(url)
        given = {name: v for name, v in _CONNECT.items() if name not in address.query}
        self.engine = sa.create_engine(
            address,
            isolation_level="AUTOCOMMIT",
            connect_args=given,
            pool_size=_KEPT,
            max_overflow=_MORE,
            pool_timeout=_WAIT_S,
        )
        sa.event.listen(self.engine, "connect", _configure)
        sa.event.listen(self.engine, "checkout", _look)
        with self.built() as connection:
            whole = connection.execution_options(isolation_level="READ COMMITTED")
            # One of several that start at once; the others find it done.
            whole.exec_driver_sql("set local statement_timeout = 0; set local lock_timeout = 0")
            whole.exec_driver_sql(_MIGRATING)
            migrate(whole)
            whole.commit()

    @contextmanager
    def built(self) -> Iterator[sa.Connection]:
        """A connection for queries that are built at run time."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._failed(getattr(error, "orig", None) or error) from error

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Looks, each at what is written by then."""
        with self._lent() as connection:
            yield _transaction(connection)

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Transaction]:
        """All or nothing; without `durable` a power cut may undo it."""
        with self._lent() as connection:
            connection.execute(_BEGIN if durable else _BEGIN_LIGHT)
            try:
                yield _transaction(connection)
                connection.execute("commit")
            except BaseException:
                _roll_back(connection)
                raise

    @contextmanager
    def _lent(self) -> Iterator[psycopg.Connection]:
        """A connection that nobody else uses; one that broke is not used again."""
        try:
            held = self.engine.raw_connection()
            connection = cast(psycopg.Connection, held.driver_connection)
            try:
                yield connection
            finally:
                if connection.broken or connection.closed:
                    held.invalidate()
                held.close()
        except (psycopg.Error, SQLAlchemyError) as error:
            raise self._failed(getattr(error, "orig", None) or error) from error

    def _failed(self, cause: BaseException) -> StoreError:
        return StoreError(f"the store {self.where} failed: {' '.join(str(cause).split())}")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _transaction(connection: psycopg.Connection) -> Transaction:
    def execute(statement: Statement, values: Values) -> Cursor:
        return connection.execute(statement.postgres, values, binary=True)

    def many(statement: Statement, rows: Iterable[Values]) -> None:
        with connection.cursor(binary=True) as cursor:
            cursor.executemany(statement.postgres, rows)

    return Transaction(execute, many, lambda name: connection.execute(_ALONE, {"name": name}))


def _roll_back(connection: psycopg.Connection) -> None:
    """What cannot be undone any more is closed: the server undoes it then."""
    try:
        connection.execute("rollback")
    except psycopg.Error:
        connection.close()


def _configure(connection: Any, record: object) -> None:  # noqa: ANN401 - a DBAPI one
    del record
    connection.execute(_SETTINGS)


def _look(connection: Any, record: object, proxy: object) -> None:  # noqa: ANN401 - a DBAPI one
    """An idle connection that has something to say was closed by the server: take another.

    It costs no round trip, as a question to the server would.
    """
    del record, proxy
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if connection.closed or poll.poll(0):
        raise DisconnectionError("the server closed it")
