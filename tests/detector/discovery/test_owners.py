"""Pods by their labels and owners, where only kube-state-metrics knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.arms import Side
from detector.discovery.asked import asked_of
from detector.discovery.looking import Look
from detector.discovery.owners import by_owners
from detector.discovery.traffic import Candidate, candidates
from detector.gate.request import VerdictRequest
from detector.selector import parse_selector
from detector.series import Query
from detector.signals.packs import Pack, shipped_packs
from detector.signals.signal import Unit
from pipelines.sources.memory import MemorySource
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    T0,
    Labels,
    braces,
    endpoints,
    source,
    state_metrics,
)
from tests.profiles import HEAVY

PODS = (*STABLE, *CANARY)
KNOWN = frozenset({"kube_pod_labels", "kube_pod_owner", "kube_replicaset_owner"})
CANARY_HASH, STABLE_HASH = "6d9f7c", "5c4b8d"


def told(**labels: str) -> list[Labels]:
    """What kube-state-metrics says of each pod's labels: the canary's, the rest of the others."""
    return [
        {"__name__": "kube_pod_labels", "namespace": "shop", "pod": pod}
        | {f"label_{name}": value for name, value in labels.items() if pod in CANARY}
        for pod in PODS
    ]


def requests(pods: Iterable[str] = PODS) -> list[Labels]:
    """Request series that know pods and nothing else of Kubernetes."""
    return [s for pod in pods for s in endpoints("prometheus_client", pod)]


class Counting(MemorySource):
    """A source that remembers what its catalogue was asked for."""

    def __init__(self) -> None:
        super().__init__(retention_s=1e9)
        self.asked: list[Query] = []

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float = 0.0
    ) -> Sequence[Mapping[str, str]]:
        """Remember, then answer."""
        self.asked += queries
        return super().series(queries, start, end, timeout_s=timeout_s)


def candidate(
    series: Sequence[Labels], packs: Sequence[Pack] | None = None, canary: str = BY_POD
) -> Candidate:
    """The service's request metric."""
    found: dict[str, list[Labels]] = {}
    for labels in series:
        found.setdefault(labels["__name__"], []).append(labels)
    request = VerdictRequest(service="checkout", canary=canary)
    return candidates(packs or shipped_packs(), found, asked_of(request))[0]


def owned(
    selector: str,
    state: Iterable[Labels],
    *,
    names: frozenset[str] = KNOWN,
    series: Sequence[Labels] | None = None,
    held: MemorySource | None = None,
) -> Side | None:
    """The arm of a selector by what the state metrics say."""
    served = list(requests() if series is None else series)
    store = source(served, list(state)) if held is None else held
    look = Look(catalog=store, start=T0, end=T0 + 600, timeout_s=5)
    asked = parse_selector(selector, field="canary")
    return by_owners(look, names, asked, candidate(served))


def pods(side: Side | None) -> set[str]:
    return set() if side is None else {s["pod"] for s in side.series}


ALL = [s for pod in PODS for s in state_metrics(pod)]


@pytest.mark.parametrize(
    "selector",
    [
        pytest.param('{pod_template_hash="6d9f7c"}', id="a label of the pod"),
        pytest.param('{label_pod_template_hash="6d9f7c"}', id="as kube-state-metrics writes it"),
        pytest.param('{app_version="v2"}', id="its version"),
        pytest.param('{app_version!="v1"}', id="what it is not"),
        pytest.param('{replicaset="checkout-6d9f7c"}', id="its ReplicaSet"),
        pytest.param('{owner_name=~"checkout-6.+"}', id="its owner"),
        pytest.param('{created_by_name="checkout-6d9f7c"}', id="its maker"),
    ],
)
def test_a_canary_is_known_by_what_kubernetes_says_of_its_pods(selector: str) -> None:
    """The metrics bear only a pod's name; people select by the labels they gave."""
    side = owned(selector, ALL)
    assert side is not None
    assert pods(side) == set(CANARY)
    assert side.how == "by kube-state-metrics' labels and owners of its pods"


def test_the_pods_that_are_found_select_those_to_come() -> None:
    """The next pod of the ReplicaSet is judged without asking again."""
    side = owned('{replicaset="checkout-6d9f7c"}', ALL)
    assert side is not None
    assert braces(side.matchers) == '{pod=~"checkout-6d9f7c-.+"}'


