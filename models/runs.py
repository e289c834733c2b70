"""Runs of samples of several series: at which times any of them has one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.growing import Floats, Ints

__all__ = ["Runs"]


@dataclass(frozen=True, slots=True)
class Runs:
    """Series, and where in a batch the samples of each begin and end."""

    names: Ints
    begins: Ints
    ends: Ints

    def united(self, times: Floats) -> tuple[Floats, Ints, slice | None]:
        """Distinct times, ascending; where each run has them, (times, runs), -1 where it has not.

        And the part of the batch that all runs fill, side by side, if they have the same times.
        """
        sizes = self.ends - self.begins
        size, begin, end = int(sizes[0]), int(self.begins[0]), int(self.ends[-1])
        if (self.begins[1:] == self.ends[:-1]).all() and (sizes == size).all():
            block = times[begin:end].reshape(-1, size)
            if (block == block[0]).all():
                at = begin + np.arange(end - begin).reshape(-1, size).T
                return block[0], at, slice(begin, end)
        return *self._united(times, sizes), None

    def _united(self, times: Floats, sizes: Ints) -> tuple[Floats, Ints]:
        longest = int(sizes.argmax())
        rows = times[self.begins[longest] : self.ends[longest]]
        spans = list(zip(self.begins.tolist(), self.ends.tolist(), strict=True))
        parts = [times[begin:end] for begin, end in spans]
        if not all(_is_end(part, rows) for part in parts):
            rows = np.unique(np.concatenate(parts))
        at = np.full((len(rows), len(parts)), -1, np.int64)
        for column, (part, span) in enumerate(zip(parts, spans, strict=True)):
            where = slice(None) if len(part) == len(rows) else np.searchsorted(rows, part)
            at[where, column] = np.arange(*span)
        return rows, at


def _is_end(part: Floats, rows: Floats) -> bool:
    """Whether a run is the end of `rows`, as that of a series born late is."""
    return np.array_equal(part, rows[len(rows) - len(part) :])
