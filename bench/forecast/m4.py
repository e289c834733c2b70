"""The hourly series of the M4 competition: how good forecasts and intervals of 48 hours are.

    python bench/forecast/m4.py [--quick] [--json FILE] [--dir DIR]

One setting for all 414 series; what they have in common is fitted on their training parts alone.
Scores are those of the competition: MASE and sMAPE by series and then on average, MSIS of the 95 %
interval. Beside them, in the same run, the competition's naive forecasts and a library's theta; the
published figures of the best are in docs/forecasts.md.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import process_time

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.forecast.peers import PEERS  # noqa: E402
from models.forecast.ensemble import forecast  # noqa: E402
from models.forecast.fleet import Common, Gathered  # noqa: E402
from models.forecast.history import History  # noqa: E402

Floats = NDArray[np.float64]
Told = tuple[Floats, Floats, Floats]
DATA = ROOT.parent / "shared" / "data" / "forecast" / "m4_hourly"
AHEAD, DAY, COVERAGE = 48, 24, 95
# Two weeks are looked at; the last eight days are those at which the forecasts are tried.
PAST, HELD = 336, 8 * 24
ASKED = {"m4_mase": ("<=", 0.85), "m4_smape": ("<=", 9.6), "m4_msis": ("<=", 7.5)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a bar is missed, 2 where the data set is not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="each fourth series")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--dir", type=Path, default=DATA, help="folder of train.csv and test.csv")
    args = parser.parse_args(argv)
    if not (args.dir / "train.csv").exists():
        print(f"{args.dir}: no data set there", file=sys.stderr)
        return 2
    past, came = (_series(args.dir / name) for name in ("train.csv", "test.csv"))
    names = list(past)[:: 4 if args.quick else 1]
    begun = process_time()
    common = _common([past[name] for name in names])
    told = {name: _ours(past[name], common) for name in names}
    figures = _figures(told, past, came) | {"cpu_s": (process_time() - begun) / len(names)}
    peers = {peer: _figures(_peer(peer, past, names), past, came) for peer in _peers()}
    _show({"serinus": figures} | peers)
    setup = {"series": len(names), "ahead": AHEAD, "dir": str(args.dir)}
    return concluded(figures, peers, ASKED, setup, args.json)


def _series(path: Path) -> dict[str, Floats]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return {row[0]: np.array([float(cell) for cell in row[1:] if cell]) for row in rows}


def _common(series: Sequence[Floats]) -> Common | None:
    gathered = Gathered(past=PAST, ahead=AHEAD, day=DAY, held=HELD + AHEAD)
    for values in series:
        gathered.add(values, np.arange(len(values)) % (7 * DAY))
    return gathered.common()


def _ours(values: Floats, common: Common | None) -> Told:
    told = forecast(History(values=values), AHEAD, common)
    return (told.point, *told.interval(COVERAGE / 100))


def _peers() -> list[str]:
    return ["daily_naive", *(name for name in ("seasonal_naive", "auto_theta") if name in PEERS)]


def _peer(name: str, past: Mapping[str, Floats], names: Sequence[str]) -> dict[str, Told]:
    return {one: _peer_told(name, past[one]) for one in names}


def _peer_told(name: str, values: Floats) -> Told:
    if name != "daily_naive":
        return PEERS[name](values, AHEAD, COVERAGE)
    point = np.resize(values[-DAY:], AHEAD)
    off = np.std(values[DAY:] - values[:-DAY]) * 1.96 * np.sqrt(1 + np.arange(AHEAD) // DAY)
    return point, point - off, point + off


def _figures(
    told: Mapping[str, Told], past: Mapping[str, Floats], came: Mapping[str, Floats]
) -> dict[str, float]:
    scores = np.array([_scores(told[name], past[name], came[name]) for name in told])
    mase, smape, msis, covered = scores.mean(axis=0).tolist()
    return {"m4_mase": mase, "m4_smape": smape, "m4_msis": msis, "coverage95": covered}


def _scores(told: Told, past: Floats, came: Floats) -> tuple[float, float, float, float]:
    point, low, high = told
    scale = float(np.mean(np.abs(past[DAY:] - past[:-DAY])))
    off = np.abs(came - point)
    smape = np.mean(200 * off / (np.abs(came) + np.abs(point)))
    miss = np.maximum(low - came, 0) + np.maximum(came - high, 0)
    width = high - low + 2 / (1 - COVERAGE / 100) * miss
    return off.mean() / scale, float(smape), width.mean() / scale, float(np.mean(miss == 0))


def _show(rows: Mapping[str, Mapping[str, float]]) -> None:
    print(f"{'':16}{'MASE':>8}{'sMAPE':>8}{'MSIS':>8}{'covered':>9}")
    for name, row in rows.items():
        mase, smape, msis = (row[key] for key in ("m4_mase", "m4_smape", "m4_msis"))
        print(f"{name:16}{mase:8.3f}{smape:8.2f}{msis:8.2f}{row['coverage95']:9.3f}")
    print(f"{rows['serinus']['cpu_s']:.3f} CPU-seconds a series, what is in common with it")


if __name__ == "__main__":
    sys.exit(main())
