"""Where the names on the axes of a chart stand: round numbers, powers of ten, and times in UTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Tick", "number_ticks", "power_ticks", "time_ticks"]

_MOST = 7
# Powers of ten up to this one are written out.
_PLAIN = 3
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000
_STEPS_MS = (
    *(seconds * 1000 for seconds in (1, 5, 15, 30)),
    *(minutes * _MINUTE_MS for minutes in (1, 5, 15, 30)),
    *(hours * _HOUR_MS for hours in (1, 3, 6, 12)),
    *(days * _DAY_MS for days in (1, 2, 7, 14, 28, 91, 182, 364)),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# 1970-01-05 was a Monday: weeks are told by theirs.
_MONDAY_MS = 4 * _DAY_MS
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and its name."""

    at: float
    name: str


def number_ticks(low: float, high: float) -> Sequence[Tick]:
    """Multiples of 1, 2 or 5 times a power of ten.

    >>> [tick.name for tick in number_ticks(0.0, 1.0)]
    ['0', '0.2', '0.4', '0.6', '0.8', '1']
    """
    rough = (high - low) / (_MOST - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [Tick(n * step, _number(n * step)) for n in range(first, last + 1)]


def _number(value: float) -> str:
    for size, letter in _PREFIXES:
        if abs(value) >= size:
            divisor = 1e3 if letter == "k" else size
            return f"{value / divisor:.4g}{letter}"
    return f"{value:.4g}"


def power_ticks(low: float, high: float) -> Sequence[Tick]:
    """Powers of ten of which logarithms are given, at most seven.

    >>> [tick.name for tick in power_ticks(-2.2, 3.1)]
    ['0.01', '0.1', '1', '10', '100', '1000']
    """
    first, last = math.ceil(low), math.floor(high)
    every = max(1, math.ceil((last - first + 1) / _MOST))
    return [Tick(float(n), _power(n)) for n in range(first, last + 1, every)]


def _power(exponent: int) -> str:
    return f"{10.0**exponent:.4g}" if abs(exponent) <= _PLAIN else f"1e{exponent}"


def time_ticks(since: float, until: float) -> Sequence[Tick]:
    """Whole minutes, hours, days or weeks between two times (unix ms), as clocks of UTC show them.

    >>> [tick.name for tick in time_ticks(0, 4 * 3_600_000)]
    ['00:00', '01:00', '02:00', '03:00', '04:00']
    """
    fits = (step for step in _STEPS_MS if (until - since) / step <= _MOST)
    step = next(fits, _STEPS_MS[-1] * math.ceil((until - since) / _STEPS_MS[-1] / _MOST))
    begin = _MONDAY_MS if step >= 7 * _DAY_MS else 0
    first, last = math.ceil((since - begin) / step), math.floor((until - begin) / step)
    places = [begin + n * step for n in range(first, last + 1)]
    return [Tick(float(at), _time(at, step)) for at in places]


def _time(at: int, step: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    if step >= _DAY_MS:
        return f"{moment.day} {_MONTHS[moment.month - 1]}"
    if step >= _MINUTE_MS:
        return f"{moment.hour:02}:{moment.minute:02}"
    return f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
