"""Columns with a row for each of many series, in memory that grows as series come."""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Column", "Room", "pages"]

_LEAST = 1024
_PAGES = 2**16
# From here on pages of megabytes are worth what the last one of them leaves unused.
_LARGE = 2**25


def pages(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Zeros; a large array has memory of its own, which the system gives when it is written to.

    It is given back with the array. What grows by copies would leave holes of all its sizes in the
    memory that smaller things share: at a million series hundreds of megabytes.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < _PAGES:
        return np.zeros(shape, dtype)
    memory = _memory(size)
    if size >= _LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.ndarray(shape, dtype, buffer=memory)


def _memory(size: int) -> mmap.mmap:
    """Memory of this process alone."""
    # What is shared with others takes pages when it is read, too, and has no large ones.
    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, size)
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a row has in one column before anything is known: `shape` of it, `fill` everywhere."""

    dtype: type[np.generic]
    shape: tuple[int, ...] = ()
    fill: float = 0

    def made(self, rows: int) -> NDArray[Any]:
        """Memory for so many, zeros."""
        return pages((rows, *self.shape), self.dtype)


class Room:
    """Rows in use, and behind them room for more; views of rows hold until it grows."""

    def __init__(
        self, columns: Mapping[str, Column], arrays: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """With `arrays` their rows are in use: they are taken as they are, and belong to it."""
        self._columns = dict(columns)
        self._arrays = dict(arrays) if arrays else {n: c.made(0) for n, c in columns.items()}
        lengths = {len(array) for array in self._arrays.values()}
        if self._arrays.keys() != self._columns.keys() or len(lengths) != 1:
            raise ValueError(f"columns of {sorted(lengths)} rows")
        self.size = lengths.pop()

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The rows in use of a column."""
        rows: NDArray[Any] = self._arrays[name][: self.size]
        return rows

    def views(self) -> dict[str, NDArray[Any]]:
        """The rows in use of each column."""
        return {name: self[name] for name in self._columns}

    def grow(self, count: int) -> None:
        """So many more rows in which nothing is known."""
        old, self.size = self.size, self.size + count
        for name, column in self._columns.items():
            if self.size > len(self._arrays[name]):
                self._widen(name, column, old)
            if column.fill != 0:
                self._arrays[name][old : self.size] = column.fill

    def clear(self, rows: NDArray[np.integer[Any]], *, but: frozenset[str] = frozenset()) -> None:
        """Let nothing be known in some rows; columns in `but` stay."""
        for name, column in self._columns.items():
            if name not in but:
                self._arrays[name][rows] = column.fill

    def _widen(self, name: str, column: Column, used: int) -> None:
        """One column after the other, so that no more than one is there twice."""
        room = max(self.size, len(self._arrays[name]) * 3 // 2, _LEAST)
        wider, old = column.made(room), self._arrays[name][:used]
        # Zeros that are not written take no memory: nobody says anything of most series.
        if column.fill != 0 or old.any():
            wider[:used] = old
        self._arrays[name] = wider
