"""Every shipped pack against what its exporters really expose: the plan that follows."""

from __future__ import annotations

import pytest

from detector.signals.signal import Unit
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    Labels,
    braces,
    exposed,
    found,
    identity,
    kubelet,
    shop,
    source,
    spelled,
    state_metrics,
    target,
)

PODS = (*STABLE, *CANARY)
KUBELET = [series for pod in PODS for series in kubelet(pod)]
STATE = [series for pod in PODS for series in state_metrics(pod)]
SANDBOX = 'container!~"POD|",image!~".*/pause(:.*|@.*)?"'
GRPC_ERRORS = (
    "Unknown", "DeadlineExceeded", "ResourceExhausted", "Internal", "Unavailable", "DataLoss",
)  # fmt: skip


def sidecars(name: str = "istio") -> list[Labels]:
    """What the pods' Istio proxies report, as the operator scrapes them."""
    return [
        series
        for pod in PODS
        for series in target(
            exposed(name, **identity(pod)),
            job="envoy-stats",
            namespace="shop",
            pod=pod,
            container="istio-proxy",
            instance=f"{pod}:15090",
        )
    ]


def ingress() -> list[Labels]:
    """What a gateway reports of destinations without a proxy of their own."""
    return [
        series
        for workload, version in (("checkout", "v1"), ("checkout-canary", "v2"))
        for series in target(
            exposed("istio_source", workload=workload, version=version),
            namespace="istio-system",
            pod="istio-ingressgateway-5c4b8d-x2x7k",
            instance="gateway:15090",
        )
    ]


@pytest.mark.parametrize(
    ("exporter", "errors", "latency"),
    [
        pytest.param(
            "prometheus_client",
            'http_requests_total bad {code=~"5.."}',
            "http_request_duration_seconds_bucket",
            id="prometheus client",
        ),
        pytest.param(
            "opentelemetry_http",
            'http_server_request_duration_seconds_count bad {http_response_status_code=~"5.."}',
            "http_server_request_duration_seconds_bucket",
            id="opentelemetry",
        ),
        pytest.param(
            "opentelemetry_http_old",
            'http_server_duration_milliseconds_count bad {http_status_code=~"5.."}',
            "http_server_duration_milliseconds_bucket x 0.001",
            id="opentelemetry before 1.20",
        ),
        pytest.param(
            "micrometer",
            'http_server_requests_seconds_count bad {status=~"5.."}',
            "http_server_requests_seconds_bucket",
            id="micrometer",
        ),
    ],
)
def test_http_conventions_are_bound(exporter: str, errors: str, latency: str) -> None:
    """A team that runs one of these writes no query: errors, latency and tails are found."""
    plan = found(source(shop(exporter)))
    bound = spelled(plan)
    assert (bound["error_rate"], bound["latency"]) == (errors, latency)
    assert bound["tail95"] == bound["tail99"] == latency
    assert plan.unit is Unit.POD


def test_grpc_server_is_bound() -> None:
    """Codes that are the caller's doing are no errors; streams' lives are no latency."""
    plan = found(source(shop("grpc_server")))
    errors = next(b for b in plan.signals if b.signal.name == "error_rate")
    told = set(errors.bad[0].value.split("|"))
    assert told >= set(GRPC_ERRORS)
    assert not told & {"OK", "Canceled", "NotFound", "InvalidArgument", "Aborted", "Unimplemented"}
    assert (
        spelled(plan)["latency"] == 'grpc_server_handling_seconds_bucket{grpc_type=~"unary|UNARY|"}'
    )


def test_istio_is_read_where_the_destination_reports() -> None:
    """A retry at the caller hides the canary's errors; its own proxy's report does not."""
    plan = found(source(sidecars(), KUBELET, STATE))
    assert plan.requests.metric == "istio_requests_total"
    assert braces(plan.requests.matchers) == (
        '{reporter=~"destination|waypoint",request_protocol=~"http|"}'
    )
    assert spelled(plan)["latency"].endswith('request_protocol=~"http|"} x 0.001')
    assert plan.unit is Unit.POD


def test_istio_errors_leave_out_callers_that_hung_up() -> None:
    """Code 0 is an error of ours unless the flags say that the caller left."""
    plan = found(source(sidecars()))
    errors = next(b for b in plan.signals if b.signal.name == "error_rate")
    assert braces(errors.bad) == (
        '{response_code=~"0|5..",response_flags!~"(.*,)?(DC|DPE|DR)(,.*)?"}'
    )


