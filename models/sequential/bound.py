"""Time-uniform bounds of a true effect, and what is still needed until a bound is low enough.

Inversion of e-processes (Howard, Ramdas, McAuliffe, Sekhon, *Time-uniform, nonparametric,
nonasymptotic confidence sequences*): they may be looked at at every poll.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.sequential.kernels import Apart, Kernels
from models.sequential.rows import Row
from models.sequential.stack import StackedKernels

__all__ = [
    "Ends",
    "Interval",
    "Outlook",
    "Progress",
    "log_bet",
    "outlook",
    "smallest_effect",
]

Array = NDArray[np.float64]


def log_bet(log_l: Array, kernels: Kernels | StackedKernels) -> Array:
    """log e(delta) for each true shift delta on the grid: (..., D) to (..., D).

    Of a stack (S, N, D) to (S, N, D); where a row has fewer shifts they are excluded by far.
    """
    mass = log_l - np.maximum.reduce(log_l, axis=-1, keepdims=True)
    spread = np.exp(mass, out=mass) @ kernels.spread.swapaxes(-1, -2)
    np.maximum(spread, 1e-300, out=spread)
    mixed: Array = np.log(spread @ kernels.bet[..., None]) - np.log(spread)
    return mixed


@dataclass(frozen=True, slots=True)
class Interval:
    """Mode and time-uniform ends of an effect; ends are infinite where the grid ends."""

    mode: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ends:
    """Effects not excluded, N of them, each at its own level; ends are made out when asked for.

    `walls`: what log e of (N, D) must stay below; by row the shifts, the likeliest of them, and the
    first and the last that are inside.
    """

    log_e: Array
    shifts: Sequence[Array]
    walls: Sequence[float]
    best: Sequence[int]
    first: Sequence[int]
    last: Sequence[int]

    @classmethod
    def of(cls, log_e: Array, rows: Sequence[Row], alphas: Sequence[float]) -> Ends:
        """From log e(delta) of (N, D); shifts beyond those of a row are excluded."""
        walls = [-math.log(alpha) for alpha in alphas]
        inside = log_e < np.array(walls)[:, None]
        best, first = log_e.argmin(axis=1).tolist(), inside.argmax(axis=1).tolist()
        last = (log_e.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)).tolist()
        return cls(log_e, [row.grid.shift for row in rows], walls, best, first, last)

    def interval(self, at: int) -> Interval:
        """From the first grid point to the last that are inside; the best where none is."""
        return Interval(self.mode(at), self.low(at), self.high(at))

    def mode(self, at: int) -> float:
        """The likeliest effect."""
        return self.shifts[at].item(self.best[at])

    def low(self, at: int) -> float:
        """The lower end."""
        first = self.first[at]
        if not self._is_inside(at):
            return self.mode(at)
        return -math.inf if first == 0 else self._cross(at, first, first - 1)

    def high(self, at: int) -> float:
        """The upper end."""
        last = self.last[at]
        if not self._is_inside(at):
            return self.mode(at)
        return math.inf if last == len(self.shifts[at]) - 1 else self._cross(at, last, last + 1)

    def _is_inside(self, at: int) -> bool:
        """Whether any grid point is."""
        return self.log_e.item(at, self.first[at]) < self.walls[at]

    def _cross(self, at: int, inside: int, outside: int) -> float:
        """Where log e crosses the wall, linear between a grid point inside it and one outside."""
        near, far = self.log_e.item(at, inside), self.log_e.item(at, outside)
        begin, end = self.shifts[at].item(inside), self.shifts[at].item(outside)
        return begin + (self.walls[at] - near) / max(far - near, 1e-12) * (end - begin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How many further requests a pass needs, None where none can help; then `units` may."""

    requests: float | None
    units: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a bound has come.

    `counted`: requests that counted so far, `bins`: in how many bins, over `units`; `info`:
    information a request; `noise`: scrape-to-scrape sd; `log_e_limit`: log e at the limit now;
    `alpha`: 1 - level of the bound; `counts`: Poisson counts, else a scale.
    """

    counted: float
    bins: float
    units: int
    info: float
    noise: float
    limit: float
    mode: float
    log_e_limit: float
    alpha: float
    counts: bool

    @property
    def goal(self) -> float:
        """Log e that the limit must reach."""
        return -math.log(self.alpha) + 0.7


def outlook(p: Progress, kernels: Apart | Kernels) -> Outlook:
    """What is missing until the bound falls below `limit` (gate method, section 7)."""
    gap = p.limit - _expected(p, kernels)
    if gap <= 0:
        return Outlook(requests=None, units=None)
    per_shift = gap**2 / (2 * p.goal) - kernels.sc**2
    room = per_shift - kernels.tau**2 / p.units
    if room <= 0:
        more = math.ceil(kernels.tau**2 / per_shift) if per_shift > 0 else None
        return Outlook(requests=None, units=more)
    total = _total(p, kernels, gap, room)
    return Outlook(requests=max(total - p.counted, 0.0), units=None)


def _expected(p: Progress, kernels: Apart | Kernels) -> float:
    """Effect to be expected once more is seen: the mode, drawn to none by what is not yet known."""
    healthy = kernels.sc**2 + kernels.tau**2 / p.units
    unknown = 1 / max(p.counted * p.info, 1e-9)
    return p.mode * healthy / (healthy + unknown)


def _total(p: Progress, kernels: Apart | Kernels, gap: float, room: float) -> float:
    """Total requests needed; once the bound has moved, judged by how far it has come."""
    cost = 1 / max(p.info, 1e-9) + p.noise**2 * p.counted / max(p.bins * p.units, 1.0)
    if p.log_e_limit <= 1:
        return cost / room
    if p.counts:
        return p.counted * (p.goal - 0.2) / (p.log_e_limit + 0.5)
    seen = gap**2 / (2 * (p.log_e_limit + 0.7)) - kernels.sc**2 - kernels.tau**2 / p.units
    return min(max(p.counted * seen, 0.3 * cost), 30 * cost) / room


def smallest_effect(
    row: Row,
    kernels: Apart | Kernels,
    *,
    log_needed: float,
    info: float,
    units: int,
    caution: float,
) -> float:
    """Effect that is found with 90 % chance, in log units (gate method, section 8)."""
    noise = math.sqrt(1 / max(info, 1e-9) + kernels.sc**2 + kernels.tau**2 / max(units, 1))
    return row.tolerate + caution + (math.sqrt(2 * max(log_needed + 1.6, 0.0)) + 1.28) * noise
