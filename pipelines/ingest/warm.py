"""The compiled loops, made ready before the first message waits for them."""

from __future__ import annotations

import numpy as np

from pipelines.ingest import otlp_scan, remote_write_scan
from pipelines.ingest.labels import pairs_of
from pipelines.ingest.protobuf import field, varint

__all__ = ["warm"]


def warm() -> None:
    """Compile, or load what was compiled before: seconds the first time, a moment later on."""
    remote_write_scan.scan(b"")
    otlp_scan.scan(b"")
    pairs_of(b"")
    data = np.frombuffer(b"\x08\x01", dtype=np.uint8)
    field(data, 0, 2)
    varint(data, 1, 2)