def test_istio_beside_the_service_s_own_metrics_is_one_plan() -> None:
    """Requests counted twice, by proxy and by process, would be counted once."""
    plan = found(source(sidecars(), shop(), KUBELET, STATE))
    metrics = {b.total.metric for b in plan.signals if b.signal.name in {"error_rate", "latency"}}
    assert {metric.split("_")[0] for metric in metrics} == {plan.requests.metric.split("_")[0]}


def test_istio_from_the_source_stands_for_a_workload() -> None:
    """A gateway's pod serves both arms: pods cannot be told apart, and the verdict says so."""
    plan = found(
        source(ingress(), KUBELET, STATE), canary='{destination_workload="checkout-canary"}'
    )
    assert plan.unit is Unit.WORKLOAD
    assert 'destination_workload!="checkout-canary"' in braces(plan.control[0])
    assert any("one bad pod cannot be told apart" in note for note in plan.notes)
    assert {missing.name for missing in plan.missing} == {
        "restarts", "cpu_per_request", "memory_growth",
    }  # fmt: skip


def test_destination_is_preferred_to_source() -> None:
    """The same requests come twice; the source's report is not read beside the other."""
    plan = found(source(ingress(), sidecars()))
    assert all(
        'reporter=~"destination|waypoint"' in text
        for name, text in spelled(plan).items()
        if name in {"error_rate", "latency", "tail95", "tail99"}
    )


def test_grpc_through_istio_is_told_by_its_status() -> None:
    """Its HTTP code is 200 also when the call failed."""
    calls = [
        {**series, "request_protocol": "grpc", "grpc_response_status": "14"}
        for series in sidecars()
        if series.get("reporter") == "destination"
    ]
    plan = found(source(calls))
    assert 'bad {grpc_response_status=~"2|4|8|13|14|15|Unknown|' in spelled(plan)["error_rate"]


def test_containers_are_joined_by_pod() -> None:
    """Container metrics know no service: pods lead to them, sandboxes and cgroups left out."""
    bound = spelled(found(source(shop(), KUBELET, STATE)))
    assert bound["cpu_per_request"] == (
        f'container_cpu_usage_seconds_total{{cpu=~"total|",{SANDBOX},namespace="shop"}}'
        " joined by pod per http_requests_total"
    )
    assert bound["memory_growth"] == (
        f'container_memory_rss{{{SANDBOX},namespace="shop"}} joined by pod'
    )


def test_restarts_count_kills_for_want_of_memory() -> None:
    """A container that is killed again and again is harm, whoever restarts it."""
    bound = spelled(found(source(shop(), KUBELET, STATE)))
    assert bound["restarts"] == (
        'kube_pod_container_status_restarts_total{namespace="shop"} joined by pod'
        f' and container_oom_events_total{{{SANDBOX},namespace="shop"}} joined by pod'
    )


def test_restarts_know_the_last_reason_without_the_kubelet() -> None:
    """Where no cAdvisor is scraped the cluster's account of the last end is what there is."""
    bound = spelled(found(source(shop(), STATE)))
    assert bound["restarts"].endswith(
        'kube_pod_container_status_last_terminated_reason{reason=~"OOMKilled",namespace="shop"}'
        " joined by pod"
    )


def test_processes_stand_in_for_containers() -> None:
    """On plain machines there is no cAdvisor; the process tells its own start, CPU and memory."""
    plan = found(source(shop()))
    bound = spelled(plan)
    assert bound["restarts"] == "process_start_time_seconds"
    assert bound["cpu_per_request"] == "process_cpu_seconds_total per http_requests_total"
    assert bound["memory_growth"] == "process_resident_memory_bytes"
    assert plan.start_time is not None
    assert plan.start_time.metric == "process_start_time_seconds"


def test_what_is_only_shown_is_not_judged() -> None:
    """CPU, memory and the 1 % tail cannot fail a rollout before they have earned it."""
    plan = found(source(shop(), KUBELET, STATE))
    judged = {b.signal.name for b in plan.signals if b.signal.judged}
    required = {b.signal.name for b in plan.signals if b.signal.required}
    assert judged == {"error_rate", "latency", "tail95", "restarts"}
    assert required == {"error_rate", "latency", "tail95"}


