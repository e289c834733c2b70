"""From answers to new samples: only what is newer than the last, finite, and in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.gate.known import KnownByQuestion, Labels
from detector.gate.roster import Roster
from detector.series import Answer, Columns, FloatArray
from detector.signals.plan import ArmName, Reading

__all__ = ["Intake", "Samples"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of many series; equal series adjacent, their times ascending."""

    series: Ints
    times: FloatArray
    values: FloatArray
    _ends: Ints | None = field(default=None, init=False, repr=False, compare=False)

    def where(self, keep: NDArray[np.bool_]) -> Samples:
        """Those that are kept."""
        return Samples(self.series[keep], self.times[keep], self.values[keep])

    @property
    def ends(self) -> Ints:
        """Where the last sample of each series is."""
        found = self._ends
        if found is None:
            changes = np.flatnonzero(self.series[1:] != self.series[:-1])
            last = [len(self.series) - 1] if len(self.series) else []
            found = np.concatenate([changes, np.array(last, np.int64)])
            # Asked for at each step of a poll.
            object.__setattr__(self, "_ends", found)
        return found


_NONE = Samples(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


class Intake:
    """Newest sample of every series, and samples that are still to be used."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.notes: dict[str, int] = {}
        self.pending = _NONE
        self._newest: FloatArray = np.zeros(0)
        self._known = KnownByQuestion()

    def take(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> None:
        """Keep what is new in the answers; canary readings first, so that they claim their pods."""
        pairs = sorted(
            zip(readings, answers, strict=True), key=lambda p: p[0].arm is not ArmName.CANARY
        )
        numbers: list[Ints] = []
        parts: list[Columns] = []
        for reading, answer in pairs:
            if answer.warnings:
                self._note("warnings", len(answer.warnings))
            columns = Columns.of(answer.series)
            if len(columns.labels):
                numbers.append(self._numbers(reading, columns.labels))
                parts.append(columns)
        if parts:
            self._keep(numbers, parts)

    def _numbers(self, reading: Reading, labels: list[Labels]) -> Ints:
        """Number of each series; earlier answers to the same reading are the first guess."""
        family = self.roster.index[reading.family]
        return self._known.of(reading).numbers(
            labels, lambda one: self.roster.place(family, reading.arm, one)
        )

    def _keep(self, numbers: list[Ints], parts: list[Columns]) -> None:
        count = len(self.roster.entries)
        if count > len(self._newest):
            more = np.full(max(64, count), -np.inf)
            self._newest = np.concatenate([self._newest, more])
        at = np.concatenate(numbers)
        size = np.concatenate([part.sizes for part in parts])
        times = np.concatenate([part.times for part in parts])
        values = np.concatenate([part.values for part in parts])
        newest = np.where(at >= 0, self._newest[at], np.inf)
        fresh = Samples(np.repeat(at, size), times, values)
        new = times > np.repeat(newest, size)
        if not new.all():
            fresh = fresh.where(new)
        finite = np.isfinite(fresh.values)
        if not finite.all():
            self._note("not_finite", int((~finite).sum()))
            fresh = fresh.where(finite)
        self.pending = self._ordered(fresh)

    def _ordered(self, fresh: Samples) -> Samples:
        """Pending and new samples by series and time, repeated and backward ones left out."""
        held = self.pending
        both = fresh
        if len(held.series):
            both = Samples(
                np.concatenate([held.series, fresh.series]),
                np.concatenate([held.times, fresh.times]),
                np.concatenate([held.values, fresh.values]),
            )
        if (both.series[1:] < both.series[:-1]).any():
            order = np.argsort(both.series, kind="stable")
            both = Samples(both.series[order], both.times[order], both.values[order])
        same = both.series[1:] == both.series[:-1]
        if (same & (both.times[1:] <= both.times[:-1])).any():
            both = self._forward(both)
        ends = both.ends
        newest, times = both.series[ends], both.times[ends]
        self._newest[newest] = np.maximum(self._newest[newest], times)
        return both

    def _forward(self, samples: Samples) -> Samples:
        """Per series only samples later than all before them; what is lost so is told."""
        keep = np.ones(len(samples.series), np.bool_)
        begin, lost = 0, 0
        for end in (samples.ends + 1).tolist():
            times = samples.times[begin:end]
            newest = np.maximum.accumulate(times)
            keep[begin + 1 : end] = times[1:] > newest[:-1]
            kept = keep[begin:end]
            # A selector of the control may match the canary too: then each sample comes twice.
            lost += int((~np.isin(times[~kept], times[kept])).sum())
            begin = end
        if lost:
            self._note("out_of_order", lost)
        return samples.where(keep)

    def due(self, until: float) -> Samples:
        """Take out the pending samples up to a time."""
        ready = self.pending.times <= until
        if ready.all():
            samples, self.pending = self.pending, _NONE
            return samples
        samples = self.pending.where(ready)
        self.pending = self.pending.where(~ready)
        return samples

    def _note(self, what: str, count: int) -> None:
        self.notes[what] = self.notes.get(what, 0) + count
