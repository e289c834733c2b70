"""Series of files, brought to hours: what is measured in a folder, and NAB's longer ones."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["hourly_of", "longer_ones"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HOUR_S = 3600
_STEP = re.compile(r"_(\d+)s$")
_CLOCKS = ("timestamp", "time", "date", "ds")


def hourly_of(folder: Path) -> Iterator[tuple[str, Floats]]:
    """Each numeric column of each CSV file below, as means of its hours, NaN where none is.

    Rows have a clock in a column called `timestamp`, or are as many seconds apart as the end of the
    file's name says (`_300s`), or an hour.
    """
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        head, body = [name.strip().lower() for name in rows[0]], rows[1:]
        clock = next((head.index(name) for name in _CLOCKS if name in head), None)
        seconds = _seconds(path, body, clock)
        for place, name in enumerate(head):
            if place != clock and (values := _numbers(body, place)) is not None:
                yield f"{path.stem} {name}", _hours(seconds, values)


def longer_ones(nab: Path, days: int) -> Iterator[tuple[str, Floats]]:
    """Those of NAB's files that have so many days, without the artificial ones."""
    for folder in sorted((nab / "data").iterdir()):
        if not folder.name.startswith("artificial"):
            yield from ((n, v) for n, v in hourly_of(folder) if len(v) >= 24 * days)


def _seconds(path: Path, body: list[list[str]], clock: int | None) -> Ints:
    if clock is None:
        named = _STEP.search(path.stem)
        return np.arange(len(body)) * (int(named[1]) if named else HOUR_S)
    return np.array([_second(row[clock]) for row in body])


def _second(text: str) -> int:
    if text.replace(".", "", 1).isdigit():
        return int(float(text))
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _numbers(body: list[list[str]], place: int) -> Floats | None:
    try:
        return np.array([float(row[place]) if row[place].strip() else np.nan for row in body])
    except (ValueError, IndexError):
        return None


def _hours(seconds: Ints, values: Floats) -> Floats:
    """Means by hour, of whole hours alone at the end."""
    known = np.isfinite(values)
    hour = (seconds - seconds[0]) // HOUR_S
    count = np.bincount(hour[known], minlength=int(hour[-1]) + 1)
    total = np.bincount(hour[known], weights=values[known], minlength=len(count))
    means: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means
