"""How alpha is divided over starts and scopes: fixed by order of arrival, never above one in sum.

Union bound (Ville 1939; Bonferroni): each e-value may err with its own share of alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["ARM_SHARE", "Start", "StartClock", "start_share", "step_share", "unit_shares"]

ARM_SHARE = 0.7
_FIRST, _STEPS, _OTHERS, _LATE = 0.5, 0.25, 0.2, 0.05
_EARLY = 24
# Units that are judged by themselves.
_UNITS = 20


@lru_cache(maxsize=4096)
def start_share(index: int) -> float:
    """Share of the `index`-th start in time order that is no step; with the steps' they sum to 1.

    >>> start_share(0)
    0.5
    """
    if index == 0:
        return _FIRST
    if index <= _EARLY:
        return _OTHERS / _EARLY
    return _LATE * (1 / math.log2(index - 23) - 1 / math.log2(index - 22))


def step_share(order: int) -> float:
    """Share of the start at the `order`-th step of exposure, from 1 on.

    Steps are few and faults that depend on load begin there: they have more than other starts.
    """
    return _STEPS / (order * (order + 1))


def unit_shares(units: int) -> NDArray[np.float64]:
    """Shares of single units in order of arrival, (units,); with the arm's they sum to at most 1.

    Half goes by arrival, half is even over the first 20: the twelfth unit may be the bad one.
    """
    order = np.arange(1, units + 1, dtype=np.float64)
    even = (order <= _UNITS) / _UNITS
    shares: NDArray[np.float64] = (1 - ARM_SHARE) * (0.5 / (order * (order + 1)) + 0.5 * even)
    return shares


@dataclass(frozen=True, slots=True)
class Start:
    """A time from which evidence is summed afresh: `bin` is its first bin, `index` its order.

    `order`: that of a step among the steps of exposure, from 1 on; 0 where the start is none.
    """

    index: int
    bin: int
    order: int = 0

    @property
    def step(self) -> bool:
        """Whether the exposure changed here."""
        return self.order > 0

    @property
    def share(self) -> float:
        """Its share of alpha."""
        return step_share(self.order) if self.order else start_share(self.index)


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
        self._steps = 0
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
        self._steps += step
        start = Start(self._count, bin_, self._steps if step else 0)
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
