"""Raw samples of both arms to a frame of bins, incrementally; a frozen bin never changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.gate.cells import Cells
from detector.gate.frame import Frame
from detector.gate.framing import Framing, Span
from detector.gate.intake import Intake, Samples
from detector.gate.roster import DROPPED, Pod, Roster
from detector.series import Answer, FloatArray, Matcher, MatchOp, Query
from detector.signals.plan import ArmName, Family, Plan, Reading
from detector.signals.signal import Unit
from models.counters import Counters
from models.gauges import Gauges

__all__ = ["FrameBuilder"]

Ints = NDArray[np.int64]
_GAP_S, _GAP_STEPS = 60.0, 4.0
_PODS_PER_QUERY = 100
# Queries by pod names whose answers may still come; each change of pods makes new ones.
_ASKED = 1024
# A pod silent for half an hour is no longer asked for by name.
_SILENT_S = 1800.0
_REGEX_SPECIAL = frozenset(r"\.+*?()|[]{}^$")


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
        self.intake = Intake(self.roster)
        self.done = self.first
        self._joined = [r.family for r in self.roster.roles if r.family.joined]
        # The same objects at every poll: what is kept by reading finds them by identity.
        self._plain = {role.family: tuple(self._by_arm(role.family)) for role in self.roster.roles}
        self._asked: dict[Query, frozenset[str]] = {}
        self._named: dict[Family, tuple[list[str], tuple[Reading, ...]]] = {}
        self._covered: set[str] = set()
        self._watermark = -math.inf
        self._begin = math.inf
        self._born = 0
        self._last_start: FloatArray = np.zeros(0)
        self._last_start_at: FloatArray = np.zeros(0)
        self._changes: FloatArray = np.zeros(0)
        self._served: dict[int, int] = {}
        self._entries = 0
        self._order: tuple[int, _Order] | None = None
        self._framing = Framing(
            self.roster,
            Span(start=start, step=step, settle=settle_s, gap=gap, time_scale=time_scale),
        )
        self._frame: Frame | None = None

    # -- what to ask

    def readings(self) -> tuple[Reading, ...]:
        """Queries to send next: each family for each arm, or by the names of the pods known."""
        out: list[Reading] = []
        for role in self.roster.roles:
            family = role.family
            out += self._by_pod(family) if family.joined else self._plain[family]
        return tuple(out)

    def _by_arm(self, family: Family) -> Iterator[Reading]:
        arms = [(ArmName.CANARY, self.plan.canary)]
        arms += [(ArmName.CONTROL, matchers) for matchers in self.plan.control]
        for arm, matchers in arms:
            query = Query(family.metric, (*family.matchers, *matchers))
            yield Reading(family=family, arm=arm, query=query)

    def _by_pod(self, family: Family) -> Iterator[Reading]:
        if self.plan.unit is not Unit.POD:
            yield from self._by_named_pods(family)
            return
        names = self._alive_names()
        held = self._named.get(family)
        if held is None or held[0] != names:
            held = self._named[family] = (names, tuple(self._among(family, names)))
        yield from held[1]

    def _among(self, family: Family, names: list[str]) -> Iterator[Reading]:
        """Questions for the series of some pods."""
        for begin in range(0, len(names), _PODS_PER_QUERY):
            chunk = names[begin : begin + _PODS_PER_QUERY]
            pattern = "|".join(_escaped(name) for name in chunk)
            among = Matcher(family.pod_label, MatchOp.MATCHES, pattern)
            query = Query(family.metric, (*family.matchers, among))
            self._asked[query] = frozenset(chunk)
            while len(self._asked) > _ASKED:
                del self._asked[next(iter(self._asked))]
            yield Reading(family=family, arm=None, query=query)

    def _by_named_pods(self, family: Family) -> Iterator[Reading]:
        """Without pods to go by: selectors that speak of pod names alone fit joined metrics too."""
        for reading in self._plain[family]:
            own = reading.query.matchers[len(family.matchers) :]
            if own and all(matcher.label == family.pod_label for matcher in own):
                yield reading

    def _alive_names(self) -> list[str]:
        since = self._watermark - _SILENT_S * self.time_scale
        return sorted([pod.name for pod in self.roster.pods if pod.newest >= since])

    def _is_alive(self, pod: Pod) -> bool:
        return pod.newest >= self._watermark - _SILENT_S * self.time_scale

    # -- samples in

    def append(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> int:
        """Take raw samples up to `now`; gives the newest frozen bin plus one.

        Samples that were taken before may come again; what is older than them is ignored.
        """
        if readings:
            self.intake.take(readings, answers)
            for reading in readings:
                self._covered |= self._asked.get(reading.query, _NOBODY)
            self._meet()
        top = math.floor((now - self.settle - self.start) / self.step)
        if top > self.done and not self._is_waiting():
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

    def _is_waiting(self) -> bool:
        if not self._joined or self.plan.unit is not Unit.POD:
            return False
        return any(
            pod.name not in self._covered and self._is_alive(pod) for pod in self.roster.pods
        )

    def _freeze(self, top: int) -> None:
        until = self.start + top * self.step + self.settle
        samples = self.intake.due(until)
        self._watermark = until
        if len(samples.series):
            self._sort_in(samples)
        self._tell_restarts()
        counts = self._counted(self.counters.advance(top))
        levels = self._levelled(self.gauges.advance(top))
        self.roster.counts.append(counts)
        self.roster.levels.append(levels)
        self._framing.age(self.done, top)
        self.done, self._frame = top, None

    def _sort_in(self, samples: Samples) -> None:
        """Each sample to what keeps it."""
        order = self._arrangement()
        counter = order.counter[samples.series]
        gauge = order.gauge[samples.series]
        start = order.start[samples.series]
        restarts: dict[int, tuple[float, ...]] = {}
        began: dict[int, tuple[float, float]] = {}
        values = samples.values
        if (start >= 0).any():
            values = values.copy()
            self._starts(samples, start, values, restarts, began)
        self._births(samples, order)
        is_gauge = gauge >= 0
        if is_gauge.any():
            scaled = values[is_gauge] * order.scale[samples.series[is_gauge]]
            self.gauges.extend(gauge[is_gauge], samples.times[is_gauge], scaled)
        counts = counter >= 0
        self.counters.extend(
            counter[counts], samples.times[counts], values[counts], restarts=restarts, began=began
        )

    def _arrangement(self) -> _Order:
        version = len(self.roster.entries)
        if self._order is None or self._order[0] != version:
            self._order = (version, _Order(self.roster))
        return self._order[1]

    def _births(self, samples: Samples, order: _Order) -> None:
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
                existed = begun <= self._begin + 2 * self.step
                begin = -math.inf if existed else begun
                pod.starts.insert(0, (-math.inf, begin))
                pod.started = pod.started if pod.told else begin
                self.roster.version += 1

    def _starts(
        self,
        samples: Samples,
        start: Ints,
        values: FloatArray,
        restarts: dict[int, tuple[float, ...]],
        began: dict[int, tuple[float, float]],
    ) -> None:
        """Container starts that the samples tell; values become the number of changes."""
        more = self.roster.starts - len(self._last_start)
        if more > 0:
            nothing = np.full(more, np.nan)
            self._last_start = np.concatenate([self._last_start, nothing])
            self._last_start_at = np.concatenate([self._last_start_at, nothing])
            self._changes = np.concatenate([self._changes, np.zeros(more)])
        which = np.flatnonzero(start >= 0)
        number, times, told = start[which], samples.times[which], values[which].copy()
        before, earlier = (
            _previous(number, told, self._last_start),
            _previous(number, times, self._last_start_at),
        )
        with np.errstate(invalid="ignore"):
            changed = told > before + _SAME_START_S
        new = np.isnan(before)
        values[which] = _running(number, changed, self._changes)
        self._last_start[number], self._last_start_at[number] = told, times
        for at in np.flatnonzero(changed | new).tolist():
            entry = self.roster.entries[int(samples.series[which[at]])]
            time = float(times[at])
            begin = min(float(told[at]), time)
            if changed[at]:
                begin = max(begin, float(earlier[at]))
                restarts[entry.target] = (*restarts.get(entry.target, ()), time)
            else:
                began[entry.target] = (time, begin)
            _tell_start(self.roster.pods[entry.pod], time, begin)
        restarts.pop(DROPPED, None)
        began.pop(DROPPED, None)

    def _tell_restarts(self) -> None:
        """Restarts seen only as counters that fell: the pod's age begins anew."""
        for restart in self.counters.take_restarts():
            pod = self._pod_of_target(restart.target)
            if pod is not None and not pod.told:
                pod.starts.append((restart.at, (restart.before + restart.at) / 2))

    def _pod_of_target(self, target: int) -> Pod | None:
        """The pod whose requests a target counts."""
        for entry in self.roster.entries[self._entries :]:
            if entry.family == 0:
                self._served[entry.target] = entry.pod
        self._entries = len(self.roster.entries)
        at = self._served.get(target)
        return None if at is None else self.roster.pods[at]

    # -- bins out

    def _counted(self, increments: FloatArray) -> FloatArray:
        """Increments of all counters added up into cells, in an order that no poll changes."""
        order = self._arrangement()
        order.choose(increments)
        self.intake.notes["clamped"] = self.intake.notes.get("clamped", 0) + order.uncumulate(
            increments
        )
        return _into_cells(increments, order.added, order.added_to, self.roster.counts)

    def _levelled(self, means: FloatArray) -> FloatArray:
        order = self._arrangement()
        order.choose_levels(means)
        known = ~np.isnan(means)
        cells, which, to = self.roster.levels, order.level, order.level_to
        total = _into_cells(np.where(known, means, 0.0), which, to, cells)
        some = _into_cells(known.astype(np.float64), which, to, cells)
        return np.where(some > 0, total, np.nan)

    def frame(self) -> Frame:
        """The retained frozen bins of both arms."""
        if self._frame is None:
            notes = {**self.intake.notes, **self.roster.dropped, **_tally(self.counters)}
            self._frame = self._framing.frame(notes)
        return self._frame

    def drop_before(self, bin: int) -> None:
        """Forget the bins before `bin`; the last sample of every series stays."""
        self.roster.counts.drop_before(bin)
        self.roster.levels.drop_before(bin)
        self._framing.drop_before(bin)
        self._frame = None

    @property
    def nbytes(self) -> int:
        """Bytes of the retained bins."""
        return self.roster.counts.nbytes + self.roster.levels.nbytes + self._framing.nbytes


