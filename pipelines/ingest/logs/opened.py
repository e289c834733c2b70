"""The doors of one tenant, each as it decodes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipelines.ingest.logs.conventions import convention
from pipelines.ingest.logs.json_lines import JsonMessages
from pipelines.ingest.logs.loki import LokiPush
from pipelines.ingest.logs.loki_json import LokiJsonPush
from pipelines.ingest.logs.loki_scan import scan_push
from pipelines.ingest.logs.otlp import OtlpLogs
from pipelines.ingest.logs.otlp_json import OtlpJsonLogs
from pipelines.ingest.logs.otlp_scan import scan
from pipelines.ingest.logs.places import copied
from pipelines.ingest.protocol import LogDoor
from pipelines.ingest.records.cleaned import LONGEST

__all__ = ["opened"]


def opened() -> Mapping[LogDoor, OtlpLogs | OtlpJsonLogs | LokiPush | LokiJsonPush | JsonMessages]:
    """All of them; seconds where nothing is compiled yet."""
    scan(b"", convention("otlp").names, LONGEST)
    scan_push(b"", convention("loki").names, LONGEST)
    copied(np.frombuffer(b"", dtype=np.uint8), b"", np.zeros((0, 2), dtype=np.int64))
    otlp, loki = OtlpLogs(), LokiPush()
    return {
        LogDoor.OTLP: otlp,
        LogDoor.OTLP_JSON: OtlpJsonLogs(otlp),
        LogDoor.LOKI: loki,
        LogDoor.LOKI_JSON: LokiJsonPush(loki),
        LogDoor.LOKI_PULL: loki,
        LogDoor.JSON_LINES: JsonMessages(),
    }
