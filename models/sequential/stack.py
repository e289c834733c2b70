"""Rows side by side: what is summed and scored for several signals in one go.

Grids are filled up to the widest that any such row has, whichever are there: a row has the same
bits beside every other. What was filled up weighs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.sequential.kernels import Kernels
from models.sequential.rows import ROWS, Row

__all__ = ["Stack", "StackedKernels", "stack_of", "stacked"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """S rows that all have cold starts, or none of them: W templates, J effects, D shifts.

    `h` (S, 1, 1); `height`, `span` and `plateau` (S, 1, W) of the templates, `log_q` (S, W) their
    log priors. `damp_s`, `odd`, `tolerate`, `scale` (S, 1) as in `Row`. `shift` (D, S, 1), -inf
    where a row has fewer; `last` (S,) is each row's last effect.
    """

    rows: tuple[Row, ...]
    width: int
    points: int
    shifts: int
    h: Array
    height: Array
    span: Array
    plateau: NDArray[np.bool_]
    log_q: Array
    damp_s: Array
    odd: Array
    tolerate: Array
    scale: Array
    shift: Array
    last: NDArray[np.int64]

    @property
    def lead(self) -> tuple[int, ...]:
        """The axis that arrays of a stack have and those of a row alone have not."""
        return (len(self.rows),)


@lru_cache(maxsize=256)
def stack_of(rows: tuple[Row, ...]) -> Stack:
    """The stack of at least one row."""
    like = [*rows, *(row for row in ROWS.values() if _is_alike(row, rows[0]))]
    width = max(len(row.templates) for row in like)
    shifts = max(len(row.grid.shift) for row in like)
    shift = np.stack([_filled(row.grid.shift, shifts, -np.inf) for row in rows], axis=1)
    templates = [
        [(t.height, t.span, t.plateau) for t in row.templates]
        + [(0.0, 1.0, False)] * (width - len(row.templates))
        for row in rows
    ]
    height, span, plateau = np.array(templates).transpose(2, 0, 1)[:, :, None]
    with np.errstate(divide="ignore"):
        priors = [_filled(np.array([t.prior for t in r.templates]), width, 0.0) for r in rows]
        log_q = np.log(np.array(priors))
    return Stack(
        rows=rows,
        width=width,
        points=max(len(row.grid.theta) for row in like),
        shifts=shifts,
        h=_column([row.grid.h for row in rows])[:, None],
        height=height,
        span=span,
        plateau=plateau > 0,
        log_q=log_q,
        damp_s=_column([row.damp_s for row in rows]),
        odd=_column([row.odd for row in rows]),
        tolerate=_column([row.tolerate for row in rows]),
        scale=_column([row.scale for row in rows]),
        shift=shift[:, :, None],
        last=np.array([len(row.grid.theta) - 1 for row in rows]),
    )


def _is_alike(one: Row, other: Row) -> bool:
    return (len(one.templates) > 1) is (len(other.templates) > 1)


def _filled(values: Array, size: int, fill: float) -> Array:
    return np.concatenate([values, np.full(size - len(values), fill)])


def _column(values: Sequence[float]) -> Array:
    return np.array(values, np.float64)[:, None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackedKernels:
    """Kernels of the rows of a stack.

    As in `Kernels`: `unit` (S, 1, J, D), `tests` (D, 3, S, 1), `spread` (S, D, D), `bet` (S, D) and
    `sc` (S, 1). `harms` (S, 1, D) is 0 where a shift is harm, else -inf; `peaks` are where each
    null weighs most, and the logs of these weights, (S, 2).
    """

    unit: Single
    tests: Array
    spread: Array
    bet: Array
    sc: Array
    harms: Array
    peaks: tuple[NDArray[np.int64], Array]


def stacked(
    kernels: Sequence[Kernels], stack: Stack, *, like: StackedKernels | None = None
) -> StackedKernels:
    """The kernels of each row of a stack, filled up.

    `like` are others of the same rows and units.
    """
    shifts, count = stack.shifts, len(kernels)
    unit = _units(kernels, stack) if like is None else like.unit
    tests, spread = np.zeros((shifts, 3, count, 1)), np.zeros((count, shifts, shifts))
    bet = np.zeros((count, shifts))
    for at, one in enumerate(kernels):
        outer = len(one.bet)
        tests[:outer, :, at, 0] = one.tests
        spread[at, :outer, :outer] = one.spread
        bet[at, :outer] = one.bet
    harm, nulls = tests[:, 0, :, 0], tests[:, 1:, :, 0]
    return StackedKernels(
        unit=unit,
        tests=tests,
        spread=spread,
        bet=bet,
        sc=_column([one.sc for one in kernels]),
        harms=np.where(harm > 0, 0.0, -np.inf).T[:, None],
        peaks=(nulls.argmax(axis=0).T, np.log(nulls.max(axis=0)).T),
    )


def _units(kernels: Sequence[Kernels], stack: Stack) -> Single:
    """The effects of a unit given the shift of each row, (S, 1, J, D)."""
    unit = np.zeros((len(kernels), 1, stack.points, stack.shifts), np.float32)
    for at, one in enumerate(kernels):
        inner, outer = one.unit.shape
        unit[at, 0, :inner, :outer] = one.unit
    return unit
