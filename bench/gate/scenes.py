"""One rollout of a world as raw samples, and the truth about every series.

Distractors grow so that a plan that reads any of them comes to a wrong verdict: those on the
canary's side thirty times as fast as the control's, their histograms without a fast request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import numpy as np
from numpy.random import Generator

from bench.gate.worlds import BESIDE, CLIENT, World, fitting
from detector.series import FloatArray
from pipelines.testing import exposition

__all__ = ["CANARY", "CONTROL", "LENGTH_S", "Fault", "Scene", "Series", "play"]

_EXPOSED = Path(__file__).resolve().parents[2] / "tests" / "detector" / "signals" / "exposed"
CANARY, CONTROL, NOBODY = "canary", "control", "nobody"
Labels = dict[str, str]

STEP_S, HISTORY_S, LENGTH_S = 30.0, 3600.0, 1500.0
_RPS, _ERRORS = 30.0, 0.004
_SHAPE = 2.2
_RESTART_EVERY_S = 200.0
_STABLE = tuple(f"checkout-5c4b8d-{end}" for end in ("x2x7k", "b9fqz", "m4c8t", "h7k2w", "q5n9p"))
_NEW = tuple(f"checkout-6d9f7c-{end}" for end in ("k8w2d", "t4j6s", "v9c4m"))
_OTHERS = tuple(f"cart-7f6bcd-{end}" for end in ("w2x7k", "c9fqz"))
_PROXIES = ("proxy-7d4b9c-k8w2d", "proxy-7d4b9c-t4j6s")
_BESIDE = {
    **{metric: signal for signal, metric in BESIDE.items()},
    "container_oom_events_total": "restarts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with the canary; `silent`: it serves nobody but probes."""

    name: str
    errors: float = _ERRORS
    slower: float = 1.0
    restarts: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series with the truth about it: whose it is, and what it counts of theirs.

    `role`: `good`, `bad`, `bucket`, `count`, `sum`, a signal's name, or empty for a distractor.
    """

    labels: Labels
    times: FloatArray
    values: FloatArray
    arm: str = NOBODY
    role: str = ""


@dataclass(slots=True)
class Scene:
    """One rollout in a namespace of its own, from an hour before its `start` (unix seconds)."""

    world: World
    fault: Fault
    namespace: str
    start: float
    rng: Generator
    series: list[Series] = field(default_factory=list)

    def told(self, where: Mapping[str, str]) -> dict[str, str]:
        """Patterns with the namespace of the rollout in place of that of the golden texts."""
        return {label: text.replace("shop", self.namespace) for label, text in where.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traffic:
    """What was served at the times of its scrapes, cumulative."""

    arm: str
    times: FloatArray
    good: FloatArray
    failed: FloatArray
    slower: float
    median_s: float

    @property
    def count(self) -> int:
        return len(self.times)

    def below(self, edge: float, bad: bool | None) -> FloatArray:
        """Requests that took at most `edge` seconds: the good, the failed, or (None) both."""
        total = {True: self.failed, False: self.good, None: self.good + self.failed}[bad]
        if np.isinf(edge):
            return total
        share = 1 / (1 + (max(edge, 1e-9) / (self.median_s * self.slower)) ** -_SHAPE)
        return np.floor(total * share)


def play(world: World, fault: Fault, namespace: str, start: float, seed: int) -> Scene:
    """The rollout, with all that is beside it."""
    scene = Scene(world, fault, namespace, start, np.random.default_rng(seed))
    if world.scraped == "pod":
        for pod in (*_STABLE, *_NEW):
            _pod(scene, pod)
    else:
        for proxy in _PROXIES:
            _proxy(scene, proxy)
    for pod in _OTHERS:
        _other(scene, pod)
    if world.containers:
        for pod in (*_STABLE, *_NEW, *_OTHERS):
            _containers(scene, pod)
    return scene


def _served(scene: Scene, arm: str, pods: float = 1.0) -> _Traffic:
    """The traffic of some pods of an arm; a canary begins with the rollout."""
    is_new = arm == CANARY
    begin = scene.start if is_new else scene.start - HISTORY_S
    end = scene.start + LENGTH_S
    times = np.arange(begin + scene.rng.uniform(0, STEP_S), end, STEP_S).round(3)
    requests = scene.rng.poisson(_RPS * pods * STEP_S, len(times))
    failed = scene.rng.binomial(requests, scene.fault.errors if is_new else _ERRORS)
    return _Traffic(
        arm=arm,
        times=times,
        good=np.cumsum(requests - failed).astype(float),
        failed=np.cumsum(failed).astype(float),
        slower=scene.fault.slower if is_new else 1.0,
        median_s=scene.world.median_s,
    )


# -- who is scraped


def _pod(scene: Scene, pod: str) -> None:
    """A pod with its exporter; a world without requests stands beside a plain client's."""
    world = scene.world
    traffic = _served(scene, CANARY if pod in _NEW else CONTROL)
    own = _exposed(world.exposed, scene, pod)
    _write(scene, world, own, traffic, _target(scene, pod, world.target))
    if world.requests is None:
        there = {labels["__name__"] for labels in own}
        client = [s for s in _exposed(CLIENT.exposed, scene, pod) if s["__name__"] not in there]
        _write(scene, CLIENT, client, traffic, _target(scene, pod, {}))


