"""New samples, each beside the one before it, and what is decided of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from models.bank import Bank
from models.boundaries import Segments
from models.growing import Bools, Floats, Ints

__all__ = ["Batch"]


@dataclass(slots=True)
class Batch:
    """New samples with, for each, the one before it; and what is decided: offset, segment start.

    `first`: where each series begins. `restarts`, `began`: as `Counters.extend` was told.
    """

    series: Ints
    times: Floats
    values: Floats
    before: Floats
    last: Floats
    first: Ints
    offset: Floats
    c0: Floats
    t0: Floats
    restarts: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    began: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, bank: Bank, series: Ints, times: Floats, values: Floats) -> Batch:
        """The samples beside what the bank has of their series; nothing is decided yet."""
        change = np.flatnonzero(series[1:] != series[:-1]) + 1
        first = np.concatenate([np.zeros(1, np.int64), change])
        before, last = np.empty_like(times), np.empty_like(values)
        before[1:], last[1:] = times[:-1], values[:-1]
        before[first], last[first] = bank.time[series[first]], bank.value[series[first]]
        offset = bank.offset[series]
        return cls(series, times, values, before, last, first, offset, last + offset, before.copy())

    @property
    def ends(self) -> Ints:
        """Where each series ends."""
        return np.append(self.first[1:], len(self.series))

    def odd(self, bank: Bank) -> Bools:
        """Samples that are not simply the next of a known series, in good time."""
        times, target = self.times, bank.target_of[self.series]
        odd: Bools = (self.values < self.last) | ~(times - self.before <= bank.gap)
        odd |= times <= bank.row[target]
        if bank.last_reset > -np.inf:
            odd |= self.before < bank.reset[bank.group_of[self.series]]
        if times.min() <= bank.last_flip + bank.wary:
            odd |= times <= bank.flip[target] + bank.wary
        return odd

    def segments(self, step: float) -> Segments:
        """From each sample to the next, as it was decided; a series begins a step before it."""
        t0 = self.t0
        unknown = t0 == -np.inf
        if unknown.any():
            t0 = np.where(unknown, self.times - step, t0)
        c1 = self.values + self.offset
        return Segments(self.series, t0, self.c0, self.times, c1, self.before)
