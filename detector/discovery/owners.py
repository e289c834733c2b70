"""Pods by what kube-state-metrics says of them: their labels and their owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detector.discovery.arms import Side, by_pods, unknown
from detector.discovery.looking import Look
from detector.discovery.matching import Labels, any_of, fits, values_of
from detector.discovery.traffic import Candidate
from detector.discovery.workloads import prefix_of
from detector.series import Matcher, Query
from detector.signals.signal import Unit

__all__ = ["by_owners"]

_LABELS, _OWNER, _REPLICAS = "kube_pod_labels", "kube_pod_owner", "kube_replicaset_owner"
# Words under which people name the owner of a pod, and the owner of its ReplicaSet.
_OWNS_POD = ("replicaset", "owner_name", "statefulset", "created_by_name")
_OWNS_REPLICAS = ("deployment", "rollout", "workload", "owner_name")
_PODS_ASKED = 200


def by_owners(
    look: Look, names: frozenset[str], asked: Sequence[Matcher], candidate: Candidate
) -> Side | None:
    """An arm whose labels are only on kube-state-metrics' series of its pods."""
    strange = unknown(asked, candidate.series)
    pods = sorted(values_of(candidate.pod_label, candidate.series))[:_PODS_ASKED]
    if not strange or not pods or candidate.pack.unit is not Unit.POD:
        return None
    queries = [q for m in strange for q in _queries(m, pods) if q.metric in names]
    found = look.series(queries)
    chosen = set(pods)
    for matcher in strange:
        chosen &= _pods(matcher, pods, found)
    how = "by kube-state-metrics' labels and owners of its pods"
    return by_pods(chosen, asked, strange, candidate.series, candidate.pod_label, how)


def _kept(label: str) -> str:
    return label if label.startswith("label_") else f"label_{label}"


def _queries(matcher: Matcher, pods: Sequence[str]) -> list[Query]:
    """What may know a label, for the pods alone."""
    sets = [prefix.rstrip("-") for pod in pods if (prefix := prefix_of(pod))]
    queries = []
    for label in ("pod", "exported_pod"):
        among = any_of(label, pods)
        queries.append(
            Query(_LABELS, (Matcher(_kept(matcher.label), matcher.op, matcher.value), among))
        )
        if matcher.label in _OWNS_POD:
            queries.append(Query(_OWNER, (Matcher("owner_name", matcher.op, matcher.value), among)))
    if sets and matcher.label in _OWNS_REPLICAS:
        owner = Matcher("owner_name", matcher.op, matcher.value)
        queries.append(Query(_REPLICAS, (owner, any_of("replicaset", sets))))
    return queries


def _pods(matcher: Matcher, pods: Sequence[str], found: Mapping[str, Sequence[Labels]]) -> set[str]:
    """The pods that any of the metrics says the matcher is true of."""
    kept = Matcher(_kept(matcher.label), matcher.op, matcher.value)
    owner = Matcher("owner_name", matcher.op, matcher.value)
    out = {_pod(s) for s in found.get(_LABELS, ()) if fits((kept,), s)}
    if matcher.label in _OWNS_POD:
        out |= {_pod(s) for s in found.get(_OWNER, ()) if fits((owner,), s)}
    if matcher.label in _OWNS_REPLICAS:
        sets = {s.get("replicaset", "") for s in found.get(_REPLICAS, ()) if fits((owner,), s)}
        out |= {pod for pod in pods if prefix_of(pod).rstrip("-") in sets - {""}}
    return out


def _pod(labels: Labels) -> str:
    return labels.get("exported_pod") or labels.get("pod", "")
