"""OpenTelemetry logs: an export request's bytes to columns. A record decodes no attribute that
tells nothing, and a resource is read once, by its bytes. https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from pipelines.ingest.decoded import broken
from pipelines.ingest.logs.conventions import NAMELESS, convention
from pipelines.ingest.logs.otlp_scan import Scanned, is_apart, scan
from pipelines.ingest.logs.reading import Reading
from pipelines.ingest.logs.remembering import Owner, Remembered
from pipelines.ingest.logs.taken import Moment, TakenLines
from pipelines.ingest.logs.values import LONGEST_VALUE, spoken, text_of, tree_of
from pipelines.ingest.logs.written import written_lines
from pipelines.ingest.records.cleaned import LONGEST

__all__ = ["OtlpLogs"]


class OtlpLogs:
    """The door of one tenant; safe for threads."""

    def __init__(self) -> None:
        self._owners, self._written = Remembered(_owner_of), written_lines()

    def decode(self, body: bytes, moment: Moment) -> TakenLines:
        """The lines of an unpacked request; `InputError` where it is none."""
        body, scanned = _scanned(body)
        resources = [body[start:stop] for start, stop in scanned.resources.tolist()]
        return Reading(
            body=body,
            found=scanned.found,
            owners=[self._owners.of(resource) for resource in resources],
            moment=moment,
            scales=convention("otlp").scales,
            written=self._written,
            value=text_of,
            other=spoken,
        ).lines()


def _scanned(body: bytes) -> tuple[bytes, Scanned]:
    """What is in a body; the library puts fields into order for one that has them in another."""
    names = convention("otlp").names
    scanned = scan(body, names, LONGEST)
    if scanned is not None and is_apart(scanned):
        body = _ordered(body)
        scanned = scan(body, names, LONGEST)
    if scanned is None or is_apart(scanned):
        raise broken("the body is no protobuf of an OTLP logs request")
    return body, scanned


def _ordered(body: bytes) -> bytes:
    try:
        ordered: bytes = ExportLogsServiceRequest.FromString(body).SerializeToString()
    except DecodeError as error:
        raise broken("the body is no protobuf of an OTLP logs request") from error
    return ordered


def _owner_of(resource: bytes) -> Owner:
    if len(resource) > LONGEST_VALUE:
        return Owner(origin=NAMELESS, wrong=f"a resource has over {LONGEST_VALUE // 1024} KB")
    try:
        attributes = Resource.FromString(resource).attributes
    except DecodeError as error:
        raise broken("a resource of the OTLP logs request cannot be read") from error
    return convention("otlp").owner({pair.key: tree_of(pair.value) for pair in attributes})
