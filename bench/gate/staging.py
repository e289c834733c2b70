"""Who is scraped in a scene: pods or proxies, the kubelet, the cluster's state, another service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

import numpy as np

from bench.gate.scenes import CANARY, CONTROL, NOBODY, Fault, Labels, Scene
from bench.gate.worlds import CLIENT, World, fitting
from bench.gate.written import write
from pipelines.testing import exposition

__all__ = ["play"]

_EXPOSED = Path(__file__).resolve().parents[2] / "tests" / "detector" / "signals" / "exposed"
_STABLE = tuple(f"checkout-5c4b8d-{end}" for end in ("x2x7k", "b9fqz", "m4c8t", "h7k2w", "q5n9p"))
_NEW = tuple(f"checkout-6d9f7c-{end}" for end in ("k8w2d", "t4j6s", "v9c4m"))
_OTHERS = tuple(f"cart-7f6bcd-{end}" for end in ("w2x7k", "c9fqz"))
_PROXIES = ("proxy-7d4b9c-k8w2d", "proxy-7d4b9c-t4j6s")


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


def _pod(scene: Scene, pod: str) -> None:
    """A pod with its exporter; a world without requests stands beside a plain client's."""
    world = scene.world
    traffic = scene.served(CANARY if pod in _NEW else CONTROL)
    own = _exposed(world.exposed, scene, pod)
    write(scene, world, own, traffic, _target(scene, pod, world.target))
    if world.requests is None:
        there = {labels["__name__"] for labels in own}
        client = [s for s in _exposed(CLIENT.exposed, scene, pod) if s["__name__"] not in there]
        write(scene, CLIENT, client, traffic, _target(scene, pod, {}))


def _proxy(scene: Scene, proxy: str) -> None:
    """A proxy that serves its part of both arms, and others."""
    world, own = scene.world, _exposed(scene.world.exposed, scene, proxy)
    at = {"job": "proxy", "service": "proxy-metrics", "namespace": "ingress", "container": "proxy"}
    target = _target(scene, proxy, {**at, **world.target})
    for arm, pods in ((CANARY, _NEW), (CONTROL, _STABLE)):
        mine = [labels for labels in own if fitting(scene.told(world.arms[arm]), labels)]
        own = [labels for labels in own if labels not in mine]
        traffic = scene.served(arm, len(pods) / len(_PROXIES))
        write(scene, world, mine, traffic, target)
    write(scene, world, own, scene.served(NOBODY), target)


def _other(scene: Scene, pod: str) -> None:
    """Another service of the cluster, which fails most of its requests all the time."""
    at = _target(scene, pod, {"job": "cart", "service": "cart", "container": "cart"})
    traffic = scene.served(NOBODY)
    write(scene, CLIENT, _exposed(CLIENT.exposed, scene, pod), traffic, at)


def _containers(scene: Scene, pod: str) -> None:
    """What the kubelet and kube-state-metrics say, sandboxes and cgroups' parents included."""
    arm = NOBODY if pod in _OTHERS else CANARY if pod in _NEW else CONTROL
    traffic = scene.served(arm)
    for name, job in (("cadvisor", "kubelet"), ("kube_state_metrics", "kube-state-metrics")):
        if scene.world.exposed != name:
            own = _exposed(name, scene, pod)
            write(scene, CLIENT, own, traffic, {"job": job, "instance": f"{job}:8080"})


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
