"""The formats of topics, each with a message of its kind."""

from __future__ import annotations

import gzip

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from pipelines.ingest.protocol import Format, form_of
from tests.pipelines.ingest.doorways import GOLDEN, Doorway
from tests.pipelines.ingest.test_columnar import message

EXPORT = gzip.decompress((GOLDEN / "opentelemetry-python.delta.gz").read_bytes())
TREE = MessageToJson(ExportMetricsServiceRequest.FromString(EXPORT), use_integers_for_enums=True)
MESSAGES = {
    Format.REMOTE_WRITE: (GOLDEN / "prometheus3.samples.snappy").read_bytes(),
    Format.OTLP_PROTO: EXPORT,
    Format.OTLP_JSON: TREE.encode(),
    Format.COLUMNAR: message(),
}


@pytest.mark.parametrize("written", Format)
def test_a_message_of_each_format_comes_in_by_its_door(written: Format) -> None:
    """What a topic is said to hold is what is read from it."""
    door, packing = form_of(written)
    told = Doorway(behind_s=10**9, ahead_s=10**9).take(door, MESSAGES[written], packing)
    assert len(told.columns) > 1
    assert not told.refused.total
