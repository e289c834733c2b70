"""What a step of the stream is told and tells: settings, and the scores of samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.baseline.calendar import Calendar
from models.baseline.state import State

__all__ = ["Advance", "Flag", "Scored", "Settings"]

# Minutes of peaks are kept modulo some days (`layout.PEAK_MINUTES`).
_QUIET_MOST_S = 172_800.0


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

    `quiet_s` is how long after its peak an excursion counts as the same one, and rises no alarm:
    whole minutes, two days at most (ValueError).
    """

    calendar: Calendar = field(default_factory=Calendar)
    quiet_s: float = 43_200.0

    def __post_init__(self) -> None:
        if not 0 <= self.quiet_s <= _QUIET_MOST_S:
            raise ValueError(f"quiet_s lies between 0 and {_QUIET_MOST_S:.0f}, not {self.quiet_s}")

    @property
    def quiet_m(self) -> int:
        """The same in minutes."""
        return int(self.quiet_s // 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """N samples, as they came.

    `surprise` (N,) is -log10 of the alarms a week of one series that a threshold here would give
    with nothing wrong: `threshold` gives the level for a wanted rate. `reached` (N,) is the
    surprise that the excursion had reached before: a sample begins an alarm at level T exactly
    where `surprise >= T > reached`. `p_value` (N,) is the chance of so odd a sample. `side` (N,) is
    1 for what is odd above, -1 below, 0 for what is not odd; either side has excursions of its own.
    `expected`, `low`, `high` (N,) are of the value, or of the rate per second of a counter; NaN
    while learning. `value` (N,) is what was scored, a rate for counters, else as it came.
    """

    surprise: NDArray[np.float32]
    reached: NDArray[np.float32]
    p_value: NDArray[np.float32]
    side: NDArray[np.int8]
    value: NDArray[np.float64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    flag: NDArray[np.uint8]


class Advance(Protocol):
    """Scores a stretch of samples in place: the state moves on, the columns are filled."""

    def __call__(
        self,
        state: State,
        series: NDArray[np.int32],
        at: NDArray[np.int64],
        value: NDArray[np.float64],
        settings: Settings,
        out: Scored,
    ) -> None:
        """Score and learn."""
        ...
