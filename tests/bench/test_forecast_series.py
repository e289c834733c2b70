"""Series of files, brought to hours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.forecast.series import hourly_of, longer_ones


def write(path: Path, *rows: str) -> None:
    """A file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_rows_become_means_of_hours(tmp_path: Path) -> None:
    """By their clock, whatever it is called; an hour without a row is not known."""
    write(
        tmp_path / "cpu.csv",
        "Timestamp,Used,host",
        "2026-01-05 00:00:00,1,a",
        "2026-01-05 00:30:00,3,a",
        "2026-01-05 02:10:00,5,b",
        "2026-01-05 03:00:00,,b",
    )
    ((name, values),) = hourly_of(tmp_path)
    assert name == "cpu used"
    assert values == pytest.approx([2, np.nan, 5, np.nan], nan_ok=True)


def test_a_clock_may_be_a_number(tmp_path: Path) -> None:
    """Seconds since 1970."""
    write(tmp_path / "a.csv", "ds,value", "7200,1", "7260.5,2", "10800,4")
    assert [values.tolist() for _, values in hourly_of(tmp_path)] == [[1.5, 4.0]]


@pytest.mark.parametrize(
    ("name", "expected"), [("a_900s.csv", [2.5, 5.0]), ("a.csv", [1, 2, 3, 4, 5])]
)
def test_without_a_clock_the_name_says_how_far_apart_rows_are(
    tmp_path: Path, name: str, expected: list[float]
) -> None:
    """An hour, where it does not."""
    write(tmp_path / name, "value", "1", "2", "3", "4", "5")
    assert [values.tolist() for _, values in hourly_of(tmp_path)] == [expected]


def test_each_column_of_each_file_is_a_series(tmp_path: Path) -> None:
    """Folders below, too, in one order; texts are none."""
    write(tmp_path / "b.csv", "time,one,two,word", "0,1,2,x", "3600,3,4,y")
    write(tmp_path / "a" / "deep.csv", "time,one", "0,5")
    found = {name: values.tolist() for name, values in hourly_of(tmp_path)}
    assert found == {"deep one": [5.0], "b one": [1.0, 3.0], "b two": [2.0, 4.0]}


def test_of_the_published_ones_the_long_and_real_are_taken(tmp_path: Path) -> None:
    """Not those that were made up."""
    for name, hours in (("real/long", 48), ("real/short", 47), ("artificialNoAnomaly/long", 48)):
        rows = [f"{3600 * hour},{hour}" for hour in range(hours)]
        write(tmp_path / "data" / f"{name}.csv", "timestamp,value", *rows)
    assert [(name, len(values)) for name, values in longer_ones(tmp_path, 2)] == [
        ("long value", 48)
    ]
