"""Workers without HTTP: messages and jobs are requests, failed ones errors, their time latency."""

from __future__ import annotations

import re

import pytest

from detector.signals.plan import BoundSignal, Plan
from detector.signals.signal import Unit
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    Labels,
    braces,
    exposed,
    found,
    kubelet,
    shop,
    source,
    spelled,
    state_metrics,
    target,
)

PODS = (*STABLE, *CANARY)


def named(plan: Plan, name: str) -> BoundSignal:
    return next(bound for bound in plan.signals if bound.signal.name == name)


def failures(plan: Plan) -> str:
    """What counts the failed ones: a label's values, or counters of their own."""
    errors = named(plan, "error_rate")
    if errors.bad_in is None:
        return braces(errors.bad)
    return " and ".join(family.metric for family in (errors.bad_in, *errors.also))


def celery(pods: tuple[str, ...] = PODS) -> list[Labels]:
    """What one exporter says of all workers, under the labels of its own target."""
    return [
        series
        for pod in pods
        for series in target(
            exposed("celery", pod=pod),
            job="celery-exporter",
            service="celery-exporter",
            namespace="monitoring",
            pod="celery-exporter-7f9d8b-x2x7k",
            container="exporter",
            instance="10.0.0.9:9808",
        )
    ]


@pytest.mark.parametrize(
    ("exporter", "requests", "errors", "latency"),
    [
        pytest.param(
            "opentelemetry_messaging",
            "messaging_process_duration_seconds_count",
            '{error_type=~".+"}',
            "messaging_process_duration_seconds_bucket",
            id="opentelemetry",
        ),
        pytest.param(
            "sidekiq",
            "sidekiq_jobs_executed_total",
            "sidekiq_jobs_failed_total",
            "sidekiq_job_runtime_seconds_bucket",
            id="sidekiq",
        ),
        pytest.param(
            "dramatiq",
            "dramatiq_messages_total",
            "dramatiq_message_errors_total",
            "dramatiq_message_duration_milliseconds_bucket x 0.001",
            id="dramatiq",
        ),
        pytest.param(
            "masstransit",
            "mt_consume_total",
            "mt_consume_fault_total",
            "mt_consume_duration_seconds_bucket",
            id="masstransit",
        ),
        pytest.param(
            "spring_listeners",
            "spring_kafka_listener_seconds_count",
            '{result=~"failure"}',
            "spring_kafka_listener_seconds_bucket",
            id="spring",
        ),
    ],
)
def test_a_worker_is_judged_with_nothing_configured(
    exporter: str, requests: str, errors: str, latency: str
) -> None:
    """A queue's canary has no HTTP; its jobs, failures and run times say as much."""
    plan = found(source(shop(exporter)))
    assert plan.requests.metric == requests
    assert failures(plan) == errors
    assert spelled(plan)["latency"] == spelled(plan)["tail95"] == latency
    assert plan.unit is Unit.POD


def test_celery_workers_are_told_by_the_names_of_their_pods() -> None:
    """The exporter's own pod, namespace and service are nobody's canary."""
    plan = found(source(celery(), [s for p in PODS for s in (*kubelet(p), *state_metrics(p))]))
    assert plan.requests.metric == "celery_task_started_total"
    assert plan.requests.pod_label == "hostname"
    assert failures(plan) == "celery_task_failed_total and celery_task_retried_total"
    assert spelled(plan)["latency"] == "celery_task_runtime_bucket"
    assert braces(plan.canary) == (
        '{hostname=~"checkout(-primary|-canary|-stable|-preview)?'
        '(-[0-9b-df-hj-np-tv-z]{4,10})?-[0-9b-df-hj-np-tv-z]{1,5}",hostname=~"checkout-6d9f7c-.+"}'
    )
    assert plan.unit is Unit.POD


def test_celery_workers_have_the_containers_of_their_pods() -> None:
    """CPU, memory and restarts of a worker are found by the pod that its name is."""
    plan = found(source(celery(), [s for p in PODS for s in (*kubelet(p), *state_metrics(p))]))
    joined = {b.signal.name for b in plan.signals if b.total.joined}
    assert {"restarts", "cpu_per_request", "memory_growth"} <= joined


