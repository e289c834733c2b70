"""One step of the stream: samples in, the state moved on, and how odd each of them is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly.pool import READ_EVERY, made_ready, read_counts
from models.anomaly.scored import Advance, Scored, Settings
from models.baseline.state import State

__all__ = ["run", "step", "threshold"]


_SINGLE = ("surprise", "reached", "p_value")
_DOUBLE = ("value", "expected", "low", "high")


def threshold(alarms_per_week: float, series: int) -> float:
    """Surprise at which `series` quiet series together give `alarms_per_week`.

    >>> threshold(10.0, 10_000)
    3.0
    """
    if alarms_per_week <= 0 or series <= 0:
        raise ValueError("a rate of alarms and a number of series above 0 are needed")
    return float(np.log10(series / alarms_per_week))


def step(
    state: State,
    series: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    settings: Settings,
) -> Scored:
    """Score the samples in their order, each by what came before it, then learn from it.

    `series` (N,) rows of the state, `at` (N,) unix ms, `value` (N,). The state is changed in
    place. However a run of samples is cut into batches, state and scores are the same to the bit.
    ValueError where a row is not of the state or lengths differ.
    """
    from models.anomaly.kernel import advance

    return run(advance, state, series, at, value, settings)


def run(
    advance: Advance,
    state: State,
    series: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    settings: Settings,
) -> Scored:
    """As `step`, by the kernel or by its twin: they get stretches with one table of the pool."""
    _check(state, series, at, value)
    out = _columns(len(series))
    made_ready(state)
    start = 0
    while start < len(series):
        end = min(len(series), start + READ_EVERY - int(state.pool_spent[0]))
        part = slice(start, end)
        advance(state, series[part], at[part], value[part], settings, _cut(out, part))
        state.pool_spent[0] += end - start
        if state.pool_spent[0] >= READ_EVERY:
            read_counts(state)
        start = end
    return out


def _columns(count: int) -> Scored:
    columns: dict[str, NDArray[Any]] = {
        **{name: np.empty(count, dtype=np.float32) for name in _SINGLE},
        **{name: np.empty(count) for name in _DOUBLE},
        "side": np.zeros(count, dtype=np.int8),
        "flag": np.zeros(count, dtype=np.uint8),
    }
    return Scored(**columns)


def _cut(out: Scored, part: slice) -> Scored:
    names = (*_SINGLE, *_DOUBLE, "side", "flag")
    return Scored(**{name: getattr(out, name)[part] for name in names})


def _check(
    state: State,
    series: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
) -> None:
    if not len(series) == len(at) == len(value):
        raise ValueError(f"{len(series)} series, {len(at)} times, {len(value)} values")
    if len(series) and (int(series.min()) < 0 or int(series.max()) >= len(state)):
        raise ValueError(f"rows {series.min()} to {series.max()} of a state of {len(state)}")
