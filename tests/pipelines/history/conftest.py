"""The history sources that the contract holds for, with the same past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.stat import Stat
from pipelines.history.memory import MemoryHistory
from pipelines.history.parquet import ParquetHistory
from pipelines.history.port import HistorySource
from pipelines.history.postgres import PostgresHistory
from pipelines.history.prometheus import PrometheusHistory
from pipelines.sources.settings import SourceSettings
from tests.pipelines.history.pasts import PAST, Sampled, make_months
from tests.servers import RunningPostgres, running_postgres, running_prometheus

Opened = Callable[[str, Stat], HistorySource]


def _of(metric: str) -> list[Sampled]:
    return [one for one in PAST if one.metric == metric]


def _memory(metric: str, stat: Stat) -> HistorySource:
    source = MemoryHistory(stat)
    for one in _of(metric):
        source.add({"pod": one.pod}, one.times, one.values)
    return source


def _parquet(metric: str, stat: Stat, *, folder: Path) -> HistorySource:
    """A file for each series, in row groups of a week or so."""
    path = folder / metric
    path.mkdir(exist_ok=True)
    for number, one in enumerate(_of(metric)):
        micros = pa.array((one.times * 1e6).astype("int64"), pa.timestamp("us", "UTC"))
        pods = pa.array([one.pod] * len(one.times)).dictionary_encode()
        table = pa.table({"pod": pods, "timestamp": micros, "value": one.values})
        pq.write_table(table, path / f"{number}.parquet", row_group_size=2_000)
    return ParquetHistory(path, stat)


def _postgres(metric: str, stat: Stat, *, url: str) -> HistorySource:
    statement = f"select pod, at as time, value from samples where metric = '{metric}' -- all"  # noqa: S608
    return PostgresHistory(url, statement, stat)


def _prometheus(metric: str, stat: Stat, *, url: str) -> HistorySource:
    return PrometheusHistory(SourceSettings(url=url), metric, stat)


def filled(server: RunningPostgres) -> str:
    """The past in a new database; its address."""
    url = server.database("history")
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("create table samples (metric text, pod text, at timestamptz, value float8)")
        with cursor.copy("copy samples from stdin") as copy:
            for one in PAST:
                for at, value in zip(one.times.tolist(), one.values.tolist(), strict=True):
                    copy.write_row((one.metric, one.pod, datetime.fromtimestamp(at, UTC), value))
    return url


@pytest.fixture(scope="session")
def postgres_past() -> Iterator[str]:
    """A real PostgreSQL with the past."""
    with running_postgres() as server:
        yield filled(server)


@pytest.fixture(scope="session")
def prometheus_past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus with three months of blocks."""
    folder = tmp_path_factory.mktemp("months")
    make_months(folder / "data")
    with running_prometheus("prometheus3", folder) as server:
        yield server.url


@pytest.fixture(scope="session")
def older_past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus of the version before."""
    folder = tmp_path_factory.mktemp("months2")
    make_months(folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


def _opener(request: pytest.FixtureRequest, folder: Path) -> Opened:
    match request.param:
        case "memory":
            return _memory
        case "parquet":
            return partial(_parquet, folder=folder)
        case "postgres":
            return partial(_postgres, url=request.getfixturevalue("postgres_past"))
        case fixture:
            return partial(_prometheus, url=request.getfixturevalue(fixture))


@pytest.fixture(
    params=[
        "memory",
        "parquet",
        *(
            pytest.param(name, marks=pytest.mark.real)
            for name in ("postgres", "prometheus_past", "older_past")
        ),
    ]
)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens a metric of the past in each source."""
    opener = _opener(request, tmp_path)
    with ExitStack() as stack:
        yield lambda metric, stat: stack.enter_context(closing(opener(metric, stat)))
