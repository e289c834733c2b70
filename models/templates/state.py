"""Templates and families as arrays, by version, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.templates.families import Families
from models.templates.shelf import COLUMNS, POOLS, Shelf

__all__ = [
    "VERSION",
    "families_from",
    "family_arrays",
    "read_header",
    "shelf_arrays",
    "shelf_from",
]

# Of what arrays hold, and of how lines are scanned: a change of either asks for another.
VERSION = 2
_Arrays = Mapping[str, NDArray[Any]]
_NAMES = (
    *("header", *COLUMNS, *POOLS, "marks", "marks_ends", "samples", "samples_ends"),
    *("family_roots", "family_free"),
)


def read_header(arrays: _Arrays, length: int) -> list[int]:
    """Version and counts; `ValueError` where it is of another version, or something is missing."""
    header = arrays.get("header")
    if header is None or len(header) != length or int(header[0]) != VERSION:
        told = "no" if header is None or not len(header) else int(header[0])
        raise ValueError(f"templates of {told} version, where {VERSION} is known")
    missing = [name for name in _NAMES if name not in arrays]
    if missing:
        raise ValueError(f"templates without {', '.join(missing)}")
    return [int(one) for one in header]


def shelf_arrays(shelf: Shelf) -> dict[str, NDArray[Any]]:
    """A shelf on which all are alive."""
    n, tokens = shelf.filled, shelf.pooled
    made: dict[str, NDArray[Any]] = {name: getattr(shelf, name)[:n].copy() for name in COLUMNS}
    made |= {name: getattr(shelf, name)[:tokens].copy() for name in POOLS}
    made["marks"], made["marks_ends"] = _joined(shelf.marks)
    made["samples"], made["samples_ends"] = _joined(shelf.samples)
    return made


def shelf_from(arrays: _Arrays) -> Shelf:
    """The shelf that was."""
    n = len(arrays["number"])
    is_whole = all(len(arrays[name]) == n for name in (*COLUMNS, "marks_ends", "samples_ends"))
    tokens = int(arrays["length"].sum(dtype=np.int64))
    is_whole &= all(len(arrays[name]) == tokens for name in POOLS)
    if not is_whole:
        raise ValueError("templates of which some columns are longer than others")
    return Shelf.of(
        {name: arrays[name] for name in COLUMNS},
        {name: arrays[name] for name in POOLS},
        _parted(arrays["marks"], arrays["marks_ends"]),
        _parted(arrays["samples"], arrays["samples_ends"]),
    )


def family_arrays(families: Families) -> dict[str, NDArray[Any]]:
    """All but their members, which a shelf tells."""
    return {
        "family_roots": families.root[: families.filled].copy(),
        "family_free": families.free[: families.filled].copy(),
    }


def families_from(arrays: _Arrays, shelf: Shelf) -> Families:
    """The families that were, with the slots of a shelf as members."""
    of = shelf.family[: shelf.filled]
    roots, free = arrays["family_roots"], arrays["family_free"]
    if len(roots) != len(free) or (len(of) and not 0 <= of.min() <= of.max() < len(roots)):
        raise ValueError("templates of families that there are not")
    return Families.made(roots, free, of)


def _joined(texts: list[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    return np.frombuffer(b"".join(texts), np.uint8), ends


def _parted(text: NDArray[np.uint8], ends: NDArray[np.int64]) -> list[bytes]:
    raw, begins = text.tobytes(), [0, *ends[:-1].tolist()]
    return [raw[i:j] for i, j in zip(begins, ends.tolist(), strict=False)]
