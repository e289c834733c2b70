"""The gauge in which a controller shows the weight of this canary, and of no other.

Flagger has one: `flagger_canary_weight`, with the labels `workload` and `namespace`, a series for
the canary's workload and one for `<workload>-primary` (fluxcd/flagger, pkg/metrics/recorder.go).
Argo Rollouts 1.10 has none (argoproj/argo-rollouts, controller/metrics). Where anything leaves a
doubt whose weight a series shows, it is not read.
"""

from __future__ import annotations

from collections.abc import Sequence

from detector.discovery.asked import Asked
from detector.discovery.control import Arms
from detector.discovery.matching import Labels, any_of, equal, first_label, values_of
from detector.discovery.traffic import Candidate
from detector.discovery.workloads import hash_of, prefix_of
from detector.series import Matcher, MatchOp, Query
from detector.signals.packs.schema import CLUSTERS
from detector.signals.signal import Unit

__all__ = ["GAUGE", "weight_gauge", "weight_queries", "workload_of"]

GAUGE = "flagger_canary_weight"
_PRIMARY = "-primary"
# Labels under which proxies name the workload that served.
_WORKLOADS = ("destination_workload", "workload", "deployment")


def weight_queries(names: frozenset[str], workload: str | None, asked: Asked) -> list[Query]:
    """What to ask the catalogue; nothing where the weight is sent, or no such gauge exists."""
    if GAUGE not in names or workload is None or asked.tells_weight:
        return []
    return [Query(GAUGE, (any_of("workload", [workload, workload + _PRIMARY]),))]


def weight_gauge(
    series: Sequence[Labels], workload: str | None, candidate: Candidate, arms: Arms, asked: Asked
) -> Query | None:
    """The gauge of the canary's own workload in its own namespace and cluster.

    `series` are the gauge's as the catalogue knows them. Both series of a pair must be there.
    """
    namespace = asked.namespace or _told(arms, candidate.pack.namespaces)
    own = [s for s in series if _namespace(s) == namespace and _is_near(s, candidate, arms, asked)]
    if workload is None or namespace is None:
        return None
    if not {workload, workload + _PRIMARY} <= values_of("workload", own):
        return None
    ours = [s for s in own if s["workload"] == workload]
    return Query(GAUGE, (equal("workload", workload), *_scope(ours, namespace)))


def workload_of(candidate: Candidate, arms: Arms, unit: Unit) -> str | None:
    """The one workload of the canary, by the names of its pods, else by what a proxy calls it.

    Where series stand for no pod, the pods are those of a proxy and tell nothing.
    """
    series = arms.canary.series
    if unit is Unit.POD:
        named = {_workload(pod) for pod in values_of(candidate.pod_label, series)}
        if named != {""}:
            return _only(named)
    label = first_label(_WORKLOADS, series)
    return _only({labels.get(label, "") for labels in series}) if label else None


def _only(names: set[str]) -> str | None:
    return next(iter(names)) or None if len(names) == 1 else None


def _workload(pod: str) -> str:
    """The Deployment of a pod, empty where its name tells none.

    >>> _workload("checkout-api-6d9f7c-k8w2d"), _workload("checkout-0")
    ('checkout-api', '')
    """
    return prefix_of(pod).removesuffix(f"-{hash_of(pod)}-") if hash_of(pod) else ""


def _told(arms: Arms, labels: Sequence[str]) -> str | None:
    """The value that the canary's scope has for the first of some labels."""
    for matcher in arms.canary.matchers:
        if matcher.label in labels and matcher.op is MatchOp.EQUAL:
            return matcher.value
    return None


def _namespace(labels: Labels) -> str | None:
    """The canary's: Prometheus renames the label where the controller's target has its own."""
    return labels.get("exported_namespace") or labels.get("namespace")


def _is_near(labels: Labels, candidate: Candidate, arms: Arms, asked: Asked) -> bool:
    """Whether a series is of the canary's cluster, or neither of them tells any."""
    label = first_label(CLUSTERS, [labels])
    told = _told(arms, candidate.pack.clusters)
    known = told or asked.cluster
    return labels.get(label) == known if label else told is None


def _scope(series: Sequence[Labels], namespace: str) -> list[Matcher]:
    """Matchers that these series satisfy and those of other namespaces and clusters do not."""
    renamed = any(s.get("exported_namespace") for s in series)
    told = "exported_namespace" if renamed else "namespace"
    scope = [equal(told, namespace)]
    if not renamed:
        scope.append(equal("exported_namespace", ""))
    label = first_label(CLUSTERS, series)
    if label is not None:
        scope.append(any_of(label, values_of(label, series)))
    return scope
