"""Whether a wanted rate of alarms holds: thousands of series with nothing wrong, for four weeks.

    python bench/stream/calibration.py [--quick] [--json FILE] [--seed N]

Series have daily and weekly seasons, trends, dependent noise and tails from normal to those of a t
with 3 degrees of freedom; some are counts, some skewed. From the first sample on, alarms at two
wanted rates are counted. `alarm_rate_ratio` is what is farthest from 1 of alarms had over alarms
asked for; a quick run has too few series for a bound that holds by more than luck, and asks none.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.ending import concluded  # noqa: E402
from models.anomaly.score import step, threshold  # noqa: E402
from models.anomaly.scored import Settings  # noqa: E402
from models.baseline.state import empty  # noqa: E402

Floats = NDArray[np.float64]
WANTED = (25.0, 250.0)
WEEKS, STEP_MS, DAY = 4, 300_000, 288
# A Monday.
START_MS = 1_789_948_800_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when the rate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the series")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args(argv)
    series = 1000 if args.quick else 10_000
    share = series / 10_000
    product, normal = alarms(series, args.seed)
    figures = counted("", product, share)
    worst = max((figures[f"ratio_{w:.0f}"] for w in WANTED), key=lambda r: abs(np.log(r + 1e-9)))
    figures["alarm_rate_ratio"] = worst
    peers = {"three_sigma_of_seasonal_week": counted("", normal, share)}
    for name, by in (("serinus", figures), *peers.items()):
        print(name, " ".join(f"{key}={value:.3g}" for key, value in by.items()))
    within = {"alarm_rate_ratio": (">=", 0.8), "alarm_rate_ratio_over": ("<=", 1.2)}
    figures["alarm_rate_ratio_over"] = worst
    setup = {"series": series, "weeks": WEEKS, "step_s": STEP_MS // 1000, "seed": args.seed}
    return concluded(figures, peers, {} if args.quick else within, setup, args.json)


def counted(prefix: str, by_week: NDArray[np.int64], share: float) -> dict[str, float]:
    """Alarms had over alarms asked for, in all and by week; rows of `by_week` are rates."""
    figures = {}
    for wanted, weeks in zip(WANTED, by_week, strict=True):
        figures[f"{prefix}ratio_{wanted:.0f}"] = float(weeks.sum() / (wanted * share * WEEKS))
        for week, number in enumerate(weeks):
            figures[f"{prefix}ratio_{wanted:.0f}_week_{week + 1}"] = float(
                number / (wanted * share)
            )
    return figures


def alarms(series: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Alarms by wanted rate and week, ours and those of normal bounds around the week before."""
    state, settings = empty(series), Settings()
    rows = np.arange(series, dtype=np.int32)
    levels = [threshold(wanted * series / 10_000, series) for wanted in WANTED]
    ours = np.zeros((len(WANTED), WEEKS), dtype=np.int64)
    peer = Gaussian(series)
    theirs = np.zeros_like(ours)
    for number, values in enumerate(made(series, seed)):
        at = START_MS + STEP_MS * (number * len(values) + np.arange(len(values), dtype=np.int64))
        scored = step(
            state, np.tile(rows, len(values)), np.repeat(at, series), values.ravel(), settings
        )
        week = number * len(values) // (7 * DAY)
        for which, level in enumerate(levels):
            ours[which, week] += int(((scored.surprise >= level) & (scored.reached < level)).sum())
            theirs[which, week] += peer.alarms(values, WANTED[which] * series / 10_000)
        peer.learn(values)
    return ours, theirs


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
