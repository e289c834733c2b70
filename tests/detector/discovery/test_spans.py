"""Services that are known by their traces alone: what span metrics count is judged."""

from __future__ import annotations

import pytest

from detector.discovery.matching import fits
from detector.signals.plan import BoundSignal, Plan
from detector.signals.signal import Unit
from tests.detector.discovery.clusters import (
    CANARY,
    STABLE,
    Labels,
    braces,
    exposed,
    found,
    identity,
    shop,
    source,
    spelled,
    target,
)

OWN = "traces_span_metrics"
# What is written as what, by who counts the spans.
WRITERS = {
    "connector": {},
    "connector in seconds": {"duration_milliseconds": "duration_seconds"},
    "connector without a namespace": {f"{OWN}_": ""},
    "connector with dots": {
        f"{OWN}_calls": "traces.span.metrics.calls",
        f"{OWN}_duration": "traces.span.metrics.duration",
        "span_kind": "span.kind", "status_code": "status.code", "span_name": "span.name",
        "service_name": "service.name", "k8s_pod_name": "k8s.pod.name",
    },
    "generator of Tempo": {
        f"{OWN}_calls": "traces_spanmetrics_calls",
        f"{OWN}_duration_milliseconds": "traces_spanmetrics_latency",
        "service_name": "service",
    },
    "processor": {f"{OWN}_duration_milliseconds": "latency", f"{OWN}_": ""},
}  # fmt: skip
SCALED = {"connector in seconds": "", "generator of Tempo": ""}
LATENCIES = {
    "connector": "traces_span_metrics_duration_milliseconds_bucket",
    "connector in seconds": "traces_span_metrics_duration_seconds_bucket",
    "connector without a namespace": "duration_milliseconds_bucket",
    "connector with dots": "traces.span.metrics.duration_milliseconds_bucket",
    "generator of Tempo": "traces_spanmetrics_latency_bucket",
    "processor": "latency_bucket",
}


def counted(writer: str = "connector") -> list[Labels]:
    """The spans of all pods as one collector counts them, under its own target."""
    series = [
        one for pod in (*STABLE, *CANARY) for one in exposed("opentelemetry_spans", **identity(pod))
    ]
    renamed = [_renamed(one, WRITERS[writer]) for one in series]
    return target(
        renamed, job="collector", namespace="monitoring", pod="collector-7f9d8b-x2x7k",
        container="collector", instance="10.0.0.9:8889",
    )  # fmt: skip


def _renamed(labels: Labels, names: dict[str, str]) -> Labels:
    found = {}
    for label, value in labels.items():
        key, word = names.get(label, label), value
        if label == "__name__":
            for before, after in names.items():
                word = word.replace(before, after)
        found[key] = word
    return found


def errors(plan: Plan) -> BoundSignal:
    """What is bound to the error rate."""
    return next(bound for bound in plan.signals if bound.signal.name == "error_rate")


@pytest.mark.parametrize("writer", WRITERS)
def test_a_service_with_traces_alone_is_judged(writer: str) -> None:
    """With nothing configured, whoever counts its spans, and by the service's pods."""
    plan = found(source(counted(writer)))
    assert plan.requests.metric.endswith("calls_total")
    assert plan.requests.pod_label in {"k8s_pod_name", "k8s.pod.name"}
    assert "STATUS_CODE_ERROR" in braces(errors(plan).bad)
    label = "span.kind" if "dots" in writer else "span_kind"
    served = f'{{{label}=~"SPAN_KIND_SERVER"}}'
    scale = SCALED.get(writer, " x 0.001")
    if "dots" not in writer:
        assert spelled(plan)["latency"] == f"{LATENCIES[writer]}{served}{scale}"
    else:
        assert LATENCIES[writer] in spelled(plan)["latency"]
    assert "checkout-6d9f7c-.+" in braces(plan.canary)
    assert plan.requests.pod_label in braces(plan.canary)
    assert plan.unit is Unit.POD


def test_what_a_service_calls_is_none_of_its_requests() -> None:
    """A failing database is the database's, and probes are nobody's requests."""
    plan = found(source(counted()))
    assert "SPAN_KIND_SERVER" in spelled(plan)["error_rate"]
    probes = {"__name__": "x", "span_name": "GET /healthz"}
    named = [one for one in plan.requests.health if one.label in probes]
    assert any(fits((one,), probes) for one in named)


def test_a_service_that_counts_its_requests_itself_is_judged_by_that() -> None:
    """Traces may be a sample of them."""
    plan = found(source(counted(), shop("opentelemetry_http")))
    assert plan.requests.metric == "http_server_request_duration_seconds_count"


def test_other_people_s_calls_total_is_not_taken_for_spans() -> None:
    """Many count calls under so plain a name."""
    other = {"__name__": "calls_total", "service_name": "checkout", "status_code": "500"}
    plain = [{**other, "pod": pod}
             for pod in (*STABLE, *CANARY)]  # fmt: skip
    plan = found(source(plain, shop("prometheus_client")))
    assert plan.requests.metric == "http_requests_total"
