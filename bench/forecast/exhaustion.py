"""Do dates of exhaustion hold? On simulated resources that ran out, or did not.

    python bench/forecast/exhaustion.py [--quick] [--json FILE] [--seed N] [--cases N]

Twelve families of resources (`exhaustion_world.py`), as many cases of each; each is assessed by the
product at the end of its past, 180 days ahead, and then it is looked when it ran out. Coverage is
counted where both P10 and P90 were told; where only P10 was, nine of ten should come later. The
error of the date is of what came in 25 to 35 days. Beside it, on the same
cases: a straight line through the last 30 days (what `predict_linear` does), and one through the
daily maxima of all history, with the interval of their slope.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.forecast.exhaustion_world import DAY_MS, FAMILIES, Case, drawn  # noqa: E402
from detector.capacity.assess import assess  # noqa: E402

Floats = NDArray[np.float64]
ASKED = {
    "p10_p90_coverage_low": (">=", 0.78),
    "p10_p90_coverage": ("<=", 0.82),
    "median_date_error_days": ("<=", 3.0),
}
HORIZON_DAYS = 180
NEAR = (25.0, 35.0)
_NORMAL_90 = 1.2815515655446004


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said of a case in days from its now, and when it came; inf for not in time."""

    family: str
    chance: float
    p10: float
    p50: float
    p90: float
    came: float

    @property
    def is_within(self) -> bool:
        """Whether it came between P10 and P90."""
        return self.p10 <= self.came <= self.p90

    @property
    def is_dated(self) -> bool:
        """Whether both ends were told, and it was not used up already."""
        return bool(np.isfinite(self.p90)) and self.p90 > 0

    @property
    def is_open(self) -> bool:
        """Whether the later end is beyond the horizon."""
        return bool(np.isfinite(self.p10)) and not np.isfinite(self.p90)


def product(case: Case) -> Told:
    """As the product tells it."""
    found = assess(case.resource, horizon_s=86_400 * HORIZON_DAYS, as_of=case.now).exhaustion
    if found is None:
        raise SystemExit(f"nothing is told of {case.family}")
    p10, p50, p90 = (
        np.inf if at is None else (at - case.now) / DAY_MS
        for at in (found.p10, found.p50, found.p90)
    )
    if found.since is not None:
        p10 = p50 = p90 = 0.0
    return Told(
        family=case.family, chance=found.chance, p10=p10, p50=p50, p90=p90, came=_seen(case)
    )


def _seen(case: Case) -> float:
    """When it came, as far as anybody looks."""
    return case.came if case.came <= HORIZON_DAYS else np.inf


def last_month(case: Case) -> Told:
    """A straight line through the last 30 days."""
    return _line(case, case.resource.usage.values[-30 * 24 :], 24)


def daily_maxima(case: Case) -> Told:
    """A straight line through the maximum of each day."""
    values = case.resource.usage.values
    days = values[len(values) % 24 :].reshape(-1, 24)
    known = np.isfinite(days).any(axis=1)
    return _line(case, np.where(known, np.nanmax(np.nan_to_num(days, nan=-1.0), axis=1), np.nan), 1)


def _line(case: Case, values: Floats, day: int) -> Told:
    """When it reaches the limit of today; earlier and later by the error of its slope."""
    at = (np.arange(len(values)) - len(values)) / day
    known = np.isfinite(values)
    x, y = at[known], values[known]
    middle = x.mean()
    spread = float(((x - middle) ** 2).sum())
    slope = float(((x - middle) * (y - y.mean())).sum()) / spread
    off = y - y.mean() - slope * (x - middle)
    error = float(np.sqrt((off**2).sum() / (len(x) - 2) / spread))
    limit = case.resource.limit
    assert limit is not None
    left = limit.at(case.now) - (y.mean() - slope * middle)
    p10, p50, p90 = (
        _reached(left, slope + times * error) for times in (_NORMAL_90, 0.0, -_NORMAL_90)
    )
    chance = 1.0 if np.isfinite(p50) else 0.0
    return Told(family=case.family, chance=chance, p10=p10, p50=p50, p90=p90, came=_seen(case))


