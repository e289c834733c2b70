"""The JSON of OTLP as a tree that the library of protobuf can read, whatever was sent.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: names in lowerCamelCase, enums as
integers, 64-bit integers as strings or numbers, unknown fields passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from pipelines.ingest.decoded import broken

__all__ = ["many", "packed_tree"]

Found = TypeVar("Found")


def packed_tree(
    body: bytes, message: Message, amend: Callable[[Any], Found], what: str
) -> tuple[bytes, Found]:
    """A body as the bytes of a message, after `amend` changed its tree; and what that gave.

    `InputError` where it is no JSON, or not that of `what`.
    """
    try:
        tree = msgspec.json.decode(body)
        found = amend(tree)
        packed: bytes = ParseDict(tree, message, ignore_unknown_fields=True).SerializeToString()
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise broken(f"the body is not JSON: {error}") from error
    except (ParseError, AttributeError, TypeError, ValueError) as error:
        raise broken(f"the body is no {what}: {str(error)[:200]}") from error
    return packed, found


def many(tree: Any, name: str) -> list[dict[str, Any]]:  # noqa: ANN401 - whatever was sent
    """A list of objects; `TypeError` for what the library would take for an empty message."""
    if not isinstance(tree, dict):
        raise TypeError(f"what holds {name} must be an object")
    found = tree.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise TypeError(f"{name} must be a list of objects")
    return found
