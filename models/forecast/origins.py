"""Moments of the past at which a forecast is tried, so that it is known how far off it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Origins", "origins_of"]

_ORIGINS = 8
# Days of past that a forecast is tried with at least, and that are tried at least.
_LEAST_DAYS = 7
# How far back the first origin of a short horizon is, in days.
_BACK_DAYS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """`at`: how many values were known at each, ascending; `reach`: steps that each was tried."""

    at: tuple[int, ...]
    reach: int

    @property
    def spans(self) -> float:
        """How many stretches of the tried length all trials cover: fewer than trials that overlap.

        >>> Origins(at=(10, 15, 20), reach=10).spans
        2.0
        """
        return min((self.at[-1] - self.at[0]) / self.reach + 1, len(self.at))


def origins_of(count: int, ahead: int, day: int) -> Origins:
    """Where a forecast of `ahead` steps can be tried on `count` values, a week of them past.

    As far as the forecast goes, but no more than half of what is left beside a week: what is
    further ahead has no trial, and is taken from what has (`intervals`).

    >>> origins_of(56 * 24, 14 * 24, 24).at[0] // 24, origins_of(56 * 24, 14 * 24, 24).at[-1] // 24
    (21, 42)
    """
    reach = min(ahead, max(day, (count - _LEAST_DAYS * day) // 2))
    last = count - reach
    back = max(_BACK_DAYS * day, 3 * reach)
    first = max(_LEAST_DAYS * day, last // 2, last - back)
    at = np.unique(np.linspace(min(first, last), last, _ORIGINS).astype(np.int64))
    return Origins(at=tuple(int(one) for one in at), reach=reach)