def _reached(left: float, slope: float) -> float:
    if left <= 0:
        return 0.0
    days = left / slope if slope > 0 else np.inf
    return days if days <= HORIZON_DAYS else np.inf


def figures_of(told: Sequence[Told]) -> dict[str, float]:
    """What is asked, and what stands round it."""
    dated = [one for one in told if one.is_dated]
    near = [abs(one.p50 - one.came) for one in told if NEAR[0] <= one.came <= NEAR[1]]
    undated = [one for one in told if not np.isfinite(one.p10)]
    coverage = _share(one.is_within for one in dated)
    late = [one for one in dated if one.came > one.p90]
    widths = [one.p90 - one.p10 for one in dated]
    came = np.array([np.isfinite(one.came) for one in told], dtype=float)
    chances = np.array([one.chance for one in told])
    return {
        "p10_p90_coverage": coverage,
        "p10_p90_coverage_low": coverage,
        "median_date_error_days": float(np.median(near)) if near else np.nan,
        "earlier_than_p10": _share(one.came < one.p10 for one in dated),
        "later_than_p90": len(late) / max(1, len(dated)),
        "before_p50": _share(one.came <= one.p50 for one in dated),
        "open_that_came_later": _share(one.is_within for one in told if one.is_open),
        "open": float(sum(one.is_open for one in told)),
        "median_width_days": float(np.median(widths)) if widths else np.nan,
        "undated_that_came": _share(np.isfinite(one.came) for one in undated),
        "brier": float(np.mean((chances - came) ** 2)),
        "dated": float(len(dated)),
        "near": float(len(near)),
    }


def _share(marks: Iterable[bool]) -> float:
    values = list(marks)
    return sum(values) / len(values) if values else float("nan")


COLUMNS = {
    "dated": "dated",
    "covered": "p10_p90_coverage",
    "early": "earlier_than_p10",
    "late": "later_than_p90",
    "<= p50": "before_p50",
    "width": "median_width_days",
    "error": "median_date_error_days",
    "open": "open",
    "later": "open_that_came_later",
    "brier": "brier",
}


def table(told: Sequence[Told]) -> None:
    """By family."""
    print(f"{'family':16}" + "".join(f"{name:>8}" for name in COLUMNS))
    for family in FAMILIES:
        own = figures_of([one for one in told if one.family == family])
        print(f"{family:16}" + "".join(f"{own[name]:8.3g}" for name in COLUMNS.values()))


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="25 cases of each family")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--seed", type=int, default=2_000_000, help="of the first case")
    parser.add_argument("--cases", type=int, help="of each family, 100 if not told")
    parser.add_argument("--only", choices=list(FAMILIES), help="one family")
    args = parser.parse_args(argv)
    count = args.cases or (25 if args.quick else 100)
    told: dict[str, list[Told]] = {"product": [], "last_month": [], "daily_maxima": []}
    began = time.process_time()
    families = [args.only] if args.only else list(FAMILIES)
    for number in range(count):
        print(f"case {number} of {count}", end="\r", flush=True)
        for family in families:
            case = drawn(family, args.seed + number)
            for name, made in (
                ("product", product), ("last_month", last_month), ("daily_maxima", daily_maxima),
            ):  # fmt: skip
                told[name].append(made(case))
    figures = figures_of(told["product"]) | {"cpu_s": time.process_time() - began}
    table(told["product"])
    peers = {name: figures_of(told[name]) for name in ("last_month", "daily_maxima")}
    _print(figures, peers)
    setup = {"seed": args.seed, "cases": count, "families": families, "horizon": HORIZON_DAYS}
    return concluded(figures, peers, ASKED, setup, args.json)


def _print(figures: Mapping[str, float], peers: Mapping[str, Mapping[str, float]]) -> None:
    for name, value in figures.items():
        others = "".join(f"{one.get(name, np.nan):14.3f}" for one in peers.values())
        print(f"{name:26}{value:10.3f}{others}")


if __name__ == "__main__":
    raise SystemExit(main())
