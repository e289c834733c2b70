"""How many events there were and how many were bad, bin by bin; what cannot be is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from detector.series import FloatArray

__all__ = ["Counts", "Flaw", "counts_of", "flaw_of"]

# Two counters of one target are read at once, but interpolated: good may lead by a request, and a
# thousandth where replicas are scraped at other times. More is a wrong query.
_AHEAD, _AHEAD_SHARE = 1.0, 1e-3


class Flaw(StrEnum):
    """Why the budget is not known; none of them is ever taken for fine."""

    NO_EVENTS = "no_events"
    NO_DATA = "no_data"
    NO_OBJECTIVE = "no_objective"
    SOURCE_FAILED = "source_failed"
    PARTIAL_DATA = "partial_data"
    STALE_DATA = "stale_data"
    GOOD_ABOVE_TOTAL = "good_above_total"
    NEGATIVE = "negative"
    NOT_A_NUMBER = "not_a_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Bins of `step_s` seconds up to `end` (unix seconds); `bad`, `total` (bins,), NaN: unknown."""

    end: float
    step_s: float
    bad: FloatArray
    total: FloatArray

    @property
    def known(self) -> float:
        """The share of bins that were counted."""
        return float(np.isfinite(self.total).mean()) if len(self.total) else 0.0

    def since(self, begin: float) -> Counts:
        """The bins that end after a time."""
        many = min(max(int(np.ceil((self.end - begin) / self.step_s - 1e-9)), 0), len(self.total))
        at = len(self.total) - many
        return Counts(end=self.end, step_s=self.step_s, bad=self.bad[at:], total=self.total[at:])


def flaw_of(part: FloatArray, total: FloatArray) -> Flaw | None:
    """What cannot be in counts per bin, where NaN in both is a gap; the sums are compared."""
    told = np.isfinite(part) & np.isfinite(total)
    if np.isinf(part).any() or np.isinf(total).any():
        return Flaw.NOT_A_NUMBER
    if not told.any():
        return Flaw.NO_DATA
    if (part[told] < 0).any() or (total[told] < 0).any():
        return Flaw.NEGATIVE
    some, whole = float(part[told].sum()), float(total[told].sum())
    if some > whole * (1 + _AHEAD_SHARE) + _AHEAD:
        return Flaw.GOOD_ABOVE_TOTAL
    return Flaw.NO_EVENTS if whole <= 0 else None


def counts_of(
    part: FloatArray, total: FloatArray, *, part_is_good: bool, end: float, step_s: float
) -> Counts | Flaw:
    """Counts of what a source counted, or why they cannot be used. A bin of one NaN is a gap."""
    flaw = flaw_of(part, total)
    if flaw is not None and flaw is not Flaw.NO_EVENTS:
        return flaw
    gap = ~(np.isfinite(part) & np.isfinite(total))
    bad = total - part if part_is_good else part
    bad = np.where(gap, np.nan, np.clip(bad, 0.0, total))
    return Counts(end=end, step_s=step_s, bad=bad, total=np.where(gap, np.nan, total))
