"""What the reference group says a unit should show now: trailing windows with incident switches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CountReference",
    "bucket_middles",
    "count_reference",
    "histogram_reference",
    "trailing",
]

Array = NDArray[np.float64]
Places = NDArray[np.int64]

# Trailing windows, in seconds.
_STEADY_S = 300.0
_INCIDENT_S = (15.0, 30.0, 60.0)
_HISTOGRAM_S = (15.0, 30.0, 60.0, 120.0, 300.0, 1200.0)
# A smaller move changes the reference but is the ordinary life of a service: log latency, and how
# many times as many events; at a thousand requests/s a hundredth more is beyond chance.
_INCIDENT, _MATERIAL = 0.10, 1.25


def trailing(values: Array, width: int, first: int) -> Array:
    """Sums over `width` bins ending at each bin from `first`: (T, ...) to (T - first, ...)."""
    sums: Array = _over(_totals(values), _places(len(values), first, (width,)))[0]
    return sums


def _totals(values: Array) -> Array:
    """Sums of everything before each bin and before the end: (T, ...) to (T + 1, ...)."""
    total = np.empty((len(values) + 1, *values.shape[1:]))
    total[0] = 0.0
    np.add.accumulate(values, axis=0, out=total[1:])
    return total


@lru_cache(maxsize=256)
def _places(count: int, first: int, widths: tuple[int, ...]) -> tuple[Places, Places]:
    """Where windows of `widths` bins that end at each bin from `first` end (K,), begin (L, K)."""
    end = np.arange(first + 1, count + 1)
    begin = np.maximum(end - np.array(widths)[:, None], 0)
    end.flags.writeable = begin.flags.writeable = False
    return end, begin


def _over(total: Array, places: tuple[Places, Places]) -> Array:
    """Sums over windows, out of totals: (L, K, ...)."""
    end, begin = places
    sums: Array = total[end] - total[begin]
    return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class CountReference:
    """Per bin: `rate` of events, `weight` (lambda) of what it is worth, `incident` switch on."""

    rate: Array
    weight: Array
    incident: NDArray[np.bool_]


def count_reference(
    n: Array, x: Array, treated: Array, history_rate: Array | float, step_s: float, first: int
) -> CountReference:
    """Reference for each bin from `first` on; `n`, `x`, `treated` (requests) have shape (T, ...).

    Signals side by side (T, S) have a `history_rate` each and the bits they would have alone.
    The rate is that of the last five minutes with a prior from history; in an incident that of
    the shortest window that shows it. `weight` compares how much either side had seen before.
    """
    wide = max(2, round(_STEADY_S / step_s))
    widths = (wide, *(max(1, round(seconds / step_s)) for seconds in _INCIDENT_S))
    totals = _totals(np.stack([n, x, treated], axis=-1))
    windows = _over(totals[..., :2], _places(len(n), first, widths))
    seen_n, seen_x = windows[..., 0], windows[..., 1]
    n5, x5 = seen_n[0], seen_x[0]
    prior = np.minimum(4.0 / history_rate, n5)
    steady = (history_rate * prior + x5) / np.maximum(prior + n5, 1e-9)
    steady = np.where(prior + n5 > 0, steady, history_rate)
    n_l, x_l = seen_n[1:], seen_x[1:]
    expected = steady * n_l
    on = x_l > expected + 3 * np.sqrt(expected) + 1.5
    raised = on.any(axis=0)
    weight = _weight(n[first:], totals[..., ::2], prior, step_s, first)
    if not raised.any():
        return CountReference(rate=steady, weight=weight, incident=raised)
    shown = np.where(on, x_l / np.maximum(n_l, 1e-9), steady)
    same = n[first:] / np.maximum(n[first:] + treated[first:], 1e-9)
    return CountReference(
        rate=np.maximum(steady, shown.max(axis=0)),
        weight=np.where(raised, np.minimum(weight, same), weight),
        incident=(on & (x_l > _MATERIAL * expected)).any(axis=0),
    )


def _weight(n: Array, totals: Array, prior: Array, step_s: float, first: int) -> Array:
    """lambda = N_ref / (N_ref + N_treated), from before the bin; 0 where no reference was seen.

    `totals` (T + 1, ..., 2): requests of the reference and of the treated; `n`: of the new bins.
    """
    wide, minute = max(2, round(_STEADY_S / step_s)), max(2, round(60 / step_s))
    end, begin = _places(len(totals) - 1, first, (wide + 1, minute + 1))
    before = totals[end - 1] - totals[begin]
    ours = before[0, ..., 0] + prior
    theirs = np.maximum(before[0, ..., 1], wide / minute * before[1, ..., 1])
    share: Array = np.where(n > 0, ours / np.maximum(ours + theirs, 1e-9), 0.0)
    return share


@dataclass(frozen=True, slots=True)
class _Windows:
    """Trailing windows (L, K): requests, mean and sd of log latency, at each of K bins."""

    total: Array
    mean: Array
    sd: Array

    @classmethod
    def of(cls, counts: Array, middles: Array) -> _Windows:
        """From histograms (L, K, B + 1) and the log latency of each bucket."""
        total = np.add.reduce(counts, axis=-1)
        safe = np.maximum(total, 1e-9)
        mean = np.add.reduce(counts * middles, axis=-1) / safe
        variance = np.add.reduce(counts * middles**2, axis=-1) / safe - mean**2
        return cls(total, mean, np.sqrt(np.maximum(variance, 0.0)))

    def chosen(self, treated: Array) -> tuple[Places, Places]:
        """The window of each bin, and that which it would be had no shorter one moved."""
        longest = len(self.total) - 1
        enough = self.total >= np.clip(3 * treated, 120, 1200)
        enough[longest] = True
        steady = enough.argmax(axis=0)
        slack = 3 * self.sd / np.sqrt(np.maximum(self.total, 1.0)) + 0.03
        slack[self.total < 30] = np.inf
        chosen, rows = steady, np.arange(len(steady))
        moved = np.abs(self.mean - self.mean[steady, rows]) > slack
        moved &= np.arange(longest + 1)[:, None] < steady
        if not moved.any():
            return steady, steady
        for k in range(longest - 1, -1, -1):
            far = np.abs(self.mean[k] - self.mean[chosen, rows]) > slack[k]
            chosen = np.where((chosen > k) & far, k, chosen)
        return chosen, steady


def histogram_reference(
    counts: Array, treated: Array, middles: Array, step_s: float, first: int
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Reference histogram, weight and incident switch for each bin from `first` on.

    `counts` (T, B + 1), `treated` (T,) requests, `middles` (B + 1,) log latency of each bucket.
    The shortest window with clip(3 n, 120, 1200) requests; a shorter one of 30 or more whenever
    its mean log latency has moved; by a tenth is an incident. `weight` is reference over
    reference and treated requests that share the window.
    """
    widths = tuple(sorted({max(1, round(s / step_s)) for s in _HISTOGRAM_S}))
    places = _places(len(treated), first, widths)
    seen = _over(_totals(counts), places)
    windows = _Windows.of(seen, middles)
    chosen, steady = windows.chosen(treated[first:])
    rows = np.arange(len(chosen))
    picked = seen[chosen, rows]
    shared = _over(_totals(treated), places)[chosen, rows]
    total = np.add.reduce(picked, axis=-1)
    weight = np.where(total > 0, total / np.maximum(total + shared, 1e-9), 0.0)
    far = np.abs(windows.mean[chosen, rows] - windows.mean[steady, rows]) > _INCIDENT
    return picked, weight, (chosen < steady) & far


def bucket_middles(edges: Array) -> Array:
    """Log of a typical response in each bucket between finite `edges` (B,): (B + 1,)."""
    return _middles(tuple(edges.tolist()))


@lru_cache(maxsize=64)
def _middles(edges: tuple[float, ...]) -> Array:
    where = np.log(np.array(edges))
    inner = (where[1:] + where[:-1]) / 2
    middles = np.concatenate([[where[0] - 0.5], inner, [where[-1] + 0.5]])
    middles.flags.writeable = False
    return middles
