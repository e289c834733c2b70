"""From a level to a p-value: by rank among levels that were seen, beyond them by their tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tail", "level_of", "p_values", "tail_of"]

Floats = NDArray[np.float64]

_KEPT = 512
_TOP = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Levels (n,), ascending, and the log of the share that reaches each.

    `decay` is the mean excess over a high level: beyond the last level the share falls by e with
    each of it (an exponential tail, the domain of attraction that light tails share).
    """

    levels: Floats
    log_share: Floats
    decay: float


def tail_of(levels: Floats) -> Tail:
    """The tail of levels seen (N,), N >= 1, thinned where they are many; NaN is left out."""
    seen = np.sort(levels[np.isfinite(levels)])
    if not len(seen):
        raise ValueError("no level to learn a tail from")
    level, before = np.unique(seen, return_index=True)
    share = (len(seen) - before + 1) / (len(seen) + 1)
    keep = np.unique(len(level) - _counts(len(level)))
    high = seen[min(int((1 - _TOP) * len(seen)), len(seen) - 1)]
    excess = seen[seen > high] - high
    decay = float(excess.mean()) if len(excess) else 1.0
    return Tail(levels=level[keep], log_share=np.log(share[keep]), decay=max(decay, 1e-6))


def p_values(tail: Tail, levels: Floats) -> Floats:
    """The chance of a level so high with nothing wrong: (T,) in (0, 1], never rising with it."""
    inside = np.interp(levels, tail.levels, tail.log_share, left=0.0)
    beyond = np.maximum(levels - tail.levels[-1], 0.0) / tail.decay
    p: Floats = np.exp(np.maximum(inside - beyond, -690.0))
    return p


def level_of(tail: Tail, p: float) -> float:
    """The level that is reached with chance `p`."""
    log_p = float(np.log(p))
    last = float(tail.log_share[-1])
    if log_p < last:
        return float(tail.levels[-1]) + (last - log_p) * tail.decay
    return float(np.interp(-log_p, -tail.log_share, tail.levels))


def _counts(n: int) -> NDArray[np.int64]:
    """How many levels are at or above the kept ones: all of the top, ever fewer below."""
    if n <= _KEPT:
        return np.arange(1, n + 1)
    return np.unique(np.geomspace(1, n, _KEPT).round().astype(np.int64))