def test_a_hash_in_the_name_of_the_worker_is_enough() -> None:
    """Argo sends the template's hash, which no exporter knows of."""
    plan = found(source(celery()), canary='{rollouts_pod_template_hash="6d9f7c"}')
    assert plan.requests.metric == "celery_task_started_total"
    assert all("6d9f7c" in m.value for m in plan.canary if m.value.count("-") == 2)


def test_workers_of_another_service_are_none_of_ours() -> None:
    """`checkout-mailer` begins as `checkout` does."""
    mailers = ("checkout-mailer-5c4b8d-x2x7k", "checkout-mailer-6d9f7c-k8w2d")
    plan = found(source(celery((*PODS, *mailers))))
    service = plan.canary[0]
    assert service.label == "hostname"
    named_so = [pod for pod in (*PODS, *mailers) if matches_pod(service.value, pod)]
    assert named_so == list(PODS)


def matches_pod(pattern: str, pod: str) -> bool:
    return re.fullmatch(pattern, pod) is not None


def test_jobs_that_never_failed_are_judged_all_the_same() -> None:
    """Counters of failures begin with the first; a healthy worker must not lack its error rate."""
    series = [s for s in shop("sidekiq") if s["__name__"] != "sidekiq_jobs_failed_total"]
    plan = found(source(series))
    assert failures(plan) == "sidekiq_jobs_failed_total"


def test_messages_that_never_failed_are_judged_all_the_same() -> None:
    """Nobody writes an error's type before there was one."""
    series = [s for s in shop("opentelemetry_messaging") if "error_type" not in s]
    assert failures(found(source(series))) == '{error_type=~".+"}'


def test_an_exporter_that_counts_no_failures_is_told() -> None:
    """Zero errors for want of a metric would pass everything."""
    series = [
        s for s in celery() if "failed" not in s["__name__"] and "retried" not in s["__name__"]
    ]
    (why,) = [m.why for m in found(source(series)).missing if m.name == "error_rate"]
    assert "celery_task_failed_total" in why


def test_waiting_for_messages_is_no_latency() -> None:
    """A consumer with nothing to do polls for seconds and is healthy."""
    series = [s for s in shop("opentelemetry_messaging") if "process" not in s["__name__"]]
    plan = found(source(series))
    assert plan.requests.metric == "messaging_client_consumed_messages_total"
    (why,) = [m.why for m in plan.missing if m.name == "latency"]
    assert "instrument the processing" in why


def test_run_times_without_buckets_say_what_to_do() -> None:
    """prometheus_exporter has sums only; a pass would wait for a latency that never comes."""
    plan = found(source(shop("sidekiq_prometheus_exporter")))
    assert plan.requests.metric == "ruby_sidekiq_jobs_total"
    assert failures(plan) == "ruby_sidekiq_failed_jobs_total"
    (why,) = [m.why for m in plan.missing if m.name == "latency"]
    assert "yabeda-sidekiq" in why


@pytest.mark.parametrize("exporter", ["opentelemetry_messaging", "sidekiq", "spring_listeners"])
def test_what_a_service_answers_comes_before_what_it_works_off(exporter: str) -> None:
    """A shop that also consumes messages is judged on its users' requests."""
    plan = found(source(shop(), shop(exporter)))
    assert plan.requests.metric == "http_requests_total"


@pytest.mark.parametrize("first", [False, True])
def test_a_worker_that_answers_probes_alone_is_judged_on_its_jobs(first: bool) -> None:
    """An HTTP server for liveness is no traffic."""
    probes = [
        s | {"path": "/healthz"} for s in shop() if s["__name__"].startswith("http_requests_total")
    ]
    both = (shop("sidekiq"), probes)
    plan = found(source(*(reversed(both) if first else both)))
    assert plan.requests.metric == "sidekiq_jobs_executed_total"


@pytest.mark.parametrize(
    ("exporter", "metric"),
    [
        pytest.param(
            "spring_listeners", "kafka_consumer_fetch_manager_records_lag", id="micrometer"
        ),
        pytest.param(
            "jvm_client_java",
            "kafka_consumer_consumer_fetch_manager_metrics_records_lag_max",
            id="jmx exporter",
        ),
    ],
)
def test_lag_is_shown_where_the_consumer_itself_tells_it(exporter: str, metric: str) -> None:
    """A group's lag is everybody's; a pod's own partitions are its doing."""
    plan = found(source(shop(), shop(exporter)))
    lag = named(plan, "consumer_lag")
    assert lag.total.metric == metric
    assert not lag.signal.judged
    assert lag.load is None


