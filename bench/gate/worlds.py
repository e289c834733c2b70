"""Worlds of one convention each: what real exporters write, driven by traffic whose truth is known.

A world's series are those of the golden texts in `tests/detector/signals/exposed`, as scraped from
pods, sidecars or proxies. Its YAML file in `worlds/` says, independently of any pack, which of them
count users' requests, which are failures and which time them. All others are distractors: they
grow so that a plan that reads any of them in an arm comes to a wrong verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template

import msgspec
import numpy as np
import yaml
from numpy.random import Generator

from detector.series import FloatArray
from pipelines.testing import exposition

__all__ = ["Arm", "Fault", "Scene", "Series", "World", "play", "worlds"]

_ROOT = Path(__file__).resolve().parents[2]
_EXPOSED = _ROOT / "tests" / "detector" / "signals" / "exposed"
_WORLDS = Path(__file__).parent / "worlds"
Labels = dict[str, str]
Where = Mapping[str, str]

STEP_S, HISTORY_S, LENGTH_S = 30.0, 3600.0, 1500.0
_RPS, _ERRORS = 30.0, 0.004
_MEDIAN_S, _SHAPE = 0.06, 2.2
STABLE = tuple(f"checkout-5c4b8d-{end}" for end in ("x2x7k", "b9fqz", "m4c8t", "h7k2w", "q5n9p"))
CANARY = tuple(f"checkout-6d9f7c-{end}" for end in ("k8w2d", "t4j6s", "v9c4m"))
OTHERS = tuple(f"cart-7f6bcd-{end}" for end in ("w2x7k", "c9fqz"))
PROXIES = ("proxy-7d4b9c-k8w2d", "proxy-7d4b9c-t4j6s")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the canary; `silent`: it serves nobody but probes."""

    name: str
    errors: float = _ERRORS
    slower: float = 1.0
    restarts: bool = False
    silent: bool = False


class Counted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Series of requests: those of users (`where`), of which `bad` failed; values are RE2-like.

    `failed` are metrics that count failures alone.
    """

    metric: str
    where: dict[str, str] = {}
    bad: dict[str, str] = {}
    failed: tuple[str, ...] = ()


class Timed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The histogram of users' requests by its buckets; `scale` turns edges into seconds."""

    metric: str
    where: dict[str, str] = {}
    scale: float = 1.0


