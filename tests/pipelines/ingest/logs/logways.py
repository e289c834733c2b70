"""Doors for logs onto a sink in memory at a clock that stands still: what their tests share."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from pipelines.ingest.limits import Limits
from pipelines.ingest.log_doors import LogDoors
from pipelines.ingest.logs.taken import TakenLines
from pipelines.ingest.protocol import LogDoor, Packing
from pipelines.testing.log_sink import Line, MemoryLogSink

__all__ = ["GOLDEN", "NOW_MS", "NOW_NS", "LogExport", "Logway", "attributes"]

from tests.pipelines.ingest.doorways import GOLDEN, NOW_MS

NOW_NS = NOW_MS * 10**6


class Logway:
    """Doors and their sink."""

    def __init__(self, **limits: int) -> None:
        self.sink = MemoryLogSink()
        self.doors = LogDoors(self.sink, Limits(**limits), clock=lambda: NOW_MS / 1000)

    def take(
        self, body: bytes, door: LogDoor = LogDoor.OTLP, packing: Packing = Packing.PLAIN
    ) -> TakenLines:
        """Push a body of the usual tenant."""
        return self.doors.take(door, "default", body, packing)

    @property
    def lines(self) -> list[Line]:
        """All that were taken."""
        return self.sink.lines()

    @property
    def line(self) -> Line:
        """The only one."""
        (line,) = self.lines
        return line


class LogExport:
    """A request with one scope of one resource, built record by record."""

    def __init__(self, **resource: str) -> None:
        self.request = ExportLogsServiceRequest()
        told = self.request.resource_logs.add()
        attributes(told.resource, {name.replace("_", "."): v for name, v in resource.items()})
        self.scope = told.scope_logs.add()

    def record(self, text: str | None = None, at: int = NOW_NS, **fields: Any) -> Any:  # noqa: ANN401
        """One more record."""
        fields = {"severity_number": 9, **fields}
        record = self.scope.log_records.add(time_unix_nano=at, **fields)
        if text is not None:
            record.body.string_value = text
        return record

    @property
    def body(self) -> bytes:
        """As it is pushed."""
        packed: bytes = self.request.SerializeToString()
        return packed


def attributes(owner: Any, values: dict[str, str]) -> None:  # noqa: ANN401
    """Set attributes."""
    for key, value in values.items():
        owner.attributes.add(key=key).value.string_value = value