def dotted(series: list[Labels]) -> list[Labels]:
    """The same with UTF-8 names, as OTLP ingestion without translation keeps them."""
    renamed = {
        "messaging_process_duration_seconds": "messaging.process.duration",
        "rpc_server_duration_milliseconds": "rpc.server.duration",
        "rpc_server_call_duration_seconds": "rpc.server.call.duration",
    }
    told = []
    for labels in series:
        base, _, suffix = labels["__name__"].rpartition("_")
        if base in renamed:
            dots = {
                name.replace("error_type", "error.type")
                .replace("rpc_response_status_code", "rpc.response.status_code")
                .replace("rpc_grpc_status_code", "rpc.grpc.status_code")
                .replace("rpc_method", "rpc.method")
                .replace("rpc_service", "rpc.service"): value
                for name, value in labels.items()
            }
            told.append({**dots, "__name__": f"{renamed[base]}_{suffix}"})
    return told


def test_dotted_names_are_the_same_conventions() -> None:
    """Prometheus 3 may keep OpenTelemetry's own names."""
    plan = found(source(dotted(shop("opentelemetry_messaging"))))
    assert plan.requests.metric == "messaging.process.duration_count"
    assert failures(plan) == '{"error.type"=~".+"}'
    assert named(plan, "latency").total.metric == "messaging.process.duration_bucket"


@pytest.mark.parametrize(
    ("exporter", "dots", "requests", "label", "latency"),
    [
        pytest.param(
            "opentelemetry_rpc",
            False,
            "rpc_server_call_duration_seconds_count",
            "rpc_response_status_code",
            "rpc_server_call_duration_seconds_bucket",
            id="new",
        ),
        pytest.param(
            "opentelemetry_rpc_old",
            False,
            "rpc_server_duration_milliseconds_count",
            "rpc_grpc_status_code",
            "rpc_server_duration_milliseconds_bucket x 0.001",
            id="old",
        ),
        pytest.param(
            "opentelemetry_rpc",
            True,
            "rpc.server.call.duration_count",
            "rpc.response.status_code",
            '{__name__="rpc.server.call.duration_bucket"}',
            id="new, dotted",
        ),
        pytest.param(
            "opentelemetry_rpc_old",
            True,
            "rpc.server.duration_count",
            "rpc.grpc.status_code",
            '{__name__="rpc.server.duration_bucket"} x 0.001',
            id="old, dotted",
        ),
    ],
)
def test_rpc_conventions_are_bound(
    exporter: str, dots: bool, requests: str, label: str, latency: str
) -> None:
    """Old and new names, milliseconds and seconds, statuses by number and by name."""
    series = shop(exporter)
    plan = found(source(dotted(series) if dots else series))
    errors = named(plan, "error_rate")
    assert plan.requests.metric == requests
    assert errors.bad[0].label == label
    told = set(errors.bad[0].value.split("|"))
    assert {"UNAVAILABLE", "14"} <= told
    assert not told & {"OK", "NOT_FOUND", "0", "5"}
    assert spelled(plan)["latency"] == latency


@pytest.mark.parametrize("exporter", ["opentelemetry_rpc", "opentelemetry_rpc_old"])
def test_health_checks_of_rpc_are_no_traffic(exporter: str) -> None:
    """Nine hundred checks beside four hundred calls would hide what users see."""
    plan = found(source(shop(exporter)))
    assert any(m.label == "rpc_method" for m in plan.requests.health)
    checks = [s for s in shop(exporter) if "ealth" in s.get("rpc_service", s.get("rpc_method", ""))]
    assert checks
    for labels in checks:
        assert any(
            matches_pod(m.value, labels[m.label]) for m in plan.requests.health if m.label in labels
        )


def test_connect_tells_failures_by_a_label_of_its_own() -> None:
    """Calls that went well carry no code at all."""
    series = []
    for labels in shop("opentelemetry_rpc_old"):
        plain = {k: v for k, v in labels.items() if k != "rpc_grpc_status_code"}
        series.append({**plain, "rpc_system": "connect_rpc"})
    plan = found(source(series), canary=BY_POD)
    assert failures(plan).startswith('{rpc_connect_rpc_error_code=~"unknown|deadline_exceeded')
