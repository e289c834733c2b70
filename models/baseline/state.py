"""The state of many series: arrays with a row for each, that grow and are stored as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baseline.layout import EMPTY, SLOTS, WIDTH, Cold, Hot, Kind
from models.baseline.room import Column

__all__ = ["BINS", "NEVER", "ROWS", "SHARED", "VERSION", "State", "empty", "from_arrays", "grown"]

VERSION = 4
_BEFORE = 3
NEVER = np.iinfo(np.int64).min
BINS = 256
# Arrays that are not of a row each.
SHARED = frozenset({"version", "pool_counts", "pool_spent", "pool_table"})
# Arrays with a row for each series: with each sample the first four change, each hour the last two.
ROWS: dict[str, Column] = {
    "at": Column(dtype=np.int64, fill=NEVER),
    "last": Column(dtype=np.float64, fill=np.nan),
    "level": Column(dtype=np.float64, fill=np.nan),
    "hot": Column(dtype=np.float32, shape=(WIDTH,)),
    "kind": Column(dtype=np.int8, fill=Kind.GAUGE),
    "cold": Column(dtype=np.float32, shape=(len(Cold),)),
    "profile": Column(dtype=np.int16, shape=(SLOTS,), fill=EMPTY),
}
_POOL: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "pool_counts": (np.int64, (2, BINS)),
    "pool_spent": (np.int64, (4,)),
    "pool_table": (np.float64, (2, BINS + 1)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """N series, changed in place by `score.step`; only its arrays are its own, nothing is shared.

    `at` (N,) unix milliseconds of the newest sample taken, `NEVER` before the first; `last` (N,)
    the raw value there, NaN where a chain of a counter is broken; `level` (N,) of the value (of the
    rate, for counters); `hot` (N, WIDTH) the columns of `layout.Hot`; `kind` (N,) of `layout.Kind`;
    `cold` (N, 6) of `layout.Cold`; `profile` (N, SLOTS) hours in units, `EMPTY` where none came.

    Of all series: `pool_counts` (2, BINS) in 1 / `tuning.ONE`, how many samples had a score in each
    bin, and how many more excursions rose into it than out of it; `pool_spent` (4,) samples since
    the counts were last read, milliseconds watched, series that are past learning, milliseconds
    watched that are forgotten; `pool_table` (2, BINS + 1) what was read from the counts: surprise
    and p-value at the edge of each bin.
    """

    at: NDArray[np.int64]
    last: NDArray[np.float64]
    level: NDArray[np.float64]
    hot: NDArray[np.float32]
    kind: NDArray[np.int8]
    cold: NDArray[np.float32]
    profile: NDArray[np.int16]
    pool_counts: NDArray[np.int64]
    pool_spent: NDArray[np.int64]
    pool_table: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.at)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain named arrays, `version` among them; they are views until they are copied.

        All but those in `SHARED` have a row for each series.
        """
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"version": np.array([VERSION], dtype=np.int64), **named}


def empty(count: int, kind: NDArray[np.int8] | None = None) -> State:
    """`count` series that have seen nothing; `kind` (count,) of `layout.Kind`, gauges if none."""
    blank = _blank(count)
    if kind is not None:
        blank["kind"] = kind
    return from_arrays({"version": np.array([VERSION]), **blank})


def grown(state: State, count: int, kind: NDArray[np.int8] | None = None) -> State:
    """The state with rows for `count` series in all; `kind` of the new ones only.

    ValueError where that would be fewer than there are.
    """
    if count < len(state):
        raise ValueError(f"a state of {len(state)} series does not shrink to {count}")
    more = empty(count - len(state), kind).to_arrays()
    return from_arrays(
        {
            name: array if name in SHARED else np.concatenate([array, more[name]])
            for name, array in state.to_arrays().items()
        }
    )


def from_arrays(arrays: Mapping[str, NDArray[Any]], *, are_given: bool = False) -> State:
    """The state of these arrays; ValueError where a version, name or shape is not ours.

    They are copied, unless they are given away: then a state of a gigabyte is not there twice.
    """
    version = int(arrays["version"][0]) if "version" in arrays else 0
    if version == _BEFORE:
        arrays = _of_before(arrays)
    elif version != VERSION:
        raise ValueError(f"state of version {version}, this reads version {VERSION}")
    count = len(arrays["at"])
    shapes = {n: ((count, *column.shape), column.dtype) for n, column in ROWS.items()}
    shapes |= {n: (shape, of) for n, (of, shape) in _POOL.items()}
    checked = {n: _checked(n, arrays, shape) for n, (shape, _) in shapes.items()}
    copy = None if are_given else True
    return State(
        **{n: np.array(checked[n], of, order="C", copy=copy) for n, (_, of) in shapes.items()}
    )


def _of_before(arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Peaks of version 3 were of one side and other numbers: what lasts may alarm once more."""
    hot = np.array(arrays["hot"]) if "hot" in arrays else np.zeros((0, WIDTH), np.float32)
    hot[..., Hot.PEAK_ABOVE :] = 0.0
    spent = np.append(arrays["pool_spent"], 0) if "pool_spent" in arrays else np.zeros(4, np.int64)
    return {**arrays, "hot": hot, "pool_spent": spent}


def _checked(name: str, arrays: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> NDArray[Any]:
    if name not in arrays or arrays[name].shape != shape:
        raise ValueError(f"state without {name} of shape {shape}")
    return arrays[name]


def _blank(count: int) -> dict[str, NDArray[Any]]:
    rows = {n: np.full((count, *c.shape), c.fill, dtype=c.dtype) for n, c in ROWS.items()}
    return rows | {n: np.zeros(shape, dtype=of) for n, (of, shape) in _POOL.items()}