class World(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One convention as a cluster shows it, and what must come of it.

    `scraped`: from each `pod`, or from `proxy` pods that serve both arms, told apart by `arms`.
    `expect`: the metric that each signal must be bound to, beside those of containers. `lacking`:
    the reason of a healthy rollout that cannot pass.
    """

    pack: str
    exposed: str
    scraped: str = "pod"
    target: dict[str, str] = {}
    requests: Counted | None = None
    durations: Timed | None = None
    arms: dict[str, dict[str, str]] = {}
    expect: dict[str, str] = {}
    canary: str = '{pod=~"checkout-6d9f7c-.+"}'
    namespaced: bool = True
    containers: bool = True
    lacking: str = ""
    faults: tuple[str, ...] = ("healthy", "errors", "slow", "silent")


@cache
def worlds() -> Mapping[str, World]:
    """All worlds by the name of their file."""
    found = {}
    for file in sorted(_WORLDS.glob("*.yaml")):
        found[file.stem] = msgspec.convert(yaml.safe_load(file.read_text("utf-8")), World)
    return found


class Arm:
    """Which arm a series belongs to."""

    CANARY, CONTROL, NONE = "canary", "control", "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series with the truth about it: its arm, what it counts for that arm's users, if it does.

    `role`: `good`, `bad`, `bucket`, or the signal that a container's series feeds; else empty.
    """

    labels: Labels
    times: FloatArray
    values: FloatArray
    arm: str = Arm.NONE
    role: str = ""


@dataclass(slots=True)
class Scene:
    """One rollout of a world in a namespace of its own; unix seconds."""

    world: World
    fault: Fault
    namespace: str
    start: float
    rng: Generator
    series: list[Series] = field(default_factory=list)


# What every pod world has beside its own exporter.
_CLIENT = World(
    pack="prometheus-client",
    exposed="prometheus_client",
    requests=Counted(metric="http_requests_total", where={"handler": "/api/.*"}, bad={"code": "5.."}),
    durations=Timed(metric="http_request_duration_seconds_bucket"),
    expect={
        "error_rate": "http_requests_total",
        "latency": "http_request_duration_seconds_bucket",
    },
)


def play(world: World, fault: Fault, namespace: str, start: float, seed: int) -> Scene:
    """A rollout from an hour before its start to its end, with all that is beside it."""
    scene = Scene(world, fault, namespace, start, np.random.default_rng(seed))
    if world.scraped == "pod":
        for pod in (*STABLE, *CANARY):
            _pod(scene, pod)
    else:
        for proxy in PROXIES:
            _proxy(scene, proxy)
    for pod in (*STABLE, *CANARY, *OTHERS):
        _cluster(scene, pod)
    for pod in OTHERS:
        _other(scene, pod)
    return scene


# -- traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traffic:
    """What was served at the times of its scrapes, cumulative; buckets by edge in seconds."""

    times: FloatArray
    good: FloatArray
    failed: FloatArray

    def below(self, edge: float, slower: float, *, bad: bool) -> FloatArray:
        """Requests that took at most `edge`."""
        total = self.failed if bad else self.good
        if np.isinf(edge):
            return total
        share = 1 / (1 + (max(edge, 1e-9) / (_MEDIAN_S * slower)) ** -_SHAPE)
        return np.floor(total * share)


def _traffic(scene: Scene, arm: str, pods: float) -> _Traffic:
    is_canary = arm == Arm.CANARY
    begin = scene.start if is_canary else scene.start - HISTORY_S
    end = scene.start + LENGTH_S
    times = np.arange(begin + scene.rng.uniform(0, STEP_S), end, STEP_S).round(3)
    requests = scene.rng.poisson(_RPS * pods * STEP_S, len(times))
    rate = scene.fault.errors if is_canary else _ERRORS
    failed = scene.rng.binomial(requests, rate)
    return _Traffic(
        times=times,
        good=np.cumsum(requests - failed).astype(float),
        failed=np.cumsum(failed).astype(float),
    )


# -- what is scraped


def _exposed(name: str, scene: Scene, **filled: str) -> list[Labels]:
    text = (_EXPOSED / f"{name}.prom").read_text("utf-8").replace("shop", scene.namespace)
    return [dict(labels) for labels in exposition(Template(text).safe_substitute(filled))]


def _identity(pod: str) -> Labels:
    workload, _, rest = pod.partition("-")
    version = "v2" if pod in CANARY else "v1"
    return {
        "pod": pod, "uid": f"uid-{pod}", "hash": rest.split("-")[0],
        "workload": workload, "version": version, "controller": pod,
    }  # fmt: skip


def _arm(pod: str) -> str:
    if pod in CANARY:
        return Arm.CANARY
    return Arm.CONTROL if pod in STABLE else Arm.NONE


def _target(scene: Scene, pod: str, extra: Mapping[str, str]) -> Labels:
    told = {
        "job": "checkout", "service": "checkout", "namespace": scene.namespace, "pod": pod,
        "container": "checkout", "endpoint": "http", "instance": f"{scene.namespace}.{pod}:8080",
    }  # fmt: skip
    filled = {k: Template(v).safe_substitute(_identity(pod)) for k, v in extra.items()}
    return {k: v for k, v in {**told, **filled}.items() if v}


def _pod(scene: Scene, pod: str) -> None:
    """One pod with its exporter; a world without requests stands beside a plain client's."""
    world, arm = scene.world, _arm(pod)
    traffic = _traffic(scene, arm, 1.0)
    own = _exposed(world.exposed, scene, **_identity(pod))
    target = _target(scene, pod, world.target)
    scene.series += _written(scene, world, own, traffic, lambda _: arm, target)
    if world.requests is None:
        client = _exposed(_CLIENT.exposed, scene, **_identity(pod))
        have = {labels["__name__"] for labels in own}
        client = [labels for labels in client if labels["__name__"] not in have]
        base = _target(scene, pod, {})
        scene.series += _written(scene, _CLIENT, client, traffic, lambda _: arm, base)


def _proxy(scene: Scene, proxy: str) -> None:
    """One proxy that serves half of both arms."""
    world = scene.world
    own = _exposed(world.exposed, scene, **_identity(proxy))
    told = {
        "job": "proxy", "service": "proxy-metrics", "namespace": "ingress",
        "container": "proxy", "instance": f"{scene.namespace}.{proxy}:9100",
    }  # fmt: skip
    target = _target(scene, proxy, {**told, **world.target})
    for arm, pods in ((Arm.CANARY, len(CANARY)), (Arm.CONTROL, len(STABLE))):
        traffic = _traffic(scene, arm, pods / len(PROXIES))
        where = {k: v.replace("shop", scene.namespace) for k, v in world.arms[arm].items()}
        mine = [labels for labels in own if _fits(where, labels)]
        scene.series += _written(scene, world, mine, traffic, lambda _, arm=arm: arm, target)
    every = [
        {k: v.replace("shop", scene.namespace) for k, v in where.items()}
        for where in world.arms.values()
    ]
    rest = [labels for labels in own if not any(_fits(where, labels) for where in every)]
    traffic = _traffic(scene, Arm.CONTROL, 1.0)
    scene.series += _written(scene, world, rest, traffic, lambda _: Arm.NONE, target)


def _cluster(scene: Scene, pod: str) -> None:
    """What the kubelet and kube-state-metrics say of a pod, sandbox and cgroup parents included."""
    arm, busy = _arm(pod), 1.0 if pod not in OTHERS else 3.0
    traffic = _traffic(scene, arm, busy)
    for name, told in (("cadvisor", "kubelet"), ("kube_state_metrics", "kube-state-metrics")):
        if scene.world.exposed == name:
            continue
        for labels in _exposed(name, scene, **_identity(pod)):
            scene.series.append(_container(scene, labels, told, arm, traffic))


_FEEDS = {
    "container_cpu_usage_seconds_total": "cpu_per_request",
    "container_memory_rss": "memory_growth",
    "container_oom_events_total": "restarts",
    "kube_pod_container_status_restarts_total": "restarts",
}


def _container(
    scene: Scene, labels: Labels, job: str, arm: str, traffic: _Traffic
) -> Series:
    """A series of a container: its own signal's if it is the service's container, else a trap."""
    metric = labels["__name__"]
    own = labels.get("container") not in {"", "POD", None}
    pause = "pause" in labels.get("image", "")
    role = _FEEDS.get(metric, "") if own and not pause else ""
    count = len(traffic.times)
    growing = {"cpu_per_request": 0.004 * (traffic.good + traffic.failed)}
    values = growing.get(role, np.full(count, 0.0))
    if role == "memory_growth":
        values = np.full(count, 4.8e7)
    if role == "restarts" and metric.startswith("kube") and scene.fault.restarts and arm == "canary":
        values = np.floor((traffic.times - scene.start) / 200)
    if "start" in metric:
        values = np.full(count, traffic.times[0] - 20)
    if not role and metric in _FEEDS:
        values = np.linspace(0, 9e3, count) if arm == Arm.CANARY else np.linspace(0, 90, count)
    at = {**labels, "job": job, "instance": f"{job}:8080", "node": "node-1"}
    return Series(labels=at, times=traffic.times, values=values, arm=arm if role else Arm.NONE, role=role)


def _other(scene: Scene, pod: str) -> None:
    """Another service of the same cluster, which fails a third of its requests all the time."""
    traffic = _traffic(scene, Arm.CONTROL, 1.0)
    told = {"job": "cart", "service": "cart", "container": "cart"}
    at = _target(scene, pod, told)
    for labels in _exposed("prometheus_client", scene, **_identity(pod)):
        values = traffic.failed * 80 if labels.get("code") == "500" else traffic.good
        if "start_time" in labels["__name__"]:
            values = np.full(len(traffic.times), traffic.times[0] - 20)
        scene.series.append(
            Series(labels={**labels, **at}, times=traffic.times, values=values)
        )


# -- truth


def _fits(where: Where, labels: Labels) -> bool:
    return all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in where.items())


