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
    "Interval",
    "Outlook",
    "Progress",
    "intervals",
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


def intervals(log_e: Array, row: Row | Sequence[Row], alphas: Sequence[float]) -> list[Interval]:
    """Effects not excluded, each at its own level of `alphas`, from log e(delta) of (N, D).

    Each may be of a row of its own, the shifts beyond which are excluded.
    """
    rows = [row] * len(log_e) if isinstance(row, Row) else row
    walls = [-math.log(alpha) for alpha in alphas]
    inside = log_e < np.array(walls)[:, None]
    best, first = log_e.argmin(axis=1).tolist(), inside.argmax(axis=1).tolist()
    last = (log_e.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)).tolist()
    places = zip(best, first, last, strict=True)
    return [
        _between(log_e, at, one.grid.shift, walls[at], place)
        for at, (one, place) in enumerate(zip(rows, places, strict=True))
    ]


def _between(
    log_e: Array, at: int, shift: Array, wall: float, place: tuple[int, int, int]
) -> Interval:
    """From the first grid point to the last that are inside the wall; the best where none is."""
    best, first, last = place
    mode = shift.item(best)
    if not log_e.item(at, first) < wall:
        return Interval(mode, mode, mode)
    high = math.inf if last == len(shift) - 1 else _cross(log_e, at, shift, wall, (last, last + 1))
    low = -math.inf if first == 0 else _cross(log_e, at, shift, wall, (first, first - 1))
    return Interval(mode, low, high)


def _cross(log_e: Array, at: int, shift: Array, wall: float, place: tuple[int, int]) -> float:
    """Where log e crosses the wall, linear between a grid point inside it and one outside."""
    inside, outside = place
    near, far = log_e.item(at, inside), log_e.item(at, outside)
    begin, end = shift.item(inside), shift.item(outside)
    return begin + (wall - near) / max(far - near, 1e-12) * (end - begin)


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
