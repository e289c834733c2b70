"""The Numenta Anomaly Benchmark: what the product's own detector finds in 58 labelled series.

    python bench/stream/nab.py [--quick] [--json FILE] [--scores DIR] [--data DIR] [--scorer FILE]

Each file is one gauge, fed to the step that the product runs, with its one setting, from the first
row on; no label is seen. A row that begins an alarm at the threshold fixed here beforehand gets its
surprise as score, all others 0: one excursion is one detection. `standard`, `low_fp` and `low_fn`
are the scorer's, at its best threshold, as published scores are; `*_fixed` are at ours. The setting
was chosen on the files of `_half` 0; the score of either half is reported. A Windowed Gaussian runs
beside it; the other peers are as published with the benchmark. It takes seconds, --quick or not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.ending import concluded  # noqa: E402
from models.anomaly.score import step  # noqa: E402
from models.anomaly.scored import Settings  # noqa: E402
from models.baseline.state import empty  # noqa: E402

Floats = NDArray[np.float64]
Detector = Callable[[NDArray[np.int64], Floats], Floats]
SHARED = ROOT.parent / "shared"
# One alarm a week of a series with nothing wrong.
THRESHOLD = 0.0
PROFILES = {
    "standard": "standard",
    "low_fp": "reward_low_FP_rate",
    "low_fn": "reward_low_FN_rate",
}
ASKED: dict[str, tuple[str, float]] = {"standard": (">=", 70.0)}
# Final scores as published with the benchmark: standard, low FP, low FN.
PUBLISHED = {
    "artime": (74.9, 65.1, 80.4),
    "numenta_htm": (70.1, 63.1, 74.3),
    "cad_ose": (69.9, 67.0, 73.2),
    "knn_cad": (58.0, 43.4, 64.8),
    "random_cut_forest": (51.7, 38.4, 59.7),
    "twitter_advec": (47.1, 33.6, 53.5),
    "windowed_gaussian": (39.6, 20.9, 47.4),
    "bayesian_changepoint": (17.7, 3.2, 32.2),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when the score falls short, 2 without the corpus."""
    args = arguments(argv)
    if not args.scorer.is_file() or not (args.data / "labels").is_dir():
        print(f"no corpus in {args.data} or no scorer {args.scorer}: name them by --data, --scorer")
        return 2
    with tempfile.TemporaryDirectory() as own:
        place = args.scores or Path(own) / "serinus"
        written(args.data, place, serinus)
        figures = {**scored(args, place, None), **scored(args, place, squashed(THRESHOLD))}
        figures |= halves(args, place)
        peer = Path(own) / "gaussian"
        written(args.data, peer, windowed_gaussian)
        peers = {"windowed_gaussian_here": scored(args, peer, None)}
    peers |= {name: dict(zip(PROFILES, row, strict=True)) for name, row in PUBLISHED.items()}
    table({"serinus": figures, **peers})
    return concluded(figures, peers, ASKED, {"threshold_surprise": THRESHOLD}, args.json)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the same: it takes seconds")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--scores", type=Path, help="keep the scores of each file here")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "nab")
    parser.add_argument("--scorer", type=Path, default=SHARED / "tools" / "nab_score.py")
    return parser.parse_args(argv)


def serinus(at: NDArray[np.int64], value: Floats) -> Floats:
    """The surprise of rows that begin an alarm, in (0, 1)."""
    rows = np.zeros(len(at), dtype=np.int32)
    found = step(empty(1), rows, at, value, Settings())
    begins = (found.surprise >= THRESHOLD) & (found.reached < THRESHOLD)
    return np.where(begins, squashed(found.surprise.astype(np.float64)), 0.0)


def squashed(surprise: Floats | float) -> Floats:
    """From any number to (0, 1), in the same order."""
    return np.asarray(1.0 / (1.0 + 10.0 ** -np.asarray(surprise)))


def windowed_gaussian(at: NDArray[np.int64], value: Floats) -> Floats:
    """How deep in the normal mass of the last 6400 values, refitted every 100, a value lies."""
    from scipy.stats import norm

    score = np.zeros(len(value))
    for start in range(100, len(value), 100):
        past = value[max(0, start - 6400) : start]
        spread = max(float(past.std()), 1e-9)
        ahead = np.abs(value[start : start + 100] - past.mean()) / spread
        score[start : start + 100] = 1.0 - 2.0 * norm.sf(ahead)
    return score


def written(data: Path, place: Path, detector: Detector) -> None:
    """Scores of every file of the corpus, in the layout that the scorer reads."""
    for name in json.loads((data / "labels" / "combined_windows.json").read_text("utf-8")):
        frame = pd.read_csv(data / "data" / name)
        instants = pd.to_datetime(frame["timestamp"]).to_numpy().astype("datetime64[ms]")
        values = frame["value"].to_numpy(dtype=np.float64)
        frame["anomaly_score"] = detector(instants.astype(np.int64), values)
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(place / name, index=False)


def scored(args: argparse.Namespace, place: Path, threshold: Floats | None) -> dict[str, float]:
    """The three final scores: at the best threshold of each, or at a given one."""
    command = [sys.executable, str(args.scorer), str(place), "--json", "--windows"]
    command.append(str(args.data / "labels" / "combined_windows.json"))
    command += [] if threshold is None else ["--threshold", repr(float(threshold))]
    result = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    ending = "" if threshold is None else "_fixed"
    scores = {short + ending: float(result[long]["score"]) for short, long in PROFILES.items()}
    row = result["standard"]
    return {
        **scores,
        "windows_found" + ending: float(row["windows_found"]),
        "false_rows" + ending: float(row["fp_rows"]),
    }


def halves(args: argparse.Namespace, place: Path) -> dict[str, float]:
    """The standard score at our threshold of the files chosen on, and of those held out."""
    windows = json.loads((args.data / "labels" / "combined_windows.json").read_text("utf-8"))
    figures = {}
    for half, word in enumerate(("chosen_on", "held_out")):
        labels = {name: found for name, found in windows.items() if _half(name) == half}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(labels, file)
            file.flush()
            command = [sys.executable, str(args.scorer), str(place), "--json"]
            command += ["--windows", file.name, "--threshold", repr(float(squashed(THRESHOLD)))]
            found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        figures[f"standard_{word}"] = float(found["standard"]["score"])
    return figures


def _half(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2


def table(rows: dict[str, dict[str, float]]) -> None:
    """Scores by detector."""
    print(f"{'detector':<26}" + "".join(f"{name:>10}" for name in PROFILES))
    for detector, row in rows.items():
        print(f"{detector:<26}" + "".join(f"{row[name]:>10.1f}" for name in PROFILES))
    extra = {name: value for name, value in rows["serinus"].items() if name not in PROFILES}
    print(" ".join(f"{name}={value:.1f}" for name, value in extra.items()))


if __name__ == "__main__":
    raise SystemExit(main())
