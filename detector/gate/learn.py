"""What an attempt learns once, from the history before it: base rates, edges, noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detector.gate.frame import Frame
from detector.series import FloatArray
from models.sequential.likelihood import ScaleTable, poisson, scale_likelihood
from models.sequential.load import Usual, usual
from models.sequential.noise import (
    COUNT_TAU,
    SCALE_TAU,
    Noise,
    learn_from_grid,
    learn_from_modes,
    parabola,
    prior_noise,
)
from models.sequential.reference import bucket_middles
from models.sequential.rows import Row, RowName

__all__ = [
    "Learned",
    "blocks",
    "error_floor",
    "error_limits",
    "history_rate",
    "learn_blocks",
    "learn_counts",
    "learn_scale",
    "learn_usual",
    "tail_edge",
]

_BLOCK_S = 300.0
_STABLE_AGE_S = 300.0
_FEW = 50.0
_TAILS = {RowName.TAIL95: (0.05, 0.015, 0.20), RowName.TAIL99: (0.01, 0.0015, 0.02)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Constants of one signal for the whole attempt.

    `rate`: events per request in history; `eps0`: floor added to every rate; `row` carries the
    resolved limits; `noise` is scaled for the floor; `arm` likewise; `pods`: how many taught it.
    `unrest`: share of history in which the control moved as in an incident. `usual`: its load and
    response before.
    """

    row: Row
    noise: Noise
    arm: float
    rate: float = 0.0
    eps0: float = 0.0
    edge: int | None = None
    pods: int = 0
    requests: float = 0.0
    reference: FloatArray | None = None
    unrest: float = 0.0
    usual: Usual | None = None


def blocks(values: FloatArray, frame: Frame, time_scale: float) -> FloatArray:
    """History of (pods, T, ...) summed over five-minute blocks ending at the start."""
    width = max(2, round(_BLOCK_S * time_scale / frame.step))
    past = values[:, : max(0, -frame.first)]
    count = past.shape[1] // width
    kept = past[:, past.shape[1] - count * width :]
    shaped = kept.reshape(len(past), count, width, *past.shape[2:])
    total: FloatArray = shaped.sum(axis=2)
    return total


def history_rate(n: FloatArray, x: FloatArray, frame: Frame) -> tuple[float, float]:
    """Events per request before the start, and the requests; half an event is assumed."""
    past = max(0, -frame.first)
    total, events = float(n[:, :past].sum()), float(x[:, :past].sum())
    return (events + 0.5) / (total + (1.0 if total >= _FEW else _FEW)), total


def tail_edge(counts: FloatArray, row: RowName) -> int | None:
    """Edge whose exceedance in history is nearest the row's share, None out of its range."""
    share, low, high = _TAILS[row]
    total = counts.sum()
    if total <= 0:
        return None
    above = 1 - np.cumsum(counts[:-1]) / total
    usable = (above > low) & (above <= high)
    if not usable.any():
        return None
    far = np.where(usable, np.abs(np.log(np.maximum(above, 1e-12) / share)), np.inf)
    return int(far.argmin())


def learn_counts(row: Row, n: FloatArray, x: FloatArray, frame: Frame, scale: float) -> Noise:
    """Noise of a count signal from the control pods' own history."""
    return learn_blocks(row, blocks(n, frame, scale), blocks(x, frame, scale))


def learn_blocks(row: Row, n5: FloatArray, x5: FloatArray) -> Noise:
    """The same from exposure and events of five minutes each, (pods, blocks)."""
    served = n5.sum(axis=1) > 0
    n5, x5 = n5[served], x5[served]
    if len(n5) < 2 or not n5.shape[1]:
        return prior_noise(COUNT_TAU, 0.1)
    rate = (x5.sum() + 0.5) / (n5.sum() + 1.0)
    others_n, others_x = n5.sum(axis=0) - n5, x5.sum(axis=0) - x5
    prior = np.minimum(4.0 / rate, others_n)
    reference = (rate * prior + others_x) / np.maximum(prior + others_n, 1e-9)
    weight = (others_n + prior) / np.maximum(others_n + prior + n5, 1e-9)
    return learn_from_grid(poisson(n5, x5, reference, weight, row.grid), row.grid)


def learn_scale(
    row: Row, counts: FloatArray, edges: FloatArray, frame: Frame, scale: float
) -> Noise:
    """Noise of a latency distribution from the control pods' own history."""
    pods = blocks(counts, frame, scale)
    pods = pods[pods.sum(axis=(1, 2)) > 0]
    if len(pods) < 2 or not pods.shape[1]:
        return prior_noise(SCALE_TAU, max(0.03, row.sigma_floor))
    others = pods.sum(axis=0) - pods
    size, theirs = pods.sum(axis=2), others.sum(axis=2)
    weight = theirs / np.maximum(theirs + size, 1e-9)
    flat = (-1, pods.shape[2])
    log_l = scale_likelihood(
        pods.reshape(flat)[:, None],
        others.reshape(flat),
        weight.ravel(),
        ScaleTable.of(edges, row.grid),
        row.grid,
    )[:, 0]
    mode, variance = parabola(log_l, row.grid)
    variance = np.where((size < 20).ravel(), np.inf, variance)
    shape = size.shape
    return learn_from_modes(mode.reshape(shape), variance.reshape(shape), row.sigma_floor)


def learn_usual(counts: FloatArray, edges: FloatArray, frame: Frame, scale: float) -> Usual | None:
    """Load and response of the control pods before the start, per engine second."""
    seconds = max(2, round(_BLOCK_S * scale / frame.step)) * frame.step / scale
    return usual(blocks(counts, frame, scale), bucket_middles(edges), seconds)


def error_limits(rate: float, eps0: float, slo: float) -> tuple[float, float]:
    """Tolerated and limiting log ratio of an error rate (gate method, 3.1 and 7)."""
    budget = max(1.0 - slo, 1e-9)
    points = min(0.001, budget)
    tolerate = max(0.10, math.log1p(points / (rate + eps0)))
    most = max(min(0.005, max(points, rate, budget / 2)), 0.5 * rate)
    return tolerate, max(tolerate, math.log1p(most / (rate + eps0)))


def error_floor(rate: float, slo: float) -> float:
    """eps0: keeps 0 against 0 finite, tied to the error budget."""
    floor = min(5e-4, max(1.0 - slo, 1e-9) / 2)
    return min(floor, 1e-4) if rate < 1e-4 else floor