def _renamed(own: Labels, target: Labels) -> Labels:
    """Under a target's labels, as Prometheus renames what clashes; empty values are no labels."""
    moved = {f"exported_{n}" if n in target else n: v for n, v in own.items()}
    return {k: v for k, v in {**moved, **target}.items() if v}


def _written(
    scene: Scene,
    world: World,
    own: Sequence[Labels],
    traffic: _Traffic,
    arm_of: object,
    target: Labels,
) -> Iterator[Series]:
    """The series of one exporter with values: users' traffic where it is, traps elsewhere."""
    arm = arm_of(None)  # type: ignore[operator]
    users = arm != Arm.NONE
    silent = scene.fault.silent and arm == Arm.CANARY
    told = _roles(world, own)
    shares = _shares(told)
    for at, labels in enumerate(own):
        role = told[at] if users else ""
        if role and silent:
            continue
        values = _values(scene, world, labels, role, traffic, arm, shares[at])
        keep = _born(values, role)
        yield Series(
            labels=_renamed(labels, target),
            times=traffic.times[keep:],
            values=values[keep:],
            arm=arm if role in {"good", "bad", "bucket"} or role in world.expect else Arm.NONE,
            role=role,
        )


def _born(values: FloatArray, role: str) -> int:
    """Counters with a code are born with their first event."""
    seen = np.flatnonzero(values > 0)
    return int(seen[0]) if role == "bad" and seen.size else 0


