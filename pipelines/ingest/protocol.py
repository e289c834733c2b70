"""The doors by name, and how bodies are packed."""

from __future__ import annotations

import re
from enum import Enum

__all__ = [
    "Door",
    "Format",
    "LogDoor",
    "LogFormat",
    "Packing",
    "TraceFormat",
    "form_of",
    "is_tenant",
    "log_form_of",
]

_TENANT_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Door(Enum):
    """By which protocol samples came."""

    REMOTE_WRITE = "remote_write"
    OTLP = "otlp"
    OTLP_JSON = "otlp_json"
    COLUMNAR = "columnar"
    PULL = "pull"


class LogDoor(Enum):
    """By which protocol log lines came."""

    OTLP = "otlp"
    OTLP_JSON = "otlp_json"
    LOKI = "loki"
    LOKI_JSON = "loki_json"
    LOKI_PULL = "loki_pull"
    JSON_LINES = "json_lines"


class Packing(Enum):
    """How a body is packed."""

    PLAIN = "identity"
    SNAPPY = "snappy"
    GZIP = "gzip"
    DEFLATE = "deflate"
    ZSTD = "zstd"


class Format(Enum):
    """How the messages of a Kafka topic are written: each has one form, the topic's."""

    REMOTE_WRITE = "remote_write"
    OTLP_PROTO = "otlp_proto"
    OTLP_JSON = "otlp_json"
    COLUMNAR = "columnar"


class LogFormat(Enum):
    """How the messages of a Kafka topic of logs are written."""

    OTLP_PROTO = "otlp_proto"
    OTLP_JSON = "otlp_json"
    LOKI = "loki"
    LOKI_JSON = "loki_json"
    JSON_LINES = "json_lines"


class TraceFormat(Enum):
    """How the messages of a Kafka topic of traces are written."""

    OTLP_PROTO = "otlp_proto"
    OTLP_JSON = "otlp_json"


_FORMS = {
    # The body of a push, as proxies that queue remote write pass it on.
    Format.REMOTE_WRITE: (Door.REMOTE_WRITE, Packing.SNAPPY),
    # The encodings of the collector's Kafka exporter; Kafka packs whole batches itself.
    Format.OTLP_PROTO: (Door.OTLP, Packing.PLAIN),
    Format.OTLP_JSON: (Door.OTLP_JSON, Packing.PLAIN),
    Format.COLUMNAR: (Door.COLUMNAR, Packing.PLAIN),
}


def form_of(written: Format) -> tuple[Door, Packing]:
    """By which door the messages of a topic come in, and how they are packed."""
    return _FORMS[written]


_LOG_FORMS = {
    LogFormat.OTLP_PROTO: (LogDoor.OTLP, Packing.PLAIN),
    LogFormat.OTLP_JSON: (LogDoor.OTLP_JSON, Packing.PLAIN),
    # The body of a push, as it is of remote write.
    LogFormat.LOKI: (LogDoor.LOKI, Packing.SNAPPY),
    LogFormat.LOKI_JSON: (LogDoor.LOKI_JSON, Packing.PLAIN),
    # Fluent Bit's, Filebeat's, Vector's: each record tells whose it is.
    LogFormat.JSON_LINES: (LogDoor.JSON_LINES, Packing.PLAIN),
}


def log_form_of(written: LogFormat) -> tuple[LogDoor, Packing]:
    """By which door the messages of a topic of logs come in, and how they are packed."""
    return _LOG_FORMS[written]


def is_tenant(name: str) -> bool:
    """Whether a tenant may be called so.

    >>> is_tenant("team-a"), is_tenant(""), is_tenant("../x")
    (True, False, False)
    """
    return _TENANT_NAME.fullmatch(name) is not None
