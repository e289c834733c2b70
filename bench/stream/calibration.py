"""Whether a wanted rate of alarms holds: thousands of series with nothing wrong, for four weeks.

    python bench/stream/calibration.py [--quick] [--json FILE] [--seed N] [--seeds N]

Series have daily and weekly seasons, trends, dependent noise and tails from normal to those of a t
with 3 degrees of freedom; some are counts, some skewed. An alarm is an anomaly that the operator
opens, as it does in the product, at either of two wanted rates, from the first sample on; beside it
(`scored`) what the scores alone say, by which the rates are set. A run takes several seeds, from
`--seed` on: `alarm_rate_ratio` is what is farthest from 1 of alarms had over alarms asked for of
any seed in four weeks, `alarm_rate_ratio_week` of any week of all seeds together. The quiet first
hours, in which series are learned, are watched as any other. A quick run has too few series for a
bound that holds by more than luck, and asks none.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.ending import concluded  # noqa: E402
from detector.stream.anomaly import Happening  # noqa: E402
from detector.stream.columns import Columns, SeriesInfo, SeriesKind  # noqa: E402
from detector.stream.introducing import introduced  # noqa: E402
from detector.stream.operator import step as judge  # noqa: E402
from detector.stream.scoring import Arrays, Scored  # noqa: E402
from detector.stream.settings import StreamSettings  # noqa: E402
from detector.stream.state import StreamState  # noqa: E402
from detector.stream.subject import Owners  # noqa: E402
from models.anomaly.score import step, threshold  # noqa: E402
from models.anomaly.scored import Flag, Settings  # noqa: E402
from models.baseline.state import empty  # noqa: E402

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
WANTED = (25.0, 250.0)
WEEKS, STEP_MS, DAY = 4, 300_000, 288
# A Monday.
START_MS = 1_789_948_800_000
KINDS = ("opened", "scored", "normal")
SILENT = Flag.LATE | Flag.DUPLICATE | Flag.INVALID | Flag.STALE | Flag.LEARNING


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when the rate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the series, one seed")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--seed", type=int, default=5, help="the first")
    parser.add_argument("--seeds", type=int, help="how many, 4 if not told")
    args = parser.parse_args(argv)
    series = 1000 if args.quick else 10_000
    seeds = range(args.seed, args.seed + (args.seeds or (1 if args.quick else 4)))
    # Ratios of (seed, kind, rate, week).
    had = np.array([shown(seed, alarms(series, seed) * 10_000 / series) for seed in seeds])
    had = had / np.array(WANTED)[:, None]
    figures = told(had[:, 0]) | {f"scored_{k}": v for k, v in told(had[:, 1]).items()}
    peers = {"three_sigma_of_the_day_before": told(had[:, 2])}
    for name, by in (("serinus", figures), *peers.items()):
        print(name, " ".join(f"{key}={value:.3g}" for key, value in by.items()))
    asked: dict[str, tuple[str, float]] = {}
    for name in ("alarm_rate_ratio", "alarm_rate_ratio_week"):
        figures[f"{name}_over"] = figures[name]
        asked |= {name: (">=", 0.8), f"{name}_over": ("<=", 1.2)}
    setup = {"series": series, "weeks": WEEKS, "step_s": STEP_MS // 1000, "seeds": list(seeds)}
    return concluded(figures, peers, {} if args.quick else asked, setup, args.json)


def shown(seed: int, counts: Floats) -> Floats:
    """The alarms of a seed, said as soon as they are known."""
    opened, scored, _ = counts.round().astype(int).tolist()
    print(f"seed {seed}: by week, opened {opened}, scored {scored}", flush=True)
    return counts


def told(had: Floats) -> dict[str, float]:
    """Of ratios (seed, rate, week): the mean of each, and the farthest from 1."""
    figures = {}
    for rate, wanted in enumerate(WANTED):
        figures[f"ratio_{wanted:.0f}"] = float(had[:, rate].mean())
        for week in range(WEEKS):
            figures[f"ratio_{wanted:.0f}_week_{week + 1}"] = float(had[:, rate, week].mean())
    figures["alarm_rate_ratio"] = farthest(had.mean(axis=2).ravel())
    figures["alarm_rate_ratio_week"] = farthest(had.mean(axis=0).ravel())
    return figures


def farthest(ratios: Iterable[float]) -> float:
    """From 1, up or down."""
    return float(max(ratios, key=lambda ratio: abs(np.log(ratio + 1e-9))))


def alarms(series: int, seed: int) -> Counts:
    """Alarms by `KINDS`, wanted rate and week."""
    state, settings = empty(series), Settings()
    rows = np.arange(series, dtype=np.int32)
    rates = [wanted * series / 10_000 for wanted in WANTED]
    operators = [Operator(series, rate) for rate in rates]
    peer = Gaussian(series)
    found = np.zeros((len(KINDS), len(WANTED), WEEKS), dtype=np.int64)
    for day, values in enumerate(made(series, seed)):
        at = START_MS + STEP_MS * (day * DAY + np.arange(DAY, dtype=np.int64))
        columns = Columns(series=np.tile(rows, DAY), at=np.repeat(at, series), value=values.ravel())
        scored = step(state, columns.series, columns.at, columns.value, settings)
        usable = (scored.flag & SILENT) == 0
        names = {field.name for field in fields(Scored)} - {"is_usable"}
        kept = Scored(**{name: getattr(scored, name) for name in names}, is_usable=usable)
        for which, (rate, operator) in enumerate(zip(rates, operators, strict=True)):
            level = threshold(rate, series)
            begun = (scored.surprise >= level) & (scored.reached < level)
            counts = operator.opened(columns, kept), int(begun.sum()), peer.alarms(values, rate)
            found[:, which, day // 7] += counts
        peer.learn(values)
    return found


class Replayed:
    """`Scorer` that says what was scored before: two operators hear the same of one model."""

    def __init__(self) -> None:
        self._told: Scored | None = None
        self._at = 0

    def hear(self, told: Scored) -> None:
        """What to say next."""
        self._told, self._at = told, 0

    def grow(self, kinds: Sequence[SeriesKind]) -> None:
        """Nothing to do."""

    def begin(self, rows: NDArray[np.int32], kinds: Sequence[SeriesKind]) -> None:
        """Nothing to do."""

    def forget(self, rows: NDArray[np.int32]) -> None:
        """Nothing to do."""

    def score(self, columns: Columns) -> Scored:
        """The next samples."""
        assert self._told is not None
        part = slice(self._at, self._at + len(columns))
        self._at = part.stop
        return Scored(**{f.name: getattr(self._told, f.name)[part] for f in fields(Scored)})

    def to_arrays(self) -> Arrays:
        """Nothing."""
        return {}


class Operator:
    """The product's operator with a service for each series, at a wanted rate of alarms."""

    def __init__(self, series: int, rate: float) -> None:
        self._scorer = Replayed()
        settings = StreamSettings(alarms_a_week=rate)
        state = StreamState(tenant="bench", scorer=self._scorer, settings=settings)
        named = [
            SeriesInfo(labels=(("__name__", "load"), ("service", f"s{n}")), kind=SeriesKind.GAUGE)
            for n in range(series)
        ]
        self._state = introduced(state, named, Owners(()))

    def opened(self, columns: Columns, scored: Scored) -> int:
        """How many anomalies these samples open."""
        self._scorer.hear(scored)
        self._state, happened = judge(self._state, columns)
        return sum(one.kind is Happening.OPENED for one in happened)


