"""OTLP logs in JSON, as the same request in protobuf."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from pipelines.ingest.logs.otlp import OtlpLogs
from pipelines.ingest.logs.taken import Moment, TakenLines
from pipelines.ingest.otlp_tree import many, packed_tree

__all__ = ["OtlpJsonLogs", "protobuf_of"]


class OtlpJsonLogs:
    """The door of one tenant; safe for threads."""

    def __init__(self, protobuf: OtlpLogs) -> None:
        self._protobuf = protobuf

    def decode(self, body: bytes, moment: Moment) -> TakenLines:
        """As `OtlpLogs.decode`."""
        return self._protobuf.decode(protobuf_of(body), moment)


def protobuf_of(body: bytes) -> bytes:
    """The request as protobuf, with the ids of its traces."""
    packed, _ = packed_tree(body, ExportLogsServiceRequest(), _amend_ids, "OTLP logs request")
    return packed


def _amend_ids(tree: Any) -> None:  # noqa: ANN401 - whatever was sent
    """Ids are hexadecimal here, which the library would read as something else."""
    for record in _records(tree):
        record.pop("spanId", None)
        trace = _unhexed(record.pop("traceId", None))
        if trace:
            record["traceId"] = base64.b64encode(trace).decode()


def _unhexed(digits: object) -> bytes:
    try:
        return bytes.fromhex(digits) if isinstance(digits, str) else b""
    except ValueError:
        return b""


def _records(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for resource in many(tree, "resourceLogs"):
        for scope in many(resource, "scopeLogs"):
            yield from many(scope, "logRecords")
