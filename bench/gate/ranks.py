"""A judge like Kayenta's: rates of both arms at each minute, compared by Mann-Whitney, no state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from scipy.stats import mannwhitneyu

from detector.series import Answer, FloatArray, Matcher, MatchOp, Query

__all__ = ["Reads", "judge_ranks"]

_STEP_S = 60.0
_LEVEL = 0.02
_WIDE = 1e6


class Reads(Protocol):
    """What reads raw samples."""

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """One answer per query."""
        ...


Key = Callable[[Mapping[str, str]], str]


def judge_ranks(source: Reads, start: float, end: float) -> dict[str, bool]:
    """Whether each of eight metrics is worse on the canary since the start."""
    arms = [_metrics(source, version, start, end) for version in ("v2", "v1")]
    return {name: _is_worse(arms[0][name], arms[1][name]) for name in arms[0]}


def _metrics(source: Reads, version: str, start: float, end: float) -> dict[str, FloatArray]:
    """Eight values a minute of one arm, over all its pods, as recording rules would give them."""
    grid = np.arange(start + _STEP_S, end, _STEP_S)
    arm = (Matcher("version", MatchOp.EQUAL, version),)
    pods = (
        Matcher("pod", MatchOp.MATCHES, f"shop-{'5c4b8d' if version == 'v2' else '6d9f7c'}-.+"),
    )
    requests, buckets, calls, cpu, memory, restarts = source.read(
        [
            Query("http_requests_total", arm),
            Query("http_request_duration_seconds_bucket", arm),
            Query("dependency_calls_total", arm),
            Query("container_cpu_usage_seconds_total", pods),
            Query("container_memory_rss", pods),
            Query("kube_pod_container_status_restarts_total", pods),
        ],
        start - 2 * _STEP_S,
        end,
        timeout_s=60,
    )
    codes = _rates(requests, grid, lambda labels: labels["code"])
    dependency = _rates(calls, grid, lambda labels: labels["code"])
    by_edge = _rates(buckets, grid, lambda labels: labels["le"])
    served = np.maximum(sum(codes.values()), 1e-9)
    return {
        "error_rate": codes["500"] / served,
        "latency": _quantile(by_edge, 0.5),
        "tail95": _quantile(by_edge, 0.95),
        "tail99": _quantile(by_edge, 0.99),
        "restarts": _rates(restarts, grid, lambda _: "")[""],
        "dependency_errors": dependency["503"] / np.maximum(sum(dependency.values()), 1e-9),
        "cpu_per_request": _rates(cpu, grid, lambda _: "")[""] / served,
        "memory_growth": _levels(memory, grid),
    }


def _rates(answer: Answer, grid: FloatArray, key: Key) -> dict[str, FloatArray]:
    """Increase over each minute, summed over pods by a label."""
    out: dict[str, FloatArray] = {}
    for series in answer.series:
        at = np.interp(grid, series.times, series.values)
        before = np.interp(grid - _STEP_S, series.times, series.values)
        name = key(series.labels)
        out[name] = out.get(name, 0.0) + np.maximum(at - before, 0.0)
    return out


def _levels(answer: Answer, grid: FloatArray) -> FloatArray:
    levels = [np.interp(grid, s.times, s.values) for s in answer.series]
    mean: FloatArray = np.mean(levels, axis=0)
    return mean


def _quantile(by_edge: dict[str, FloatArray], share: float) -> FloatArray:
    """Quantile of cumulative buckets, linear inside a bucket."""
    edges = sorted((float(le), le) for le in by_edge)
    counts = np.stack([by_edge[le] for _, le in edges])
    uppers = np.array([edge if np.isfinite(edge) else _WIDE for edge, _ in edges])
    wanted = share * counts[-1]
    at = np.minimum((counts < wanted).sum(axis=0), len(uppers) - 1)
    column = np.arange(counts.shape[1])
    low = np.where(at > 0, uppers[at - 1], 0.0)
    below = np.where(at > 0, counts[at - 1, column], 0.0)
    inside = np.maximum(counts[at, column] - below, 1e-9)
    found: FloatArray = low + (uppers[at] - low) * (wanted - below) / inside
    return found


def _is_worse(canary: FloatArray, control: FloatArray) -> bool:
    """One-sided at 2 %, and more than a quarter apart, as Kayenta's default judge does."""
    if np.ptp(np.concatenate([canary, control])) == 0:
        return False
    found = mannwhitneyu(canary, control, alternative="greater")
    apart = float(np.median(canary)) > 1.25 * float(np.median(control))
    return bool(found.pvalue < _LEVEL and apart)
