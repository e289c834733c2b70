"""Names of metrics that people run are understood; those of hosts and nonsense are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.correlate.evidence import Kind
from detector.correlate.naming import kind_of
from detector.stream.anomaly import Side


@pytest.mark.parametrize(
    ("name", "kind", "side"),
    [
        ("http_request_duration_seconds_p99", Kind.LATENCY, Side.ABOVE),
        ("rpc.server.latency", Kind.LATENCY, Side.ABOVE),
        ("PodServerLatencyP90(s)", Kind.LATENCY, Side.ABOVE),
        ("http_requests_errors_total", Kind.ERRORS, Side.ABOVE),
        ("availability", Kind.ERRORS, Side.BELOW),
        ("SuccessRate(%)", Kind.ERRORS, Side.BELOW),
        ("container_cpu_usage_seconds_total", Kind.RESOURCE, Side.ABOVE),
        ("jvm_gc_pause_seconds_max", Kind.RESOURCE, Side.ABOVE),
        ("CpuUsageRate(%)", Kind.RESOURCE, Side.ABOVE),
        ("http_requests_total", Kind.TRAFFIC, None),
        ("NetworkReceiveBytes", Kind.TRAFFIC, None),
    ],
)
def test_names_tell_kind_and_side(name: str, kind: Kind, side: Side | None) -> None:
    """Nobody has to configure what a metric is about."""
    assert kind_of(name) == (kind, side)


@pytest.mark.parametrize("name", ["NodeCpuUsageRate(%)", "node_memory_Active", "foo", ""])
def test_hosts_and_nonsense_are_left_out(name: str) -> None:
    """What a machine shows is the trouble of all that run on it; what is unknown is not guessed."""
    assert kind_of(name) is None


@given(name=st.text(max_size=60))
def test_any_name_is_answered(name: str) -> None:
    """Names come from outside."""
    found = kind_of(name)
    assert found is None or isinstance(found[0], Kind)
