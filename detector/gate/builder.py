"""Raw samples of both arms to a frame of bins, incrementally; a frozen bin never changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.gate.asking import Asking
from detector.gate.frame import Frame
from detector.gate.framing import Framing, Span
from detector.gate.intake import Intake, Samples
from detector.gate.kills import Kills
from detector.gate.order import Order, into_cells
from detector.gate.roster import Roster
from detector.gate.starts import Starts, Told
from detector.series import Answer, FloatArray
from detector.signals.plan import Plan, Reading
from models.counters import Counters
from models.gauges import Gauges

__all__ = ["FrameBuilder"]

Ints = NDArray[np.int64]
_GAP_S, _GAP_STEPS = 60.0, 4.0


class FrameBuilder:
    """One attempt's samples. `start`: unix seconds of bin 0; seconds are those of the scrape clock.

    A bin is frozen at its end plus `settle_s`. New pods hold back freezing until the metrics that
    are joined by pod name have been read for them too: read again while `readings` changes.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        start: float,
        step: float,
        history_s: float,
        settle_s: float,
        time_scale: float = 1.0,
    ) -> None:
        self.plan, self.start, self.step = plan, start, step
        self.settle, self.time_scale = settle_s, time_scale
        self.first = -max(0, math.ceil(history_s / step - 1e-9))
        gap = max(_GAP_S * time_scale, _GAP_STEPS * step)
        self.counters = Counters(
            start=start, step=step, settle=settle_s, gap=gap, frozen=self.first
        )
        self.gauges = Gauges(start=start, step=step, hold=gap, frozen=self.first)
        self.roster = Roster(plan, self.counters, self.gauges, first=self.first)
        self._kills = Kills(self.roster)
        self.intake = Intake(self.roster)
        self.done = self.first
        self._asking = Asking(plan, self.roster, time_scale=time_scale)
        self._starts = Starts(self.roster)
        self._begin = math.inf
        self._born = 0
        self._order: tuple[int, Order] | None = None
        self._framing = Framing(
            self.roster,
            Span(start=start, step=step, settle=settle_s, gap=gap, time_scale=time_scale),
        )
        self._frame: Frame | None = None

    def readings(self) -> tuple[Reading, ...]:
        """Queries to send next."""
        return self._asking.readings()

    def append(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> int:
        """Take raw samples up to `now`; gives the newest frozen bin plus one.

        Samples that were taken before may come again; what is older than them is ignored.
        """
        if readings:
            self.intake.take(readings, answers)
            self._asking.answered(readings)
            self._meet()
        top = math.floor((now - self.settle - self.start) / self.step)
        if top > self.done and not self._asking.is_waiting:
            self._freeze(top)
        return self.done

    def _meet(self) -> None:
        """Note pods' newest samples, so that the joined metrics are read for those alive."""
        pending = self.intake.pending
        if not len(pending.series):
            return
        order, pods = self._arrangement(), self.roster.pods
        ends = pending.ends
        series, times = pending.series[ends], pending.times[ends]
        served = order.family[series] == 0
        newest = np.full(len(pods), -np.inf)
        np.maximum.at(newest, order.pod[series[served]], times[served])
        for pod, time in zip(pods, newest.tolist(), strict=True):
            pod.newest = max(pod.newest, time)

    def _freeze(self, top: int) -> None:
        until = self.start + top * self.step + self.settle
        samples = self.intake.due(until)
        self._asking.watermark = until
        if len(samples.series):
            self._sort_in(samples)
        self._starts.fell(self.counters.take_restarts())
        counts = self._counted(self.counters.advance(top))
        levels = self._levelled(self.gauges.advance(top))
        self._kills.take(counts, self.done)
        self.roster.counts.append(counts)
        self.roster.levels.append(levels)
        self._framing.age(self.done, top)
        self.done, self._frame = top, None

    def _sort_in(self, samples: Samples) -> None:
        """Each sample to what keeps it."""
        order, ends = self._arrangement(), samples.ends
        names, sizes = samples.series[ends], np.diff(ends, prepend=-1)
        start = order.start[names]
        told, values = Told(), samples.values
        if (start >= 0).any():
            values = values.copy()
            told = self._starts.take(samples, np.repeat(start, sizes), values)
        self._births(samples, order)
        gauge = order.gauge[names]
        if (gauge >= 0).any():
            which, kept = _of_kind(gauge, sizes)
            scaled = values[kept] * order.scale[samples.series[kept]]
            self.gauges.extend(which, samples.times[kept], scaled)
        which, kept = _of_kind(order.counter[names], sizes)
        self.counters.extend(
            which,
            samples.times[kept],
            values[kept],
            restarts=told.restarts,
            began=told.began,
        )

    def _arrangement(self) -> Order:
        version = len(self.roster.entries)
        if self._order is None or self._order[0] != version:
            self._order = (version, Order(self.roster))
        return self._order[1]

    def _births(self, samples: Samples, order: Order) -> None:
        """First samples of pods in the requests family."""
        first = np.append(0, samples.ends[:-1] + 1)
        first = first[order.family[samples.series[first]] == 0]
        if not len(first):
            return
        pods, times = order.pod[samples.series[first]], samples.times[first]
        self._begin = min(self._begin, float(times.min()))
        if self._born == len(self.roster.pods):
            return
        earliest = np.full(len(self.roster.pods), np.inf)
        np.minimum.at(earliest, pods, times)
        for at in np.flatnonzero(earliest < np.inf).tolist():
            pod = self.roster.pods[at]
            if pod.born == math.inf:
                self._born += 1
                pod.born = begun = float(earliest[at])
                existed = begun <= self._begin + 2 * self.step or self.plan.cohort is not None
                begin = -math.inf if existed else begun
                pod.starts.insert(0, (-math.inf, begin))
                pod.started = pod.started if pod.told else begin
                self.roster.version += 1

    # -- bins out

    def _counted(self, increments: FloatArray) -> FloatArray:
        """Increments of all counters added up into cells, in an order that no poll changes."""
        order = self._arrangement()
        order.choose(increments)
        self.intake.notes["clamped"] = self.intake.notes.get("clamped", 0) + order.uncumulate(
            increments
        )
        talk = self.roster.talk.cells
        talk.append(into_cells(increments, order.lines, order.lines_to, talk))
        return into_cells(increments, order.added, order.added_to, self.roster.counts)

    def _levelled(self, means: FloatArray) -> FloatArray:
        order = self._arrangement()
        order.choose_levels(means)
        known = ~np.isnan(means)
        cells, which, to = self.roster.levels, order.level, order.level_to
        total = into_cells(np.where(known, means, 0.0), which, to, cells)
        some = into_cells(known.astype(np.float64), which, to, cells)
        return np.where(some > 0, total, np.nan)

    def frame(self) -> Frame:
        """The retained frozen bins of both arms."""
        if self._frame is None:
            told = {**self.roster.dropped, **self.roster.users.notes}
            notes = {**self.intake.notes, **told, **_tally(self.counters)}
            notes |= self._kills.notes()
            self._frame = self._framing.frame(notes)
        return self._frame

    def drop_before(self, bin: int) -> None:
        """Forget the bins before `bin`; the last sample of every series stays."""
        self.roster.counts.drop_before(bin)
        self.roster.levels.drop_before(bin)
        self.roster.talk.cells.drop_before(bin)
        self._framing.drop_before(bin)
        self._frame = None

    @property
    def nbytes(self) -> int:
        """Bytes of the retained bins."""
        held = (self.roster.counts, self.roster.levels, self.roster.talk.cells)
        return sum(cells.nbytes for cells in held) + self._framing.nbytes


def _of_kind(number: Ints, sizes: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """The samples of series that have a number, and which they are; `sizes`: samples of each."""
    there = number >= 0
    return np.repeat(number[there], sizes[there]), np.repeat(there, sizes)


def _tally(counters: Counters) -> dict[str, int]:
    tally = counters.tally
    return {
        "births": tally.births,
        "resets": tally.resets,
        "flips": tally.flips,
        "gaps": tally.gaps,
    }
