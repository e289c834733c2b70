"""Templates and families as arrays, by version, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.templates.families import Families
from models.templates.kernel import FEW
from models.templates.kinds import KIND, MOST_TOKENS, Kind
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
_KINDS: Mapping[str, type[Any]] = {
    "header": np.int64,
    **COLUMNS,
    **POOLS,
    **dict.fromkeys(("marks", "samples"), np.uint8),
    **dict.fromkeys(("marks_ends", "samples_ends"), np.int64),
    **dict.fromkeys(("family_roots", "family_free"), np.uint64),
}


def read_header(arrays: _Arrays, length: int) -> list[int]:
    """Version and counts; `ValueError` where it is of another version, or something is missing."""
    header = np.ravel(arrays.get("header", ()))
    if len(header) != length or header.dtype != np.int64 or int(header[0]) != VERSION:
        told = int(header[0]) if len(header) == length else "no"
        raise ValueError(f"templates of {told} version, where {VERSION} is known")
    missing = [name for name in _KINDS if name not in arrays]
    if missing:
        raise ValueError(f"templates without {', '.join(missing)}")
    other = [n for n, k in _KINDS.items() if arrays[n].ndim != 1 or arrays[n].dtype != k]
    if other:
        raise ValueError(f"templates with {', '.join(other)} of another kind")
    clock, born, joined, lost, floods = (int(one) for one in header[1:])
    live = len(arrays["number"])
    last = (int(arrays["seen"].max()), int(arrays["number"].max())) if live else (-1, -1)
    is_sum = min(joined, lost, floods) >= 0 and born - joined - lost == live
    if not is_sum or clock <= last[0] or born <= last[1]:
        raise ValueError(f"templates of {clock} lines, {born} born, of which {live} are there")
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
    marks = _parted(arrays["marks"], arrays["marks_ends"])
    samples = _parted(arrays["samples"], arrays["samples_ends"])
    if not _is_ordered(arrays) or not _is_worded(arrays, marks, samples):
        raise ValueError("templates of which some are damaged")
    return Shelf.of(
        {name: arrays[name] for name in COLUMNS},
        {name: arrays[name] for name in POOLS},
        marks,
        samples,
    )


def _is_ordered(arrays: _Arrays) -> bool:
    """Whether rows are by age, and tokens of each behind those before, of kinds that there are.

    Compiled loops follow `start` and `length` without looking whether they lead outside.
    """
    length = arrays["length"].astype(np.int64)
    is_by_age = (np.diff(arrays["number"], prepend=-1) > 0).all()
    is_packed = np.array_equal(arrays["start"], np.cumsum(length) - length)
    is_counted = (arrays["count"] > 0).all() and (arrays["seen"] >= 0).all()
    is_alive = arrays["alive"].all() and (length <= MOST_TOKENS).all()
    is_told = (arrays["signs"] & KIND <= max(Kind)).all()
    return bool(is_by_age and is_packed and is_counted and is_alive and is_told)


def _is_worded(arrays: _Arrays, marks: list[bytes], samples: list[bytes]) -> bool:
    """Whether each row has a mark around every token, and few samples with a word for each."""
    rows = zip(arrays["length"].tolist(), arrays["kept"].tolist(), marks, samples, strict=True)
    return all(
        mark.count(b"\n") == n
        and 0 < kept <= FEW
        and sample.count(b"\0") == kept - 1
        and sample.count(b"\n") == kept * max(n - 1, 0)
        for n, kept, mark, sample in rows
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
    told = np.diff(ends, prepend=0)
    if (told < 0).any() or told.sum() != len(text):
        raise ValueError("templates of which some texts are cut short")
    raw, begins = text.tobytes(), [0, *ends[:-1].tolist()]
    return [raw[i:j] for i, j in zip(begins, ends.tolist(), strict=False)]
