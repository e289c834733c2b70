"""Two models on the same rows that neither has seen: what each finds, and how often it is wrong.

Nobody has labelled the rows. They are taken as usual, so the share of them that is called odd is
false; and faults are put into a copy of them, so what is found of those is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.anomaly.multivariate.model import Multivariate, begin, score

__all__ = ["Fault", "Faulty", "Showing", "average_precision", "showing", "with_faults"]

Floats = NDArray[np.float64]

_SIZES = (2.0, 6.0)
_WARM = 0.02


class Fault(Enum):
    """What is done to a few metrics for a while.

    `SHIFT`: they stand some spreads off. `STUCK`: they keep a value. `ELSEWHEN`: they show what
    they showed at another time: no value is unusual, but it does not fit the others or the hour.
    """

    SHIFT = "shift"
    STUCK = "stuck"
    ELSEWHEN = "elsewhen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """Rows with faults (T, M), and which rows have one (T,)."""

    x: Floats
    odd: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What a model shows: average precision on rows with faults, and false alarms.

    `false_share` of usual rows are called odd by its p-values, at the chance that was asked for.
    """

    found: float
    false_share: float


def with_faults(x: Floats, *, count: int, longest: int, rng: Generator) -> Faulty:
    """Put up to `count` faults of 3 to `longest` rows into a copy of `x`, each apart.

    Each touches one metric up to a third of them; the first rows are left alone.
    """
    changed, odd = x.copy(), np.zeros(len(x), dtype=bool)
    warm = max(int(_WARM * len(x)), 1)
    stretch = (len(x) - warm) // max(count, 1)
    if stretch < 6 or x.shape[1] == 0:
        return Faulty(x=changed, odd=odd)
    spread = _spreads(x)
    for number in range(count):
        begin_at = warm + number * stretch
        rows = _rows(begin_at, stretch, longest, rng)
        many = int(rng.integers(1, max(x.shape[1] // 3, 1) + 1))
        metrics = rng.choice(x.shape[1], size=many, replace=False)
        kind = list(Fault)[int(rng.integers(len(Fault)))]
        changed[np.ix_(rows, metrics)] = _faulty(kind, x, rows, metrics, spread, rng)
        odd[rows] = True
    return Faulty(x=changed, odd=odd)


def showing(model: Multivariate, x: Floats, faulty: Faulty, first: int, p_odd: float) -> Showing:
    """How a model does on rows `x` (T, M) and on the same with faults."""
    usual, _ = score(model, x, first, begin(model))
    hurt, _ = score(model, faulty.x, first, begin(model))
    return Showing(
        found=average_precision(faulty.odd, hurt.level),
        false_share=float((usual.p_value < p_odd).mean()),
    )


def average_precision(odd: NDArray[np.bool_], levels: Floats) -> float:
    """The mean precision at each step of recall, equal levels together; NaN if nothing is odd."""
    if not odd.any():
        return float("nan")
    order = np.argsort(-levels, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(levels[order]) != 0, True))
    true = np.cumsum(odd[order])[ends]
    gained = np.diff(np.concatenate([[0], true]))
    return float((gained * true / (ends + 1)).sum() / odd.sum())


def _rows(begin_at: int, stretch: int, longest: int, rng: Generator) -> NDArray[np.int64]:
    """Rows within a stretch, at most its half so that there are usual ones between."""
    length = int(rng.integers(3, max(min(longest, stretch // 2), 3) + 1))
    start = begin_at + int(rng.integers(0, stretch - length + 1))
    return np.arange(start, start + length)


def _faulty(
    kind: Fault,
    x: Floats,
    rows: NDArray[np.int64],
    metrics: NDArray[np.int64],
    spread: Floats,
    rng: Generator,
) -> Floats:
    """The values that the fault leaves (rows, metrics)."""
    here = x[np.ix_(rows, metrics)]
    match kind:
        case Fault.SHIFT:
            by = rng.uniform(*_SIZES, size=len(metrics)) * rng.choice([-1.0, 1.0], len(metrics))
            shifted: Floats = here + by * spread[metrics]
            return shifted
        case Fault.STUCK:
            return np.broadcast_to(here[0], here.shape)
        case Fault.ELSEWHEN:
            there = (rows + int(rng.integers(len(x) // 4, 3 * len(x) // 4 + 1))) % len(x)
            return x[np.ix_(there, metrics)]


def _spreads(x: Floats) -> Floats:
    """How far apart neighbouring rows are, or else all rows; 1 for a metric that never moves."""
    steps = _deviation(np.diff(x, axis=0))
    whole = _deviation(x)
    spread = np.where(steps > 0, steps, whole)
    return np.where(spread > 0, spread, 1.0)


def _deviation(x: Floats) -> Floats:
    seen = np.isfinite(x)
    count = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, x, 0.0).sum(axis=0) / count
    deviation: Floats = np.sqrt(np.where(seen, (x - mean) ** 2, 0.0).sum(axis=0) / count)
    return deviation
