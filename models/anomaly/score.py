"""One step of the stream: samples in, the state moved on, and how odd each of them is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from models.baseline.state import State

__all__ = ["Flag", "Scored", "Settings", "step", "threshold"]

_NO_TIMES: NDArray[np.int64] = np.zeros(0, dtype=np.int64)


class Flag(IntFlag):
    """What befell a sample; 0 is a sample that was scored and learned from.

    The first four were not used at all and carry no score.
    """

    LATE = 1
    DUPLICATE = 2
    INVALID = 4
    STALE = 8
    LEARNING = 16
    GAP = 32
    RESET = 64
    SHIFT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is the same for all series of a state.

    Local time is data: from `zone_starts[i]` (unix ms, ascending) on, clocks are `zone_offsets[i]`
    seconds ahead of UTC, and before the first as they were at it. `holidays` are local days since
    1970-01-01 that go like a Sunday, ascending. `quiet_s` is how long an excursion must be over
    until a new one counts as another alarm.
    """

    zone_starts: NDArray[np.int64] = field(default_factory=_NO_TIMES.copy)
    zone_offsets: NDArray[np.int64] = field(default_factory=_NO_TIMES.copy)
    holidays: NDArray[np.int64] = field(default_factory=_NO_TIMES.copy)
    quiet_s: float = 43_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """N samples, as they came.

    `surprise` (N,) is -log10 of the alarms a week of one series that a threshold here would give
    with nothing wrong: `threshold` gives the level for a wanted rate. `reached` (N,) is the
    surprise that the excursion had reached before: a sample begins an alarm at level T exactly
    where `surprise >= T > reached`. `p_value` (N,) is the chance of so odd a sample. `expected`,
    `low`, `high` (N,) are of the value, or of the rate per second of a counter; NaN while
    learning. `value` (N,) is what was scored, a rate for counters, else as it came.
    """

    surprise: NDArray[np.float32]
    reached: NDArray[np.float32]
    p_value: NDArray[np.float32]
    value: NDArray[np.float64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    flag: NDArray[np.uint8]


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
    from models.anomaly import twin

    _check(state, series, at, value)
    return Scored(**twin.step(state, series, at, value, settings))


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
