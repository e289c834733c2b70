"""JSON of a kind, also where some of its texts are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import msgspec

from pipelines.ingest.decoded import BodyTooLargeError, broken

__all__ = ["read_json"]

Read = TypeVar("Read")
# Each takes a hundred bytes or more once it is read, however short it was.
_MOST_PARTS = 2_000_000


def read_json(
    body: bytes, decode: Callable[[bytes], Read], kind: type[Read], what: str
) -> tuple[Read, bool]:
    """A body that is of a kind; and whether texts of it were no UTF-8 or half a character.

    `InputError` where it is of another, and not `what` it should be, or has too many parts.
    """
    if body.count(b"{") + body.count(b"[") > _MOST_PARTS:
        raise BodyTooLargeError(
            f"the body has over {_MOST_PARTS:,} objects and lists: send smaller batches",
            field="body",
        )
    try:
        return decode(body), False
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        first = error
    try:
        # Slower, and knows more: one bad line must not cost a batch.
        return msgspec.convert(json.loads(str(body, "utf-8", "replace")), kind), True
    except (ValueError, RecursionError):
        raise broken(f"the body is not {what}: {first}") from first
