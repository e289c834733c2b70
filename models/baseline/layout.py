"""Where each number of a series stands in the arrays of the state."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["DAY_SLOTS", "EMPTY", "PEAK_MINUTES", "SLOTS", "WIDTH", "Cold", "Hot", "Kind"]

# A profile: 24 hours of any day, then 168 of the week as what they add to those.
DAY_SLOTS = 24
SLOTS = DAY_SLOTS + 168
EMPTY = -32_768
# A peak is grains of a score times this, plus its minute modulo this: a whole number below 2 ** 24.
PEAK_MINUTES = 8192


class Kind(IntEnum):
    """What a value stands for, as it is kept in the state."""

    GAUGE = 0
    CUMULATIVE = 1
    DELTA = 2


class Hot(IntEnum):
    """Columns of `State.hot`, touched by each sample.

    Values are relative to the level, in its unit; of a `TAIL` it is the mean log excess over the
    `EDGE` before it, which is what a share `tuning.RARE` of the statistic exceeds; spans are in
    seconds; `TYPICAL` and `DAY_MAX` are scores in nats; of the peaks of excursions see
    `PEAK_MINUTES`. While a series is learned its tails are not yet: in their places are the largest
    deviation, the second largest, and how many samples were learned before it began anew.
    """

    COUNT = 0
    STEP = 1
    NEAR = 2
    SHORT = 3
    LONG = 4
    TREND = 5
    POINT_EDGE = 6
    POINT_TAIL = 7
    SHORT_EDGE = 8
    SHORT_TAIL = 9
    LONG_EDGE = 10
    LONG_TAIL = 11
    WIDE_EDGE = 12
    RUN = 13
    BIN_SUM = 14
    BIN_COUNT = 15
    BEFORE = 16
    HERE = 17
    AFTER = 18
    TYPICAL = 19
    DAY_MAX = 20
    PEAK_ABOVE = 21
    PEAK_BELOW = 22


class Cold(IntEnum):
    """Columns of `State.cold`, touched once an hour of a series.

    `UNIT` is what 1 in the profile means; the others tell how much of the profile comes true:
    sums of what was forecast times what came, and of its square, both in units.
    """

    UNIT = 0
    DAYS = 1
    DAY_FIT = 2
    DAY_POWER = 3
    WEEK_FIT = 4
    WEEK_POWER = 5


WIDTH = len(Hot)
