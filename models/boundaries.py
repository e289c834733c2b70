"""Cumulatives at the boundaries of bins, from the pieces between samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.growing import Floats, Ints, grown

__all__ = ["Boundaries", "Segments", "joined"]

# A segment that decides more boundaries than these is looked at before it begins.
_FAR = 8
_NEVER = np.iinfo(np.int64).min


@dataclass(slots=True)
class Segments:
    """Pieces of cleaned cumulatives, one per sample: from (t0, c0) to (t1, c1), linear.

    Equal `series` are adjacent and ascend in time. `before`: time of the sample before each.
    """

    series: Ints
    t0: Floats
    c0: Floats
    t1: Floats
    c1: Floats
    before: Floats


def joined(pieces: list[Segments]) -> Segments:
    """The segments of all pieces."""
    if len(pieces) == 1:
        return pieces[0]
    return Segments(
        np.concatenate([piece.series for piece in pieces]),
        np.concatenate([piece.t0 for piece in pieces]),
        np.concatenate([piece.c0 for piece in pieces]),
        np.concatenate([piece.t1 for piece in pieces]),
        np.concatenate([piece.c1 for piece in pieces]),
        np.concatenate([piece.before for piece in pieces]),
    )


class Boundaries:
    """What every series had been credited with at each boundary that is still open.

    Boundary m lies at `start + m * step` (seconds); `frozen` is the last one handed out. The value
    at a boundary is interpolated if the sample after it comes within `settle` of it, and is that
    of the last sample before it otherwise.
    """

    def __init__(self, *, start: float, step: float, settle: float, frozen: int) -> None:
        self.start, self.step, self.settle, self.frozen = start, step, settle, frozen
        self._done: Ints = np.zeros(0, np.int64)
        self._credited: Floats = np.zeros(0)
        self._ahead: Floats = np.zeros((0, 1))

    def reserve(self, size: int) -> None:
        """Room for series, nothing of which was seen."""
        if size <= len(self._done):
            return
        self._done = grown(self._done, size, _NEVER)
        self._credited = grown(self._credited, size, 0.0)
        self._ahead = grown(self._ahead, size, np.nan)

    def note(self, segments: Segments) -> None:
        """Note the cumulative at every boundary that the segments decide."""
        series = segments.series
        top = np.floor((segments.t1 - self.start) / self.step).astype(np.int64)
        done = np.maximum(self._floor(segments.before), self._done[series])
        np.maximum(done, self.frozen, out=done)
        count = top - done
        if int(count.max(initial=0)) < 1:
            return
        self._widen(int(top.max()) - self.frozen)
        far = np.flatnonzero(count > _FAR)
        if len(far):
            done[far] = self._before(segments, far, done[far])
            count = top - done
        one = count == 1
        if one.all():
            self._write(segments, None, top)
            self._move(series, top)
            return
        ones, many = np.flatnonzero(one), np.flatnonzero(count > 1)
        self._write(segments, ones, top[ones])
        if len(many):
            at, boundary = _all_of(many, done, count)
            self._write(segments, at, boundary)
        self._move(series, top)

    def begin(self, series: Ints, since: float, times: Floats, cumulative: Floats) -> None:
        """Note, in one go, what `note` notes of series that were never seen.

        All have the same times; `cumulative` (series, 1 + times) begins with that at `since`.
        """
        top = self._floor(times)
        count = int(top[-1]) - self.frozen
        if count < 1:
            return
        self._widen(count)
        boundary = self.frozen + 1 + np.arange(count)
        before = np.searchsorted(top, boundary)
        t0 = np.concatenate([[since], times[:-1]])[before]
        c0, c1 = _columns(cumulative, before), _columns(cumulative, before + 1)
        self._ahead[series, :count] = self._between(boundary, t0, c0, times[before], c1)
        self._done[series] = top[-1]

    def _between(self, boundary: Ints, t0: Floats, c0: Floats, t1: Floats, c1: Floats) -> Floats:
        """The value of segments at one boundary each."""
        end = self.start + boundary * self.step
        credited: Floats = c1 - c0
        credited *= np.minimum(np.maximum((end - t0) / (t1 - t0), 0.0), 1.0)
        credited += c0
        np.minimum(credited, np.maximum(c0, c1), out=credited)
        late = t1 - end > self.settle
        if late.any():
            credited[..., late] = c0[..., late]
        return credited

    def _move(self, series: Ints, top: Ints) -> None:
        """The boundaries up to `top` of each run of a series are decided."""
        last = np.append(np.flatnonzero(series[1:] != series[:-1]), len(series) - 1)
        ends = series[last]
        self._done[ends] = np.maximum(self._done[ends], top[last])

    def _before(self, segments: Segments, far: Ints, done: Ints) -> Ints:
        """Note what segments that decide many boundaries say of those before they begin.

        A series that is seen for the first time decides all that was open. Gives the boundaries
        up to which they are noted then.
        """
        begin = self._floor(segments.t0[far]) - 1
        width = self._ahead.shape[1]
        boundary = self.frozen + 1 + np.arange(width)
        there = (boundary > done[:, None]) & (boundary <= begin[:, None])
        rows, columns = np.nonzero(there)
        self._ahead[segments.series[far[rows]], columns] = segments.c0[far[rows]]
        return np.maximum(done, begin)

    def _write(self, segments: Segments, at: Ints | None, boundary: Ints) -> None:
        """The value of segments (None: of all) at one boundary each."""
        series, t0, t1 = segments.series, segments.t0, segments.t1
        c0, c1 = segments.c0, segments.c1
        if at is not None:
            series, t0, t1, c0, c1 = series[at], t0[at], t1[at], c0[at], c1[at]
        credited = self._between(boundary, t0, c0, t1, c1)
        self._ahead[series, boundary - self.frozen - 1] = credited

    def _floor(self, times: Floats) -> Ints:
        """The boundary at or before each time; far back where there is none."""
        known = np.maximum(times, self.start - 2**40 * self.step)
        return np.floor((known - self.start) / self.step).astype(np.int64)

    def _widen(self, width: int) -> None:
        if width > self._ahead.shape[1]:
            wide = np.full((len(self._ahead), width), np.nan)
            wide[:, : self._ahead.shape[1]] = self._ahead
            self._ahead = wide

    def advance(self, top: int, cumulative: Floats) -> Floats:
        """Increments of every series in the bins up to boundary `top`, (series, new bins).

        `cumulative`: that of each series now, which stands where no later sample decided.
        """
        count, new = len(cumulative), top - self.frozen
        self._widen(new)
        decided = self._ahead[:count, :new]
        np.copyto(decided, cumulative[:, None], where=np.isnan(decided))
        increments = np.empty_like(decided)
        np.subtract(decided[:, 0], self._credited[:count], out=increments[:, 0])
        np.subtract(decided[:, 1:], decided[:, :-1], out=increments[:, 1:])
        self._credited[:count] = decided[:, -1]
        rest = self._ahead[:, new:].copy()
        self._ahead = rest if rest.shape[1] else np.full((len(self._ahead), 1), np.nan)
        self.frozen = top
        return np.maximum(increments, 0.0, out=increments)


def _columns(values: Floats, at: Ints) -> Floats:
    """The columns `at`, which ascend; not copied where they are side by side."""
    if (at[1:] - at[:-1] == 1).all():
        return values[:, at[0] : at[0] + len(at)]
    return values.take(at, axis=1)


def _all_of(many: Ints, done: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Segment and boundary of everything that segments with several boundaries decide."""
    count = count[many]
    at = np.repeat(many, count)
    begin = np.repeat(np.cumsum(count) - count, count)
    return at, done[at] + 1 + np.arange(len(at)) - begin
