"""Streams made by hand: the half hours of two weeks of a service, as a gate is told them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import stats

from detector.gate.course import WIDTH_S, Streamed, course
from detector.series import FloatArray
from tests.detector.gate.rollouts import EDGES

__all__ = ["A_DAY", "FIRST", "START", "daily", "told"]

A_DAY = 48
# A Monday at 0:00.
FIRST = 20_002 * A_DAY
# Two weeks and twelve hours later, in unix seconds.
START = (FIRST + 14 * A_DAY + 24) * WIDTH_S


def daily(size: float, *, days: int = 14, hour: float = 12.0, sd: float = 0.01) -> FloatArray:
    """Logs of each half hour up to the start: as usual, and so much more from an hour on."""
    slots = np.arange(days * A_DAY + 24)
    on = (slots % A_DAY >= 2 * hour) & (slots % A_DAY < 2 * hour + 4)
    return size * on + np.random.default_rng(7).normal(0, sd, len(slots))


def told(
    logs: FloatArray,
    *,
    errors: float = 0.003,
    requests: float = 1e5,
    slower: FloatArray | None = None,
    why: Mapping[str, str] | None = None,
) -> Streamed:
    """Errors that move by these logs, latencies by `slower`, up to the start."""
    size = np.full(len(logs), requests)
    counts = np.stack([size, size * errors * np.exp(logs)], axis=1)
    late = np.zeros(len(logs)) if slower is None else slower
    z = (np.log(EDGES) - np.log(0.06) - late[:, None]) / 0.7
    below = np.concatenate([stats.norm.cdf(z), np.ones((len(logs), 1))], axis=1)
    return Streamed(
        first=FIRST + 14 * A_DAY + 24 - len(logs),
        courses=(course(counts), course(requests * below, (*EDGES.tolist(), math.inf))),
        signals={"error_rate": 0, "latency": 1, "tail95": 1, "tail99": 1},
        why=why or {},
    )
