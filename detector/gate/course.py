"""What a stream counted of a service in half hours: told to a gate, and kept as it was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from detector.series import FloatArray
from detector.signals.plan import Plan
from detector.signals.signal import Kind

__all__ = ["TOLD", "WIDTH_S", "Course", "Streamed", "course", "untold"]

WIDTH_S = 1800.0
# Kinds of signals of which a past can tell.
TOLD = frozenset({Kind.RATIO, Kind.LATENCY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The half hours of one signal, `columns` numbers each, as bytes of 4-byte floats.

    Exposure and events where there are no `edges`; else requests up to each edge (seconds,
    ascending, the last one inf).
    """

    columns: int
    sums: bytes
    edges: tuple[float, ...] = ()

    @property
    def table(self) -> FloatArray:
        """The numbers (K, columns)."""
        flat = np.frombuffer(self.sums, "<f4").astype(np.float64)
        return flat.reshape(-1, self.columns)


def course(table: FloatArray, edges: tuple[float, ...] = ()) -> Course:
    """The course of a table (K, columns)."""
    sums = np.ascontiguousarray(table, "<f4").tobytes()
    return Course(columns=table.shape[1], sums=sums, edges=edges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """What a stream tells of a service: `courses`, and by signal which of them is its own.

    All begin with half hour `first` (unix seconds / `WIDTH_S`). `why`: by signal why there is none.
    """

    first: int = 0
    courses: tuple[Course, ...] = ()
    signals: Mapping[str, int] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> Course | None:
        """The course of a signal."""
        at = self.signals.get(name)
        return None if at is None else self.courses[at]


def untold(plan: Plan, why: str) -> Streamed:
    """Nothing of any signal, for one reason."""
    return Streamed(why={b.signal.name: why for b in plan.signals if b.signal.kind in TOLD})
