"""How sure a share is: the exact interval of a proportion."""

from __future__ import annotations

__all__ = ["exact_interval"]


def exact_interval(hits: int, count: int, *, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the chance behind `hits` of `count`; (0, 1) for none.

    It covers the truth at least as often as `level` says: Clopper and Pearson, *The use of
    confidence or fiducial limits illustrated in the case of the binomial* (1934).
    `ValueError` for more hits than trials.

    >>> [round(x, 4) for x in exact_interval(0, 1100)]
    [0.0, 0.0033]
    """
    # Late: scipy takes a tenth of the start of every process, and few of them ever come by here.
    from scipy.special import betaincinv

    if not 0 <= hits <= count:
        raise ValueError(f"{hits} of {count} is no share")
    tail = (1 - level) / 2
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
    return low, high
