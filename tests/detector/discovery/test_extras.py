"""Services without histograms or without servers: what stands in, and what is said."""

from __future__ import annotations

import pytest

from detector.signals.plan import Plan
from detector.signals.signal import Unit
from tests.detector.discovery.clusters import found, shop, source, spelled


def why(plan: Plan) -> dict[str, str]:
    return {one.name: one.why for one in plan.missing}


def test_spring_boot_without_buckets_shows_the_mean_and_says_what_to_set() -> None:
    """It is the default of Spring Boot: a pass needs the histogram, and one line gives it."""
    plan = found(source(shop("micrometer_summary")))
    bound = spelled(plan)
    assert bound["error_rate"] == 'http_server_requests_seconds_count bad {status=~"5.."}'
    assert bound["mean_latency"] == (
        "http_server_requests_seconds_sum per http_server_requests_seconds_count"
    )
    told = why(plan)["latency"]
    assert "has quantiles, which cannot be added up over pods" in told
    assert "percentiles-histogram.http.server.requests=true" in told


def test_the_mean_is_left_out_where_the_histogram_is() -> None:
    """Two latencies beside each other would only raise questions."""
    assert "mean_latency" not in spelled(found(source(shop("micrometer"))))


def test_micrometer_in_milliseconds_becomes_seconds() -> None:
    """The OTLP registry counts in milliseconds, and its collector writes that into the name."""
    bound = spelled(found(source(shop("micrometer_milliseconds"))))
    assert bound["error_rate"] == 'http_server_requests_milliseconds_count bad {status=~"5.."}'
    assert bound["latency"] == "http_server_requests_milliseconds_bucket x 0.001"


@pytest.mark.parametrize(
    ("exporter", "errors", "latency"),
    [
        (
            "grpc_client",
            "grpc_client_handled_total bad {grpc_code=~",
            'grpc_client_handling_seconds_bucket{grpc_type=~"unary|UNARY|"}',
        ),
        (
            "grpc_client_a66",
            "grpc_client_call_duration_seconds_count bad {grpc_status=~",
            "grpc_client_call_duration_seconds_bucket",
        ),
        (
            "grpc_client_micrometer",
            "grpc_client_processing_duration_seconds_count bad {statusCode=~",
            None,
        ),
    ],
)
def test_a_service_that_only_calls_is_judged_by_its_calls(
    exporter: str, errors: str, latency: str | None
) -> None:
    """A worker has no server, and a broken client of it is a broken release."""
    plan = found(source(shop(exporter)))
    bound = spelled(plan)
    assert bound["error_rate"].startswith(errors)
    assert bound.get("latency") == latency
    assert plan.unit is Unit.POD


def test_what_a_service_answers_comes_before_what_it_asks() -> None:
    """Its users feel the one; the other may be retried."""
    plan = found(source(shop("grpc_client"), shop("grpc_server")))
    assert plan.requests.metric == "grpc_server_handled_total"


def test_health_checks_of_grpc_clients_are_no_traffic() -> None:
    """They succeed while the calls that matter fail."""
    plan = found(source(shop("grpc_client")))
    assert {m.label for m in plan.requests.health} >= {"grpc_service", "grpc_method"}


def test_failures_counted_apart_keep_the_conditions_of_the_requests() -> None:
    """Rolled back transactions of PostgreSQL's own databases are no failures of the shop's."""
    plan = found(source(shop("postgres")))
    errors = next(bound for bound in plan.signals if bound.signal.name == "error_rate")
    assert errors.bad_in is not None
    assert errors.bad_in.metric == "pg_stat_database_xact_rollback"
    assert errors.bad_in.matchers == errors.total.matchers
    assert errors.total.matchers
