"""Fields of protobuf, written one by one."""

from __future__ import annotations

__all__ = ["field", "fixed64", "number", "utf8", "varint"]

_FIXED64, _BYTES = 1, 2


def field(number: int, payload: bytes) -> bytes:
    """A text, bytes or a message."""
    return bytes((number << 3 | _BYTES,)) + varint(len(payload)) + payload


def number(field: int, value: int) -> bytes:
    """A number of 64 bits at most; a negative one has all of them."""
    return bytes((field << 3,)) + varint(value & (1 << 64) - 1)


def fixed64(field: int, payload: bytes) -> bytes:
    """Eight bytes."""
    return bytes((field << 3 | _FIXED64,)) + payload


def utf8(text: str) -> bytes:
    """A text, whose half characters become question marks."""
    return text.encode("utf-8", "replace")


def varint(value: int) -> bytes:
    """A number in as few bytes as it needs."""
    if value < 0x80:
        return bytes((value,))
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