def _roles(world: World, own: Sequence[Labels]) -> list[str]:
    return [_role(world, labels) for labels in own]


def _role(world: World, labels: Labels) -> str:
    metric = labels["__name__"]
    requests, durations = world.requests, world.durations
    if requests is not None and metric == requests.metric and _fits(requests.where, labels):
        return "bad" if requests.bad and _fits(requests.bad, labels) else "good"
    if requests is not None and metric in requests.failed and _fits(requests.where, labels):
        return "bad"
    if durations is not None:
        base = durations.metric.removesuffix("_bucket")
        if _fits(durations.where, labels):
            if metric == durations.metric:
                return "bucket"
            if metric in {f"{base}_count", f"{base}_sum"}:
                return metric.removeprefix(base)
    fed = [signal for signal, name in world.expect.items() if name == metric]
    return fed[0] if fed else ""


def _shares(roles: Sequence[str]) -> list[float]:
    """How several series of one role share what they count: the first has nearly all."""
    out = []
    for at, role in enumerate(roles):
        first, more = roles.index(role), roles.count(role) - 1
        out.append(1.0 if not more else 0.96 if at == first else 0.04 / more)
    return out


def _values(
    scene: Scene,
    world: World,
    labels: Labels,
    role: str,
    traffic: _Traffic,
    arm: str,
    share: float,
) -> FloatArray:
    count = len(traffic.times)
    slower = scene.fault.slower if arm == Arm.CANARY else 1.0
    is_bad = _is_bad(world, labels)
    match role:
        case "good":
            counted = traffic.good + (traffic.failed if _apart(world) else 0)
            return np.floor(counted * share)
        case "bad":
            return np.floor(traffic.failed * share)
        case "bucket":
            assert world.durations is not None
            edge = float(labels["le"]) * world.durations.scale
            return _bucket(world, traffic, edge, slower, bad=is_bad)
        case "_count":
            return _bucket(world, traffic, np.inf, slower, bad=is_bad)
        case "_sum":
            unit = world.durations.scale if world.durations else 1.0
            return _bucket(world, traffic, np.inf, slower, bad=is_bad) * 0.09 * slower / unit
        case "":
            return _trap(labels, arm, traffic)
    if world.expect.get(role, "").endswith(("_total", "_sum", "_count")):
        return 0.01 * (traffic.good + traffic.failed)
    return np.full(count, 12.0)


def _apart(world: World) -> bool:
    """Whether failures have counters of their own, so that the requests count all."""
    return world.requests is not None and bool(world.requests.failed)


def _is_bad(world: World, labels: Labels) -> bool | None:
    """Whether a histogram is of failed requests alone; None where it does not tell."""
    requests = world.requests
    if requests is None or not requests.bad or not set(requests.bad) <= set(labels):
        return None
    return _fits(requests.bad, labels)


def _bucket(
    world: World, traffic: _Traffic, edge: float, slower: float, *, bad: bool | None
) -> FloatArray:
    del world
    if bad is not None:
        return traffic.below(edge, slower, bad=bad)
    return traffic.below(edge, slower, bad=False) + traffic.below(edge, slower, bad=True)


def _trap(labels: Labels, arm: str, traffic: _Traffic) -> FloatArray:
    """A distractor: start times are true, all else grows as no request of the arm does."""
    count = len(traffic.times)
    metric = labels["__name__"]
    if "start_time" in metric or "created" in metric:
        return np.full(count, traffic.times[0] - 20)
    if "le" in labels:
        wide = float(labels["le"]) if arm == Arm.CANARY else np.inf
        slow = np.floor(np.arange(count) * 900.0)
        return slow if np.isinf(float(labels["le"])) or not np.isfinite(wide) else slow * 0.0
    pace = 2700.0 if arm == Arm.CANARY else 90.0
    return np.floor(np.arange(count) * pace)
