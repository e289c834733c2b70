"""How often a week a model's rows get so odd: counted over services that are watched live.

A model's chance is learned from its past. What it is worth on rows that it never saw is counted
here: how far each excursion got, in decades of the chance, over all services together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "Rarity", "bin_of", "score_of"]

Counts = NDArray[np.int64]

# Bins of a decade, and how many there are: chances below one in 10 ** 40 are alike.
_GRAIN, BINS = 8, 320
# What the model itself says counts as so many weeks of a service.
_PRIOR_WEEKS = 20.0
# Beyond what so many excursions reached, fewer do by e with each of their mean excess, which is
# that of a chance that comes true or more.
_ENOUGH, _DECADE = 10, 1.0 / float(np.log(10.0))
# Weeks of each service that are remembered: models and services change.
_MEMORY_WEEKS = 8.0


def score_of(p_value: float) -> float:
    """Decades of a chance.

    >>> score_of(0.001)
    3.0
    """
    return float(min(max(-np.log10(p_value), 0.0), (BINS - 1) / _GRAIN))


def bin_of(score: float) -> int:
    """Where a score is counted."""
    return min(int(score * _GRAIN), BINS - 1)


class Rarity:
    """`counts` (BINS,) of excursions by how far they got; `weeks` of services that were watched."""

    def __init__(self, counts: Counts | None = None, weeks: float = 0.0) -> None:
        self.counts = np.zeros(BINS, np.int64) if counts is None else counts.copy()
        self.weeks = weeks
        self._above = _above(self.counts)

    def watched(self, weeks: float, services: int) -> None:
        """So much more was watched; old counts are halved where it is enough of each service."""
        self.weeks += weeks
        if self.weeks > 2 * _MEMORY_WEEKS * max(services, 1):
            self.weeks /= 2
            self.counts //= 2
            self._above = _above(self.counts)

    def rose(self, was: int, to: int) -> None:
        """An excursion that had got to bin `was` (-1: it begins) has got to a higher one."""
        if was >= 0:
            self.counts[was] -= 1
        self.counts[to] += 1
        self._above = _above(self.counts)

    def surprise(self, score: float, rows_a_week: float) -> float:
        """-log10 of the alarms a week of one service that a threshold there would give.

        Never falls with the score. `rows_a_week` of a service: without counts that many times the
        chance is what is expected.
        """
        said = _PRIOR_WEEKS * rows_a_week * 10.0**-score
        rate = (float(self._above[bin_of(score)]) + said) / (self.weeks + _PRIOR_WEEKS)
        return -float(np.log10(max(rate, 1e-300)))


def _above(counts: Counts) -> NDArray[np.float64]:
    """How many excursions got to each bin at least: as counted, beyond the last few as a tail."""
    above: NDArray[np.float64] = counts[::-1].cumsum()[::-1].astype(np.float64)
    enough = np.flatnonzero(above >= _ENOUGH)
    last = int(enough[-1]) if len(enough) else 0
    if not above[last]:
        return above
    excess = max(float(above[last + 1 :].sum()) / above[last] / _GRAIN, _DECADE)
    far = np.arange(BINS - last) / _GRAIN
    above[last:] = np.maximum(above[last:], above[last] * np.exp(-far / excess))
    return above
