"""Frames of counters as the course of each: what a frame does not name stands where it stood."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.series import FloatArray
from pipelines.stores.joined_lines import JoinedOwn
from pipelines.stores.own import Frame, SqlOwn

__all__ = ["Curves", "curves"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Counters over frames: `times` (F,) in seconds, `there` and `values` (F, W), by `ids` (W,)."""

    ids: NDArray[np.int64]
    times: FloatArray
    there: NDArray[np.bool_]
    values: FloatArray

    def of(self, id: int) -> tuple[FloatArray, FloatArray]:
        """Times and values of one of them."""
        column = int(np.searchsorted(self.ids, id))
        kept = self.there[:, column]
        return self.times[kept], self.values[kept, column]


def curves(
    own: SqlOwn | JoinedOwn, part: str, tenant: str, ids: Sequence[int], start: float, end: float
) -> Curves:
    """Of counters with these ids, ascending, what they stood at with `start < time <= end`."""
    step = own.step_ms(part)
    since, until = math.floor(1000 * start), math.ceil(1000 * end) + step
    wanted = np.array(ids, np.int64)
    rows = list(_rows(own.frames(part, tenant, since, until), wanted, step))
    times = np.array([at / 1000 for at, _, _ in rows])
    kept = [place for place, at in enumerate(times.tolist()) if start < at <= end]
    shape = (len(kept), len(wanted))
    return Curves(
        ids=wanted,
        times=times[kept] if kept else np.zeros(0),
        there=np.array([rows[place][1] for place in kept], np.bool_).reshape(shape),
        values=np.array([rows[place][2] for place in kept], np.float64).reshape(shape),
    )


def _rows(
    frames: Sequence[Frame], wanted: NDArray[np.int64], step_ms: int
) -> Iterator[tuple[int, NDArray[np.bool_], FloatArray]]:
    """At each frame who is there, and what all stand at; the zeros of those born a step later."""
    there, values = np.zeros(len(wanted), np.bool_), np.zeros(len(wanted))
    held: tuple[int, NDArray[np.bool_], FloatArray] | None = None
    for frame in frames:
        before, born = frame.at - step_ms, np.isin(wanted, frame.born)
        if held is not None:
            if held[0] == before:
                held[1][born], held[2][born] = True, 0.0
                born[:] = False
            yield held
        if born.any():
            yield before, born, np.zeros(len(wanted))
        if frame.whole:
            there[:] = False
        place = np.searchsorted(wanted, frame.ids)
        inside = place < len(wanted)
        inside[inside] = wanted[place[inside]] == frame.ids[inside]
        there[place[inside]] = True
        values[place[inside]] = frame.values[inside]
        held = (frame.at, there.copy(), values.copy())
    if held is not None:
        yield held
