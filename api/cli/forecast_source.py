"""The history source that `serinus forecast` was told of, opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, assert_never

from api.cli.forecast_words import Origin
from api.cli.serving import settings_of
from detector.errors import InputError
from models.stat import Stat
from pipelines.history.port import HistorySource

__all__ = ["FLEET", "From", "opened"]

# What is asked of a Prometheus where nobody said more.
FLEET = (
    'sum by (namespace, container) (rate(container_cpu_usage_seconds_total{container!="",'
    'container!="POD"}[$step]))'
)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """Where history comes from, as it was typed."""

    origin: Origin
    query: str | None
    sql: Path | None
    database: str | None
    path: Path | None
    stat: Stat
    zone: str


def opened(
    told: From, *, config: Path | None, prometheus: str | None
) -> tuple[HistorySource, tuple[str, ...]]:
    """The source, and words that tell it and what is asked of it from all others."""
    match told.origin:
        case Origin.PROMETHEUS:
            return _prometheus(told, config, prometheus)
        case Origin.POSTGRES:
            return _postgres(told)
        case Origin.PARQUET:
            return _parquet(told)
    assert_never(told.origin)


def _prometheus(
    told: From, config: Path | None, prometheus: str | None
) -> tuple[HistorySource, tuple[str, ...]]:
    from pipelines.history.prometheus import PrometheusHistory

    settings = settings_of(config, prometheus, {}).source.native()
    query = told.query or FLEET
    who = (settings.url, settings.auth.tenant or "")
    return PrometheusHistory(settings, query, told.stat), (*who, query, told.stat)


def _postgres(told: From) -> tuple[HistorySource, tuple[str, ...]]:
    from pipelines.history.postgres import PostgresHistory

    url = _needed(told.database, "database", "postgresql://user@host/name")
    file = _needed(told.sql, "sql", "a file with a statement")
    try:
        statement = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise InputError(f"{file} cannot be read: {error}", field="sql") from error
    source = PostgresHistory(url, statement, told.stat, zone=told.zone)
    return source, (source.where, statement, told.stat, told.zone)


def _parquet(told: From) -> tuple[HistorySource, tuple[str, ...]]:
    from pipelines.history.parquet import ParquetHistory

    path = _needed(told.path, "path", "a file or a folder of Parquet")
    source = ParquetHistory(path, told.stat, zone=told.zone)
    # Other files are other history.
    files = [Path(name) for name in source.files]
    sizes = [f"{file}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in sorted(files)]
    return source, (*sizes, told.stat, told.zone)


def _needed(value: Value | None, name: str, what: str) -> Value:
    if value is None:
        raise InputError(f"is missing: {what}", field=name)
    return value
