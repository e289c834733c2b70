"""JSON of a kind, also where some of its texts are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import msgspec

from pipelines.ingest.decoded import broken

__all__ = ["read_json"]

Read = TypeVar("Read")


def read_json(
    body: bytes, decode: Callable[[bytes], Read], kind: type[Read], what: str
) -> tuple[Read, bool]:
    """A body that is of a kind; and whether texts of it were no UTF-8 or half a character.

    `InputError` where it is of another, and not `what` it should be.
    """
    try:
        return decode(body), False
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        first = error
    try:
        # Slower, and knows more: one bad line must not cost a batch.
        return msgspec.convert(json.loads(str(body, "utf-8", "replace")), kind), True
    except (ValueError, RecursionError):
        raise broken(f"the body is not {what}: {first}") from first
