"""What excursions had reached, on either side, in plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.anomaly import tuning as c
from models.anomaly.scored import Scored
from models.baseline.layout import PEAK_MINUTES, Hot
from models.baseline.state import BINS, State

__all__ = ["fade", "tell"]

Ints = NDArray[np.int64]
_MINUTE_MS = 60_000
_BIN = c.GRAINS // int(c.GRAIN_SCORE)


def fade(state: State, rows: Ints, before: Ints, t: Ints, quiet: int) -> None:
    """Forget peaks that are past: their minutes are counted modulo some days."""
    for column in (Hot.PEAK_ABOVE, Hot.PEAK_BELOW):
        held = state.hot[rows, column]
        gone = (t // _MINUTE_MS - held.astype(np.int64)) % PEAK_MINUTES > quiet
        gone |= t - before > quiet * _MINUTE_MS
        state.hot[rows, column] = np.where(gone, np.float32(0), held)


def tell(  # noqa: PLR0917
    state: State,
    out: Scored,
    rows: Ints,
    where: Ints,
    grains: Ints,
    side: NDArray[np.int8],
    t: Ints,
    quiet: int,
) -> None:
    """Scores above 0: what they mean, what their excursions had reached, and which rise."""
    minute = t // _MINUTE_MS
    column = np.where(side > 0, Hot.PEAK_ABOVE, Hot.PEAK_BELOW)
    held = state.hot[rows, column].astype(np.int64)
    is_past = (minute - held) % PEAK_MINUTES > quiet
    was = np.where(is_past, 0, held // PEAK_MINUTES)
    out.surprise[where] = _read(state.pool_table[0], grains)
    out.p_value[where] = _read(state.pool_table[1], grains)
    out.reached[where] = _read(state.pool_table[0], was)
    out.side[where] = side
    rises = grains > was
    peak = (grains * PEAK_MINUTES + minute % PEAK_MINUTES).astype(np.float32)
    state.hot[rows[rises], column[rises]] = peak[rises]
    state.pool_counts[1] += c.ONE * np.bincount(grains[rises] // _BIN, minlength=BINS)
    state.pool_counts[1] -= c.ONE * np.bincount(was[rises & (was > 0)] // _BIN, minlength=BINS)


def _read(table: NDArray[np.float64], grains: Ints) -> NDArray[np.float32]:
    left = grains // _BIN
    part = (grains - left * _BIN) * (1.0 / _BIN)
    value = table[left] + part * (table[left + 1] - table[left])
    single: NDArray[np.float32] = value.astype(np.float32)
    return single
