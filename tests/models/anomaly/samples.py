"""Series made up for the models of single series, and the same samples by kernel and by twin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.anomaly import kernel, twin
from models.anomaly.score import run
from models.anomaly.scored import Scored, Settings
from models.baseline.calendar import DAY_MS
from models.baseline.layout import Kind
from models.baseline.state import State, empty

__all__ = [
    "MINUTE",
    "MONDAY",
    "STALE",
    "Samples",
    "apart",
    "beside",
    "calm",
    "differing",
    "scored",
    "some",
]

STALE = float(np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0])
MINUTE = 60_000
# 1970-01-05, the first Monday there is.
MONDAY = 4 * DAY_MS
Samples = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]


def calm(count: int, *, seed: int = 1, level: float = 10.0) -> NDArray[np.float64]:
    """Normal numbers around a level."""
    return np.random.default_rng(seed).normal(level, 1.0, count)


def beside(
    *series: Sequence[float] | NDArray[np.float64],
    start: int = MONDAY,
    every: int | Sequence[int] = MINUTE,
) -> Samples:
    """Series of one length side by side: the first sample of each, then the second ones.

    `every` is the milliseconds from one to the next, of all or of each series.
    """
    value = np.column_stack(series).astype(np.float64)
    count, width = value.shape
    rows = np.tile(np.arange(width, dtype=np.int32), count)
    at = start + np.arange(count, dtype=np.int64)[:, None] * np.full(width, every, dtype=np.int64)
    return rows, at.ravel(), value.ravel()


def some(samples: Samples, where: slice | NDArray[np.bool_]) -> Samples:
    """Some of the samples."""
    rows, at, value = samples
    return rows[where], at[where], value[where]


def scored(
    samples: Samples, kinds: Sequence[Kind] = (), settings: Settings | None = None
) -> tuple[State, Scored]:
    """What the kernel makes of samples; gauges if no kinds are told."""
    state = _blank(samples, kinds)
    return state, run(kernel.advance, state, *samples, settings or Settings())


def apart(
    samples: Samples, kinds: Sequence[Kind] = (), settings: Settings | None = None
) -> tuple[list[str], Scored]:
    """Names of what kernel and twin make otherwise of the same samples, and the kernel's scores."""
    known = settings or Settings()
    fast, found = scored(samples, kinds, known)
    plain = _blank(samples, kinds)
    return differing(fast, found, plain, run(twin.advance, plain, *samples, known)), found


def differing(fast: State, found: Scored, plain: State, wanted: Scored) -> list[str]:
    """Names of what is not the same to the bit."""
    want = plain.to_arrays()
    state = [n for n, array in fast.to_arrays().items() if array.tobytes() != want[n].tobytes()]
    columns = Scored.__slots__
    return state + [
        n for n in columns if getattr(found, n).tobytes() != getattr(wanted, n).tobytes()
    ]


def _blank(samples: Samples, kinds: Sequence[Kind]) -> State:
    count = int(samples[0].max(initial=-1)) + 1
    return empty(count, np.array(kinds or [Kind.GAUGE] * count, dtype=np.int8))
