"""What the reference group says a unit should show now: trailing windows with incident switches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CountReference", "count_reference", "histogram_reference", "trailing"]

Array = NDArray[np.float64]

# Trailing windows, in seconds.
_STEADY_S = 300.0
_INCIDENT_S = (15.0, 30.0, 60.0)
_HISTOGRAM_S = (15.0, 30.0, 60.0, 120.0, 300.0, 1200.0)
# A smaller move changes the reference but is the ordinary life of a service: log latency, and how
# many times as many events; at a thousand requests/s a hundredth more is beyond chance.
_INCIDENT, _MATERIAL = 0.10, 1.25


def trailing(values: Array, width: int, first: int) -> Array:
    """Sums over `width` bins ending at each bin from `first`: (T, ...) to (T - first, ...)."""
    return _ending(_totals(values), width, first)


def _totals(values: Array) -> Array:
    """Sums of everything before each bin and before the end: (T, ...) to (T + 1, ...)."""
    total = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=total[1:])
    return total


def _ending(total: Array, width: int, first: int) -> Array:
    """Sums over `width` bins ending at each bin from `first`, out of totals."""
    end = np.arange(first + 1, len(total))
    sums: Array = total[first + 1 :] - total[np.maximum(end - width, 0)]
    return sums


def _ahead_of(total: Array, width: int, first: int) -> Array:
    """Sums over `width` bins that end before each bin from `first`, out of totals."""
    end = np.arange(first, len(total) - 1)
    sums: Array = total[first:-1] - total[np.maximum(end - width, 0)]
    return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class CountReference:
    """Per bin: `rate` of events, `weight` (lambda) of what it is worth, `incident` switch on."""

    rate: Array
    weight: Array
    incident: NDArray[np.bool_]


def count_reference(
    n: Array, x: Array, treated: Array, history_rate: float, step_s: float, first: int
) -> CountReference:
    """Reference for each bin from `first` on; `n`, `x`, `treated` (requests) have shape (T,).

    The rate is that of the last five minutes with a prior from history; in an incident that of
    the shortest window that shows it. `weight` compares how much either side had seen before.
    """
    wide = max(2, round(_STEADY_S / step_s))
    all_n, all_x = _totals(n), _totals(x)
    n5, x5 = _ending(all_n, wide, first), _ending(all_x, wide, first)
    prior = np.minimum(4.0 / history_rate, n5)
    rate = (history_rate * prior + x5) / np.maximum(prior + n5, 1e-9)
    rate = np.where(prior + n5 > 0, rate, history_rate)
    steady = rate
    raised = np.zeros(len(rate), dtype=np.bool_)
    incident = raised.copy()
    for seconds in _INCIDENT_S:
        width = max(1, round(seconds / step_s))
        n_l, x_l = _ending(all_n, width, first), _ending(all_x, width, first)
        expected = steady * n_l
        on = x_l > expected + 3 * np.sqrt(expected) + 1.5
        rate = np.where(on, np.maximum(rate, x_l / np.maximum(n_l, 1e-9)), rate)
        raised |= on
        incident |= on & (x_l > _MATERIAL * expected)
    weight = _weight(n, (all_n, _totals(treated)), prior, step_s, first)
    same = n[first:] / np.maximum(n[first:] + treated[first:], 1e-9)
    weight = np.where(raised, np.minimum(weight, same), weight)
    return CountReference(rate=rate, weight=weight, incident=incident)


def _weight(
    n: Array, totals: tuple[Array, Array], prior: Array, step_s: float, first: int
) -> Array:
    """lambda = N_ref / (N_ref + N_treated), from before the bin; 0 where no reference was seen."""
    wide, minute = max(2, round(_STEADY_S / step_s)), max(2, round(60 / step_s))
    reference, treated = totals
    ours = _ahead_of(reference, wide, first) + prior
    theirs = np.maximum(
        _ahead_of(treated, wide, first), wide / minute * _ahead_of(treated, minute, first)
    )
    share: Array = np.where(n[first:] > 0, ours / np.maximum(ours + theirs, 1e-9), 0.0)
    return share


@dataclass(frozen=True, slots=True)
class _Window:
    """One trailing window at every bin: counts, requests, mean and sd of log latency."""

    counts: Array
    total: Array
    mean: Array
    sd: Array


def histogram_reference(
    counts: Array, treated: Array, middles: Array, step_s: float, first: int
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Reference histogram, weight and incident switch for each bin from `first` on.

    `counts` (T, B + 1), `treated` (T,) requests, `middles` (B + 1,) log latency of each bucket.
    The shortest window with clip(3 n, 120, 1200) requests; a shorter one of 30 or more whenever
    its mean log latency has moved; by a tenth is an incident. `weight` is reference over
    reference and treated requests that share the window.
    """
    widths = sorted({max(1, round(s / step_s)) for s in _HISTOGRAM_S})
    total_counts, total_treated = _totals(counts), _totals(treated)
    windows = [_window(_ending(total_counts, width, first), middles) for width in widths]
    need = np.clip(3 * treated[first:], 120, 1200)
    enough = np.stack([w.total >= need for w in windows])
    chosen = np.where(enough.any(axis=0), enough.argmax(axis=0), len(widths) - 1)
    steady = chosen.copy()
    for k in range(len(widths) - 2, -1, -1):
        chosen = np.where((chosen > k) & _moved(windows, k, chosen), k, chosen)
    rows = np.arange(len(chosen))
    picked = np.stack([w.counts for w in windows])[chosen, rows]
    shared = np.stack([_ending(total_treated, width, first) for width in widths])[chosen, rows]
    total = picked.sum(axis=-1)
    weight = np.where(total > 0, total / np.maximum(total + shared, 1e-9), 0.0)
    means = np.stack([w.mean for w in windows])
    far = np.abs(means[chosen, rows] - means[steady, rows]) > _INCIDENT
    return picked, weight, (chosen < steady) & far


def _window(sums: Array, middles: Array) -> _Window:
    total = sums.sum(axis=-1)
    safe = np.maximum(total, 1e-9)
    mean = sums @ middles / safe
    variance = sums @ middles**2 / safe - mean**2
    return _Window(sums, total, mean, np.sqrt(np.maximum(variance, 0.0)))


def _moved(windows: list[_Window], k: int, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether window `k` differs from the chosen one by more than chance."""
    rows = np.arange(len(chosen))
    longer = np.stack([w.mean for w in windows])[chosen, rows]
    window = windows[k]
    slack = 3 * window.sd / np.sqrt(np.maximum(window.total, 1.0)) + 0.03
    moved: NDArray[np.bool_] = (window.total >= 30) & (np.abs(window.mean - longer) > slack)
    return moved
