"""Starts of containers: as a metric tells them, else as counters that fell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.gate.intake import Samples
from detector.gate.roster import DROPPED, Pod, Roster
from detector.series import FloatArray
from models.counters import Restart

__all__ = ["Starts", "Told"]

Ints = NDArray[np.int64]
_SAME_START_S = 1.0


@dataclass(slots=True)
class Told:
    """What samples told by target: times of scrapes after a restart; (time, process start)."""

    restarts: dict[int, tuple[float, ...]] = field(default_factory=dict)
    began: dict[int, tuple[float, float]] = field(default_factory=dict)


class Starts:
    """The newest start that each start series told, and how often it changed."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._start: FloatArray = np.zeros(0)
        self._known_at: FloatArray = np.zeros(0)
        self._changes: FloatArray = np.zeros(0)
        self._served: dict[int, int] = {}
        self._entries = 0

    def take(self, samples: Samples, start: Ints, values: FloatArray) -> Told:
        """Starts that the samples tell; their `values` become the number of changes (in place).

        `start`: the number of the start series of each sample, -1 for any other.
        """
        self._grow()
        which = np.flatnonzero(start >= 0)
        number, times, told = start[which], samples.times[which], values[which].copy()
        before = _previous(number, told, self._start)
        earlier = _previous(number, times, self._known_at)
        with np.errstate(invalid="ignore"):
            changed = told > before + _SAME_START_S
        values[which] = _running(number, changed, self._changes)
        self._start[number], self._known_at[number] = told, times
        found = Told()
        for at in np.flatnonzero(changed | np.isnan(before)).tolist():
            entry = self.roster.entries[int(samples.series[which[at]])]
            time = float(times[at])
            begin = min(float(told[at]), time)
            if changed[at]:
                begin = max(begin, float(earlier[at]))
                found.restarts[entry.target] = (*found.restarts.get(entry.target, ()), time)
            else:
                found.began[entry.target] = (time, begin)
            _tell(self.roster.pods[entry.pod], time, begin)
        found.restarts.pop(DROPPED, None)
        found.began.pop(DROPPED, None)
        return found

    def _grow(self) -> None:
        more = self.roster.starts - len(self._start)
        if more > 0:
            nothing = np.full(more, np.nan)
            self._start = np.concatenate([self._start, nothing])
            self._known_at = np.concatenate([self._known_at, nothing])
            self._changes = np.concatenate([self._changes, np.zeros(more)])

    def fell(self, restarts: list[Restart]) -> None:
        """Restarts seen only as counters that fell: the pod's age begins anew."""
        for restart in restarts:
            pod = self._pod_of(restart.target)
            if pod is not None and not pod.told:
                pod.starts.append((restart.at, (restart.before + restart.at) / 2))

    def _pod_of(self, target: int) -> Pod | None:
        """The pod whose requests a target counts."""
        for entry in self.roster.entries[self._entries :]:
            if entry.family == 0:
                self._served[entry.target] = entry.pod
        self._entries = len(self.roster.entries)
        at = self._served.get(target)
        return None if at is None else self.roster.pods[at]


def _tell(pod: Pod, known: float, start: float) -> None:
    """A container of the pod is known, since `known`, to have started at `start`."""
    if not pod.told:
        pod.told, pod.started = True, start
    pod.starts.append((known, start))


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
