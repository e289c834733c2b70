"""Bytes found again in compiled loops: their hash, and whether they are the same."""

from __future__ import annotations

import numpy as np

from models.compiling import uncounted
from pipelines.ingest.protobuf import Bytes, bits64

__all__ = ["hashed", "same"]

_K1, _K2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_BYTE = np.uint64(8)


@uncounted
def hashed(data: Bytes, at: int, end: int, seed: np.uint64) -> int:
    """Of some bytes: who does not know the seed cannot choose labels that collide."""
    mixed = seed ^ (np.uint64(end - at) * _K1)
    while at + 8 <= end:
        mixed = (mixed ^ bits64(data, at)) * _K1
        mixed ^= mixed >> _HALF
        at += 8
    rest = np.uint64(0)
    for place in range(at, end):
        rest = (rest << _BYTE) | np.uint64(data[place])
    mixed = (mixed ^ rest) * _K2
    mixed ^= mixed >> _HALF
    mixed *= _K1
    return int(np.int64((mixed ^ (mixed >> _HALF)) >> np.uint64(1)))


@uncounted
def same(one: Bytes, at: int, other: Bytes, there: int, size: int) -> bool:
    """Whether bytes are the same: without a way out midway, so that many are compared at once."""
    differ = np.uint8(0)
    first, second = np.uint64(at), np.uint64(there)
    for place in range(np.uint64(size)):
        differ |= one[first + place] ^ other[second + place]
    return bool(differ == 0)
