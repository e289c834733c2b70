"""Invented servers: metrics with a day, that move together, with noise of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIRST", "STEP_S", "server"]

Floats = NDArray[np.float64]

STEP_S, FIRST = 600.0, 1000
DAY = 144


def server(rows: int, *, metrics: int = 5, seed: int = 1, first: int = FIRST) -> Floats:
    """Rows of a quiet server, (rows, metrics); the last metric never moves."""
    rng = np.random.default_rng(seed)
    at = np.arange(first, first + rows)
    day = np.sin(2 * np.pi * at / DAY)[:, None] * np.linspace(5, 1, metrics)
    load = rng.normal(size=(rows, 1)) * np.linspace(1, 2, metrics)
    x = 20 + day + load + 0.2 * rng.normal(size=(rows, metrics))
    x[:, -1] = 7.0
    return np.asarray(x, dtype=np.float64)
