"""History from PostgreSQL: what a statement of the user gives, read and never written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from detector.errors import ConfigError, InputError, SourceError
from detector.series import FloatArray
from models.stat import Stat
from pipelines.history.memory import on_grid
from pipelines.history.port import SeriesId, Span

__all__ = ["PostgresHistory"]

_ROWS = 20_000
_CONNECT_S = 10
_TIME, _VALUE = "time", "value"


@dataclass(frozen=True, slots=True)
class _Row:
    """The parts of the statement that ask for rows of a span."""

    inner: sql.Composable
    labels: Sequence[str]

    @property
    def columns(self) -> list[sql.Composable]:
        """The labels, as text without nulls."""
        return [
            sql.SQL("coalesce(q.{}::text, '')").format(sql.Identifier(label))
            for label in self.labels
        ]

    def every(self) -> sql.Composed:
        """Each series that has a value in the span."""
        return sql.SQL("select distinct {} from {} where {}").format(
            sql.SQL(", ").join(self.columns), self.inner, _WITHIN
        )

    def some(self) -> sql.Composed:
        """The rows of series that come as one array of values a label, each series together."""
        arrays = sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(self.labels))
        names = [sql.Identifier(f"l{number}") for number in range(len(self.labels))]
        same = sql.SQL(" and ").join(
            sql.SQL("{} = w.{}").format(column, name)
            for column, name in zip(self.columns, names, strict=True)
        )
        return sql.SQL(
            "select w.row, extract(epoch from q.time::timestamptz)::float8, q.value::float8"
            " from {} join unnest({}) with ordinality as w({}, row) on {} where {}"
            " order by 1, 2"
        ).format(self.inner, arrays, sql.SQL(", ").join(names), same, _WITHIN)


_WITHIN = sql.SQL(
    "q.time::timestamptz >= to_timestamp(%s) and q.time::timestamptz < to_timestamp(%s)"
)


class PostgresHistory:
    """`HistorySource` over a statement with columns `time`, `value`, and others that name series.

    `time` is a timestamp, in `zone` where it has no zone of its own. The statement is wrapped as a
    subquery of a read-only transaction, and broken off after `timeout_s`.
    """

    def __init__(
        self,
        url: str,
        statement: str,
        stat: Stat = Stat.MEAN,
        *,
        zone: str = "",
        timeout_s: float = 300.0,
    ) -> None:
        self.where = _where(url)
        self._url, self._stat, self._zone, self._timeout_s = url, stat, zone or "UTC", timeout_s
        text = statement.strip().rstrip(";").replace("%", "%%")
        # A comment at the end of the statement must not swallow the bracket.
        self._inner = sql.SQL("(\n" + text + "\n) as q")
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """See `HistorySource`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def series(self, span: Span) -> Sequence[SeriesId]:
        """See `HistorySource`."""
        with self._transaction() as connection, connection.cursor("series") as cursor:
            cursor.itersize = _ROWS
            cursor.execute(self._row.every(), (span.start_s, span.end_s))
            labels = self._row.labels
            return sorted(SeriesId.of(dict(zip(labels, row, strict=True))) for row in cursor)

    def read(self, series: Sequence[SeriesId], span: Span) -> FloatArray:
        """See `HistorySource`."""
        told = np.full((len(series), span.steps), np.nan)
        wanted = [dict(one.labels) for one in series]
        arrays = [[one.get(label, "") for one in wanted] for label in self._row.labels]
        with self._transaction() as connection, connection.cursor("read") as cursor:
            cursor.itersize = _ROWS
            cursor.execute(self._row.some(), (*arrays, span.start_s, span.end_s))
            for row, samples in groupby(cursor, key=itemgetter(0)):
                pairs = [(at, value) for _, at, value in samples if value is not None]
                at_and_value = np.array(pairs, np.float64).reshape(-1, 2).T
                told[row - 1] = on_grid(at_and_value[0], at_and_value[1], span, self._stat)
        return told

    @cached_property
    def _row(self) -> _Row:
        """What the statement gives, asked once."""
        with self._transaction() as connection:
            nothing = sql.SQL("select * from {} limit 0").format(self._inner)
            told = connection.execute(nothing, ()).description or ()
        names = [column.name for column in told]
        if missing := {_TIME, _VALUE} - set(names):
            raise InputError(f"the statement has no column {sorted(missing)}", field="sql")
        labels = [name for name in names if name not in {_TIME, _VALUE}]
        if not labels or len(set(names)) < len(names):
            raise InputError(
                "the statement needs columns time, value and one or more that name the series,"
                " each name once",
                field="sql",
            )
        return _Row(self._inner, labels)

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection]:
        """A read-only one, with a bound on each statement."""
        with self._translated():
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._url,
                    connect_timeout=_CONNECT_S,
                    application_name="serinus",
                )
                self._connection.read_only = True
            with self._connection.transaction():
                self._set("statement_timeout", f"{round(self._timeout_s * 1000)}ms")
                self._set("timezone", self._zone)
                yield self._connection

    def _set(self, name: str, value: str) -> None:
        assert self._connection is not None
        self._connection.execute("select set_config(%s, %s, true)", (name, value))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.QueryCanceled as error:
            text = f"{self.where} did not answer within {self._timeout_s:g} s"
            raise SourceError(text) from error
        except psycopg.OperationalError as error:
            raise SourceError(f"{self.where} does not answer: {_said(error)}") from error
        except psycopg.Error as error:
            raise InputError(
                f"{self.where} refuses the statement: {_said(error)}", field="sql"
            ) from error


def _where(url: str) -> str:
    """The server in words, without a password."""
    try:
        told: dict[str, Any] = dict(conninfo_to_dict(url))
    except psycopg.Error:
        # What the library says may show a password.
        raise ConfigError("history: is no address such as postgresql://user@host/name") from None
    host, port = told.get("host", "localhost"), told.get("port", "5432")
    return f"PostgreSQL at {host}:{port}/{told.get('dbname', '')}"


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).splitlines()[0][:300]
