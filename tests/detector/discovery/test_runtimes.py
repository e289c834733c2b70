"""What a runtime tells of itself is shown beside the verdict, whichever client wrote it."""

from __future__ import annotations

import pytest

from detector.signals.plan import BoundSignal, Plan
from detector.signals.signal import Kind, Unit
from tests.detector.discovery.clusters import BY_POD, Labels, found, shop, source, spelled

PER = " per http_server_request_duration_seconds_count"


def beside(exporter: str) -> Plan:
    """The plan of a service that serves HTTP and exposes a runtime."""
    return found(source(shop("opentelemetry_http"), shop(exporter)))


def of(plan: Plan, pack: str) -> dict[str, BoundSignal]:
    return {b.signal.name: b for b in plan.signals if b.pack == pack}


@pytest.mark.parametrize(
    ("exporter", "pack", "signals"),
    [
        pytest.param(
            "go",
            "go",
            {
                "goroutines": f"go_goroutines{PER}",
                "allocated": f"go_memstats_alloc_bytes_total{PER}",
                "gc_pause": "go_gc_duration_seconds_sum",
            },
            id="go",
        ),
        pytest.param(
            "jvm_micrometer",
            "jvm",
            {
                "gc_pause": "jvm_gc_pause_seconds_sum",
                "allocated": f"jvm_gc_memory_allocated_bytes_total{PER}",
                "heap_growth": 'jvm_memory_used_bytes{area=~"heap"}',
                "threads": "jvm_threads_live_threads",
                "threads_queue": "executor_queued_tasks",
            },
            id="micrometer",
        ),
        pytest.param(
            "jvm_client_java",
            "jvm",
            {
                "gc_pause": "jvm_gc_collection_seconds_sum",
                "allocated": f"jvm_memory_pool_allocated_bytes_total{PER}",
                "heap_growth": 'jvm_memory_bytes_used{area=~"heap"}',
                "threads": "jvm_threads_current",
            },
            id="java client",
        ),
        pytest.param(
            "jvm_opentelemetry",
            "jvm",
            {
                "gc_pause": "jvm_gc_duration_seconds_sum",
                "heap_growth": 'jvm_memory_used_bytes{jvm_memory_type=~"heap"}',
                "threads": "jvm_thread_count",
                "cpu_per_request": f"jvm_cpu_time_seconds_total{PER}",
            },
            id="java agent",
        ),
        pytest.param(
            "nodejs",
            "nodejs",
            {
                "event_loop_lag": "nodejs_eventloop_lag_p99_seconds",
                "gc_pause": "nodejs_gc_duration_seconds_sum",
                "heap_growth": "nodejs_heap_size_used_bytes",
                "handles": "nodejs_active_handles_total",
            },
            id="node",
        ),
        pytest.param(
            "dotnet_opentelemetry",
            "dotnet",
            {
                "threads_queue": "dotnet_thread_pool_queue_length",
                "gc_pause": "dotnet_gc_pause_time_seconds_total",
                "gc_collections": f"dotnet_gc_collections_total{PER}",
                "allocated": f"dotnet_gc_heap_total_allocated_bytes_total{PER}",
                "cpu_per_request": f"dotnet_process_cpu_time_seconds_total{PER}",
                "memory_growth": "dotnet_process_memory_working_set_bytes",
            },
            id="dotnet",
        ),
        pytest.param(
            "dotnet_prometheus_net",
            "dotnet",
            {
                "gc_collections": f"dotnet_collection_count_total{PER}",
                "heap_growth": "dotnet_total_memory_bytes",
                "memory_growth": "process_working_set_bytes",
            },
            id="prometheus-net",
        ),
        pytest.param(
            "python",
            "python",
            {
                "gc_collections": f"python_gc_collections_total{PER}",
                "gc_uncollectable": "python_gc_objects_uncollectable_total",
            },
            id="python",
        ),
        pytest.param(
            "opentelemetry_db",
            "opentelemetry-db",
            {
                "database_seconds": f"db_client_operation_duration_seconds_sum{PER}",
                "database_calls": f"db_client_operation_duration_seconds_count{PER}",
                "pool_pending": "db_client_connection_pending_requests",
                "pool_wait": f"db_client_connection_wait_time_seconds_sum{PER}",
            },
            id="database",
        ),
    ],
)
def test_a_runtime_is_shown(exporter: str, pack: str, signals: dict[str, str]) -> None:
    """Names, labels and what each is divided by, from what the client really writes."""
    plan = beside(exporter)
    told = spelled(plan)
    assert {name: told[name] for name in of(plan, pack)} == signals