def test_a_deployment_is_found_through_its_replica_sets() -> None:
    """A pod's owner is its ReplicaSet; the name that people know is the owner's owner's."""
    sets = [
        {
            "__name__": "kube_replicaset_owner",
            "replicaset": f"checkout-{hash_}",
            "owner_kind": "Deployment",
            "owner_name": name,
        }
        for hash_, name in ((CANARY_HASH, "checkout-canary"), (STABLE_HASH, "checkout"))
    ]
    assert pods(owned('{deployment="checkout-canary"}', sets)) == set(CANARY)
    assert pods(owned('{rollout="checkout"}', sets)) == set(STABLE)


def test_all_matchers_must_be_true_of_a_pod() -> None:
    """One label of the canary and one of nobody is nobody."""
    state = told(tier="web", zone="a")
    assert pods(owned('{tier="web",zone="a"}', state)) == set(CANARY)
    assert owned('{tier="web",zone="b"}', state) is None


def test_labels_of_the_series_still_count() -> None:
    """What the request series know themselves is not asked of others."""
    state = told(tier="web")
    assert pods(owned('{tier="web",code="200"}', state)) == set(CANARY)
    assert owned('{tier="web",code="999"}', state) is None


def test_a_label_of_another_namesake_is_not_ours() -> None:
    """Only the service's own pods are looked for, whatever else bears the label."""
    state = [*told(), {"__name__": "kube_pod_labels", "pod": "cart-0", "label_tier": "web"}]
    assert owned('{tier="web"}', state) is None


def test_a_renamed_pod_label_is_read_too() -> None:
    """Without honoured labels kube-state-metrics' pods come as `exported_pod`, its own as `pod`."""
    state = [
        {"__name__": "kube_pod_labels", "pod": "kube-state-metrics-0", "exported_pod": pod}
        | ({"label_tier": "web"} if pod in CANARY else {})
        for pod in PODS
    ]
    assert pods(owned('{tier="web"}', state)) == set(CANARY)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        pytest.param('{code="200"}', KNOWN, id="the series know the label"),
        pytest.param('{tier="web"}', frozenset[str](), id="no such metrics exist"),
    ],
)
def test_nothing_is_asked_where_nothing_can_be_learned(
    selector: str, names: frozenset[str]
) -> None:
    """People's Prometheus is not asked for what would not be used."""
    held = Counting()
    assert owned(selector, [], names=names, held=held) is None
    assert held.asked == []


def test_only_our_pods_are_asked_for() -> None:
    """A cluster has ten thousand pods; the question names six."""
    held = Counting()
    owned('{tier="web"}', [], held=held)
    assert {q.metric for q in held.asked} == {"kube_pod_labels"}
    for query in held.asked:
        (among,) = (m for m in query.matchers if m.label in {"pod", "exported_pod"})
        assert all(pod in among.value for pod in PODS)


@HEAVY
@given(st.integers(1, 230))
def test_a_question_has_a_bound(count: int) -> None:
    """Of a thousand pods two hundred are asked for: a URL and a server have limits."""
    held = Counting()
    many = [f"checkout-6d9f7c-{at}" for at in range(count)]
    series = [
        {"__name__": "http_requests_total", "service": "checkout", "code": "200", "pod": pod}
        for pod in many
    ]
    look = Look(catalog=held, start=T0, end=T0 + 600, timeout_s=5)
    by_owners(look, KNOWN, parse_selector('{tier="web"}', field="canary"), candidate(series))
    for query in held.asked:
        (among,) = (m for m in query.matchers if m.label in {"pod", "exported_pod"})
        assert len(among.value.split("|")) == min(count, 200)


def test_series_of_a_workload_have_no_pods_to_ask_for() -> None:
    """A mesh's source report names workloads; none of their pods is guessed."""
    workload = [pack for pack in shipped_packs() if pack.unit is not Unit.POD and pack.requests]
    metric = workload[0].requests[0]
    labels = {
        "__name__": metric.metric,
        workload[0].services[0]: "checkout",
        workload[0].pods[0]: PODS[0],
        "response_code": "200",
        "reporter": "source",
        "request_protocol": "http",
    }
    held = Counting()
    look = Look(catalog=held, start=T0, end=T0 + 600, timeout_s=5)
    asked = parse_selector('{tier="web"}', field="canary")
    assert by_owners(look, KNOWN, asked, candidate([labels], workload[:1])) is None
    assert held.asked == []
