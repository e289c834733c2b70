"""What an exporter writes of the traffic: users' requests where they are, distractors elsewhere.

Distractors grow so that a plan that reads any of them comes to a wrong verdict: those on the
canary's side thirty times as fast as the control's, their histograms without a fast request.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.gate.scenes import CANARY, NOBODY, Labels, Scene, Series, Traffic
from bench.gate.worlds import BESIDE, World, fitting
from detector.series import FloatArray

__all__ = ["write"]

_RESTART_EVERY_S = 200.0
_BESIDE = {
    **{metric: signal for signal, metric in BESIDE.items()},
    "container_oom_events_total": "restarts",
}


def write(
    scene: Scene, world: World, own: Sequence[Labels], traffic: Traffic, target: Labels
) -> None:
    """The series of one exporter with values: users' traffic where it is, traps elsewhere."""
    is_silent = scene.fault.silent and traffic.arm == CANARY
    roles = ["" if traffic.arm == NOBODY else _role(scene, world, labels) for labels in own]
    split = any(
        _tells_bad(world, s) for s, role in zip(own, roles, strict=True) if role == "bucket"
    )
    for at, labels in enumerate(own):
        role = roles[at]
        users = role in {"good", "bad", "bucket", "count", "sum"}
        if is_silent and (users or labels["__name__"] in world.quiet):
            continue
        values = _values(scene, world, labels, role, traffic, split=split)
        if role in {"good", "bad"}:
            values = np.floor(values * _share(roles, at))
        born = int(np.flatnonzero(values > 0)[:1].sum()) if role == "bad" else 0
        scene.series.append(
            Series(
                labels=_renamed(labels, target),
                times=traffic.times[born:],
                values=values[born:],
                arm=traffic.arm if role else NOBODY,
                role=role,
            )
        )


def _renamed(own: Labels, target: Labels) -> Labels:
    """Under a target's labels, as Prometheus renames what clashes; an empty label is none."""
    moved = {f"exported_{n}" if n in target else n: v for n, v in own.items()}
    return {k: v for k, v in {**moved, **target}.items() if v}


def _role(scene: Scene, world: World, labels: Labels) -> str:
    metric = labels["__name__"]
    if metric in _BESIDE:
        is_own = labels.get("container") == "checkout" and "pause" not in labels.get("image", "")
        return _BESIDE[metric] if is_own else ""
    counted = _counts(scene, world, labels)
    if counted:
        return counted
    for signal, name in world.expect.items():
        if name == metric:
            return signal if fitting(scene.told(world.only.get(signal, {})), labels) else ""
    return ""


def _counts(scene: Scene, world: World, labels: Labels) -> str:
    """What a series is of the requests, by the world's word."""
    metric, requests, durations = labels["__name__"], world.requests, world.durations
    if requests is not None and fitting(scene.told(requests.where), labels):
        if metric == requests.metric:
            return "bad" if requests.bad and fitting(requests.bad, labels) else "good"
        if metric in requests.failed:
            return "bad"
    if durations is not None and fitting(scene.told(durations.where), labels):
        base = durations.metric.removesuffix("_bucket")
        kinds = {durations.metric: "bucket", f"{base}_count": "count", f"{base}_sum": "sum"}
        return kinds.get(metric, "")
    return ""


def _share(roles: Sequence[str], at: int) -> float:
    """How several series of one role share what they count: the first has nearly all."""
    more = roles.count(roles[at]) - 1
    if not more:
        return 1.0
    return 0.96 if roles.index(roles[at]) == at else 0.04 / more


def _values(
    scene: Scene, world: World, labels: Labels, role: str, traffic: Traffic, *, split: bool
) -> FloatArray:
    """What a series counted; `split`: histograms tell whether their requests failed."""
    scale = world.durations.scale if world.durations else 1.0
    bad = _tells_bad(world, labels) if split else None
    match role:
        case "good":
            is_all = world.requests is not None and bool(world.requests.failed)
            return traffic.good + (traffic.failed if is_all else 0)
        case "bad":
            return traffic.failed
        case "bucket":
            return traffic.below(float(labels["le"]) * scale, bad)
        case "count":
            return traffic.below(np.inf, bad)
        case "sum":
            return traffic.below(np.inf, bad) * 0.09 * traffic.slower / scale
        case "":
            return _trap(labels, traffic)
    return _fed(scene, labels, role, traffic)


def _tells_bad(world: World, labels: Labels) -> bool:
    """Whether a series is of failed requests by its labels."""
    requests = world.requests
    return requests is not None and bool(requests.bad) and fitting(requests.bad, labels)


def _fed(scene: Scene, labels: Labels, role: str, traffic: Traffic) -> FloatArray:
    """What feeds a signal that is none of requests: alike in both arms, but for restarts."""
    metric, requests = labels["__name__"], traffic.good + traffic.failed
    if role == "restarts":
        begun = traffic.times[0] - 20 if "start_time" in metric else 0.0
        if not scene.fault.restarts or traffic.arm != CANARY or "oom" in metric:
            return np.full(traffic.count, begun)
        many = np.floor((traffic.times - scene.start) / _RESTART_EVERY_S)
        return begun + many * (_RESTART_EVERY_S if begun else 1.0)
    if role == "memory_growth":
        return np.full(traffic.count, 4.8e7)
    if role == "cpu_per_request" or metric.endswith(("_total", "_sum", "_count")):
        return 0.004 * requests
    return np.full(traffic.count, 12.0)


def _trap(labels: Labels, traffic: Traffic) -> FloatArray:
    """A distractor: start times are true, all else grows as no request of the arm does."""
    steps = np.arange(traffic.count, dtype=np.float64)
    metric, is_new = labels["__name__"], traffic.arm == CANARY
    if "start_time" in metric or metric.endswith("_started"):
        return np.full(traffic.count, traffic.times[0] - 20)
    if "le" in labels and is_new and not np.isinf(float(labels["le"])):
        return np.zeros(traffic.count)
    return steps * (2700.0 if is_new else 90.0)