class Gaussian:
    """Days whose greatest deviation from the day before is beyond what a normal tail allows."""

    def __init__(self, series: int) -> None:
        self._mean, self._var = np.full(series, np.nan), np.full(series, np.nan)

    def alarms(self, values: Floats, per_week: float) -> int:
        """Series of the day beyond the bound for the wanted rate."""
        from scipy.stats import norm

        chance = per_week / (7 * DAY * values.shape[1])
        far = np.abs(values - self._mean) > norm.isf(chance / 2) * np.sqrt(self._var)
        return int(far.any(axis=0).sum())

    def learn(self, values: Floats) -> None:
        """Mean and variance of the day that is over."""
        self._mean, self._var = values.mean(axis=0), values.var(axis=0)


def made(series: int, seed: int) -> Iterator[Floats]:
    """Day by day: (DAY, series) values with nothing wrong."""
    rng = np.random.default_rng([seed, 91])
    level = 10.0 ** rng.uniform(0, 6, series)
    noise = level * 10.0 ** rng.uniform(-2.5, -0.7, series)
    daily = noise * rng.exponential(3.0, (2, series)) * (rng.random(series) < 0.7)
    weekend = rng.uniform(0.0, 0.6, series) * (rng.random(series) < 0.4)
    slope = noise * rng.normal(0.0, 1.0, series) / (7 * DAY) * (rng.random(series) < 0.4)
    freedom = rng.choice([3.0, 4.0, 6.0, 30.0], series)
    memory = rng.choice([0.0, 0.3, 0.6], series)
    skewed, counts = rng.random(series) < 0.2, rng.random(series) < 0.1
    before = np.zeros(series)
    for day in range(7 * WEEKS):
        angle = 2 * np.pi * np.arange(DAY)[:, None] / DAY
        season = daily[0] * np.sin(angle) + daily[1] * np.cos(2 * angle)
        season = season * (1.0 - weekend * (day % 7 >= 5))
        shock = rng.standard_t(freedom, (DAY, series))
        shock = np.where(skewed, np.abs(shock), shock)
        for row in range(DAY):
            before = memory * before + shock[row]
            shock[row] = before
        grown = slope * (day * DAY + np.arange(DAY)[:, None])
        values = level + season + grown + noise * shock
        mean = 20.0 * np.maximum(1.0 + season / (10.0 * noise), 0.1)
        yield np.where(counts, rng.poisson(mean), values)


if __name__ == "__main__":
    raise SystemExit(main())
