"""Clusters as a metric source shows them: what exporters really expose, under target labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from detector.discovery import discover
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricSource
from detector.selector import format_query
from detector.series import Matcher, Query
from detector.signals.packs import shipped_packs
from detector.signals.plan import BoundSignal, Family, Plan
from pipelines.sources.memory import MemorySource
from pipelines.testing import exposition

Labels = dict[str, str]

T0 = 1_790_000_000.0
STABLE = tuple(f"checkout-5c4b8d-{end}" for end in ("x2x7k", "b9fqz", "m4c8t", "h7k2w"))
CANARY = tuple(f"checkout-6d9f7c-{end}" for end in ("k8w2d", "t4j6s"))
BY_POD = '{pod=~"checkout-6d9f7c-.+"}'
_EXPOSED = Path(__file__).parent.parent / "signals" / "exposed"


def exposed(name: str, **filled: str) -> tuple[Labels, ...]:
    """Label sets of an exporter's text with its placeholders filled."""
    text = (_EXPOSED / f"{name}.prom").read_text(encoding="utf-8")
    return exposition(Template(text).safe_substitute(filled))


def target(series: Iterable[Labels], **labels: str) -> list[Labels]:
    """The series under a target's labels; what clashes is renamed as Prometheus renames it."""
    return [
        {**{f"exported_{n}" if n in labels else n: v for n, v in own.items()}, **labels}
        for own in series
    ]


def endpoints(name: str, pod: str, service: str = "checkout", **more: str) -> list[Labels]:
    """One pod scraped as the Prometheus operator does it."""
    return target(
        exposed(name, **identity(pod)),
        job=service,
        service=service,
        namespace=more.pop("namespace", "shop"),
        pod=pod,
        container=more.pop("container", "checkout"),
        endpoint=more.pop("endpoint", "http"),
        instance=f"{pod}:8080",
        **more,
    )


def identity(pod: str) -> Labels:
    """What fills the placeholders for a pod."""
    workload, _, rest = pod.partition("-")
    return {
        "pod": pod,
        "uid": f"uid-{pod}",
        "hash": rest.split("-")[0],
        "workload": workload,
        "version": "v2" if pod in CANARY else "v1",
    }


def kubelet(pod: str, **more: str) -> list[Labels]:
    """What cAdvisor says of a pod; the target is its node."""
    own = exposed("cadvisor", **identity(pod))
    return target(own, job="kubelet", instance="node-1:10250", node="node-1", **more)


def state_metrics(pod: str, **more: str) -> list[Labels]:
    """What kube-state-metrics says of a pod, honouring labels as its own charts do."""
    own = exposed("kube_state_metrics", **identity(pod))
    return target(own, job="kube-state-metrics", instance="ksm:8080", **more)


def shop(name: str = "prometheus_client", **more: str) -> list[Labels]:
    """Four stable pods and two of the canary that expose one convention."""
    return [series for pod in (*STABLE, *CANARY) for series in endpoints(name, pod, **more)]


def source(*groups: Sequence[Labels], since: float = T0 - 7200) -> MemorySource:
    """A source in which every series has a sample each minute from `since` on until T0 + 600."""
    held = MemorySource(retention_s=1e9)
    add(held, (labels for group in groups for labels in group), since=since)
    return held


def add(
    held: MemorySource,
    series: Iterable[Labels],
    *,
    since: float = T0 - 7200,
    until: float = T0 + 600,
    per_s: float = 1.0,
) -> None:
    """Samples each minute, rising by `per_s`."""
    times = [since + 60 * n for n in range(int((until - since) / 60) + 1)]
    for labels in series:
        held.add(labels, times, [1000 + per_s * (time - since) for time in times])


def found(
    held: MetricCatalog,
    canary: str = BY_POD,
    service: str = "checkout",
    weigh: MetricSource | None = None,
    **asked: object,
) -> Plan:
    """The plan that the shipped packs make."""
    return discover(
        held,
        shipped_packs(),
        VerdictRequest(service=service, canary=canary, **asked),  # type: ignore[arg-type]
        start=T0,
        end=T0 + 600,
        timeout_s=5,
        source=weigh,
    )


def spelled(plan: Plan) -> dict[str, str]:
    """What feeds each signal, in a line for people."""
    return {bound.signal.name: _signal(bound) for bound in plan.signals}


def _signal(bound: BoundSignal) -> str:
    parts = [_family(bound.total)]
    if bound.bad:
        parts.append(f"bad {braces(bound.bad)}")
    parts += [f"and {_family(family)}" for family in bound.also]
    parts += [f"per {bound.load.metric}"] if bound.load else []
    return " ".join(parts)


def _family(family: Family) -> str:
    how = f" joined by {family.pod_label}" if family.joined else ""
    scale = f" x {family.scale:g}" if family.scale != 1 else ""
    return f"{format_query(Query(family.metric, family.matchers))}{scale}{how}"


def braces(matchers: Sequence[Matcher]) -> str:
    """Matchers as PromQL writes them."""
    return format_query(Query("x", tuple(matchers)))[1:]
