"""The same names in two namespaces: StatefulSets and templates make them everywhere."""

from __future__ import annotations

import pytest

from detector.selector import matches
from detector.series import Matcher
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    braces,
    found,
    kubelet,
    shop,
    source,
    spelled,
    state_metrics,
)

PODS = (*STABLE, *CANARY)
STAGE = [{**s, "namespace": "stage", "instance": f"stage.{s['instance']}"} for s in shop()]
BESIDE = [s for pod in PODS for s in (*kubelet(pod), *state_metrics(pod))]
STAGED = [{**s, "namespace": "stage"} for s in BESIDE]


def test_containers_of_another_namespace_are_not_joined() -> None:
    """`checkout-0` is in every namespace: whose memory grows must not be guessed by its name."""
    bound = spelled(found(source(shop(), STAGE, BESIDE, STAGED), namespace="shop"))
    for name in ("restarts", "cpu_per_request", "memory_growth"):
        assert 'namespace="shop"} joined by pod' in bound[name]


@pytest.mark.parametrize("honoured", [True, False], ids=["honoured", "renamed"])
def test_the_namespace_is_found_under_the_label_that_the_scrape_left(honoured: bool) -> None:
    """kube-state-metrics has a namespace of its own; Prometheus may rename that of the pods."""
    state = [s for pod in PODS for s in state_metrics(pod)]
    if not honoured:
        state = [{**s, "exported_namespace": "shop", "namespace": "monitoring"} for s in state]
    bound = spelled(found(source(shop(), state), namespace="shop"))
    label = "namespace" if honoured else "exported_namespace"
    assert f'kube_pod_container_status_restarts_total{{{label}="shop"}}' in bound["restarts"]


@pytest.mark.parametrize("control", [None, '{pod=~"checkout-5c4b8d-.+"}'])
def test_a_canary_that_is_not_there_yet_is_waited_for_in_its_own_namespace(
    control: str | None,
) -> None:
    """The next namespace's canary has the same hash: it would be judged in this one's place."""
    stable = [s for s in shop() if s["pod"] in STABLE]
    plan = found(source(stable, STAGE), BY_POD, namespace="shop", control=control)
    assert 'namespace="shop"' in braces(plan.canary)
    assert all('namespace="shop"' in braces(one) for one in plan.control)
    assert not any(fit(plan.canary, s) for s in STAGE)
    assert not any(fit(one, s) for one in plan.control for s in STAGE)


def fit(selector: tuple[Matcher, ...], labels: dict[str, str]) -> bool:
    return all(matches(matcher, labels) for matcher in selector)
