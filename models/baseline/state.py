"""The state of many series: arrays with a row for each, that grow and are stored as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baseline.layout import WIDTH, Kind

__all__ = ["NEVER", "VERSION", "State", "empty", "from_arrays", "grown"]

VERSION = 1
NEVER = np.iinfo(np.int64).min
_SHAPES: dict[str, tuple[type[np.generic], tuple[int, ...], float]] = {
    "at": (np.int64, (), NEVER),
    "last": (np.float64, (), np.nan),
    "level": (np.float64, (), np.nan),
    "hot": (np.float32, (WIDTH,), 0),
    "kind": (np.int8, (), Kind.GAUGE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """N series, changed in place by `score.step`; only its arrays are its own, nothing is shared.

    `at` (N,) unix milliseconds of the newest sample taken, `NEVER` before the first; `last` (N,)
    the raw value there, NaN where a chain of a counter is broken; `level` (N,) of the value (of the
    rate, for counters); `hot` (N, WIDTH) the columns of `layout.Hot`; `kind` (N,) of `layout.Kind`.
    """

    at: NDArray[np.int64]
    last: NDArray[np.float64]
    level: NDArray[np.float64]
    hot: NDArray[np.float32]
    kind: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.at)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain named arrays, `version` among them; they are views until they are copied."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"version": np.array([VERSION], dtype=np.int64), **named}


def empty(count: int, kind: NDArray[np.int8] | None = None) -> State:
    """`count` series that have seen nothing; `kind` (count,) of `layout.Kind`, gauges if none."""
    return from_arrays(
        {
            "version": np.array([VERSION]),
            **_blank(count),
            **({} if kind is None else {"kind": kind}),
        }
    )


def grown(state: State, count: int, kind: NDArray[np.int8] | None = None) -> State:
    """The state with rows for `count` series in all; `kind` of the new ones only.

    ValueError where that would be fewer than there are.
    """
    if count < len(state):
        raise ValueError(f"a state of {len(state)} series does not shrink to {count}")
    more = empty(count - len(state), kind).to_arrays()
    return from_arrays(
        {
            name: array if name == "version" else np.concatenate([array, more[name]])
            for name, array in state.to_arrays().items()
        }
    )


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> State:
    """The state of these arrays, copied; ValueError where a version, name or shape is not ours."""
    version = int(arrays["version"][0]) if "version" in arrays else 0
    if version != VERSION:
        raise ValueError(f"state of version {version}, this reads version {VERSION}")
    count = len(arrays["at"])
    return State(**{name: _checked(name, arrays, count) for name in _SHAPES})


def _checked(name: str, arrays: Mapping[str, NDArray[Any]], count: int) -> NDArray[Any]:
    dtype, rest, _ = _SHAPES[name]
    if name not in arrays or arrays[name].shape != (count, *rest):
        raise ValueError(f"state without {name} of shape {(count, *rest)}")
    return np.array(arrays[name], dtype=dtype, order="C")


def _blank(count: int) -> dict[str, NDArray[Any]]:
    return {
        name: np.full((count, *rest), fill, dtype=dtype)
        for name, (dtype, rest, fill) in _SHAPES.items()
    }
