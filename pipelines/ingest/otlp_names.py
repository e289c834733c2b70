"""Names of OpenTelemetry as Prometheus writes them, so that a series has one name by either door.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/. Resource
attributes become labels too: they say which service, version and pod a series is of.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from pipelines.ingest.labels import NAME

__all__ = ["attribute_labels", "metric_name", "resource_labels", "scope_labels"]

_OTHER = re.compile(r"[^a-zA-Z0-9:]+")
_OTHER_IN_LABEL = re.compile(r"[^a-zA-Z0-9_]")
_IN_BRACES = re.compile(r"\{[^}]*\}")
_UNITS = {
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
    "us": "microseconds", "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes",
    "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes", "KBy": "kilobytes",
    "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters", "V": "volts",
    "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz",
    "1": "", "%": "percent",
}  # fmt: skip
_PER = {
    "s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week",
    "mo": "month", "y": "year",
}  # fmt: skip


def metric_name(name: str, unit: str, *, is_counter: bool, is_gauge: bool) -> str:
    """`http.server.request.duration` in `s` as `http_server_request_duration_seconds`."""
    words = [word for word in _OTHER.sub("_", name).split("_") if word]
    for word in _unit_words(unit, is_gauge=is_gauge):
        if word not in words:
            words.append(word)
    if is_counter:
        words = [*(word for word in words if word != "total"), "total"]
    joined = "_".join(words)
    return f"_{joined}" if joined[:1].isdigit() else joined


def _unit_words(unit: str, *, is_gauge: bool) -> list[str]:
    if unit == "1" and is_gauge:
        return ["ratio"]
    above, _, below = _IN_BRACES.sub("", unit).partition("/")
    words = [_UNITS.get(above.strip(), above.strip())]
    if below.strip():
        words += ["per", _PER.get(below.strip(), below.strip())]
    plain = (_OTHER.sub("_", word).strip("_") for word in words)
    return [word for word in plain if word]


def resource_labels(resource: bytes) -> dict[str, str]:
    """The labels of all series of a resource, `job` and `instance` among them."""
    attributes = Resource.FromString(resource).attributes
    labels = attribute_labels(attributes)
    named = {pair.key: _text(pair.value) for pair in attributes}
    service, space = named.get("service.name", ""), named.get("service.namespace", "")
    job = f"{space}/{service}" if space and service else service
    instance = named.get("service.instance.id", "")
    return {**labels, **_present(job=job, instance=instance)}


def scope_labels(scope: bytes) -> dict[str, str]:
    """Two libraries may count under one name: these labels keep them apart."""
    told = InstrumentationScope.FromString(scope)
    more = {f"otel_scope_{k}": v for k, v in attribute_labels(told.attributes).items()}
    return {**more, **_present(otel_scope_name=told.name, otel_scope_version=told.version)}


def attribute_labels(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Attributes as labels; of keys that become one label the values are joined."""
    labels: dict[str, str] = {}
    for pair in sorted(attributes, key=lambda pair: pair.key):
        name, value = _label_name(pair.key), _text(pair.value)
        labels[name] = f"{labels[name]};{value}" if name in labels else value
    return labels


def _label_name(key: str) -> str:
    name = _OTHER_IN_LABEL.sub("_", key)
    if name == NAME:
        return "key___name__"
    return f"key_{name}" if name[:1].isdigit() else name


def _text(value: AnyValue) -> str:
    plain = _plain(value)
    match plain:
        case str():
            return plain
        case bool():
            return "true" if plain else "false"
        case int():
            return str(plain)
        case float():
            return repr(plain)
        case None:
            return ""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _plain(value: AnyValue) -> Any:  # noqa: ANN401 - whatever JSON has
    match value.WhichOneof("value"):
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case None:
            return None
        case kind:
            return getattr(value, kind)


def _present(**labels: str) -> dict[str, str]:
    return {name: value for name, value in labels.items() if value}
