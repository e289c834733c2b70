"""Templates as arrays that hold no word of a parameter, yet give the same templates their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.templates.kinds import KIND, Kind
from models.templates.shelf import Shelf

__all__ = ["bare", "named_of"]

_NAME, _IDS, _PREFIX = int(Kind.NAME), "named", "lt_"


def bare(shelf: Shelf, free: Sequence[int], ids: Sequence[str]) -> dict[str, NDArray[Any]]:
    """In place of the columns of a shelf whose slots are all alive.

    `free`: places of each that may be anything, as bits. An id follows from all words of the first
    line, of which those in free places are not kept: `ids` are.
    """
    texts = [_bare(shelf, slot, places) for slot, places in enumerate(free)]
    return {
        "samples": np.frombuffer(b"".join(texts), np.uint8),
        "samples_ends": np.cumsum([len(text) for text in texts], dtype=np.int64),
        "kept": np.ones(len(texts), np.uint8),
        _IDS: np.array([int(id.removeprefix(_PREFIX), 16) for id in ids], np.uint64),
    }


def named_of(arrays: Mapping[str, NDArray[Any]]) -> dict[int, str]:
    """Ids by number, where they are kept; `ValueError` where they are of other templates."""
    if _IDS not in arrays:
        return {}
    numbers, ids = arrays["number"].tolist(), arrays[_IDS].tolist()
    if len(ids) != len(numbers):
        raise ValueError("templates of which some have no id")
    return {number: f"{_PREFIX}{id:016x}" for number, id in zip(numbers, ids, strict=True)}


def _bare(shelf: Shelf, slot: int, free: int) -> bytes:
    signs = shelf.tokens(slot)[1].tolist()
    return b"\n".join(
        b"" if free >> place & 1 or sign & KIND > _NAME else word
        for place, (word, sign) in enumerate(zip(shelf.words(slot), signs, strict=True))
    )
