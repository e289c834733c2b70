"""The doors by name, and how bodies are packed."""

from __future__ import annotations

from enum import Enum

__all__ = ["Door", "Packing"]


class Door(Enum):
    """By which protocol a message came."""

    REMOTE_WRITE = "remote_write"
    OTLP = "otlp"
    OTLP_JSON = "otlp_json"
    COLUMNAR = "columnar"


class Packing(Enum):
    """How a body is packed."""

    PLAIN = "identity"
    SNAPPY = "snappy"
    GZIP = "gzip"
    ZSTD = "zstd"
