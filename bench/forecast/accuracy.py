"""Forecasts of fourteen days beside a library's: how good, and how often within their intervals.

    python bench/forecast/accuracy.py [--quick] [--json FILE] [--dir DIR] [--jobs N] [--seed N]

Hourly series of data centres, the longer ones of NAB, and simulated ones of many kinds; each is
forecast from up to eight weeks before rolling origins, a fortnight apart. Errors are in units of
the seasonal naive forecast's in the past of the series (MASE), of the 90 % interval the share that
was within and the interval score (Winkler) in the same unit. `--dir` takes other series instead:
CSV files, a column each (`series.py` says how).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import process_time

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.forecast.peers import PEERS, Told  # noqa: E402
from bench.forecast.series import hourly_of, longer_ones  # noqa: E402
from bench.forecast.worlds import WORLDS, simulated  # noqa: E402
from models.forecast.ensemble import forecast  # noqa: E402
from models.forecast.history import History  # noqa: E402

Floats = NDArray[np.float64]
DATA = ROOT.parent / "shared" / "data"
WEEK, AHEAD, PAST, COVERAGE = 168, 14 * 24, 56 * 24, 90
LEAST = 14 * 24
ORIGINS = 3
ASKED = {
    "mase_vs_best_peer": ("<=", 0.95),
    "coverage90": (">=", 0.88),
    "coverage90_at_most": ("<=", 0.92),
    "interval_score_vs_best_peer": ("<=", 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A series up to an origin, and what came: (n,) and (AHEAD,)."""

    name: str
    past: Floats
    came: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one forecaster reached on one case; NaN where it failed."""

    mase: float
    covered: float
    width: float
    cpu_s: float


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a bar is missed, 2 where there is no series."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="each third case, cheap peers alone")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--dir", type=Path, help="CSV files to forecast in place of ours")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=41, help="of the simulated series")
    parser.add_argument("--each", type=int, default=6, help="simulated series of each kind")
    args = parser.parse_args(argv)
    cases = list(_of_folder(args.dir) if args.dir else _ours(args.seed, args.each))
    cases = cases[:: 3 if args.quick else 1]
    if not cases:
        print("no series of at least 28 days", file=sys.stderr)
        return 2
    if not PEERS:
        print("no peer is installed: pip install statsforecast prophet", file=sys.stderr)
        return 2
    scores = _all_scores(cases, args.quick, args.jobs)
    _show(cases, scores)
    figures = {name: _mean(of) for name, of in scores.items()}
    peers = {name: row for name, row in figures.items() if name != "serinus"}
    ours = figures["serinus"] | _beside(figures["serinus"], peers)
    setup = {"cases": len(cases), "seed": args.seed, "dir": str(args.dir or "")}
    return concluded(ours, peers, ASKED, setup, args.json)


def _ours(seed: int, each: int) -> Iterator[Case]:
    if DATA.exists():
        yield from _of_folder(DATA / "forecast" / "datacenter")
        for name, values in longer_ones(DATA / "nab", 50):
            yield from _cases(name, values)
    else:
        print(f"{DATA}: not there, simulated series alone")
    for kind in WORLDS:
        for number in range(each):
            rng = np.random.default_rng([seed, number])
            yield from _cases(f"{kind} {number}", simulated(kind, PAST + AHEAD, rng))


def _of_folder(folder: Path) -> Iterator[Case]:
    for name, values in hourly_of(folder):
        yield from _cases(name, values)


def _cases(name: str, values: Floats) -> Iterator[Case]:
    """Origins a fortnight apart from the end back, as long as two weeks are before."""
    for number in range(ORIGINS):
        origin = len(values) - AHEAD * (number + 1)
        past, came = values[max(origin - PAST, 0) : max(origin, 0)], values[origin:][:AHEAD]
        known = np.isfinite(past)
        if known.sum() < LEAST or not np.isfinite(came).all() or _scale(past) == 0:
            return
        yield Case(name=f"{name} -{number}", past=past, came=came)


def _scale(past: Floats) -> float:
    change = np.abs(past[WEEK:] - past[:-WEEK])
    return float(np.nanmean(change)) if np.isfinite(change).any() else 0.0


def _all_scores(cases: Sequence[Case], quick: bool, jobs: int) -> dict[str, list[Score]]:
    slow = ("auto_ets", "mstl_arima", "prophet") if quick else ()
    names = ["serinus", *(name for name in PEERS if name not in slow)]
    with ProcessPoolExecutor(jobs) as pool:
        return {name: list(pool.map(_scored, [name] * len(cases), cases)) for name in names}


def _scored(name: str, case: Case) -> Score:
    begun = process_time()
    try:
        point, low, high = _told(name, case.past)
    except Exception as error:  # noqa: BLE001 - a peer that fails is told, and the run goes on
        print(f"{name} on {case.name}: {error!r}")
        return Score(mase=np.nan, covered=np.nan, width=np.nan, cpu_s=process_time() - begun)
    scale = _scale(case.past)
    miss = np.maximum(low - case.came, 0) + np.maximum(case.came - high, 0)
    width = np.mean(high - low + 2 / (1 - COVERAGE / 100) * miss) / scale
    return Score(
        mase=float(np.mean(np.abs(case.came - point)) / scale),
        covered=float(np.mean(miss == 0)),
        width=float(width),
        cpu_s=process_time() - begun,
    )


def _told(name: str, past: Floats) -> Told:
    if name == "serinus":
        told = forecast(History(values=past), AHEAD)
        return (told.point, *told.interval(COVERAGE / 100))
    known = np.flatnonzero(np.isfinite(past))
    return PEERS[name](np.interp(np.arange(len(past)), known, past[known]), AHEAD, COVERAGE)


def _mean(scores: Sequence[Score]) -> dict[str, float]:
    mean = {
        key: float(np.nanmean([getattr(score, key) for score in scores]))
        for key in ("mase", "covered", "width", "cpu_s")
    }
    return {
        "mase": mean["mase"],
        "coverage90": mean["covered"],
        "interval_score": mean["width"],
        "cpu_s": mean["cpu_s"],
    }


def _beside(
    ours: Mapping[str, float], peers: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    best = {key: min(row[key] for row in peers.values()) for key in ("mase", "interval_score")}
    return {
        "mase_vs_best_peer": ours["mase"] / best["mase"],
        "interval_score_vs_best_peer": ours["interval_score"] / best["interval_score"],
        "coverage90_at_most": ours["coverage90"],
    }


def _show(cases: Sequence[Case], scores: Mapping[str, Sequence[Score]]) -> None:
    """A table for all, and the mean error by where the series come from."""
    print(f"{'':16}{'MASE':>8}{'ratio':>7}{'90 %':>7}{'score':>8}{'CPU-s':>8}")
    ours = _mean(scores["serinus"])["mase"]
    for name, of in scores.items():
        row = _mean(of)
        print(
            f"{name:16}{row['mase']:8.3f}{ours / row['mase']:7.3f}{row['coverage90']:7.3f}"
            f"{row['interval_score']:8.2f}{row['cpu_s']:8.3f}"
        )
    for kind in sorted({_kind(case) for case in cases}):
        at = [place for place, case in enumerate(cases) if _kind(case) == kind]
        line = "".join(
            f"  {name} {np.nanmean([of[place].mase for place in at]):.2f}"
            for name, of in scores.items()
        )
        print(f"{kind:12} {len(at):3} {line}")


def _kind(case: Case) -> str:
    first = case.name.split()[0]
    return first if first in WORLDS else "measured"


if __name__ == "__main__":
    sys.exit(main())
