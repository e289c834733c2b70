"""The state of many series: arrays with a row for each, that grow and are stored as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baseline.layout import EMPTY, SLOTS, WIDTH, Cold, Kind

__all__ = ["BINS", "NEVER", "SHARED", "VERSION", "State", "empty", "from_arrays", "grown"]

VERSION = 3
NEVER = np.iinfo(np.int64).min
BINS = 256
# Arrays that are not of a row each.
SHARED = frozenset({"version", "pool_counts", "pool_spent", "pool_table"})
_ROWS: dict[str, tuple[type[np.generic], tuple[int, ...], float]] = {
    "at": (np.int64, (), NEVER),
    "last": (np.float64, (), np.nan),
    "level": (np.float64, (), np.nan),
    "hot": (np.float32, (WIDTH,), 0),
    "kind": (np.int8, (), Kind.GAUGE),
    "cold": (np.float32, (len(Cold),), 0),
    "profile": (np.int16, (SLOTS,), EMPTY),
}
_POOL: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "pool_counts": (np.int64, (2, BINS)),
    "pool_spent": (np.int64, (3,)),
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
    bin, and how many more excursions rose into it than out of it; `pool_spent` (3,) samples since
    the counts were last read, milliseconds watched, series that are past learning; `pool_table`
    (2, BINS + 1) what was read from the counts: surprise and p-value at the edge of each bin.
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


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> State:
    """The state of these arrays, copied; ValueError where a version, name or shape is not ours."""
    version = int(arrays["version"][0]) if "version" in arrays else 0
    if version != VERSION:
        raise ValueError(f"state of version {version}, this reads version {VERSION}")
    count = len(arrays["at"])
    rows = {n: _checked(n, arrays, (count, *rest), of) for n, (of, rest, _) in _ROWS.items()}
    pool = {n: _checked(n, arrays, shape, of) for n, (of, shape) in _POOL.items()}
    return State(**rows, **pool)


def _checked(
    name: str, arrays: Mapping[str, NDArray[Any]], shape: tuple[int, ...], dtype: type[np.generic]
) -> NDArray[Any]:
    if name not in arrays or arrays[name].shape != shape:
        raise ValueError(f"state without {name} of shape {shape}")
    return np.array(arrays[name], dtype=dtype, order="C")


def _blank(count: int) -> dict[str, NDArray[Any]]:
    rows = {n: np.full((count, *rest), fill, dtype=of) for n, (of, rest, fill) in _ROWS.items()}
    return rows | {n: np.zeros(shape, dtype=of) for n, (of, shape) in _POOL.items()}
