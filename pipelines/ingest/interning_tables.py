"""The tables of a tenant's labels: room for more, given back when series leave, and as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baseline.room import pages
from pipelines.ingest.interning_scan import EMPTY, Tables, rehash, repack

__all__ = ["MOST_LETTERS_HELD", "from_arrays", "made", "roomy", "to_arrays"]

# Bytes of labels that places can tell.
MOST_LETTERS_HELD = 2**31
_PAIRS_OF_ONE = 256
_BYTES_OF_PAIR = 5
_LEAST = 1_024
_USED = ("pairs", "letters", "words")


def made(seed: int, *, pairs: int = 0, letters: int = 0, words: int = 0, series: int = 0) -> Tables:
    """Empty tables with room for so many; the system gives memory as it is written to."""
    return Tables(
        letters=pages((max(letters, _LEAST),), np.uint8),
        ends=pages((max(pairs, _LEAST),), np.uint32),
        wanted=pages((max(pairs, _LEAST),), np.int8),
        words=pages((max(words, _LEAST),), np.uint8),
        starts=pages((max(series, _LEAST),), np.uint32),
        kinds=pages((max(series, _LEAST),), np.int8),
        pairs=_places(pairs),
        series=_places(series),
        used=np.zeros(3, np.int64),
        seed=np.array([seed], np.uint64),
    )


def roomy(tables: Tables, count: int, left: int, block: int) -> Tables:
    """The tables with room for one more series, of labels of so many bytes.

    `count` ids were given; `left` places of the hash table are of series that have left it.
    """
    pairs, letters, words = tables.used.tolist()
    is_full = 3 * (count + left + 1) > 2 * len(tables.series)
    if is_full or 3 * (pairs + _PAIRS_OF_ONE) > 2 * len(tables.pairs):
        tables = _rehashed(tables, count)
    return tables._replace(
        letters=_wider(tables.letters, letters, letters + block),
        ends=_wider(tables.ends, pairs, pairs + _PAIRS_OF_ONE),
        wanted=_wider(tables.wanted, pairs, pairs + _PAIRS_OF_ONE),
        words=_wider(tables.words, words, words + _BYTES_OF_PAIR * (_PAIRS_OF_ONE + 1)),
        starts=_wider(tables.starts, count, count + 1),
        kinds=_wider(tables.kinds, count, count + 1),
    )


def packed(tables: Tables, count: int) -> Tables:
    """Tables that have nothing of series that have left."""
    pairs, letters, words = tables.used.tolist()
    new = made(
        int(tables.seed[0]),
        pairs=pairs + _PAIRS_OF_ONE,
        letters=letters,
        # Numbers are given anew, so that some may be longer.
        words=_BYTES_OF_PAIR * words,
        series=count + 1,
    )
    repack(tables, new, count)
    return new


def to_arrays(tables: Tables, count: int) -> dict[str, NDArray[Any]]:
    """What is to be kept of them; hash tables are made anew."""
    pairs, letters, words = tables.used.tolist()
    return {
        "letters": tables.letters[:letters].copy(),
        "ends": tables.ends[:pairs].copy(),
        "words": tables.words[:words].copy(),
        "starts": tables.starts[:count].copy(),
        "kinds": tables.kinds[:count].copy(),
    }


def from_arrays(arrays: Mapping[str, NDArray[Any]], seed: int) -> Tables:
    """The tables of such arrays."""
    count = len(arrays["starts"])
    sizes = {"pairs": len(arrays["ends"]), "letters": len(arrays["letters"])}
    sizes["words"] = len(arrays["words"])
    old = made(seed, **sizes, series=count)
    old.used[:] = [sizes[name] for name in _USED]
    for name in ("letters", "ends", "words", "starts", "kinds"):
        getattr(old, name)[: len(arrays[name])] = arrays[name]
    old.wanted[:] = EMPTY
    return _rehashed(old, count)


def _rehashed(tables: Tables, count: int) -> Tables:
    """With hash tables that are half full at most, and nothing of series that have left in them."""
    new = tables._replace(
        pairs=_places(int(tables.used[0]) + _PAIRS_OF_ONE), series=_places(count + 1)
    )
    rehash(new, count)
    return new


def _places(entries: int) -> NDArray[np.int32]:
    """A hash table that is half full at most."""
    places = pages((1 << max(2 * entries - 1, _LEAST).bit_length(),), np.int32)
    places[:] = EMPTY
    return places


def _wider(array: NDArray[Any], used: int, needed: int) -> NDArray[Any]:
    if needed <= len(array):
        return array
    wider = pages((max(needed, len(array) * 3 // 2),), array.dtype)
    wider[:used] = array[:used]
    return wider
