"""Answers of OTLP over HTTP: what was refused, and errors as `google.rpc.Status`."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Any

from api.strict import strict_json
from pipelines.ingest.decoded import Refused

__all__ = ["JSON", "PROTOBUF", "Code", "Rejected", "answer_body", "status_body"]

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
# Fields of Export…ServiceResponse and its partial success, and of google.rpc.Status.
_PARTIAL_SUCCESS, _REJECTED, _MESSAGE = 1, 1, 2
_CODE = 1


class Code(IntEnum):
    """Those of google.rpc.Code that are told."""

    INVALID_ARGUMENT = 3
    UNAVAILABLE = 14


class Rejected(Enum):
    """What is counted in a partial success, by its name in JSON; in protobuf they are one field."""

    DATA_POINTS = "rejectedDataPoints"
    LOG_RECORDS = "rejectedLogRecords"
    SPANS = "rejectedSpans"


def answer_body(refused: Refused, kind: str, rejected: Rejected) -> bytes:
    """An ExportMetricsServiceResponse, or the like of logs and traces."""
    if kind == JSON:
        return strict_json(_partial(refused, rejected))
    if not refused.total:
        return b""
    partial = _number(_REJECTED, refused.total) + _bytes(_MESSAGE, refused.told().encode())
    return _bytes(_PARTIAL_SUCCESS, partial)


def status_body(code: Code, words: str, kind: str) -> bytes:
    """A google.rpc.Status."""
    if kind == JSON:
        return strict_json({"code": int(code), "message": words})
    return _number(_CODE, code) + _bytes(_MESSAGE, words.encode())


def _partial(refused: Refused, rejected: Rejected) -> dict[str, Any]:
    if not refused.total:
        return {}
    # 64-bit integers are strings in the JSON of protobuf.
    told = {rejected.value: str(refused.total), "errorMessage": refused.told()}
    return {"partialSuccess": told}


def _number(field: int, value: int) -> bytes:
    return bytes([field << 3]) + _varint(value)


def _bytes(field: int, payload: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
