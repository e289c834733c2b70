"""Young units: what a cold start may look like, and how little a young unit counts."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.sequential.rows import Row, Template
from models.sequential.stack import Stack

__all__ = ["GRACE_S", "SETTLED_S", "attention", "log_priors", "template_shifts"]

Array = NDArray[np.float64]

GRACE_S = 45.0
# 720 s: every template has fallen below half a grid step of its row by then.
SETTLED_S = 720.0
_FADE_S = 120.0


def attention(
    age: Array, row: Row | Stack, noise: Array | float, *, grace: Array | float = GRACE_S
) -> Array:
    """How much a bin of a unit of this age counts, 0..1; NaN ages (not born) count 0.

    `noise` is the row's scrape-to-scrape sd; `grace` broadcasts against `age` (seconds). Of a stack
    `noise` and `grace` (S, 1) or more broadcast too, and ages (T, 1, P) give (T, S, P).
    """
    known = np.where(np.isnan(age), -1.0, age)
    counted = (known >= grace).astype(np.float64)
    if np.count_nonzero(row.damp_s):
        damp_s = np.maximum(row.damp_s, 1e-9)
        counted = counted * np.where(row.damp_s, -np.expm1(-((known / damp_s) ** 2)), 1.0)
    if np.count_nonzero(row.odd):
        odd = row.odd * np.exp(-np.maximum(known, 0.0) / _FADE_S)
        square = np.maximum(np.square(noise), 1e-300)
        counted = counted * np.where(row.odd, square / (square + odd**2), 1.0)
    return counted


def template_shifts(age: Array, row: Row | Stack) -> NDArray[np.int64]:
    """Grid steps by which each template moves the grid at this age: shape (*age, W).

    Of a stack ages (..., 1, P) give (..., S, P, W).
    """
    height, span, plateau, h = _shapes(row)
    pace = np.where(np.isnan(age), np.inf, age)[..., None] / span
    flat = np.minimum(np.maximum(1.0 - (pace - 1.0) / 0.5, 0.0), 1.0)
    fading = np.where(plateau, flat, np.exp(-pace))
    return np.rint(height * fading / h).astype(np.int64)


@cache
def log_priors(templates: tuple[Template, ...]) -> Array:
    """Log prior of each template, (W,)."""
    prior: Array = np.log(np.array([template.prior for template in templates]))
    return prior


def _shapes(row: Row | Stack) -> tuple[Array, Array, NDArray[np.bool_], Array | float]:
    """Height and span of each template, which of them are plateaus, and the grid's step."""
    if isinstance(row, Stack):
        return row.height, row.span, row.plateau, row.h
    return (*_shapes_of(row.templates), row.grid.h)


@cache
def _shapes_of(templates: tuple[Template, ...]) -> tuple[Array, Array, NDArray[np.bool_]]:
    height = np.array([template.height for template in templates])
    span = np.array([template.span for template in templates])
    return height, span, np.array([template.plateau for template in templates])
