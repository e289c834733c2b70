"""The roster's series as index arrays: what each sample is, and which bins it adds to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.gate.cells import Cells
from detector.gate.roster import Roster
from detector.series import FloatArray

__all__ = ["Order", "into_cells"]

Ints = NDArray[np.int64]


class Order:
    """Index arrays by series; made anew when series appear."""

    def __init__(self, roster: Roster) -> None:
        entries = roster.entries
        self.step = roster.counters.step
        self.counter = np.array([e.counter for e in entries], np.int64)
        self.gauge = np.array([e.gauge for e in entries], np.int64)
        self.start = np.array([e.start for e in entries], np.int64)
        self.family = np.array([e.family for e in entries], np.int64)
        self.pod = np.array([e.pod for e in entries], np.int64)
        scales = [role.family.scale for role in roster.roles]
        self.scale = np.array([scales[e.family] for e in entries])
        self.added, self.added_to = _columns(sorted(roster.additions))
        self.lines, self.lines_to = _columns(sorted(roster.talk.additions))
        self.level, self.level_to = _columns(sorted(roster.gauge_of))
        self.ladders = _ladders(list(roster.histograms.values()), roster.counters.count)
        targets = [[t for _, t in sorted(held)] for held in roster.twins.values() if len(held) > 1]
        self.twins = [[(t, _series_of(roster, t)) for t in twins] for twins in targets]
        self.clocks = {t: roster.counters.clock(t) for twins in targets for t in twins}
        self.gauge_twins = [
            [g for _, g in sorted(held)] for held in roster.gauge_twins.values() if len(held) > 1
        ]

    def choose(self, increments: FloatArray) -> None:
        """Of targets that are copies of one, only the best covered counts in a bin (in place)."""
        for twins in self.twins:
            covered = np.stack([increments[self.clocks[t]] for t, _ in twins])
            # Rounded, so that the first one stays chosen while both are there.
            best = np.round(covered / self.step, 2).argmax(axis=0)
            for at, (_, series) in enumerate(twins):
                increments[np.ix_(series, best != at)] = 0.0

    def choose_levels(self, means: FloatArray) -> None:
        """Of gauges that are copies of one, only the first that is there counts (in place)."""
        for twins in self.gauge_twins:
            there = ~np.isnan(means[twins])
            first = there.argmax(axis=0)
            for at, gauge in enumerate(twins):
                means[gauge, first != at] = np.nan

    def uncumulate(self, increments: FloatArray) -> int:
        """Cumulative bucket counts to counts per bucket (in place); how many had to be clamped."""
        if not self.ladders.size:
            return 0
        padded = np.concatenate([increments, np.zeros((1, increments.shape[1]))])
        steps = padded[self.ladders]
        rising = np.maximum.accumulate(steps, axis=1)
        clamped = int(((steps > 0) & (steps < rising - 1e-6)).sum())
        rising[:, 1:] -= rising[:, :-1].copy()
        padded[self.ladders] = rising
        increments[:] = padded[:-1]
        return clamped


def _series_of(roster: Roster, target: int) -> Ints:
    series = np.flatnonzero(roster.counters.bank.target_of[: roster.counters.count] == target)
    return series.astype(np.int64)


def _columns(rows: list[tuple[str, int, int]]) -> tuple[Ints, Ints]:
    return np.array([r[1] for r in rows], np.int64), np.array([r[2] for r in rows], np.int64)


def _ladders(histograms: list[list[tuple[float, int]]], nowhere: int) -> Ints:
    """Counters of each histogram by rising edge, filled up with `nowhere`."""
    width = max((len(h) for h in histograms), default=0)
    out = np.full((len(histograms), width), nowhere, np.int64)
    for row, histogram in zip(out, histograms, strict=True):
        row[: len(histogram)] = [counter for _, counter in sorted(histogram)]
    return out


def into_cells(values: FloatArray, series: Ints, to: Ints, cells: Cells) -> FloatArray:
    """Values of series added up into cells, (cells, bins), in the order of `series`."""
    width = values.shape[1]
    if not len(series):
        return np.zeros((cells.count, width))
    at = (to[:, None] * width + np.arange(width)).ravel()
    flat = np.bincount(at, weights=values[series].ravel(), minlength=cells.count * width)
    return flat.astype(np.float64).reshape(cells.count, width)
