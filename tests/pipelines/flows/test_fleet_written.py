"""Files for other programs: whole or not there, in order, and readable by what they are for."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from detector.errors import ConfigError, StoreError
from models.forecast.history import History
from pipelines.flows.fleet_jobs import Backtesting, Forecasting, forecasted_of
from pipelines.flows.fleet_written import (
    backtest_columns,
    backtest_told,
    forecast_columns,
    forecast_told,
    whole,
    write_lines,
    write_parquet,
)
from pipelines.history.port import SeriesId

SHOP, PAY = SeriesId.of({"service": "shop", "az": "a"}), SeriesId.of({"service": "pay"})
HISTORY = History(
    values=50 + 10 * np.sin(2 * np.pi * np.arange(6 * 168) / 24), start_ms=1_767_225_600_000
)
FORECAST, BACKTEST = Forecasting(ahead=30)(HISTORY), Backtesting(ahead=24, origins=2)(HISTORY)


def test_a_forecast_is_a_line_for_programs() -> None:
    """With its labels, when it begins, and each quantile by its name."""
    file = io.BytesIO()
    assert write_lines(file, [(SHOP, FORECAST), (PAY, FORECAST)], forecast_told) == 2
    first, second = map(json.loads, file.getvalue().splitlines())
    kept = forecasted_of(FORECAST)
    assert first["series"] == '{az="a",service="shop"}'
    assert first["labels"] == {"az": "a", "service": "shop"}
    assert first["start"] == "2026-02-12T00:00:00Z"
    assert first["step_s"] == 3600
    assert first["point"] == kept.point.tolist()
    assert list(first["quantiles"]) == ["0.05", "0.1", "0.5", "0.9", "0.95"]
    assert first["quantiles"]["0.9"] == kept.quantiles[0.9].tolist()
    assert second["labels"] == {"service": "pay"}


def test_a_backtest_is_a_line_for_programs() -> None:
    """Each origin with its moment, and the mean of them."""
    file = io.BytesIO()
    write_lines(file, [(SHOP, BACKTEST)], backtest_told)
    told = json.loads(file.getvalue())
    assert [one["at"] for one in told["origins"]] == [
        "2026-02-04T00:00:00Z",
        "2026-02-11T00:00:00Z",
    ]
    assert told["mean"]["covered"] == np.mean([one["covered"] for one in told["origins"]])


def test_what_it_rests_on_is_told_in_both(tmp_path: Path) -> None:
    """Whoever reads the file alone knows which forecasts are rough."""
    young = Forecasting(ahead=30)(replace(HISTORY, values=HISTORY.values[:336]))
    (sentence,) = forecasted_of(young).assumptions
    assert forecast_told(SHOP, young)["assumptions"] == [sentence]
    path = tmp_path / "out.parquet"
    write_parquet(path, [(SHOP, young), (PAY, FORECAST)], forecast_columns)
    rows = pq.read_table(path, columns=["assumptions"])["assumptions"].to_pylist()
    assert rows == [sentence] * 30 + [""] * 30
    assert sentence == "There are 14 days of history only, so the intervals are rough."


def test_what_is_no_number_is_null() -> None:
    """JSON has no NaN: parsers of others would refuse the file."""
    form = msgspec.msgpack.decode(FORECAST) | {"mase": float("nan")}
    assert forecast_told(SHOP, msgspec.msgpack.encode(form))["mase"] is None


def test_a_forecast_is_rows_of_parquet(tmp_path: Path) -> None:
    """A row a step, with times that every reader knows as such."""
    path = tmp_path / "out.parquet"
    assert write_parquet(path, [(SHOP, FORECAST), (PAY, FORECAST)], forecast_columns) == 2
    table = pq.read_table(path)
    assert table.num_rows == 60
    assert str(table.schema.field("timestamp").type) == "timestamp[ms, tz=UTC]"
    row = table.slice(30, 1).to_pylist()[0]
    assert row["series"] == '{service="pay"}'
    assert dict(row["labels"]) == {"service": "pay"}
    assert row["timestamp"].isoformat() == "2026-02-12T00:00:00+00:00"
    assert row["p90"] == forecasted_of(FORECAST).quantiles[0.9][0]
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_a_backtest_is_rows_of_parquet(tmp_path: Path) -> None:
    """A row an origin."""
    write_parquet(tmp_path / "out.parquet", [(SHOP, BACKTEST)], backtest_columns)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 2
    assert {"series", "timestamp", "mase", "covered"} <= set(table.schema.names)


def test_many_series_are_written_in_parts(tmp_path: Path) -> None:
    """A row group at a time: results are never all in memory."""
    results = ((SeriesId.of({"pod": f"p{number}"}), BACKTEST) for number in range(300))
    assert write_parquet(tmp_path / "out.parquet", results, backtest_columns) == 300
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 3


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    """What was there before stays until then; nothing is left of a try."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), whole(path) as unfinished:
        unfinished.write_bytes(b"half"[: 1 // len(path.suffixes[1:])])
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the name of the file."""
    path = tmp_path / "none" / "out.parquet"
    with pytest.raises(StoreError, match=r"out\.parquet cannot be written"):
        write_parquet(path, [(SHOP, FORECAST)], forecast_columns)


def test_without_the_library_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is written."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"serinus\[parquet\]"):
        write_parquet(tmp_path / "out.parquet", [(SHOP, FORECAST)], forecast_columns)
