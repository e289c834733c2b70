"""Whether events among their occasions have become more or fewer, in bins of a piece each."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

__all__ = ["correlation", "weight_of_change"]

Array = NDArray[np.float64]

# Occasions of one bin resemble each other at least this much; what is measured counts by its bins.
_LEAST_CORRELATION, _TRUSTED_BINS = 0.01, 4.0
_JEFFREYS = 0.5
# As many bins of a hundred may be as wild as they like: a past holds incidents, too.
_WILD = 0.01


def correlation(events: Array, occasions: Array) -> float:
    """How much occasions within a bin resemble each other, 0.01 to 1: moments of bins (n,).

    What a flow brings in one burst is one occasion rather than many: Williams, "Extra-binomial
    variation in logistic linear models", Applied Statistics 1982.
    """
    held = occasions > 1.0
    events, occasions = events[held], occasions[held]
    bins, total = len(events), float(occasions.sum())
    ratio = float(events.sum()) / total if total else 0.0
    if bins < 2 or not 0.0 < ratio < 1.0:
        return _LEAST_CORRELATION
    excess = (events - occasions * ratio) ** 2 / (occasions * ratio * (1.0 - ratio))
    kept = np.sort(excess)[: bins - int(bins * _WILD)]
    found = (float(kept.sum()) / max(len(kept) - 1, 1) - 1.0) / (float(occasions.mean()) - 1.0)
    return min(1.0, max(_LEAST_CORRELATION, found * bins / (bins + _TRUSTED_BINS)))


def weight_of_change(
    before: tuple[Array, Array], after: tuple[Array, Array], within: float
) -> tuple[float, float]:
    """Log odds that the rate differs against that it is one, and by how much it differs.

    Each side is events and occasions of its bins; `within` is their correlation, which makes n
    occasions of a bin worth n / (1 + (n - 1) * within). Beta-binomial Bayes factor with Jeffreys'
    prior on either side. Without occasions on both sides nothing is known: (0, 0).
    """
    (a, n), (b, m) = _worth(*before, within), _worth(*after, within)
    if n <= 0.0 or m <= 0.0:
        return 0.0, 0.0
    half = _JEFFREYS
    apart = betaln(a + half, n - a + half) + betaln(b + half, m - b + half)
    as_one = betaln(half, half) + betaln(a + b + half, n + m - a - b + half)
    odds = float(apart - as_one)
    return (odds if math.isfinite(odds) else 0.0), b / m - a / n


def _worth(events: Array, occasions: Array, within: float) -> tuple[float, float]:
    each = 1.0 / (1.0 + np.maximum(occasions - 1.0, 0.0) * within)
    return float((events * each).sum()), float((occasions * each).sum())
