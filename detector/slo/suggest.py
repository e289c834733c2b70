"""Which objective a service could have kept: its own past against the usual targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.series import FloatArray
from detector.slo.alerting import alerts, begins
from detector.slo.burn import Burning, Course, rates
from detector.slo.counts import Counts

__all__ = ["TARGETS", "Reach", "Suggestion", "suggested"]

Ints = NDArray[np.int64]
# Figures that people promise, the easiest first.
TARGETS = (
    0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 0.99995, 0.99999,
)  # fmt: skip
_DAY_S = 86_400.0
# A target is for weeks: one that a week in twenty breaks is kept, one that needs luck is not.
_WINDOW_S, _KEPT = 7 * _DAY_S, 0.95
_LEAST_DAYS, _LEAST_KNOWN = 14.0, 0.5
# A budget of fewer failures a week is spent by chance.
_LEAST_BUDGET = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the past says of one target.

    `kept` is the share of rolling weeks that kept it, `allowed` how many failures a usual week may
    have by it, `pages` and `tickets` how often burn alerts would have begun.
    """

    target: float
    kept: float
    allowed: float
    pages: int
    tickets: int

    @property
    def is_kept(self) -> bool:
        """Whether it was kept often enough, by more than chance."""
        return self.kept >= _KEPT and self.allowed >= _LEAST_BUDGET


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Of `days` that were counted: all events, bad ones, and each target that was looked at.

    `best` is the strictest that was kept, None where there is none; `why` says so then.
    """

    days: float
    total: float
    bad: float
    reaches: tuple[Reach, ...]
    best: Reach | None
    why: str = ""


def suggested(counts: Counts, targets: Sequence[float] = TARGETS) -> Suggestion:
    """The strictest target of which the past could have kept nineteen rolling weeks in twenty."""
    days = float(np.isfinite(counts.total).sum()) * counts.step_s / _DAY_S
    total, bad = float(np.nansum(counts.total)), float(np.nansum(counts.bad))
    why = _too_little(days, total)
    reaches = () if why else tuple(_reach(counts, target) for target in sorted(targets))
    kept = [one for one in reaches if one.is_kept]
    best = kept[-1] if kept else None
    return Suggestion(
        days=days,
        total=total,
        bad=bad,
        reaches=reaches,
        best=best,
        why=why or ("" if best else _none_kept(reaches)),
    )


def _too_little(days: float, total: float) -> str:
    if days < _LEAST_DAYS:
        return f"not enough history: needs {_LEAST_DAYS:.0f} days of counts, has {days:.1f}"
    return "" if total > 0 else "there were no requests"


def _none_kept(reaches: Sequence[Reach]) -> str:
    easiest = reaches[0]
    if easiest.allowed < _LEAST_BUDGET:
        return (
            f"too few requests: even {easiest.target:.0%} would allow {easiest.allowed:.1f}"
            f" failures a week, and fewer than {_LEAST_BUDGET:.0f} are spent by chance"
        )
    return f"even {easiest.target:.0%} was kept in only {easiest.kept:.0%} of the weeks"


def _reach(counts: Counts, target: float) -> Reach:
    budget = 1.0 - target
    bad, total = _weeks(counts)
    levels = _alerts(counts, budget)
    return Reach(
        target=target,
        kept=float((bad <= budget * total).mean()),
        allowed=budget * float(np.median(total)),
        pages=len(begins(levels, Burning.PAGE)),
        tickets=len(begins(levels, Burning.TICKET)),
    )


def _weeks(counts: Counts) -> tuple[FloatArray, FloatArray]:
    """Bad and all events of each rolling week that has requests and was counted well enough."""
    width = round(_WINDOW_S / counts.step_s)
    bad, total, known = (some[width - 1 :] for some in rates(counts.bad, counts.total, width))
    told = (known >= _LEAST_KNOWN) & (total > 0)
    return bad[told], total[told]


def _alerts(counts: Counts, budget: float) -> Ints:
    usual = float(np.nanmean(counts.total)) / counts.step_s
    course = Course(
        bad=counts.bad, total=counts.total, usual=usual, step_s=counts.step_s, budget=budget
    )
    return alerts(course)
