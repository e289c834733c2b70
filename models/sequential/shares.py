"""How alpha is divided over starts and scopes: fixed by order of arrival, never above one in sum.

Union bound (Ville 1939; Bonferroni): each e-value may err with its own share of alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["ARM_SHARE", "Start", "StartClock", "start_share", "unit_shares"]

ARM_SHARE = 0.7
_EARLY = 24


@lru_cache(maxsize=4096)
def start_share(index: int) -> float:
    """Share of the `index`-th start in time order; the sum over all starts is 1.

    >>> start_share(0)
    0.6
    """
    if index == 0:
        return 0.6
    if index <= _EARLY:
        return 0.3 / _EARLY
    return 0.1 * (1 / math.log2(index - 23) - 1 / math.log2(index - 22))


def unit_shares(units: int) -> NDArray[np.float64]:
    """Shares of single units in order of arrival, (units,); with the arm's they sum below 1."""
    order = np.arange(1, units + 1, dtype=np.float64)
    shares: NDArray[np.float64] = (1 - ARM_SHARE) / (order * (order + 1))
    return shares


@dataclass(frozen=True, slots=True)
class Start:
    """A time from which evidence is summed afresh: `bin` is its first bin, `index` its order."""

    index: int
    bin: int
    step: bool = False


class StartClock:
    """Which starts exist and which still live, in bins.

    Starts: 0, each 60 s to 300 s, then each 120 s, and every step of exposure. The i-th lives
    480 s times two to the number of trailing zero bits of i; start 0 and the newest step always.
    """

    def __init__(self, step_s: float) -> None:
        self._early = max(2, round(60 / step_s))
        self._late = max(2, round(120 / step_s))
        self._life = 480 / step_s
        self._live: list[Start] = []
        self._count = 0
        self._next = 0

    @property
    def live(self) -> tuple[Start, ...]:
        """Live starts, oldest first."""
        return tuple(self._live)

    @property
    def exposure(self) -> Start:
        """The newest step of exposure, or start 0."""
        return next((s for s in reversed(self._live) if s.step), self._live[0])

    def begin(self, bin_: int, *, step: bool = False) -> Start | None:
        """Called before bin `bin_` is added: the start that begins there, if any."""
        due = bin_ >= self._next
        if not (due or step):
            return None
        start = Start(self._count, bin_, step)
        self._count += 1
        self._live.append(start)
        if due:
            early = bin_ < 5 * self._early
            self._next = bin_ + (self._early if early else self._late)
        self._thin(bin_)
        return start

    def _thin(self, now: int) -> None:
        newest = self.exposure
        self._live = [
            s
            for s in self._live
            if s.index == 0 or s is newest or now - s.bin < self._life * (s.index & -s.index)
        ]
