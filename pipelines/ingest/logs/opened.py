"""The doors of one tenant, each as it decodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from pipelines.ingest.records.json_lines import AUTO
from pipelines.ingest.records.mapping import Mapping as FieldMapping

__all__ = ["Decoder", "decoder_of", "opened"]

Decoder = OtlpLogs | OtlpJsonLogs | LokiPush | LokiJsonPush | JsonMessages


def decoder_of(
    door: LogDoor, *, mapping: str = AUTO, mappings: Sequence[FieldMapping] | None = None
) -> Decoder:
    """One of them; records of JSON lines are read by the mapping of a name. `ConfigError`."""
    match door:
        case LogDoor.OTLP:
            return OtlpLogs()
        case LogDoor.OTLP_JSON:
            return OtlpJsonLogs(OtlpLogs())
        case LogDoor.LOKI_JSON:
            return LokiJsonPush(LokiPush())
        case LogDoor.JSON_LINES:
            return JsonMessages(mapping=mapping, mappings=mappings)
    return LokiPush()


def opened() -> Mapping[LogDoor, Decoder]:
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
