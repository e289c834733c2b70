"""Where each number of a series stands in its row of the hot state."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["WIDTH", "Hot", "Kind"]


class Kind(IntEnum):
    """What a value stands for, as it is kept in the state."""

    GAUGE = 0
    CUMULATIVE = 1
    DELTA = 2


class Hot(IntEnum):
    """Columns of `State.hot`; offsets are from the level, spans in seconds."""

    COUNT = 0
    STEP = 1
    NEAR = 2
    SHORT = 3
    LONG = 4
    SWING = 5
    POINT_EDGE = 6
    POINT_TAIL = 7
    SHORT_EDGE = 8
    SHORT_TAIL = 9
    LONG_EDGE = 10
    LONG_TAIL = 11
    SWING_EDGE = 12
    SWING_TAIL = 13
    BIN_SUM = 14
    BIN_COUNT = 15
    SEASON_BEFORE = 16
    SEASON_HERE = 17
    SEASON_AFTER = 18
    RUN = 19
    PEAK = 20
    SINCE_PEAK = 21


WIDTH = len(Hot)
