"""Simple rankings of the same scenes: what a ranker must beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from detector.correlate.evidence import Gauge, Scene, Tally
from detector.stream.anomaly import Side

__all__ = ["PEERS", "Peer"]

Array = NDArray[np.float64]
Peer = Callable[[Scene], list[str]]
_RESTART, _STEPS = 0.15, 60


def n_sigma(scene: Scene) -> list[str]:
    """Largest distance from the mean of the past in standard deviations, over all metrics."""
    return _by_score(_scores(scene, _sigmas, same_kind=False))


def median_iqr(scene: Scene) -> list[str]:
    """Largest distance from the median in interquartile ranges, over all metrics (as BARO)."""
    return _by_score(_scores(scene, _ranges, same_kind=False))


def median_iqr_same(scene: Scene) -> list[str]:
    """As before, but of the kind of metric that is complained of."""
    return _by_score(_scores(scene, _ranges, same_kind=True))


def random_walk(scene: Scene) -> list[str]:
    """Visits of a walk from callers to callees that favours odd ones, with restarts (MonitorRank).

    Starts at the complaint, else anywhere; forward to callees by their scores, a tenth of it back
    to callers, and waiting where a service is odder than its callees.
    """
    scores = _scores(scene, _ranges, same_kind=True)
    names = sorted(scores)
    place = {name: number for number, name in enumerate(names)}
    odd = np.minimum(np.array([scores[name] for name in names]), 1e6) + 1e-6
    steps = np.zeros((len(names), len(names)))
    for call in scene.calls:
        if call.caller in place and call.callee in place:
            caller, callee = place[call.caller], place[call.callee]
            steps[caller, callee] = odd[callee]
            steps[callee, caller] = max(steps[callee, caller], 0.1 * odd[caller])
    steps[np.diag_indices(len(names))] = np.maximum(0.0, odd - steps.max(axis=1, initial=0.0))
    steps += 1e-12
    steps /= steps.sum(axis=1, keepdims=True)
    start = np.full(len(names), 1.0 / len(names))
    if scene.complaint is not None and scene.complaint.service in place:
        start = np.zeros(len(names))
        start[place[scene.complaint.service]] = 1.0
    at = start
    for _ in range(_STEPS):
        at = (1.0 - _RESTART) * at @ steps + _RESTART * start
    return _by_score(dict(zip(names, at.tolist(), strict=True)))


def _by_score(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda name: (-scores[name], name))


def _scores(
    scene: Scene, score: Callable[[Array, Array, int], float], *, same_kind: bool
) -> dict[str, float]:
    kind = scene.complaint.kind if scene.complaint is not None and same_kind else None
    best: dict[str, float] = {}
    measured: list[Gauge | Tally] = [*scene.gauges, *scene.tallies]
    for one in measured:
        if kind is not None and one.kind is not kind:
            continue
        past, now = _values(one)
        past, now = past[np.isfinite(past)], now[np.isfinite(now)]
        if len(past) and len(now):
            found = score(past, now, 0 if one.side is None else _sign(one.side))
            best[one.service] = max(best.get(one.service, 0.0), found)
    return best


def _values(one: Gauge | Tally) -> tuple[Array, Array]:
    if isinstance(one, Gauge):
        return one.past, one.during
    return _ratio(one.past_events, one.past_occasions), _ratio(one.events, one.occasions)


def _ratio(events: Array, occasions: Array) -> Array:
    return events[occasions > 0] / occasions[occasions > 0]


def _sign(side: Side) -> int:
    return 1 if side is Side.ABOVE else -1


def _furthest(now: Array, middle: float, side: int) -> float:
    away = now - middle
    return float(np.max(np.abs(away) if side == 0 else side * away))


def _sigmas(past: Array, now: Array, side: int) -> float:
    return _furthest(now, float(past.mean()), side) / max(float(past.std()), 1e-9)


def _ranges(past: Array, now: Array, side: int) -> float:
    low, middle, high = np.quantile(past, (0.25, 0.5, 0.75))
    return _furthest(now, float(middle), side) / max(float(high - low), 1e-9)


PEERS: Mapping[str, Peer] = {
    "n_sigma": n_sigma,
    "median_iqr": median_iqr,
    "median_iqr_same_kind": median_iqr_same,
    "random_walk": random_walk,
}
