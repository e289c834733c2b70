"""What the OpenTelemetry collector 0.165 wrote to a topic (tests/collector/test_kafka.py)."""

from __future__ import annotations

import gzip

from pipelines.ingest.protocol import Format, form_of
from tests.pipelines.ingest.doorways import GOLDEN, Doorway

VALUE = gzip.decompress((GOLDEN / "opentelemetry-collector.kafka.gz").read_bytes())


def test_what_the_collector_wrote_is_read() -> None:
    """A collector takes minutes to build: here its bytes do, each time."""
    doorway = Doorway(behind_s=10**9, ahead_s=10**9)
    door, packing = form_of(Format.OTLP_PROTO)
    told = doorway.take(door, VALUE, packing)
    assert not told.refused.total
    shown = doorway.shown()
    assert (shown["http_requests_total"], shown["queue_waiting"]) == (3.0, 2.0)
    assert shown["http_server_request_duration_seconds_count"] == 4.0
    assert shown['latency_seconds_bucket{le="2"}'] == 3.0
