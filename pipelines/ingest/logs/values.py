"""Values of OTLP as plain ones, and as text: compact JSON for what is neither text nor number."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from pipelines.ingest.logs.reading import Spoken
from pipelines.ingest.records.flaws import Flaw

__all__ = ["DEEPEST", "LONGEST_VALUE", "spoken", "text_of", "tree_of"]

# What nests deeper stands as `…`.
DEEPEST = 16
_DEEP = "…"
# Of a packed value, or of a resource: objects of two bytes each would become gigabytes.
LONGEST_VALUE = 256 * 1024


def tree_of(value: AnyValue, depth: int = 0) -> Any:  # noqa: ANN401 - whatever JSON has
    """A value as JSON has it; bytes in base64."""
    match value.WhichOneof("value"):
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            if depth == DEEPEST:
                return _DEEP
            return [tree_of(item, depth + 1) for item in value.array_value.values]
        case "kvlist_value":
            if depth == DEEPEST:
                return _DEEP
            pairs = value.kvlist_value.values
            return {pair.key: tree_of(pair.value, depth + 1) for pair in pairs}
        case None:
            return None
        case kind:
            return getattr(value, kind)


def text_of(packed: bytes) -> str:
    """The value of an attribute as text; empty for none, and where it is too long or broken."""
    if len(packed) > LONGEST_VALUE:
        return ""
    try:
        return _text(tree_of(AnyValue.FromString(packed)))
    except DecodeError:
        return ""


def spoken(packed: bytes) -> Spoken | None:
    """What a body that is no text says; None where it is too long or broken."""
    if len(packed) > LONGEST_VALUE:
        return None
    try:
        text = _text(tree_of(AnyValue.FromString(packed)))
    except DecodeError:
        return None
    return Spoken(text=text, flaws=(Flaw.TOO_DEEP,) if f'"{_DEEP}"' in text else ())


def _text(tree: object) -> str:
    if isinstance(tree, str):
        return tree
    if tree is None:
        return ""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
