"""What others do with the same samples: a static template, Kayenta's kind of judge, a z-test.

All three see both arms in minutes from the attempt's start. Each returns the minute at which it
first rolls back, None for never.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import mannwhitneyu, norm

from bench.gate.rates import EDGES
from bench.gate.rollout import Rollout
from bench.gate.samples import ORIGIN, at_times
from detector.gate.frame import Arm, Frame
from detector.ports import MetricSource
from detector.series import Answer, FloatArray, Matcher, MatchOp, Query, Series

__all__ = ["PEERS", "Minutes", "minutes_of_frame", "minutes_of_source", "peers"]

PEERS = ("static", "mann_whitney", "z_test")
_MIDDLES = np.log(np.concatenate([[0.003], np.sqrt(EDGES[1:] * EDGES[:-1]), [12.0]]))
_SUCCESS, _MEASUREMENTS = 0.99, 3
_KAYENTA, _Z = 0.98, float(norm.isf(0.05))


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """One arm by minute: requests (M,), errors (M,), histogram (M, B + 1)."""

    requests: FloatArray
    errors: FloatArray
    buckets: FloatArray


def minutes_of_frame(rollout: Rollout, arm: Arm, frame: Frame) -> Minutes:
    """From bins."""
    each, count = round(60 / frame.step), int(rollout.length // 60)
    span = slice(-frame.first, -frame.first + count * each)
    counts = arm.counts["error_rate"]
    buckets = arm.histograms["latency"].counts[:, span].sum(axis=0)
    return Minutes(
        requests=counts.n[:, span].sum(axis=0).reshape(count, each).sum(axis=1),
        errors=counts.x[:, span].sum(axis=0).reshape(count, each).sum(axis=1),
        buckets=buckets.reshape(count, each, -1).sum(axis=1),
    )


def minutes_of_source(rollout: Rollout, source: MetricSource, version: str) -> Minutes:
    """From raw samples, as `increase()` would read them."""
    edges = ORIGIN + 60.0 * np.arange(int(rollout.length // 60) + 1, dtype=np.float64)
    arm = Matcher("version", MatchOp.EQUAL, version)
    live = Matcher("path", MatchOp.NOT_EQUAL, "/healthz")
    failed = Matcher("code", MatchOp.MATCHES, "5..")
    queries = [
        Query("http_requests_total", (arm, live)),
        Query("http_requests_total", (arm, failed)),
        *(Query(f"{_BUCKET}", (arm, Matcher("le", MatchOp.EQUAL, le))) for le in _BOUNDS),
    ]
    end = ORIGIN + rollout.length
    answers = source.read(queries, ORIGIN - 300, end, timeout_s=60.0)
    sums = [_increase(answer, edges) for answer in answers]
    cumulative = np.maximum.accumulate(np.stack(sums[2:], axis=1), axis=1)
    buckets = np.diff(cumulative, axis=1, prepend=0.0)
    return Minutes(requests=sums[0], errors=sums[1], buckets=buckets)


_BUCKET = "http_request_duration_seconds_bucket"
_BOUNDS = [f"{edge:g}" for edge in EDGES] + ["+Inf"]


def _increase(answer: Answer, edges: FloatArray) -> FloatArray:
    """Increments of all series by minute; a fall is a reset."""
    total = np.zeros(len(edges) - 1)
    for series in answer.series:
        total += np.diff(_climb(series, edges))
    return total


def _climb(series: Series, edges: FloatArray) -> FloatArray:
    if len(series.times) < 2:
        return np.zeros(len(edges))
    steps = np.diff(series.values)
    grown = np.concatenate([[0.0], np.cumsum(np.where(steps < 0, series.values[1:], steps))])
    return at_times(series.times, grown, edges)


def peers(rollout: Rollout, canary: Minutes, control: Minutes) -> dict[str, float | None]:
    """First roll-back of each peer, in minutes from the attempt's start."""
    return {
        "static": _static(canary),
        "mann_whitney": _mann_whitney(rollout, canary, control),
        "z_test": _z_test(canary, control),
    }


def _static(canary: Minutes) -> float | None:
    """Success rate of the last two minutes below 0.99 at three measurements."""
    n = np.convolve(canary.requests, [1, 1])[: len(canary.requests)]
    x = np.convolve(canary.errors, [1, 1])[: len(canary.requests)]
    low = (n > 0) & (1 - x / np.maximum(n, 1e-9) < _SUCCESS)
    return _first(np.cumsum(low) >= _MEASUREMENTS)


def _first(hits: Iterable[bool] | FloatArray) -> float | None:
    at = np.flatnonzero(np.asarray(hits))
    return float(at[0] + 1) if len(at) else None


def _mann_whitney(rollout: Rollout, canary: Minutes, control: Minutes) -> float | None:
    """At each step's end: minutes of both arms by error rate, median and 95th percentile."""
    begins = [round(t / 60) for t, _ in rollout.steps]
    count = len(canary.requests)
    for begin, end in zip(begins, [*begins[1:], count], strict=True):
        for ours, theirs in zip(_metrics(canary), _metrics(control), strict=True):
            a, b = _finite(ours[begin:end]), _finite(theirs[begin:end])
            if min(len(a), len(b)) < 3 or np.ptp(np.concatenate([a, b])) == 0:
                continue
            p = mannwhitneyu(a, b, alternative="greater", method="asymptotic").pvalue
            if p < (1 - _KAYENTA) / 2:
                return float(end)
    return None


def _metrics(arm: Minutes) -> tuple[FloatArray, ...]:
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = arm.errors / arm.requests
    return rate, _quantile(arm.buckets, 0.5), _quantile(arm.buckets, 0.95)


def _quantile(buckets: FloatArray, q: float) -> FloatArray:
    """As `histogram_quantile` does: linear inside the bucket."""
    below = np.cumsum(buckets, axis=1)
    total = below[:, -1]
    at = np.minimum((below < q * total[:, None]).sum(axis=1), len(EDGES) - 1)
    low = np.where(at > 0, EDGES[np.maximum(at - 1, 0)], 0.0)
    rows = np.arange(len(buckets))
    before = np.where(at > 0, below[rows, np.maximum(at - 1, 0)], 0.0)
    inside = np.maximum(buckets[rows, at], 1e-9)
    part = np.clip((q * total - before) / inside, 0, 1)
    return np.where(total > 0, low + part * (EDGES[at] - low), np.nan)


def _finite(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _z_test(canary: Minutes, control: Minutes) -> float | None:
    """Each minute, on everything so far: errors by proportions, latency by means of logs."""
    hits = _proportions(canary, control) > _Z
    hits |= _means(canary, control) > _Z
    return _first(hits)


def _proportions(canary: Minutes, control: Minutes) -> FloatArray:
    n, m = np.cumsum(canary.requests), np.cumsum(control.requests)
    x, y = np.cumsum(canary.errors), np.cumsum(control.errors)
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (x + y) / (n + m)
        z = (x / n - y / m) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return np.nan_to_num(z, nan=-math.inf, posinf=-math.inf)


def _means(canary: Minutes, control: Minutes) -> FloatArray:
    (a, v, n), (b, w, m) = (_moments(arm) for arm in (canary, control))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (a - b) / np.sqrt(v / n + w / m)
    return np.nan_to_num(z, nan=-math.inf, posinf=-math.inf)


def _moments(arm: Minutes) -> tuple[FloatArray, FloatArray, FloatArray]:
    counts = np.cumsum(arm.buckets, axis=0)
    n = counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = counts @ _MIDDLES / n
        square = counts @ _MIDDLES**2 / n - mean**2
    return mean, square, n
