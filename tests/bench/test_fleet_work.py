"""Simulated fleets of the bench: what they are, and that one worker is ended, once."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import numpy as np
import pytest

from bench.forecast.fleet_work import (
    AHEAD,
    DAILY,
    HOURS,
    T0,
    Deadly,
    Seen,
    daily,
    daily_history,
    hourly,
    names,
    task,
    write_fleet,
)
from bench.forecast.worlds import WORLDS
from models.forecast.history import DAY_S, History
from pipelines.flows.fleet_jobs import Forecasting
from pipelines.flows.fleet_kept import Came
from pipelines.history.parquet import ParquetHistory
from pipelines.history.port import Span

SPAN = Span(start_s=T0, step_s=3600, steps=HOURS)


def history(name: str) -> History:
    """A series as the work gets it."""
    return History(values=hourly(name), start_ms=1000 * T0)


class Quick(Forecasting):
    """Says how many hours were known: a forecast takes longer than what is looked at here."""

    def __call__(self, history: History) -> bytes:
        """In place of a forecast."""
        return str(len(history.values)).encode()


def deadly(folder: Path, at: int) -> Deadly:
    """Marks in a folder, and ends its process at the series so numbered."""
    folder.mkdir()
    return Deadly(folder, at=at, work=Quick(ahead=AHEAD))


def each(work: Deadly, series: list[str]) -> None:
    """As a worker does a chunk."""
    for name in series:
        work(history(name))


def elsewhere(work: Deadly, series: list[str]) -> int | None:
    """In a process of its own; its exit code."""
    worker = multiprocessing.get_context("spawn").Process(target=each, args=(work, series))
    worker.start()
    worker.join()
    return worker.exitcode


def test_a_fleet_has_all_kinds_in_turn_and_names_are_told_apart() -> None:
    """A fleet twice as large begins with the same series."""
    few, many = names(len(WORLDS)), names(3 * len(WORLDS))
    assert {name.split("-", 1)[1] for name in few} == set(WORLDS)
    assert many[: len(few)] == few
    assert len(set(many)) == len(many)
    assert many == sorted(many)


def test_a_series_is_the_same_whenever_it_is_made() -> None:
    """Both sides of a comparison get it, and another run, too; another number is another series."""
    one, like, other = (hourly(f"{number:05d}-{next(iter(WORLDS))}") for number in (3, 3, 4))
    assert len(one) == HOURS
    assert np.array_equal(one, like, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)


def test_days_are_known_up_to_the_horizon() -> None:
    """What is to be forecast is not given."""
    values = daily(names(1)[0])
    known = daily_history(values)
    assert len(values) == sum(DAILY)
    assert known.step_s == DAY_S
    assert np.array_equal(known.values, values[: DAILY[0]], equal_nan=True)


def test_a_page_of_the_task_is_what_was_asked_for() -> None:
    """In its order, with the values of each."""
    series = names(6)
    wanted = task(Quick(ahead=AHEAD), series, "w")
    page = wanted.load([series[4], series[1]])
    assert [one.series for one in page] == [series[4], series[1]]
    assert isinstance(page[0].value, History)
    assert np.array_equal(page[0].value.values, hourly(series[4]), equal_nan=True)
    assert wanted.work(page[0].value) == str(HOURS).encode()


@pytest.mark.slow
def test_one_worker_is_ended_once_and_what_is_begun_again_is_counted(tmp_path: Path) -> None:
    """By whichever process it is begun again: marks are called by the values."""
    work, series = deadly(tmp_path / "marks", at=3), names(6)
    assert elsewhere(work, series[:4]) == -signal.SIGKILL
    assert work.again() == 0
    assert elsewhere(work, series[:4]) == 0
    assert work.again() == 3
    each(work, series[4:])
    assert work.again() == 3
    assert len([mark for mark in work.folder.iterdir() if mark.name != "died"]) == 6


def test_sizes_of_batches_are_seen_and_their_results_kept(tmp_path: Path) -> None:
    """As they would be without looking."""
    kept = Seen(tmp_path / "fleet.db")
    kept.save("w", (Came(name, b"x") for name in ("a", "b")))
    kept.save("w", [Came("c", b"y")])
    assert kept.sizes == [2, 1]
    assert list(kept.results("w", ["a", "b", "c"])) == [("a", b"x"), ("b", b"x"), ("c", b"y")]
    kept.close()


def test_a_fleet_in_a_file_is_what_is_read_of_it(tmp_path: Path) -> None:
    """All hours of all series, over more than one row group."""
    series = names(5)
    write_fleet(tmp_path / "fleet.parquet", series, at_once=2)
    source = ParquetHistory(tmp_path / "fleet.parquet")
    found = source.series(SPAN)
    assert [dict(one.labels)["service"] for one in found] == series
    for name, row in zip(series, source.read(found, SPAN), strict=True):
        assert np.array_equal(row, hourly(name), equal_nan=True)
