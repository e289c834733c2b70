"""What scores mean: counted over all series together, read as alarms a week and as p-values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.anomaly.tuning import GRAIN_SCORE, LEARN, ONE
from models.baseline.layout import Hot
from models.baseline.state import BINS, State

__all__ = ["READ_EVERY", "made_ready", "read_counts"]

Array = NDArray[np.float64]
READ_EVERY = 262_144
_WEEK_MS = 604_800_000.0
# Alarms a week of one series before any were counted: at score 0, how they fall with it, and the
# weeks that this is worth. Read off made-up series of many kinds (bench/stream/calibration.py).
_PRIOR_RATE, _PRIOR_SCALE, _PRIOR_POWER, _PRIOR_WEEKS = 8.0, 2.0, -5.0, 20.0
# Beyond the score that so many excursions reached, their tail falls as a power, as the prior does:
# how fast is the mean log excess (Hill 1975).
_ENOUGH = 20.0
# Counts are halved when they hold as many weeks of each series, and of so many series at least:
# two days, but no more than a quarter of all that was ever seen, nor less than half a day. In the
# first days levels are still found, and what was odd then says little of the days after.
_MEMORY_WEEKS, _MEMORY_LEAST, _MEMORY_PART, _FEW = 2 / 7, 1 / 14, 0.25, 200
_RARE = 0.06


def made_ready(state: State) -> None:
    """A state that was never read gets its table; another is left as it is."""
    if state.pool_table[0, 0] == state.pool_table[0, -1]:
        _write(state)


def read_counts(state: State) -> None:
    """Turn the counts into the table of surprise, and forget old ones by and by."""
    _write(state)
    state.pool_spent[0] = 0
    series = max(int(state.pool_spent[2]), _FEW)
    held, ever = (
        ms / (_WEEK_MS * series) for ms in (state.pool_spent[1], state.pool_spent[1::2].sum())
    )
    if held >= max(min(_MEMORY_WEEKS, _MEMORY_PART * ever), _MEMORY_LEAST):
        _forget_half(state)


def _forget_half(state: State) -> None:
    """Also of series: those that begin anew were counted once more."""
    state.pool_counts[:] = state.pool_counts // 2
    rest = state.pool_spent[1] // 2
    state.pool_spent[3] += state.pool_spent[1] - rest
    state.pool_spent[1] = rest
    state.pool_spent[2] = int((state.hot[:, Hot.COUNT] > LEARN).sum())


def _write(state: State) -> None:
    edges = np.arange(BINS + 1) / GRAIN_SCORE
    weeks = state.pool_spent[1] / _WEEK_MS
    above = _suffix(state.pool_counts[1])
    prior = _PRIOR_WEEKS * _PRIOR_RATE * _falling(edges)
    rises = np.maximum.accumulate((_cautious(_smooth(above, edges)) + prior)[::-1])[::-1]
    state.pool_table[0] = -np.log10(rises / (weeks + _PRIOR_WEEKS))
    state.pool_table[1] = _p_values(_suffix(state.pool_counts[0]), edges)


def _falling(edges: Array) -> Array:
    share: Array = (1.0 + edges / _PRIOR_SCALE) ** _PRIOR_POWER
    return share


def _suffix(counts: NDArray[np.int64]) -> Array:
    """How many reached each edge, the last of which nothing is beyond."""
    above: Array = np.append(counts[::-1].cumsum()[::-1], 0) / ONE
    return above


def _smooth(above: Array, edges: Array) -> Array:
    """The counts as they are where there are enough, beyond as a tail of a power."""
    enough = np.flatnonzero(above >= _ENOUGH)
    if not len(enough):
        return above
    last = int(enough[-1])
    far = np.log1p(edges / _PRIOR_SCALE)
    widths = np.diff(far)[last:]
    excess = max(float((above[last + 1 :] * widths).sum() / above[last]), 0.05)
    beyond = above[last] * np.exp(-(far - far[last]) / excess)
    smooth: Array = np.where(edges > edges[last], beyond, above)
    return smooth


def _cautious(above: Array) -> Array:
    """As if the next one were among them, as in conformal prediction, in proportion far out."""
    more: Array = above * (1.0 + 1.0 / (1.0 + above))
    return more


def _p_values(above: Array, edges: Array) -> Array:
    """Share of samples with as high a score, the sample itself among them: never 0, 1 at 0."""
    prior = 100.0 * np.where(edges > 0, _RARE * _falling(edges), 1.0)
    share: Array = np.minimum((_smooth(above, edges) + prior + 1.0) / (above[0] + 101.0), 1.0)
    return share
