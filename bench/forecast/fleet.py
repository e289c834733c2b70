"""What a forecast of a whole fleet takes: CPU, memory, and what Dask and a killed worker cost.

    python bench/forecast/fleet.py [--quick] [--json FILE] [--series N] [--repeats N]

Series are simulated (`worlds.py`): eight weeks of hours, forecast two weeks ahead by the whole
ensemble. `cpu_s_per_series` is CPU of one process. `rss_mb` is the most that `serinus forecast`
held, with two workers, over the whole tree of processes, for `--series` of them out of a Parquet
file into another. `dask_overhead` is how much more CPU a Dask cluster takes for the same series
than joblib's loky with two processes: its scheduler, two workers and their nannies, by the
commands and the configuration of our documentation. `dask_overhead_wall` is how much longer it
takes. Both are medians over turns, each of other series, workers warm. `chunks_redone` is how
many chunks were begun twice where a worker was killed in the middle, of loky and of Dask the worse.
`daily_vs_dynamic_theta` is the mean absolute scaled error 90 days ahead of a year of days, by that
of statsforecast's dynamic optimised theta on the same series.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TypeAlias

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.forecast.fleet_cluster import cluster  # noqa: E402
from bench.forecast.fleet_tree import Spent, peak_mb, spending  # noqa: E402
from bench.forecast.fleet_work import (  # noqa: E402
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
from models.forecast.ensemble import forecast  # noqa: E402
from models.forecast.history import History  # noqa: E402
from models.hindsight import seasonal_scale  # noqa: E402
from pipelines.flows.fleet import Pace, Task, over_fleet  # noqa: E402
from pipelines.flows.fleet_jobs import Forecasting  # noqa: E402
from pipelines.flows.fleet_kept import Kept  # noqa: E402
from pipelines.flows.lanes import Lanes, Places, lanes_of  # noqa: E402

ASKED = {
    "cpu_s_per_series": ("<=", 0.2),
    "rss_mb": ("<=", 2_000.0),
    "dask_overhead": ("<=", 0.1),
    "chunks_redone": ("<=", 1.0),
    "daily_vs_dynamic_theta": ("<=", 1.0),
}
Pids: TypeAlias = Collection[int]
CLI = "from api.cli import main; main()"
WORK = Forecasting(ahead=AHEAD)


def cpu_of_one(series: Sequence[str]) -> float:
    """CPU-seconds of a series; the first one, which also imports and compiles, is not counted."""
    histories = [History(values=hourly(name), start_ms=1000 * T0) for name in series]
    WORK(histories[0])
    began = process_time()
    for history in histories[1:]:
        WORK(history)
    return (process_time() - began) / (len(histories) - 1)


def memory_of_all(folder: Path, count: int) -> dict[str, float]:
    """A fleet by the command line, from file to file."""
    write_fleet(folder / "fleet.parquet", names(count))
    out = folder / "out.parquet"
    words = ["forecast", "--from", "parquet", "--path", str(folder / "fleet.parquet")]
    words += ["--jobs", "2", "--out", str(out), "--resume", str(folder / "run")]
    # As of the end of the simulated weeks, in place of now.
    with closing(Kept(folder / "run" / "fleet.db")) as kept:
        kept.setting("until", repr(float(T0 + 3600 * HOURS)))
    began = perf_counter()
    with (
        subprocess.Popen(
            [sys.executable, "-c", CLI, *words], cwd=ROOT, stderr=subprocess.DEVNULL
        ) as run,
        peak_mb(run.pid) as peak,
    ):
        code = run.wait()
    if code:
        raise RuntimeError(f"serinus forecast ended with {code}")
    return {
        "rss_mb": peak[0],
        "fleet_s": perf_counter() - began,
        "out_mb": out.stat().st_size / 1e6,
    }


def done(wanted: Task[History], places: Lanes | Places, folder: Path, others: Pids) -> Spent:
    """What a fleet takes, those of the other side not counted."""
    with closing(Kept(folder / "kept.db")) as kept, spending(others) as spent:
        for _ in over_fleet(wanted, places, kept):
            pass
    return spent


def beside(count: int, repeats: int, folder: Path) -> dict[str, float]:
    """Dask beside loky, in turns, on the same machine at the same time of day."""
    pairs = list[tuple[Spent, Spent]]()
    with cluster(folder) as there, lanes_of(Places(jobs=2)) as loky:
        dask = Places(dask=there.address)
        for repeat in range(repeats + 1):
            # The first turn is to import and compile.
            series = names(count * repeat + 40)[-count:] if repeat else names(40)
            ways = (("dask", dask, ()), ("loky", loky, there.pids))
            spent = {
                name: done(task(WORK, series, f"{name}-{repeat}"), places, folder, others)
                for name, places, others in ways[:: 1 if repeat % 2 else -1]
            }
            for name, one in spent.items():
                print(f"{name} {repeat}: {one.wall_s:.1f} s, {one.cpu_s:.2f} CPU-s", flush=True)
            pairs += [(spent["dask"], spent["loky"])] if repeat else []
    return {
        "dask_overhead": median(dask.cpu_s / loky.cpu_s for dask, loky in pairs) - 1,
        "dask_overhead_wall": median(dask.wall_s / loky.wall_s for dask, loky in pairs) - 1,
    }


def redone(series: Sequence[str], places: Places, folder: Path) -> float:
    """How many chunks were begun twice after a worker was killed in the middle."""
    marks = folder / "marks"
    marks.mkdir(parents=True)
    work = Deadly(marks, at=len(series) // 2)
    # Chunks of one size, so that series begun twice tell how many chunks were.
    with closing(Seen(folder / "seen.db")) as kept:
        pace = Pace(chunk_s=1e9, most=8)
        last = list(over_fleet(task(work, series, "killed"), places, kept, pace))[-1]
    if last.done < len(series) or last.troubled or not (marks / "died").exists():
        raise RuntimeError(f"after a kill: {last}")
    return math.ceil(work.again() / 8)


def daily_errors(count: int) -> tuple[float, float]:
    """Mean scaled errors 90 days ahead: ours, and those of dynamic optimised theta."""
    from statsforecast.models import DynamicOptimizedTheta

    ours, theirs = list[float](), list[float]()
    for name in names(count):
        values = daily(name)
        known, came = values[: DAILY[0]], values[DAILY[0] :]
        scale = seasonal_scale(known, 7)
        told = forecast(daily_history(values), DAILY[1]).point
        theta = DynamicOptimizedTheta(season_length=7).forecast(y=known, h=DAILY[1])["mean"]
        ours.append(float(np.abs(told - came).mean()) / scale)
        theirs.append(float(np.abs(theta - came).mean()) / scale)
    return float(np.mean(ours)), float(np.mean(theirs))


def measured(told: argparse.Namespace, folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Our figures, and the peer's."""
    quick = told.quick
    figures = {"cpu_s_per_series": cpu_of_one(names(22 if quick else 141))}
    print(f"CPU of a series: {figures['cpu_s_per_series']:.3f} s", flush=True)
    ours, theirs = daily_errors(21 if quick else 140)
    figures |= {"daily_mase": ours, "daily_vs_dynamic_theta": ours / theirs}
    print(f"days: {ours:.3f} ours, {theirs:.3f} dynamic theta", flush=True)
    figures |= beside(60 if quick else 300, 1 if quick else told.repeats, folder)
    with cluster(folder) as there:
        places = {"loky": Places(jobs=2), "dask": Places(dask=there.address)}
        again = [
            redone(names(40 if quick else 160), place, folder / name)
            for name, place in places.items()
        ]
    figures["chunks_redone"] = max(again)
    figures |= memory_of_all(folder, told.series)
    return figures, {"daily_mase": theirs}


def main() -> int:
    """Measure, print, conclude."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="few series, one repeat")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--series", type=int, help="of which memory is measured")
    parser.add_argument("--repeats", type=int, default=5)
    told = parser.parse_args()
    told.series = told.series or (100 if told.quick else 10_000)
    with tempfile.TemporaryDirectory() as folder:
        figures, theta = measured(told, Path(folder))
    for name, value in figures.items():
        print(f"{name:26}{value:12.3f}")
    print(f"{'peer: dynamic theta':26}{theta['daily_mase']:12.3f} daily_mase")
    setup = {"series": told.series, "repeats": 1 if told.quick else told.repeats, "hours": HOURS}
    return concluded(figures, {"dynamic_theta": theta}, ASKED, setup, told.json)


if __name__ == "__main__":
    sys.exit(main())
