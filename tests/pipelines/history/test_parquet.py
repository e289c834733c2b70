"""History from Parquet files as people have them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.errors import ConfigError, InputError, SourceError
from pipelines.history import parquet
from pipelines.history.parquet import ParquetHistory
from pipelines.history.port import Span
from tests.pipelines.history.pasts import T0

SPAN = Span(start_s=T0, step_s=3600, steps=24)
HOURS = T0 + 3600 * np.arange(24)
UTC_MS = pa.timestamp("ms", "UTC")


def written(path: Path, rows: int = 1_000, **columns: object) -> Path:
    """A file with these columns."""
    pq.write_table(pa.table(columns), path, row_group_size=rows)
    return path


def stamps(kind: pa.DataType, times: Sequence[int] | np.ndarray = HOURS) -> pa.Array:
    """Whole seconds as timestamps of a kind."""
    per_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[kind.unit]
    return pa.array(np.asarray(times) * per_second, kind)


def read(path: Path, zone: str = "") -> dict[str, list[float]]:
    """What files give, by the name of the series."""
    source = ParquetHistory(path, zone=zone)
    found = source.series(SPAN)
    values = source.read(found, SPAN)
    return {one.name: row.tolist() for one, row in zip(found, values, strict=True)}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_timestamps_of_every_kind_are_read(tmp_path: Path, unit: str, zone: str | None) -> None:
    """A moment is a moment, in whatever unit and zone it is written."""
    kind = pa.timestamp(unit, zone)
    file = written(tmp_path / "a.parquet", pod=["a"] * 24, timestamp=stamps(kind), value=range(24))
    assert read(file) == {'{pod="a"}': [float(hour) for hour in range(24)]}


def test_times_without_a_zone_are_of_the_zone_that_is_named(tmp_path: Path) -> None:
    """In Berlin the new year began an hour before it did in Greenwich."""
    times = stamps(pa.timestamp("ms"))
    file = written(tmp_path / "a.parquet", pod=["a"] * 24, timestamp=times, value=range(24))
    told = read(file, "Europe/Berlin")['{pod="a"}']
    assert told[:2] == [1.0, 2.0]
    assert np.isnan(told[-1])


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_labels_are_text_of_any_kind(tmp_path: Path, kind: pa.DataType) -> None:
    """A null, and an empty text, is no label."""
    pods = pa.array(["a", "b", None, ""] * 6).cast(kind)
    zones = pa.array(["x"] * 24)
    times = stamps(UTC_MS)
    told = read(
        written(tmp_path / "a.parquet", pod=pods, zone=zones, timestamp=times, value=range(24))
    )
    assert sorted(told) == ['{pod="a",zone="x"}', '{pod="b",zone="x"}', '{zone="x"}']
    assert np.flatnonzero(np.isfinite(told['{zone="x"}'])).tolist() == sorted(
        [*range(2, 24, 4), *range(3, 24, 4)]
    )


def test_a_folder_of_files_is_one_table(tmp_path: Path) -> None:
    """A file a day, each series in all of them."""
    for half in range(2):
        times, pods = stamps(UTC_MS, HOURS[half::2]), ["a"] * 12
        written(tmp_path / f"{half}.parquet", pod=pods, timestamp=times, value=[half] * 12)
    assert read(tmp_path) == {'{pod="a"}': [0.0, 1.0] * 12}


def test_nulls_are_missing(tmp_path: Path) -> None:
    """A row without a value is no zero."""
    values = pa.array([None, *range(1, 24)], pa.int32())
    file = written(tmp_path / "a.parquet", pod=["a"] * 24, timestamp=stamps(UTC_MS), value=values)
    assert np.isnan(read(file)['{pod="a"}'][0])


def test_more_samples_than_are_held_are_read_in_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same values, whatever the bound."""
    pods = [f"p{number}" for number in range(24) for _ in range(24)]
    times = np.tile(HOURS, 24)
    file = written(
        tmp_path / "a.parquet", rows=50, pod=pods, timestamp=stamps(UTC_MS, times), value=range(576)
    )
    whole = read(file)
    held: list[int] = []
    samples = ParquetHistory._samples

    def counted(self: ParquetHistory, *given: object) -> object:
        found = samples(self, *given)  # type: ignore[arg-type]
        held.append(len(found[1]))
        return found

    monkeypatch.setattr(parquet, "_MOST", 100)
    monkeypatch.setattr(ParquetHistory, "_samples", counted)
    assert read(file) == whole
    assert max(held) <= 100
    assert sum(held) == 576


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"pod": ["a"], "value": [1.0]}, "needs a column 'timestamp'"),
        ({"pod": ["a"], "timestamp": [17], "value": [1.0]}, "that is a timestamp"),
        ({"pod": ["a"], "timestamp": stamps(UTC_MS, [T0]), "value": ["x"]}, "that is a number"),
        ({"pod": [3], "timestamp": stamps(UTC_MS, [T0]), "value": [1.0]}, "'pod' is int64"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, columns: dict[str, object], words: str) -> None:
    """With the column that is wrong, before anything is read."""
    with pytest.raises(InputError, match=words) as caught:
        ParquetHistory(written(tmp_path / "a.parquet", **columns))  # type: ignore[arg-type]
    assert caught.value.field == "path"


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    """Nor is a file that is not there."""
    (tmp_path / "a.parquet").write_bytes(b"time,value\n1,2\n")
    for path in (tmp_path / "a.parquet", tmp_path / "none.parquet"):
        with pytest.raises(InputError, match="is no Parquet"):
            ParquetHistory(path)


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    """It broke while it was copied: an error of the source, not a shorter history."""
    values = np.random.default_rng(1).random(24)
    file = written(tmp_path / "a.parquet", pod=["a"] * 24, timestamp=stamps(UTC_MS), value=values)
    source = ParquetHistory(file)
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(SourceError, match="cannot be read"):
        source.read(source.series(SPAN), SPAN)


def test_without_the_library_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"serinus\[parquet\]"):
        ParquetHistory(tmp_path)
