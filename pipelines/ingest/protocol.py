"""The doors by name, and how bodies are packed."""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["Door", "Format", "LogDoor", "Packing", "form_of", "is_tenant"]

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


def is_tenant(name: str) -> bool:
    """Whether a tenant may be called so.

    >>> is_tenant("team-a"), is_tenant(""), is_tenant("../x")
    (True, False, False)
    """
    return _TENANT_NAME.fullmatch(name) is not None