def _proxy(scene: Scene, proxy: str) -> None:
    """A proxy that serves its part of both arms, and others."""
    world, own = scene.world, _exposed(scene.world.exposed, scene, proxy)
    at = {"job": "proxy", "service": "proxy-metrics", "namespace": "ingress", "container": "proxy"}
    target = _target(scene, proxy, {**at, **world.target})
    for arm, pods in ((CANARY, _NEW), (CONTROL, _STABLE)):
        mine = [labels for labels in own if fitting(scene.told(world.arms[arm]), labels)]
        own = [labels for labels in own if labels not in mine]
        traffic = _served(scene, arm, len(pods) / len(_PROXIES))
        _write(scene, world, mine, traffic, target)
    _write(scene, world, own, _served(scene, NOBODY), target)


def _other(scene: Scene, pod: str) -> None:
    """Another service of the cluster, which fails most of its requests all the time."""
    at = _target(scene, pod, {"job": "cart", "service": "cart", "container": "cart"})
    traffic = _served(scene, NOBODY)
    _write(scene, CLIENT, _exposed(CLIENT.exposed, scene, pod), traffic, at)


def _containers(scene: Scene, pod: str) -> None:
    """What the kubelet and kube-state-metrics say, sandboxes and cgroups' parents included."""
    arm = NOBODY if pod in _OTHERS else CANARY if pod in _NEW else CONTROL
    traffic = _served(scene, arm)
    for name, job in (("cadvisor", "kubelet"), ("kube_state_metrics", "kube-state-metrics")):
        if scene.world.exposed != name:
            own = _exposed(name, scene, pod)
            _write(scene, CLIENT, own, traffic, {"job": job, "instance": f"{job}:8080"})


def _exposed(name: str, scene: Scene, pod: str) -> list[Labels]:
    text = (_EXPOSED / f"{name}.prom").read_text("utf-8").replace("shop", scene.namespace)
    return [dict(labels) for labels in exposition(Template(text).safe_substitute(_identity(pod)))]


def _identity(pod: str) -> Labels:
    """What fills the placeholders of golden texts for a pod."""
    workload, _, rest = pod.partition("-")
    return {
        "pod": pod,
        "uid": f"uid-{pod}",
        "hash": rest.split("-")[0],
        "workload": workload,
        "version": "v2" if pod in _NEW else "v1",
        "controller": pod,
    }


def _target(scene: Scene, pod: str, extra: Mapping[str, str]) -> Labels:
    usual = {
        "job": "checkout",
        "service": "checkout",
        "namespace": scene.namespace,
        "pod": pod,
        "container": "checkout",
        "endpoint": "http",
        "instance": f"{scene.namespace}.{pod}:8080",
    }
    told = {k: Template(v).safe_substitute(_identity(pod)) for k, v in scene.told(extra).items()}
    return {label: value for label, value in {**usual, **told}.items() if value}


# -- what it writes


def _write(
    scene: Scene, world: World, own: Sequence[Labels], traffic: _Traffic, target: Labels
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
    scene: Scene, world: World, labels: Labels, role: str, traffic: _Traffic, *, split: bool
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


def _fed(scene: Scene, labels: Labels, role: str, traffic: _Traffic) -> FloatArray:
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


def _trap(labels: Labels, traffic: _Traffic) -> FloatArray:
    """A distractor: start times are true, all else grows as no request of the arm does."""
    steps = np.arange(traffic.count)
    metric, is_new = labels["__name__"], traffic.arm == CANARY
    if "start_time" in metric or metric.endswith("_started"):
        return np.full(traffic.count, traffic.times[0] - 20)
    if "le" in labels and is_new and not np.isinf(float(labels["le"])):
        return np.zeros(traffic.count)
    return steps * (2700.0 if is_new else 90.0)
