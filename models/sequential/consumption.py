"""What a unit uses at a given load, with how well that is known: so much, and so much a request.

Least squares of block means of load on block means of use. Counting noise in the load pulls such
a slope towards zero, so it is corrected for its reliability, given an error from leaving spans of
time out, and shrunk towards what services usually show (section 3.4 of the method).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Consumption", "consumption"]

Array = NDArray[np.float64]

_FEW = 4
_SPANS = 10
# The usual service: two thirds of its use are its requests', give or take a third.
_USUAL, _USUAL_SD = 0.65, 0.35
_JACKKNIFE = 1.3
_UNRELIABLE = 0.3
# What an uncertain slope may explain at most, and what a load beyond the range costs.
_EXCUSED_MOST, _EXCUSED_SDS, _BEYOND = 0.8, 1.5, 0.25
_FAR = float(np.log(1.25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """use = mean + slope (load - mean_load); `error` is the slope's, `low`..`high` loads seen."""

    mean: float
    mean_load: float
    slope: float
    error: float
    low: float
    high: float

    def predict(self, load: Array) -> Array:
        """Expected use at each load, never below a tenth of the mean."""
        expected = self.mean + self.slope * (load - self.mean_load)
        floor: Array = np.maximum(expected, 0.1 * self.mean)
        return floor

    def excused(self, load: Array, usual: Array, beyond: Array) -> Array:
        """Log excess that may be the load's doing at `load` where the reference carries `usual`.

        `beyond` is how far the load lies outside those that were seen, where the line is a guess.
        """
        apart = np.abs(load - usual) / self.predict(load)
        slope = np.minimum(_EXCUSED_MOST, _EXCUSED_SDS * self.error * apart)
        excuse: Array = slope + _BEYOND * beyond
        return excuse

    def beyond(self, load: Array, usual: Array) -> Array:
        """Log distance of a load from those that were seen or that the reference carries now.

        0 within; inf where it is so far off that the line says nothing.
        """
        safe = np.maximum(load, 1e-9)
        low = np.log(np.maximum(np.minimum(self.low, usual), 1e-9) / safe)
        high = np.log(safe / np.maximum(np.maximum(self.high, usual), 1e-9))
        far = np.maximum(np.maximum(low, high), 0.0)
        distance: Array = np.where(far <= _FAR, far, np.inf)
        return distance


def consumption(load: Array, use: Array, seconds: float) -> Consumption | None:
    """The line through block means of shape (units, blocks), NaN where absent; None of too few.

    `load` is in requests per second, a block lasts `seconds`.
    """
    known = np.isfinite(load) & np.isfinite(use) & (use > 0) & (load > 0)
    if np.count_nonzero(known) < _FEW:
        return None
    x, y = load[known], use[known]
    mean, mean_load = float(y.mean()), float(x.mean())
    each = mean / mean_load
    spread = float(x.var())
    counted = mean_load / seconds
    reliable = max(spread - counted, 0.0) / max(spread, 1e-12)
    least, most = _slopes(x, y, counted)
    error = (
        _JACKKNIFE * _left_out(load, use, known, counted) / max(reliable, 0.25)
        + abs(most - least) / 2
        + 0.03 * each
        + (0.5 * each if reliable < _UNRELIABLE else 0.0)
    )
    slope, error = _shrunk((least + most) / 2, error, each)
    low, high = np.quantile(x, [0.02, 0.98]).tolist()
    return Consumption(mean=mean, mean_load=mean_load, slope=slope, error=error, low=low, high=high)


def _slopes(x: Array, y: Array, counted: float) -> tuple[float, float]:
    """The least squares slope, and that without the load's counting noise."""
    apart = x - x.mean()
    together, spread = float((apart * (y - y.mean())).mean()), float((apart * apart).mean())
    whole = max(spread - counted, spread / 4, 1e-12)
    return together / max(spread, 1e-12), together / whole


def _left_out(load: Array, use: Array, known: NDArray[np.bool_], counted: float) -> float:
    """Standard error of the slope from leaving out each tenth of the time (jackknife)."""
    span = np.arange(load.shape[1]) * _SPANS // max(load.shape[1], 1)
    found = []
    for left in sorted(set(span.tolist())):
        kept = known & (span != left)
        if np.count_nonzero(kept) >= _FEW:
            found.append(_slopes(load[kept], use[kept], counted)[1])
    if len(found) < 2:
        return float("inf")
    slopes = np.array(found)
    return float(np.sqrt((len(slopes) - 1) * slopes.var()))


def _shrunk(slope: float, error: float, each: float) -> tuple[float, float]:
    """Slope and error in the light of what is usual; between none and all of the use."""
    weight, usual = 1 / max(error, 1e-12) ** 2, 1 / (_USUAL_SD * each) ** 2
    pulled = (weight * slope + usual * _USUAL * each) / (weight + usual)
    return min(max(pulled, 0.0), each), float(np.sqrt(1 / (weight + usual)))