_SAME_START_S = 1.0
_NOBODY: frozenset[str] = frozenset()


class _Order:
    """The roster's series as index arrays; made anew when series appear."""

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


def _tell_start(pod: Pod, known: float, start: float) -> None:
    """A container of the pod is known, since `known`, to have started at `start`."""
    if not pod.told:
        pod.told, pod.started = True, start
    pod.starts.append((known, start))


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


def _into_cells(values: FloatArray, series: Ints, to: Ints, cells: Cells) -> FloatArray:
    """Values of series added up into cells, (cells, bins), in the order of `series`."""
    width = values.shape[1]
    if not len(series):
        return np.zeros((cells.count, width))
    at = (to[:, None] * width + np.arange(width)).ravel()
    flat = np.bincount(at, weights=values[series].ravel(), minlength=cells.count * width)
    return flat.astype(np.float64).reshape(cells.count, width)


def _previous(which: Ints, values: FloatArray, state: FloatArray) -> FloatArray:
    """Value before each, of the same series; the state's for the first."""
    before = np.empty_like(values)
    before[1:] = values[:-1]
    first = np.ones(len(which), np.bool_)
    first[1:] = which[1:] != which[:-1]
    before[first] = state[which[first]]
    return before


def _running(which: Ints, changed: NDArray[np.bool_], state: FloatArray) -> FloatArray:
    """Number of changes so far at each sample of each series; the state is moved on."""
    total = np.cumsum(changed.astype(np.float64))
    first = np.ones(len(which), np.bool_)
    first[1:] = which[1:] != which[:-1]
    begin = np.flatnonzero(first)
    base = np.repeat(total[begin] - changed[begin], np.diff(np.append(begin, len(which))))
    counts: FloatArray = total - base + state[which]
    last = np.append(begin[1:], len(which)) - 1
    state[which[last]] = counts[last]
    return counts


def _tally(counters: Counters) -> dict[str, int]:
    tally = counters.tally
    return {
        "births": tally.births,
        "resets": tally.resets,
        "flips": tally.flips,
        "gaps": tally.gaps,
    }


def _escaped(name: str) -> str:
    """A name as RE2 text that matches nothing else."""
    return "".join("\\" + char if char in _REGEX_SPECIAL else char for char in name)
