"""What an OpenTelemetry SDK pushes: cumulative exponential histograms, as OTLP in JSON."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.series import FloatArray

__all__ = ["Point", "push"]

_DURATION = "http.server.request.duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One histogram of one pod at one moment; bucket i is (base^(i+offset), base^(i+offset+1)]."""

    pod: str
    code: int
    at: float
    begun: float
    scale: int
    offset: int
    counts: FloatArray
    zero: int = 0


def push(url: str, points: Sequence[Point], service: str = "checkout") -> None:
    """Send points to a receiver; it must take them all."""
    pods = dict.fromkeys(point.pod for point in points)
    told = [_resource(service, pod, [p for p in points if p.pod == pod]) for pod in pods]
    request = urllib.request.Request(
        f"{url}/api/v1/otlp/v1/metrics",
        data=json.dumps({"resourceMetrics": told}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200, reply.read()


def _resource(service: str, pod: str, points: Sequence[Point]) -> dict[str, Any]:
    attributes = [_text("service.name", service), _text("service.instance.id", pod)]
    metric = {
        "name": _DURATION,
        "unit": "s",
        "exponentialHistogram": {
            "aggregationTemporality": 2,
            "dataPoints": [_data(point) for point in points],
        },
    }
    return {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [metric]}]}


def _data(point: Point) -> dict[str, Any]:
    total = int(point.counts.sum()) + point.zero
    counts = [str(int(count)) for count in np.asarray(point.counts)]
    return {
        "startTimeUnixNano": str(int(point.begun * 1e9)),
        "timeUnixNano": str(int(point.at * 1e9)),
        "count": str(total),
        "sum": 0.1 * total,
        "scale": point.scale,
        "zeroCount": str(point.zero),
        "positive": {"offset": point.offset, "bucketCounts": counts},
        "attributes": [
            {"key": "http.response.status_code", "value": {"intValue": str(point.code)}},
            _text("http.request.method", "GET"),
        ],
    }


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
