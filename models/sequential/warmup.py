"""Young units: what a cold start may look like, and how little a young unit counts."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.sequential.rows import Row, Template

__all__ = ["GRACE_S", "SETTLED_S", "attention", "log_priors", "template_shifts"]

Array = NDArray[np.float64]

GRACE_S = 45.0
# 720 s: every template has fallen below half a grid step of its row by then.
SETTLED_S = 720.0
_FADE_S = 120.0


def attention(age: Array, row: Row, noise: float, *, grace: Array | float = GRACE_S) -> Array:
    """How much a bin of a unit of this age counts, 0..1; NaN ages (not born) count 0.

    `noise` is the row's scrape-to-scrape sd; `grace` broadcasts against `age` (seconds).
    """
    known = np.where(np.isnan(age), -1.0, age)
    counted = (known >= np.asarray(grace)).astype(np.float64)
    if row.damp_s:
        counted *= -np.expm1(-((known / row.damp_s) ** 2))
    if row.odd:
        odd = row.odd * np.exp(-np.maximum(known, 0.0) / _FADE_S)
        counted *= noise**2 / (noise**2 + odd**2)
    return counted


def template_shifts(age: Array, row: Row) -> NDArray[np.int64]:
    """Grid steps by which each template moves the grid at this age: shape (*age, W)."""
    height, span, plateau = _shapes(row.templates)
    pace = np.where(np.isnan(age), np.inf, age)[..., None] / span
    flat = np.minimum(np.maximum(1.0 - (pace - 1.0) / 0.5, 0.0), 1.0)
    fading = np.where(plateau, flat, np.exp(-pace))
    return np.rint(height * fading / row.grid.h).astype(np.int64)


@cache
def log_priors(templates: tuple[Template, ...]) -> Array:
    """Log prior of each template, (W,)."""
    prior: Array = np.log(np.array([template.prior for template in templates]))
    return prior


@cache
def _shapes(templates: tuple[Template, ...]) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Height and span of each template, and which of them are plateaus."""
    height = np.array([template.height for template in templates])
    span = np.array([template.span for template in templates])
    return height, span, np.array([template.plateau for template in templates])
