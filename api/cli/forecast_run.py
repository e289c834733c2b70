"""`serinus forecast`: a fleet forecast, or its past ones held against what came."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.cli.fleet_run import kept_in, with_bar
from api.cli.forecast_source import From, opened
from api.cli.forecast_words import Step
from detector.errors import InputError
from detector.slo.window import parse_duration
from models.forecast.history import DAY_S, HOUR_S, History
from models.stat import Stat
from pipelines.flows.fleet import Task, over_fleet
from pipelines.flows.fleet_jobs import Backtesting, Forecasting, forecasted_of
from pipelines.flows.fleet_kept import Kept
from pipelines.flows.fleet_learned import learned_of, learns_from
from pipelines.flows.fleet_read import Reading, task_of
from pipelines.flows.fleet_written import (
    Results,
    backtest_columns,
    backtest_told,
    forecast_columns,
    forecast_told,
    whole,
    write_lines,
    write_parquet,
)
from pipelines.flows.spread import Places
from pipelines.history.port import SeriesId, span_until
from pipelines.zones import calendar_of

__all__ = ["Wanted", "run"]

_PLAIN_WIDTH = 140
# Troubles, and series with doubts, that are shown one by one; the others are counted.
_SHOWN, _SHOWN_DOUBTS = 40, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted, as it was typed."""

    source: From
    service: str | None
    step: Step
    back: str
    horizon: str
    floor: float | None
    backtest: int
    jobs: int
    dask: str | None
    resume: Path | None
    out: Path | None

    @property
    def step_s(self) -> int:
        """Seconds of a step."""
        return HOUR_S if self.step is Step.HOUR else DAY_S

    @property
    def work(self) -> Callable[[History], bytes]:
        """What is done to each series."""
        ahead = int(parse_duration(self.horizon, field="horizon").usual_s // self.step_s)
        if ahead < 1:
            raise InputError(f"{self.horizon!r} is shorter than a {self.step}", field="horizon")
        if self.backtest:
            every = max(ahead // 2, 7 * DAY_S // self.step_s)
            return Backtesting(ahead=ahead, origins=self.backtest, every=every)
        return Forecasting(ahead=ahead)

    @property
    def least(self) -> float | None:
        """What values cannot go below."""
        return 0.0 if self.floor is None and self.source.stat is Stat.RATE else self.floor


def run(wanted: Wanted, *, config: Path | None, prometheus: str | None) -> int:
    """Forecast each series and write what came; 0 where it is something, 4 where nothing did."""
    work, places = wanted.work, Places(jobs=wanted.jobs, dask=wanted.dask)
    if wanted.out is not None and wanted.out.suffix not in {".jsonl", ".parquet"}:
        raise InputError(f"{wanted.out}: name it .jsonl or .parquet", field="out")
    calendar = calendar_of(wanted.source.zone)
    back_s = parse_duration(wanted.back, field="back").usual_s
    with kept_in(wanted.resume, wanted.step_s) as (kept, until):
        span = span_until(until, back_s, wanted.step_s, calendar)
        source, said = opened(wanted.source, config=config, prometheus=prometheus)
        with closing(source):
            read = Reading(
                source=source, span=span, calendar=calendar, said=said, floor=wanted.least
            )
            series = read.series(wanted.service)
            work = _learned(work, read, series)
            what = "backtest" if wanted.backtest else "forecast"
            task = task_of(what, work, read, series)
            _done(task, places, kept)
        doubts = _Doubts()
        written = _written(wanted, task, kept, series, doubts)
        doubts.show(written)
        _show_troubles(kept, task)
    return 0 if written else 4


def _learned(
    work: Callable[[History], bytes], read: Reading, series: Mapping[str, SeriesId]
) -> Callable[[History], bytes]:
    """The work, with what the series have in common: forecasts, but no past ones, may hear it."""
    if not isinstance(work, Forecasting):
        return work
    with with_bar("series to learn from", learns_from(series)) as advance:
        learned = learned_of(
            read, series, work.ahead, heard=lambda done: advance(done, "series to learn from")
        )
    if learned is None:
        return work
    print(f"learned what {learned.series} series have in common", file=sys.stderr)
    return replace(work, of=learned.digest, common=learned.common)


def _done(task: Task[History], places: Places, kept: Kept) -> None:
    """All of it, with a bar on standard error."""
    with with_bar("series", len(task.series)) as advance:
        for told in over_fleet(task, places, kept):
            failed = f", {told.troubled} in trouble" if told.troubled else ""
            advance(told.done, f"series{failed}")


@dataclass(slots=True)
class _Doubts:
    """What forecasts rest on, heard as they are written: the first of them, and of how many."""

    count: int = 0
    first: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def heard(self, results: Results) -> Results:
        """The same results."""
        for series, made in results:
            assumptions = forecasted_of(made).assumptions
            self.count += bool(assumptions)
            if assumptions and len(self.first) < _SHOWN_DOUBTS:
                self.first.append((series.name, assumptions))
            yield series, made

    def show(self, written: int) -> None:
        """On standard error."""
        if not self.count:
            return
        table = Table("series", "its forecast rests on", box=None, pad_edge=False)
        for name, assumptions in self.first:
            table.add_row(name, " ".join(assumptions))
        _on_error().print(table, markup=False)
        told = f"{self.count} of {written} forecasts are less sure than they look"
        print(f"{told}: `assumptions` of each says why", file=sys.stderr)


def _written(
    wanted: Wanted,
    task: Task[History],
    kept: Kept,
    series: Mapping[str, SeriesId],
    doubts: _Doubts,
) -> int:
    """What came of series, in their order, whatever the order in which it came; of how many."""
    results: Results = ((series[name], made) for name, made in kept.results(task.name, task.series))
    if not wanted.backtest:
        results = doubts.heard(results)
    told = backtest_told if wanted.backtest else forecast_told
    if wanted.out is None:
        return write_lines(sys.stdout.buffer, results, told)
    if wanted.out.suffix == ".parquet":
        columns = backtest_columns if wanted.backtest else forecast_columns
        return write_parquet(wanted.out, results, columns)
    with whole(wanted.out) as unfinished, unfinished.open("wb") as file:
        return write_lines(file, results, told)


def _show_troubles(kept: Kept, task: Task[History]) -> None:
    """The series of which nothing came, on standard error."""
    table = Table("series", "reason", "", box=None, pad_edge=False)
    counted: Counter[str] = Counter()
    for name, trouble in kept.troubles(task.name):
        counted[trouble.reason] += 1
        if counted.total() <= _SHOWN:
            table.add_row(name, trouble.reason, trouble.text)
    if not counted:
        return
    _on_error().print(table, markup=False)
    counts = ", ".join(f"{count} {reason}" for reason, count in counted.most_common())
    print(f"{counted.total()} of {len(task.series)} series in trouble: {counts}", file=sys.stderr)


def _on_error() -> Console:
    """Standard error, wide where nobody looks."""
    plain = Console(file=sys.stderr)
    return plain if plain.is_terminal else Console(file=sys.stderr, width=_PLAIN_WIDTH)
