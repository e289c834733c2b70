"""The error budget: what may fail in the window, what did, what is left, and until when.

Counts are summed over the window and divided once: a mean of ratios weighs a night of ten requests
like a day of millions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detector.series import FloatArray
from detector.slo.counts import Counts, Flaw

__all__ = ["Budget", "Exhaustion", "budget_of", "exhaustion", "unknown_budget"]

# Of the window, how much is recent: a day of 28.
_RECENT = 1 / 28
_LEVEL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a window counted. `left` is the share of the budget, below 0 when it is overspent.

    `left` is None, with `flaw`, where it is not known. `known` is the share of the window counted.
    """

    total: float
    bad: float
    allowed: float
    left: float | None
    known: float
    flaw: Flaw | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhaustion:
    """In how many seconds nothing is left, if it goes on as lately: middle and ends of 90 %.

    Infinite: not within a window's length. `low` is the soonest.
    """

    middle_s: float
    low_s: float
    high_s: float


def budget_of(counts: Counts | Flaw, budget: float) -> Budget:
    """The budget of a window's counts, where a share `budget` may be bad."""
    if isinstance(counts, Flaw):
        return unknown_budget(counts)
    bad, total = float(np.nansum(counts.bad)), float(np.nansum(counts.total))
    if total <= 0:
        flaw = Flaw.NO_EVENTS if counts.known else Flaw.NO_DATA
        return unknown_budget(flaw, counts.known)
    allowed = budget * total
    left = 1.0 - bad / allowed
    return Budget(total=total, bad=bad, allowed=allowed, left=left, known=counts.known)


def unknown_budget(flaw: Flaw, known: float = 0.0) -> Budget:
    """A budget of which nothing is known but why."""
    return Budget(total=0.0, bad=0.0, allowed=0.0, left=None, known=known, flaw=flaw)


def exhaustion(counts: Counts, budget: float, *, is_rolling: bool) -> Exhaustion | None:
    """When the budget of a window is gone if bad events go on as in its last 28th; None: unknown.

    The rate has an exact Poisson interval (Garwood, *Fiducial limits for the Poisson distribution*,
    1936), widened by how much more than Poisson the recent bins vary (quasi-likelihood:
    McCullagh, Nelder, *Generalized Linear Models*, 1989). Traffic goes on as in the window; of a
    rolling one, what was bad leaves it as time goes by.
    """
    recent = max(round(len(counts.total) * _RECENT), 1)
    lately = counts.bad[-recent:]
    lately = lately[np.isfinite(lately)]
    if not len(lately) or np.nansum(counts.total) <= 0:
        return None
    low, middle, high = _rates(lately)
    ends = [_until(counts, budget, rate, is_rolling=is_rolling) for rate in (high, middle, low)]
    return Exhaustion(low_s=ends[0], middle_s=ends[1], high_s=ends[2])


def _rates(bad: FloatArray) -> tuple[float, float, float]:
    """Bad events a bin: low, mean and high."""
    # Late: scipy takes a tenth of the start of every process.
    from scipy.special import gammaincinv

    mean = float(bad.mean())
    spread = float(bad.var(ddof=1)) / mean if mean > 0 and len(bad) > 1 else 1.0
    over = max(spread, 1.0)
    seen, tail = float(bad.sum()) / over, (1 - _LEVEL) / 2
    low = float(gammaincinv(seen, tail)) if seen > 0 else 0.0
    high = float(gammaincinv(seen + 1, 1 - tail))
    return low * over / len(bad), mean, high * over / len(bad)


def _until(counts: Counts, budget: float, rate: float, *, is_rolling: bool) -> float:
    """Seconds until more is bad than may be; infinite if not within as long as the window is."""
    bad, total = np.nan_to_num(counts.bad), np.nan_to_num(counts.total)
    ahead = np.arange(len(bad) + 1)
    spent = bad.sum() + rate * ahead
    if is_rolling:
        spent[1:] -= np.cumsum(bad)
        allowed = np.full(len(ahead), budget * total.sum())
    else:
        allowed = budget * (total.sum() + total.mean() * ahead)
    gone = spent >= allowed
    return float(gone.argmax() * counts.step_s) if gone.any() else math.inf