@pytest.mark.parametrize(
    "exporter",
    ["go", "jvm_micrometer", "nodejs", "dotnet_opentelemetry", "python", "opentelemetry_db"],
)
def test_what_a_runtime_tells_can_fail_nothing(exporter: str) -> None:
    """A collector's habits are a hint for people and no reason to roll back."""
    plan = beside(exporter)
    extra = [b for b in plan.signals if b.pack not in {"opentelemetry-http", "process"}]
    assert extra
    for bound in extra:
        assert bound.signal.kind is Kind.GAUGE
        told = bound.signal
        assert not any((told.judged, told.required, told.promoted))


def test_a_service_without_a_known_runtime_misses_nothing() -> None:
    """Nobody is told to install a Java agent for a Go service."""
    missing = {m.name for m in found(source(shop())).missing}
    assert not missing & {"gc_pause", "event_loop_lag", "threads_queue", "goroutines"}


def test_heaps_are_compared_by_their_growth() -> None:
    """A heap's level says what a collector did last; its growth over an hour says more."""
    plan = beside("nodejs")
    grows = {b.signal.name for b in plan.signals if b.signal.grows}
    assert {"heap_growth"} <= grows
    assert "event_loop_lag" not in grows


def test_waiting_for_a_connection_is_shown_of_hikari_too() -> None:
    """The pool of most Spring services."""
    told = spelled(beside("jvm_micrometer"))
    assert told["pool_pending"] == "hikaricp_connections_pending"
    assert told["pool_wait"] == f"hikaricp_connections_acquire_seconds_sum{PER}"


# -- stores as services of their own


def store(name: str) -> list[Labels]:
    """A database's pods with the exporter beside each."""
    return shop(name)


def test_a_canary_of_postgres_is_judged_on_its_transactions() -> None:
    """Of a new version or setting of the database itself; templates are nobody's."""
    plan = found(source(store("postgres")))
    errors = of(plan, "postgres")["error_rate"]
    assert plan.requests.metric == "pg_stat_database_xact_commit"
    assert errors.bad_in is not None
    assert errors.bad_in.metric == "pg_stat_database_xact_rollback"
    assert plan.requests.matchers[0].value == "template[01]|postgres"
    assert {"blocks_read", "temporary_bytes", "deadlocks", "backends"} <= set(of(plan, "postgres"))
    (why,) = [m.why for m in plan.missing if m.name == "latency"]
    assert "required: false" in why
    assert plan.unit is Unit.POD


def test_a_canary_of_redis_is_judged_on_its_commands() -> None:
    """Failed and refused commands, and microseconds from Redis 7 on; probes are left out."""
    plan = found(source(store("redis")))
    errors = of(plan, "redis")["error_rate"]
    assert plan.requests.metric == "redis_commands_total"
    assert [f.metric for f in (errors.bad_in, *errors.also) if f] == [
        "redis_commands_failed_calls_total",
        "redis_commands_rejected_calls_total",
    ]
    assert spelled(plan)["latency"] == "redis_commands_latencies_usec_bucket x 1e-06"
    assert plan.requests.health[0].label == "cmd"


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_service_beside_its_own_store_is_judged_on_its_requests(name: str) -> None:
    """A sidecar's store is not what the users call."""
    plan = found(source(store(name), shop()), canary=BY_POD)
    assert plan.requests.metric == "http_requests_total"
