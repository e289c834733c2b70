"""Trace ids in the ways in which tracers write them, as 16 bytes."""

from __future__ import annotations

import re

from pipelines.ingest.records.building import NO_TRACE

__all__ = ["trace_of"]

_HEX = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{16}")
_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_AMAZON = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})")


def trace_of(value: object) -> bytes:
    """The id in a field's value: W3C, B3 of 64 bits, `traceparent`, Amazon's, Google's, Datadog's.

    Zeros for what is none of these.

    >>> trace_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").hex()[:8]
    '0af76519'
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 128:
        return value.to_bytes(16, "big")
    return _of_text(value.strip()) if isinstance(value, str) else NO_TRACE


def _of_text(text: str) -> bytes:
    if len(text) > 128:
        return NO_TRACE
    parent = _PARENT.fullmatch(text)
    if parent is not None:
        return bytes.fromhex(parent[1])
    amazon = _AMAZON.search(text)
    if amazon is not None:
        return bytes.fromhex(amazon[1] + amazon[2])
    plain = text.rsplit("/", 1)[-1].replace("-", "")
    # Datadog's ids are decimal numbers of 64 bits: longer than the 16 digits of a hexadecimal one.
    if plain.isdecimal() and 16 < len(plain) < 21:
        return trace_of(int(plain))
    return bytes.fromhex(plain.rjust(32, "0")) if _HEX.fullmatch(plain) else NO_TRACE
