"""OTLP logs in JSON, as the same request in protobuf."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from pipelines.ingest.decoded import broken
from pipelines.ingest.logs.json_texts import read_json
from pipelines.ingest.logs.otlp import OtlpLogs
from pipelines.ingest.logs.otlp_typed import Export, packed_export
from pipelines.ingest.logs.taken import Moment, TakenLines
from pipelines.ingest.records.flaws import Flaw

__all__ = ["OtlpJsonLogs"]

_DECODER = msgspec.json.Decoder(Export)


class OtlpJsonLogs:
    """The door of one tenant; safe for threads."""

    def __init__(self, protobuf: OtlpLogs) -> None:
        self._protobuf = protobuf

    def decode(self, body: bytes, moment: Moment) -> TakenLines:
        """As `OtlpLogs.decode`."""
        export, is_mended = read_json(body, _DECODER.decode, Export, "an OTLP logs request")
        try:
            packed = packed_export(export)
        except (ValueError, RecursionError) as error:
            raise broken(f"the body is no OTLP logs request: {str(error)[:200]}") from error
        taken = self._protobuf.decode(packed, moment)
        if not is_mended:
            return taken
        return replace(taken, dropped={**taken.dropped, Flaw.NOT_UTF8: 1})
