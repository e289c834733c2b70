"""How odd each bin of a week is beside the others: robust scores of shares and of levels.

A score is the distance from the median of all bins in standard deviations, the larger of what
counting makes and what the bins themselves do: 1.4826 times the median absolute deviation, which
is the standard deviation of a normal sample (Rousseeuw & Croux, 1993). Few odd bins move neither.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["level_scores", "share_scores"]

Array = NDArray[np.float64]

_MAD = 1.4826
# Bins alike to the last digit are no reason to find the next one endlessly odd.
_FLOOR = 0.05
_FEWEST = 8


def share_scores(part: Array, whole: Array) -> Array:
    """Scores of the shares `part / whole` of each bin, on the scale of log odds; upwards is odd.

    Counts have shape (bins,). NaN where a bin counted nothing, or where fewer than 8 bins did.

    >>> calm = np.full(20, 10.0)
    >>> calm[7] = 200.0
    >>> int(np.nanargmax(share_scores(calm, np.full(20, 1000.0))))
    7
    """
    counted = whole > 0
    scores = np.full(len(whole), np.nan)
    if counted.sum() < _FEWEST:
        return scores
    part, whole = part[counted] + 0.5, whole[counted] + 1.0
    odds = np.log(part / np.maximum(whole - part, 0.5))
    counting = np.sqrt(1 / part + 1 / np.maximum(whole - part, 0.5))
    scores[counted] = (odds - np.median(odds)) / np.hypot(_spread(odds), counting)
    return scores


def level_scores(values: Array, *, period: int) -> Array:
    """Scores of positive levels against those of the same phase in other periods, in logarithms.

    `period` is the number of bins after which a season returns. NaN where a level is not
    positive, or where fewer than two others have the phase. Both ways are odd: lower is negative.
    """
    logs = np.log(np.where(values > 0, values, np.nan))
    usual = np.full(len(values), np.nan)
    for at in range(len(values)):
        others = logs[at % period :: period][np.arange(at % period, len(values), period) != at]
        others = others[np.isfinite(others)]
        if len(others) >= 2:
            usual[at] = np.median(others)
    off = logs - usual
    known = off[np.isfinite(off)]
    if len(known) < _FEWEST:
        return np.full(len(values), np.nan)
    counting = 1 / np.sqrt(np.maximum(values, 1.0))
    scores: Array = off / np.hypot(_spread(known), counting)
    return scores


def _spread(values: Array) -> float:
    return max(_MAD * float(np.median(np.abs(values - np.median(values)))), _FLOOR)
