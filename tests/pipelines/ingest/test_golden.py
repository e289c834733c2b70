"""Bytes that a real OpenTelemetry collector sent: the same metrics by each of its exporters.

They were recorded by `tests/collector` between the collector and the doors.
"""

from __future__ import annotations

import pytest

from detector.stream.columns import SeriesKind
from pipelines.ingest.protocol import Door, Packing
from tests.pipelines.ingest.doorways import GOLDEN, Doorway

SENT = {
    "otlp.gz": (Door.OTLP, Packing.GZIP),
    "otlp.zst": (Door.OTLP, Packing.ZSTD),
    "json.gz": (Door.OTLP_JSON, Packing.GZIP),
    "write.snappy": (Door.REMOTE_WRITE, Packing.SNAPPY),
}


@pytest.mark.parametrize("ending", SENT)
def test_what_the_collector_really_sent_is_read(ending: str) -> None:
    """Counter, gauge, histogram and exponential histogram, whichever exporter brings them."""
    door = Doorway(behind_s=10**9, ahead_s=10**9)
    body = (GOLDEN / f"opentelemetry-collector.{ending}").read_bytes()
    told = door.take(SENT[ending][0], body, SENT[ending][1])
    assert not told.refused.total
    shown = door.shown()
    assert (shown["http_requests_total"], shown["queue_waiting"]) == (3.0, 2.0)
    seconds = "http_server_request_duration_seconds"
    assert (shown[f"{seconds}_count"], shown[f'{seconds}_bucket{{le="+Inf"}}']) == (4.0, 4.0)
    assert (shown["latency_seconds_count"], shown['latency_seconds_bucket{le="2"}']) == (4.0, 3.0)
    kinds = {info.name: info.kind for info in door.sink.series["default"]}
    assert kinds["http_requests_total"] is SeriesKind.CUMULATIVE
    assert kinds["queue_waiting"] is SeriesKind.GAUGE


def series_of(ending: str) -> set[frozenset[tuple[str, str]]]:
    """All label sets that an exporter told, but for the one that says where they come from."""
    door = Doorway(behind_s=10**9, ahead_s=10**9)
    body = (GOLDEN / f"opentelemetry-collector.{ending}").read_bytes()
    door.take(SENT[ending][0], body, SENT[ending][1])
    return {frozenset(info.labels) for info in door.sink.series["default"]}


@pytest.mark.parametrize("ending", list(SENT)[1:])
def test_its_exporters_tell_the_same_series(ending: str) -> None:
    """A team that changes the exporter goes on with the baselines that it has."""
    assert series_of(ending) == series_of("otlp.gz")
