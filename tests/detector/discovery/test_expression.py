"""Bound signals as PromQL that people paste."""

from __future__ import annotations

from detector.discovery.expression import Arm, expression, selector_of
from detector.selector import parse_selector
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Kind, Shape, Signal, Unit

ARM = Arm(matchers=parse_selector('{track="canary"}'), pods=frozenset({"a-1", "a-2"}))
REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
BUCKETS = Family(metric="http_seconds_bucket", shape=Shape.BUCKETS)
MEMORY = Family(metric="memory_bytes", shape=Shape.GAUGE, joined=True, pod_label="pod")
STARTS = Family(metric="start_seconds", shape=Shape.START_TIME)


def bound(name: str, kind: Kind, total: Family, **more: object) -> BoundSignal:
    """A signal of a pack."""
    signal = Signal(name=name, kind=kind)
    return BoundSignal(signal=signal, pack="x", unit=Unit.POD, total=total, **more)  # type: ignore[arg-type]


def test_a_ratio_is_bad_over_all() -> None:
    """Errors of the canary, by its own requests."""
    one = bound("error_rate", Kind.RATIO, REQUESTS, bad=parse_selector('{code=~"5.."}'))
    assert expression(one, ARM) == (
        'sum(rate(http_requests_total{track="canary",code=~"5.."}[5m]))'
        ' / sum(rate(http_requests_total{track="canary"}[5m]))'
    )


def test_errors_of_their_own_counter_are_read_there() -> None:
    """Some instrumentations count errors apart."""
    apart = Family(metric="http_errors_total", shape=Shape.COUNTER)
    one = bound("error_rate", Kind.RATIO, REQUESTS, bad_in=apart)
    assert expression(one, ARM).startswith('sum(rate(http_errors_total{track="canary"}[5m]))')


def test_each_tail_has_its_quantile() -> None:
    """What a person compares it with on a dashboard."""
    told = {
        name: expression(bound(name, Kind.LATENCY, BUCKETS), ARM)[:24]
        for name in ("latency", "tail95", "tail99")
    }
    assert told == {
        "latency": "histogram_quantile(0.5, ",
        "tail95": "histogram_quantile(0.95,",
        "tail99": "histogram_quantile(0.99,",
    }


def test_starts_are_counted_by_their_changes_and_restarts_by_their_increase() -> None:
    """A start time that moves is a restart."""
    counter = Family(metric="restarts_total", shape=Shape.COUNTER)
    one = bound("restarts", Kind.EVENTS, STARTS, also=(counter,))
    assert expression(one, ARM) == (
        'sum(changes(start_seconds{track="canary"}[1h]))'
        ' + sum(increase(restarts_total{track="canary"}[1h]))'
    )


def test_a_gauge_is_averaged_and_cpu_is_told_per_request() -> None:
    """More load is no harm."""
    cpu = Family(metric="cpu_seconds_total", shape=Shape.COUNTER)
    assert expression(bound("memory_growth", Kind.GAUGE, MEMORY), ARM).startswith("avg(memory")
    told = expression(bound("cpu_per_request", Kind.GAUGE, cpu, load=REQUESTS), ARM)
    assert told == (
        'sum(rate(cpu_seconds_total{track="canary"}[5m]))'
        ' / sum(rate(http_requests_total{track="canary"}[5m]))'
    )


def test_series_that_know_only_pods_are_told_by_pods() -> None:
    """The kubelet knows no track."""
    assert selector_of(MEMORY, ARM) == 'memory_bytes{pod=~"a-1|a-2"}'
