"""Fleets of simulated series, and work that ends its worker once, for the bench of the fleet."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.forecast.worlds import WORLDS, simulated
from models.forecast.history import DAY_S, History
from pipelines.flows.fleet import Given, Task
from pipelines.flows.fleet_jobs import Forecasting
from pipelines.flows.fleet_kept import Came, Kept

__all__ = ["DAILY", "Deadly", "Seen", "daily", "hourly", "names", "task", "write_fleet"]

Floats = NDArray[np.float64]
HOURS, AHEAD = 8 * 7 * 24, 14 * 24
T0 = 1_767_225_600
# Days of history, and of the horizon.
DAILY = (365, 90)


def names(count: int) -> list[str]:
    """Series by name; the kind of world is in it."""
    kinds = list(WORLDS)
    return [f"{number:05d}-{kinds[number % len(kinds)]}" for number in range(count)]


def hourly(name: str) -> Floats:
    """Eight weeks of it."""
    number, kind = name.split("-")
    return simulated(kind, HOURS, np.random.default_rng(int(number)))


def daily(name: str) -> Floats:
    """A year and the horizon of it, as means of days."""
    number, kind = name.split("-")
    draw = np.random.default_rng(1_000_000 + int(number))
    means: Floats = simulated(kind, 24 * sum(DAILY), draw).reshape(-1, 24).mean(axis=1)
    return means


def daily_history(values: Floats) -> History:
    """What is known of days before the horizon."""
    return History(values=values[: DAILY[0]], start_ms=1000 * T0, step_s=DAY_S)


def task(work: Forecasting | Deadly, series: Sequence[str], name: str) -> Task[History]:
    """A forecast of two weeks of each. They are made now, so that what is timed is not that."""
    made = {one: Given(one, History(values=hourly(one), start_ms=1000 * T0)) for one in series}

    def load(page: Sequence[str]) -> list[Given[History]]:
        return [made[one] for one in page]

    return Task(name=name, series=series, load=load, work=work)


@dataclass(frozen=True, slots=True)
class Deadly:
    """Forecasts, and marks in a folder what it began; the one numbered so ends its worker once."""

    folder: Path
    at: int
    work: Forecasting = field(default_factory=lambda: Forecasting(ahead=AHEAD))

    def __call__(self, history: History) -> bytes:
        """As the work does."""
        # Not `hash`: another process has another one.
        mark = self.folder / blake2b(history.values.tobytes(), digest_size=16).hexdigest()
        with mark.open("a", encoding="ascii") as file:
            file.write("x")
        begun = len(list(self.folder.glob("*")))
        if begun >= self.at and not (self.folder / "died").exists():
            (self.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.work(history)

    def again(self) -> int:
        """How many series were begun more than once."""
        marks = [mark for mark in self.folder.iterdir() if mark.name != "died"]
        return sum(mark.stat().st_size > 1 for mark in marks)


class Seen(Kept):
    """Keeps results, and how large the chunks were that came."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.sizes: list[int] = []

    def save(self, work: str, batch: Iterable[Came]) -> None:
        """As `Kept`."""
        some = tuple(batch)
        self.sizes.append(len(some))
        super().save(work, some)


def write_fleet(path: Path, series: Sequence[str], at_once: int = 100) -> None:
    """Their eight weeks as Parquet, sorted by series."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    times = (T0 + 3600 * np.arange(HOURS)) * 1000
    writer = None
    for begin in range(0, len(series), at_once):
        some = series[begin : begin + at_once]
        rows = np.repeat(np.arange(len(some)), HOURS).astype(np.int32)
        columns = {
            "service": pa.DictionaryArray.from_arrays(rows, list(some)),
            "timestamp": pa.array(np.tile(times, len(some)), pa.timestamp("ms", "UTC")),
            "value": np.concatenate([hourly(name) for name in some]),
        }
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()