def test_probes_are_told_by_their_path() -> None:
    """Health checks answer fast and never fail: they would dilute what users see."""
    plan = found(source(shop()))
    paths = next(m.value for m in plan.requests.health if m.label == "handler")
    assert "healthz?" in paths
    assert "metrics" in paths


def test_what_is_missing_says_what_was_looked_for() -> None:
    """A person reads which metric would have to be there."""
    plan = found(source(shop("opentelemetry_http")))
    why = {missing.name: missing.why for missing in plan.missing}
    assert set(why) == {"restarts", "cpu_per_request", "memory_growth"}
    assert "kube_pod_container_status_restarts_total" in why["restarts"]


def test_a_name_without_buckets_is_told_as_that() -> None:
    """A service that has the metric, but nothing to compare in it, is not told that it has none."""
    bare = [
        {k: v for k, v in s.items() if k != "le"} | {"__name__": "http_request_duration_seconds"}
        for s in shop()
        if s["__name__"] == "http_request_duration_seconds_sum"
    ]
    plain = [s for s in shop() if not s["__name__"].startswith("http_request_duration")]
    plan = found(source(bare, plain))
    why = {missing.name: missing.why for missing in plan.missing}
    assert "http_request_duration_seconds has no buckets" in why["latency"]


def test_requests_without_a_code_are_no_error_rate() -> None:
    """Traffic that cannot be told good from bad is not called good."""
    blind = [
        {k: v for k, v in s.items() if k not in {"code", "handler", "method"}}
        for s in shop()
        if s["__name__"] == "http_requests_total"
    ]
    plan = found(source(blind))
    why = {missing.name: missing.why for missing in plan.missing}
    assert "http_requests_total has no label that tells errors" in why["error_rate"]


def test_a_label_of_words_is_no_code() -> None:
    """`status="error"` never is `5..`: to read it so would be to see no error ever."""
    words = [
        {("status" if k == "code" else k): ("ok" if k == "code" else v) for k, v in s.items()}
        for s in shop()
        if s["__name__"] == "http_requests_total"
    ]
    plan = found(source(words))
    assert "error_rate" not in spelled(plan)


def test_a_code_is_looked_for_on_the_histogram_too() -> None:
    """A counter without a code yields to a histogram whose count has one."""
    counted = [
        {k: v for k, v in s.items() if k != "code"}
        for s in shop()
        if s["__name__"] == "http_requests_total"
    ]
    timed = [s | {"status": "200"} for s in shop() if s["__name__"].startswith("http_request_dur")]
    plan = found(source(counted, timed))
    assert spelled(plan)["error_rate"] == (
        'http_request_duration_seconds_count bad {status=~"5.."}'
    )


def test_restart_counts_scraped_without_honour_labels_are_joined() -> None:
    """`pod` is then the exporter's own; the service's pod is in `exported_pod`."""
    renamed = [
        series
        for pod in PODS
        for series in target(
            exposed("kube_state_metrics", **identity(pod)),
            job="ksm",
            instance="ksm:8080",
            pod="kube-state-metrics-0",
            namespace="monitoring",
        )
    ]
    bound = spelled(found(source(shop(), renamed)))
    assert bound["restarts"].startswith(
        'kube_pod_container_status_restarts_total{exported_namespace="shop"} joined by exported_pod'
    )


@pytest.mark.parametrize("canary", [BY_POD, '{version="v2"}'])
def test_metrics_of_the_same_target_are_read_by_the_arms_selector(canary: str) -> None:
    """What the target's labels select needs no list of pods in its query."""
    series = [s | {"version": identity(s["pod"])["version"]} for s in shop()]
    plan = found(source(series), canary=canary)
    assert not any(b.total.joined for b in plan.signals)


def test_metrics_without_the_arms_label_are_joined_by_pod() -> None:
    """A version that only the application puts on its requests does not hide the process."""
    series = [
        s | ({"version": identity(s["pod"])["version"]} if "http_requests" in s["__name__"] else {})
        for s in shop()
    ]
    plan = found(source(series), canary='{version="v2"}')
    joined = {b.signal.name for b in plan.signals if b.total.joined}
    assert joined == {
        "latency", "tail95", "tail99", "restarts", "cpu_per_request", "memory_growth", "goroutines",
    }  # fmt: skip
