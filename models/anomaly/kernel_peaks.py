"""What excursions had reached, on either side, compiled: so that one of them is one alarm."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.anomaly import tuning as c
from models.anomaly.columns import Doubles, Singles
from models.baseline.layout import PEAK_MINUTES, Hot
from models.compiling import inlined

__all__ = ["fade", "tell"]

_ABOVE, _BELOW = int(Hot.PEAK_ABOVE), int(Hot.PEAK_BELOW)
_MINUTE_MS = 60_000
_BIN = c.GRAINS // int(c.GRAIN_SCORE)


@inlined
def fade(row: int, before: int, t: int, quiet: int, hot: Singles) -> None:
    """Forget peaks that are past: their minutes are counted modulo some days."""
    minute = t // _MINUTE_MS
    for column in (_ABOVE, _BELOW):
        held = int(hot[row, column])
        is_past = (minute - held) % PEAK_MINUTES > quiet or t - before > quiet * _MINUTE_MS
        if held != 0 and is_past:
            hot[row, column] = 0.0


@inlined
def tell(
    i: int,
    row: int,
    grains: int,
    side: int,
    t: int,
    quiet: int,
    hot: Singles,
    pool: tuple[NDArray[Any], ...],
    scores: tuple[NDArray[Any], ...],
) -> None:
    """A score above 0: what it means, what its excursion had reached, and whether it rises."""
    counts, _, surprise_of, chance_of = pool
    surprise, reached, p_value, sides = scores[0], scores[1], scores[2], scores[3]
    column = _ABOVE if side > 0 else _BELOW
    minute = t // _MINUTE_MS
    held = int(hot[row, column])
    was = 0 if (minute - held) % PEAK_MINUTES > quiet else held // PEAK_MINUTES
    surprise[i] = _read(surprise_of, grains)
    p_value[i] = _read(chance_of, grains)
    reached[i] = _read(surprise_of, was)
    sides[i] = side
    if grains > was:
        hot[row, column] = np.float32(grains * PEAK_MINUTES + minute % PEAK_MINUTES)
        counts[1, grains // _BIN] += c.ONE
        if was > 0:
            counts[1, was // _BIN] -= c.ONE


@inlined
def _read(table: Doubles, grains: int) -> float:
    left = grains // _BIN
    part = (grains - left * _BIN) * (1.0 / _BIN)
    return float(table[left] + part * (table[left + 1] - table[left]))
