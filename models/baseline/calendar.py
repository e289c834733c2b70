"""Local time of samples: hours, days and the slot of the week, with holidays as Sundays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baseline.layout import DAY_SLOTS

__all__ = [
    "DAY_MS",
    "HOUR_MS",
    "Calendar",
    "instant_of",
    "kept_calendar",
    "local_ms",
    "local_of",
    "slots",
]

Ints = NDArray[np.int64]
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
_SUNDAY = 6
_KEPT = "calendar."
_PARTS = ("starts", "offsets", "holidays")
_NONE: Ints = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Clocks and days off where the series live.

    From `starts[i]` (unix ms, ascending) on, clocks are `offsets[i]` ms ahead of UTC; before the
    first they are as at the first. `holidays` are local days since 1970-01-01 that go like a
    Sunday, ascending. ValueError where lengths differ or an order is not ascending.
    """

    starts: Ints = field(default_factory=_NONE.copy)
    offsets: Ints = field(default_factory=_NONE.copy)
    holidays: Ints = field(default_factory=_NONE.copy)

    def __post_init__(self) -> None:
        if len(self.starts) != len(self.offsets):
            raise ValueError(f"{len(self.starts)} starts of {len(self.offsets)} offsets")
        if (np.diff(self.starts) <= 0).any() or (np.diff(self.holidays) <= 0).any():
            raise ValueError("starts of offsets and holidays go up")

    def to_arrays(self) -> dict[str, Ints]:
        """The same by names, for a snapshot."""
        return {_KEPT + name: getattr(self, name) for name in _PARTS}


def kept_calendar(arrays: Mapping[str, NDArray[Any]]) -> Calendar | None:
    """The calendar of a snapshot, None where it has none.

    >>> kept_calendar(Calendar(holidays=np.array([5])).to_arrays()).holidays.tolist()
    [5]
    """
    if any(_KEPT + name not in arrays for name in _PARTS):
        return None
    return Calendar(**{name: arrays[_KEPT + name] for name in _PARTS})


def local_ms(at: Ints, calendar: Calendar) -> Ints:
    """What the clock on the wall shows at these instants, in ms.

    >>> summer = Calendar(starts=np.array([0, 1000]), offsets=np.array([0, 3600_000]))
    >>> local_ms(np.array([999, 1000]), summer).tolist()
    [999, 3601000]
    """
    if not len(calendar.starts):
        return at
    here = np.maximum(np.searchsorted(calendar.starts, at, side="right") - 1, 0)
    local: Ints = at + calendar.offsets[here]
    return local


def local_of(at: int, calendar: Calendar) -> int:
    """As `local_ms`, of one instant."""
    return int(local_ms(np.array([at]), calendar)[0])


def instant_of(local: int, calendar: Calendar) -> int:
    """When the clock on the wall shows a time, in unix ms.

    Of a time that comes twice, the first; a time that is skipped is told by the clock of before,
    so it is as long after the skip as it would have been (RFC 5545, 3.3.5).

    >>> forward = Calendar(starts=np.array([0, 5000]), offsets=np.array([0, 3000]))
    >>> [instant_of(local, forward) for local in (4999, 5000, 7999, 8000)]
    [4999, 5000, 7999, 5000]
    """
    if not len(calendar.starts):
        return local
    offsets = calendar.offsets
    since = calendar.starts[1:] + np.maximum(offsets[1:], offsets[:-1])
    return local - int(offsets[np.searchsorted(since, local, side="right")])


def slots(hour: Ints, calendar: Calendar) -> tuple[Ints, Ints]:
    """Slots of the profile for local hours since 1970-01-01: of the day, and of the week.

    >>> [int(slot[0]) for slot in slots(np.array([5]), Calendar())]
    [5, 101]
    """
    day = hour // 24
    of_day = hour - 24 * day
    weekday = np.where(np.isin(day, calendar.holidays), _SUNDAY, (day + 3) % 7)
    return of_day, DAY_SLOTS + 24 * weekday + of_day
