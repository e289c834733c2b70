"""The forms in which metrics are pushed, each as one way to write, to send and to hear."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import zstandard
from httpx2 import Response
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from detector.stream.columns import Columns, SeriesInfo, SeriesKind, is_stale
from pipelines.ingest.columnar import packed
from pipelines.testing.remote_write import Series, request, snapped
from tests.api.pushing import PushDoor

__all__ = ["FORMS", "Form", "Heard", "zipped"]

_NAME = "__name__"
_STALE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a sender was told: the status, how many samples were refused, and in which words."""

    status: int
    refused: int = 0
    words: str = ""

    @property
    def is_taken(self) -> bool:
        """All of it."""
        return self.status in {200, 204} and not self.refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`write` gives a body that is not packed yet, `pack` packs it as the form's senders do."""

    path: str
    kind: str
    packing: str
    write: Callable[[Sequence[Series]], bytes]
    pack: Callable[[bytes], bytes]

    def send(self, door: PushDoor, body: bytes, **headers: str) -> Response:
        """Post packed bytes; dashes of headers are underscores here."""
        told = {"Content-Type": self.kind, "Content-Encoding": self.packing}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        return door.client.post(self.path, content=body, headers=told)

    def push(self, door: PushDoor, *series: Series, **headers: str) -> Heard:
        """Write, pack and send; what was heard."""
        return self.heard(self.send(door, self.pack(self.write(series)), **headers))

    def heard(self, told: Response) -> Heard:
        """An answer in the words of its protocol."""
        if self.path == "/v1/metrics" and told.status_code == 200:
            return _partial(told)
        words = told.json()["detail"] if "problem" in told.headers.get("content-type", "") else ""
        refused = words.split(" were refused")[0] if " were refused" in words else "0"
        return Heard(status=told.status_code, refused=int(refused), words=words)


def _partial(told: Response) -> Heard:
    if told.headers["content-type"] == "application/json":
        part = told.json().get("partialSuccess", {})
        count, words = int(part.get("rejectedDataPoints", 0)), part.get("errorMessage", "")
    else:
        found = ExportMetricsServiceResponse.FromString(told.content).partial_success
        count, words = found.rejected_data_points, found.error_message
    return Heard(status=200, refused=count, words=words)


def zipped(body: bytes) -> bytes:
    """As zstandard."""
    return zstandard.ZstdCompressor().compress(body)


def _export(series: Sequence[Series]) -> bytes:
    sent = ExportMetricsServiceRequest()
    scope = sent.resource_metrics.add().scope_metrics.add()
    for labels, samples in series:
        metric = scope.metrics.add(name=labels.get(_NAME, ""))
        for value, at in samples:
            point = metric.gauge.data_points.add(time_unix_nano=at * 10**6)
            if _is_stale(value):
                point.flags = _STALE
            else:
                point.as_double = value
            for name, word in labels.items():
                if name != _NAME:
                    point.attributes.add(key=name).value.string_value = word
    body: bytes = sent.SerializeToString()
    return body


def _export_json(series: Sequence[Series]) -> bytes:
    metrics = [
        {"name": labels.get(_NAME, ""), "gauge": {"dataPoints": _points(labels, samples)}}
        for labels, samples in series
    ]
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}).encode()


def _points(
    labels: Mapping[str, str], samples: Sequence[tuple[float, int]]
) -> list[dict[str, object]]:
    attributes = [
        {"key": name, "value": {"stringValue": word}}
        for name, word in labels.items()
        if name != _NAME
    ]
    told = [
        {"flags": _STALE} if _is_stale(value) else {"asDouble": _number(value)}
        for value, _ in samples
    ]
    return [
        {"attributes": attributes, "timeUnixNano": str(at * 10**6), **one}
        for one, (_, at) in zip(told, samples, strict=True)
    ]


def _number(value: float) -> float | str:
    """As JSON of protobuf has it."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def _is_stale(value: float) -> bool:
    return bool(is_stale(np.array([value]))[0])


def _columns(series: Sequence[Series]) -> bytes:
    table = [
        SeriesInfo(labels=tuple(labels.items()), kind=SeriesKind.GAUGE) for labels, _ in series
    ]
    samples = [(n, at, value) for n, (_, told) in enumerate(series) for value, at in told]
    return packed(
        table,
        Columns(
            series=np.array([n for n, _, _ in samples], np.int32),
            at=np.array([at for _, at, _ in samples], np.int64),
            value=np.array([value for _, _, value in samples], np.float64),
        ),
    )


_PROTOBUF = "application/x-protobuf"
FORMS = {
    "remote-write": Form(
        path="/api/v1/write", kind=_PROTOBUF, packing="snappy", write=request, pack=snapped
    ),
    "otlp": Form(
        path="/v1/metrics", kind=_PROTOBUF, packing="gzip", write=_export, pack=gzip.compress
    ),
    "otlp-json": Form(
        path="/v1/metrics",
        kind="application/json",
        packing="gzip",
        write=_export_json,
        pack=gzip.compress,
    ),
    "columns": Form(
        path="/v1/columns",
        kind="application/msgpack",
        packing="zstd",
        write=_columns,
        pack=zipped,
    ),
}
