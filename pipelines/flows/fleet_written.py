"""What came of a fleet, written for other programs: lines of JSON, or Parquet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeAlias

import msgspec
import numpy as np

from detector.errors import ConfigError, StoreError
from pipelines.flows.fleet_jobs import backtested_of, forecasted_of
from pipelines.history.port import SeriesId

__all__ = [
    "Columns",
    "Results",
    "Told",
    "backtest_columns",
    "backtest_told",
    "forecast_columns",
    "forecast_told",
    "write_lines",
    "write_parquet",
]

Results: TypeAlias = Iterable[tuple[SeriesId, bytes]]
Told: TypeAlias = Callable[[SeriesId, bytes], dict[str, Any]]
Columns: TypeAlias = Callable[[SeriesId, bytes], dict[str, Any]]
# Series that are written at once: a row group of Parquet.
_AT_ONCE = 128


def forecast_told(series: SeriesId, kept: bytes) -> dict[str, Any]:
    """A forecast for programs; what is not a number is null."""
    told = forecasted_of(kept)
    return _headed(series) | {
        "start": _moment(told.start_ms),
        "step_s": told.step_s,
        "point": _numbers(told.point),
        "quantiles": {f"{level:g}": _numbers(v) for level, v in told.quantiles.items()},
        "mase": _number(told.mase),
        "weights": told.weights,
        "shifts": {str(at): by for at, by in told.shifts.items()},
        "assumptions": list(told.assumptions),
    }


def backtest_told(series: SeriesId, kept: bytes) -> dict[str, Any]:
    """How good forecasts of a series were, for programs."""
    told = backtested_of(kept)
    figures = ("mase", "smape", "covered", "interval_score", "bias")
    return _headed(series) | {
        "coverage": told.coverage,
        "mean": {figure: _number(told.mean(figure)) for figure in figures},
        "origins": [_origin(asdict(one)) for one in told.origins],
    }


def forecast_columns(series: SeriesId, kept: bytes) -> dict[str, Any]:
    """A forecast as columns, a row a step."""
    told = forecasted_of(kept)
    steps = told.start_ms + 1000 * told.step_s * np.arange(len(told.point), dtype=np.int64)
    levels = {f"p{100 * level:g}": values for level, values in told.quantiles.items()}
    shared = {"assumptions": [" ".join(told.assumptions)] * len(steps)}
    own = {"timestamp": steps, "point": told.point} | levels
    return _repeated(series, len(steps)) | own | shared


def backtest_columns(series: SeriesId, kept: bytes) -> dict[str, Any]:
    """How good forecasts of a series were as columns, a row an origin."""
    rows = [asdict(one) for one in backtested_of(kept).origins]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return _repeated(series, len(rows)) | {"timestamp": columns.pop("at_ms")} | columns


def write_lines(file: IO[bytes], results: Results, told: Told) -> int:
    """A line of JSON for each series; how many."""
    count = 0
    for series, kept in results:
        file.write(msgspec.json.encode(told(series, kept)) + b"\n")
        count += 1
    return count


def write_parquet(path: Path, results: Results, columns: Columns) -> int:
    """A file with the rows of all series, there when it is whole; how many series.

    `ConfigError` where pyarrow is not installed, `StoreError` where nothing can be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ConfigError(
            "writing Parquet needs pyarrow: pip install 'serinus[parquet]'"
        ) from error
    rest, count, writer = iter(results), 0, None
    with whole(path) as unfinished:
        while some := list(islice(rest, _AT_ONCE)):
            tables = [_table(columns(series, kept), pa) for series, kept in some]
            table = pa.concat_tables(tables)
            writer = writer or pq.ParquetWriter(unfinished, table.schema, compression="zstd")
            writer.write_table(table)
            count += len(some)
        if writer is None:
            unfinished.touch()
        else:
            writer.close()
    return count


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file beside the one that is meant, which takes its place in the end, or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _table(columns: Mapping[str, Any], arrow: Any) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """The columns with the types that readers find them by."""
    kinds = {
        "series": arrow.dictionary(arrow.int32(), arrow.string()),
        "labels": arrow.map_(arrow.string(), arrow.string()),
        "timestamp": arrow.timestamp("ms", "UTC"),
        "assumptions": arrow.dictionary(arrow.int32(), arrow.string()),
    }
    return arrow.table(
        {name: arrow.array(values, kinds.get(name)) for name, values in columns.items()}
    )


def _origin(row: dict[str, float]) -> dict[str, Any]:
    at = _moment(int(row.pop("at_ms")))
    return {"at": at} | {name: _number(value) for name, value in row.items()}


def _headed(series: SeriesId) -> dict[str, Any]:
    return {"series": series.name, "labels": dict(series.labels)}


def _repeated(series: SeriesId, rows: int) -> dict[str, Any]:
    return {"series": [series.name] * rows, "labels": [list(series.labels)] * rows}


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [_number(float(value)) for value in values]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
