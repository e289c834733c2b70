"""The level of past weeks: a signal as it was at the same hour, beside its last two hours.

For what runs once a day or once a week nothing else is known; for what serves all day the minutes
before tell more (`forecast`), unless they counted too little.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from detector.gate.forecast import COUNT_SD, SCALE_SD, Basis, Forecast, above, quiet_of
from detector.gate.learn import Learned
from detector.gate.memory import Amount, Memory, Then
from detector.gate.track import Track
from detector.series import FloatArray
from models.sequential.before import (
    Contrasts,
    count_contrasts,
    learned_spread,
    pooled_histogram,
    pooled_rate,
    scale_contrasts,
)
from models.sequential.rows import ROWS, RowName

__all__ = ["last_two_hours", "level_of", "pooled_counts", "pooled_latency"]

# The last two hours, then the same hour one to four weeks back.
_LAST, _WEEKS = 1.0, {1: 0.5, 2: 0.5, 3: 0.25, 4: 0.25}
# With ten quiet moments and more a service may show that it is steadier, down to half of what is
# assumed: most of them lean on fewer weeks than now.
_LEAST = 0.5
_FAR_SDS = 3.0


def last_two_hours(learned: Learned) -> tuple[float, float]:
    """Exposure and events of the two hours before the start."""
    return learned.requests, max(learned.rate * (learned.requests + 1.0) - 0.5, 0.0)


def level_of(track: Track, memory: Memory, edges: FloatArray | None) -> Forecast | None:
    """As high as at the same hour of past weeks and in the last two hours, together."""
    if track.learned.row.name is RowName.LATENCY:
        return None if edges is None else _scale(track, memory, edges)
    return _counts(track, memory, edges)


def _weights(weeks: Sequence[Then]) -> FloatArray:
    return np.array([_LAST, *(_WEEKS[t.moment.weeks] for t in weeks)])


def pooled_counts(memory: Memory, name: str) -> tuple[float, float]:
    """Exposure and events of a ratio as the past tells them; nothing where it tells none.

    The same hour of past weeks; for what runs once a day, or is new, the days before as well.
    """
    told = np.array([t.after.counts.get(name, (0.0, 0.0)) for t in _alike(memory)]).reshape(-1, 2)
    n, x = told.T
    rate, noise = pooled_rate(n, x, np.ones(len(n)))
    if not np.isfinite(noise):
        return 0.0, 0.0
    size = float(n.sum())
    return size, max(rate * (size + 1.0) - 0.5, 0.0)


def pooled_latency(memory: Memory, name: str, edges: FloatArray) -> FloatArray:
    """The histogram of latencies as the past tells it, on these edges."""
    told = [_on(t.after.histogram(name, edges), edges) for t in _alike(memory)]
    counts = np.array(told).reshape(-1, len(edges) + 1)
    return pooled_histogram(counts, np.ones(len(counts)))


def _alike(memory: Memory) -> tuple[Then, ...]:
    return memory.weeks or memory.then


def _counts(track: Track, memory: Memory, edges: FloatArray | None) -> Forecast | None:
    learned = track.learned
    last = last_two_hours(learned)
    weeks = _of_now(
        memory, lambda before: _counts_off(last, _pair(track, before, edges), learned.eps0)
    )
    told = [last, *(_pair(track, t.after, edges) for t in weeks)]
    n, x = np.maximum(np.array(told), 0.0).T
    rate, noise = pooled_rate(n, x, _weights(weeks))
    if not np.isfinite(noise):
        return None
    found = _count_contrasts(track, memory, edges)
    share = max(rate / (rate + learned.eps0), 0.1)
    spread = learned_spread(found, COUNT_SD * share, least=_LEAST)
    return Forecast(
        basis=Basis.WEEKS,
        rate=rate,
        histogram=None,
        spread=spread,
        noise=share**2 * noise,
        times=int((n[1:] > 0).sum()),
        quiet=len(found.effect),
    )


def _of_now(memory: Memory, off: Callable[[Amount], Contrasts]) -> tuple[Then, ...]:
    """The weeks whose own two hours before were like the last two: the others knew another service.

    A release last week that doubled the errors, or a filter that halved them, is no season.
    """
    return tuple(t for t in memory.weeks if not _is_far(off(t.before)))


def _is_far(found: Contrasts) -> bool:
    pairs = zip(found.effect.tolist(), found.variance.tolist(), strict=True)
    return any(abs(effect) > _FAR_SDS * math.sqrt(noise) for effect, noise in pairs)


def _counts_off(last: tuple[float, float], then: tuple[float, float], eps0: float) -> Contrasts:
    """How far the last two hours are from those of another time; its sd is that of health."""
    n, x = then
    if last[0] <= 0 or n <= 0:
        return Contrasts(np.zeros(0), np.zeros(0))
    reference = np.array([[(x + 0.5) / (n + 1.0), 1.0 / (x + 0.5)]])
    found = count_contrasts(np.array([last]), reference, eps0)
    return Contrasts(found.effect, found.variance + COUNT_SD**2)


def _scale_off(last: FloatArray | None, then: FloatArray | None, edges: FloatArray) -> Contrasts:
    if last is None or then is None or len(last) != len(then):
        return Contrasts(np.zeros(0), np.zeros(0))
    grid = ROWS[RowName.LATENCY].grid
    found = scale_contrasts(last[None], then[None], edges, grid)
    return Contrasts(found.effect, found.variance + SCALE_SD**2)


def _pair(track: Track, amount: Amount, edges: FloatArray | None) -> tuple[float, float]:
    """Exposure and events of a span."""
    edge = track.learned.edge
    if edge is None:
        return amount.counts.get(track.name, (0.0, 0.0))
    histogram = None if edges is None else amount.histogram(track.name, edges)
    if histogram is None:
        return 0.0, 0.0
    n, x = above(histogram, edge).tolist()
    return n, x


def _count_contrasts(track: Track, memory: Memory, edges: FloatArray | None) -> Contrasts:
    """Quiet moments against what was known before them."""
    now, before = [], []
    for then in quiet_of(memory):
        earlier = _earlier(memory, then)
        told = [_pair(track, a, edges) for a in (then.before, *(t.after for t in earlier))]
        n, x = np.array(told).T
        before.append(pooled_rate(n, x, _weights(earlier)))
        now.append(_pair(track, then.after, edges))
    if not now:
        return Contrasts(np.zeros(0), np.zeros(0))
    return count_contrasts(np.array(now), np.array(before), track.learned.eps0)


def _earlier(memory: Memory, then: Then) -> tuple[Then, ...]:
    """The same hour of the weeks before a moment, as many weeks back from it as from now."""
    if not then.moment.weeks:
        return ()
    back = then.moment.weeks
    older = (t for t in memory.weeks if t.moment.weeks > back)
    return tuple(replace(t, moment=replace(t.moment, weeks=t.moment.weeks - back)) for t in older)


def _scale(track: Track, memory: Memory, edges: FloatArray) -> Forecast | None:
    last = track.learned.reference
    weeks = _of_now(
        memory, lambda before: _scale_off(last, before.histogram(track.name, edges), edges)
    )
    told = [_on(last, edges), *(_on(t.after.histogram(track.name, edges), edges) for t in weeks)]
    pooled = pooled_histogram(np.array(told), _weights(weeks))
    if pooled.sum() <= 0:
        return None
    found = _scale_contrasts(track, memory, edges)
    return Forecast(
        basis=Basis.WEEKS,
        rate=0.0,
        histogram=pooled,
        spread=learned_spread(found, SCALE_SD, least=_LEAST),
        noise=0.0,
        times=sum(float(h.sum()) > 0 for h in told[1:]),
        quiet=len(found.effect),
    )


def _on(histogram: FloatArray | None, edges: FloatArray) -> FloatArray:
    """The histogram, an empty one where there is none on these edges."""
    if histogram is None or len(histogram) != len(edges) + 1:
        return np.zeros(len(edges) + 1)
    return histogram


def _scale_contrasts(track: Track, memory: Memory, edges: FloatArray) -> Contrasts:
    now, before = [], []
    for then in quiet_of(memory):
        earlier = _earlier(memory, then)
        amounts = (then.before, *(t.after for t in earlier))
        told = [_on(a.histogram(track.name, edges), edges) for a in amounts]
        before.append(pooled_histogram(np.array(told), _weights(earlier)))
        now.append(_on(then.after.histogram(track.name, edges), edges))
    if not now:
        return Contrasts(np.zeros(0), np.zeros(0))
    return scale_contrasts(np.array(now), np.array(before), edges, track.learned.row.grid)
