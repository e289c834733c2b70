"""Worlds of one convention each, as data: which of an exporter's series are users' traffic.

A world's series are those of the golden texts in `tests/detector/signals/exposed`, as scraped from
pods or from proxies. Its YAML file in `exporters/` says, independently of any pack, which of them
count users' requests, which are failures and which time them. All others are distractors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
import yaml

from detector.signals.packs import Pack

__all__ = ["BESIDE", "CLIENT", "Counted", "Timed", "World", "fitting", "without_a_world", "worlds"]

_WORLDS = Path(__file__).parent / "exporters"
# Metrics that serinus counts itself are called so: no exporter writes them.
_OWN = "serinus_"
_FAULTS = ("healthy", "errors", "slow", "silent")
# What the kubelet and the cluster say of a service's containers, by the signal that it feeds.
BESIDE = {
    "restarts": "kube_pod_container_status_restarts_total",
    "cpu_per_request": "container_cpu_usage_seconds_total",
    "memory_growth": "container_memory_rss",
}


class Counted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Series of requests: those of users fit `where`; of them `bad` failed.

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
    `target` are labels of the scrape beside the usual, empty for none. `expect`: the metric that
    each signal must be bound to, beside those of containers where there are `containers`; `only`
    the series of it that are the signal's. `lacking`: the reason of a healthy rollout that cannot
    pass. `canary` is what is asked. `alone`: each rollout has a Prometheus of its own, since no
    label tells namespaces. `quiet` metrics tell users' traffic again: a silent canary has none.
    `median_s` is how long half of the requests take.
    """

    pack: str
    exposed: str
    scraped: str = "pod"
    target: dict[str, str] = {}
    requests: Counted | None = None
    durations: Timed | None = None
    arms: dict[str, dict[str, str]] = {}
    expect: dict[str, str] = {}
    only: dict[str, dict[str, str]] = {}
    alone: bool = False
    quiet: tuple[str, ...] = ()
    median_s: float = 0.06
    canary: str = '{pod=~"checkout-6d9f7c-.+"}'
    containers: bool = True
    lacking: str = ""
    faults: tuple[str, ...] = _FAULTS

    @property
    def expected(self) -> Mapping[str, str]:
        """The metric of every signal that must be bound."""
        told = dict(self.expect)
        if self.requests is None:
            told = {**CLIENT.expect, **told}
        if self.scraped == "pod" and self.containers:
            told = {**BESIDE, **told}
        if "latency" in told:
            told |= dict.fromkeys(("tail95", "tail99"), told["latency"])
        return told


# What services have that are known by another exporter's word of them alone.
CLIENT = World(
    pack="prometheus-client",
    exposed="prometheus_client",
    requests=Counted(
        metric="http_requests_total", where={"handler": "/api/.*"}, bad={"code": "5.."}
    ),
    durations=Timed(metric="http_request_duration_seconds_bucket"),
    expect={
        "error_rate": "http_requests_total",
        "latency": "http_request_duration_seconds_bucket",
    },
)


@cache
def worlds() -> Mapping[str, World]:
    """All worlds by the name of their file."""
    return {
        file.stem: msgspec.convert(yaml.safe_load(file.read_text("utf-8")), World)
        for file in sorted(_WORLDS.glob("*.yaml"))
    }


def without_a_world(packs: Iterable[Pack]) -> Sequence[str]:
    """Packs of what exporters write that no world shows."""
    known = {world.pack for world in worlds().values()}
    return sorted(
        pack.name for pack in packs if pack.name not in known and not _is_counted_here(pack)
    )


def _is_counted_here(pack: Pack) -> bool:
    """Whether serinus itself writes all that a pack describes."""
    metrics = {one.metric for one in pack.requests} | {one.metric for one in pack.durations}
    metrics |= {one.metric for one in pack.resources} | {one.metric for one in pack.signals}
    return all(metric.startswith(_OWN) for metric in metrics)


def fitting(where: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether labels fit regular expressions as a whole; an absent one is empty."""
    return all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in where.items())
