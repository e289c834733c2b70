"""Bins of both arms as the judge sees them: canary pods as rows, the control as one reference."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.gate.frame import Arm, Frame
from detector.series import FloatArray

__all__ = [
    "LATELY_S",
    "ROWS_MAX",
    "STARVED",
    "Rows",
    "Window",
    "arrange",
    "beside",
    "starving",
    "sums_over",
    "window",
]

ROWS_MAX = 20
# A control that serves less than this share of the last five minutes' requests is starved.
STARVED, LATELY_S = 0.05, 300.0
_STABLE_AGE_S = 300.0
_LOAD_S = 120.0
_OVER = float(np.log(1.5))


class Rows:
    """Which row each canary pod is judged in: 20 of their own, later ones shared by hash."""

    def __init__(self) -> None:
        self._row: dict[str, int] = {}
        self.names: list[str] = []

    def place(self, pods: tuple[str, ...]) -> list[int]:
        """Row of each pod; new pods take the next free row, in the order given."""
        return [self._place(pod) for pod in pods]

    def _place(self, pod: str) -> int:
        row = self._row.get(pod)
        if row is None:
            row = len(self.names) if len(self.names) < ROWS_MAX else _hash(pod)
            if row == len(self.names):
                self.names.append(pod)
            self._row[pod] = row
        return row


def _hash(pod: str) -> int:
    digest = hashlib.sha256(pod.encode()).digest()
    return int.from_bytes(digest[:4], "big") % ROWS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A frame arranged for judging; every array starts with the frame's T bins.

    `step_s` and `age` are in engine seconds (divided by the policy's time scale). `requests`,
    `age`, `load` are (T, P) over canary rows, `load` being 0 before the new bins; `control` (T,)
    requests of the control set, whose members are `stable` (T, K); `effective` (T,) is how many
    pods they amount to. `lately` (T, 2) are requests of the control set and of the canary over the
    last five minutes. `starved` (T,) marks bins whose control serves under 5 % of them: 1, or more
    where the past that stands in is old.
    """

    first: int
    step_s: float
    rows: tuple[int, ...]
    count: int
    frame: Frame
    requests: FloatArray
    age: FloatArray
    load: FloatArray
    stable: FloatArray
    control: FloatArray
    effective: FloatArray
    lately: FloatArray
    starved: FloatArray

    def overloaded(self, since: int = 0) -> NDArray[np.bool_]:
        """Rows whose pods carry more than a comparable load, from bin `since` on."""
        over: NDArray[np.bool_] = self.load[since:] > _OVER
        return over

    def canary(self, values: FloatArray, since: int = 0) -> FloatArray:
        """Pod values (pods, T, ...) summed into rows, from bin `since` on: (T - since, P, ...).

        Values may leave out bins before `since`.
        """
        return arrange(values[:, since - len(self.requests) :], self.rows, self.count)

    def reference(self, values: FloatArray, since: int = 0) -> FloatArray:
        """Control pod values (K, T, ...) summed over the control set: (T - since, ...).

        Values may leave out bins before `since`.
        """
        stable = self.stable[since:].T
        mask = stable.reshape(stable.shape + (1,) * (values.ndim - 2))
        total: FloatArray = np.add.reduce(values[:, since - len(self.stable) :] * mask, axis=0)
        return total


def arrange(values: FloatArray, rows: tuple[int, ...], count: int) -> FloatArray:
    """Sum pods into rows and put time first; what is no number is nothing."""
    known = np.where(np.isnan(values), 0.0, values)
    if _each_its_own(rows, count):
        return known.swapaxes(0, 1)
    out = np.zeros((count, *values.shape[1:]))
    np.add.at(out, list(rows), known)
    return out.swapaxes(0, 1)


def _each_its_own(rows: tuple[int, ...], count: int) -> bool:
    """Whether every pod has a row to itself, in order."""
    return rows == tuple(range(count))


def window(
    frame: Frame, rows: Rows, time_scale: float, *, pods_told_apart: bool, new: int = 0
) -> Window:
    """Arrange a frame; `pods_told_apart` False where series stand for a workload or a proxy.

    Bins before `new` are only looked back on.
    """
    placed = tuple(rows.place(frame.canary.pods))
    count = len(rows.names)
    step_s = frame.step / time_scale
    requests = arrange(frame.canary.requests, placed, count)
    each = requests
    if not _each_its_own(placed, count):
        serving = arrange((frame.canary.requests > 0).astype(np.float64), placed, count)
        each = requests / np.maximum(serving, 1.0)
    stable = _stable(frame.control, time_scale)
    members = frame.control.requests.T * stable
    control = np.add.reduce(members, axis=1)
    lately = sums_over(beside(control, np.add.reduce(requests, axis=1)), LATELY_S, step_s)
    return Window(
        first=frame.first,
        step_s=step_s,
        rows=placed,
        count=count,
        frame=frame,
        requests=requests,
        age=_youngest(frame.canary, placed, count) / time_scale,
        load=_load(each, frame, stable, step_s, new, compare=pods_told_apart),
        stable=stable,
        control=control,
        effective=_effective(members, step_s) if pods_told_apart else np.ones(len(control)),
        lately=lately,
        starved=starving(lately).astype(np.float64),
    )


def _stable(control: Arm, time_scale: float) -> FloatArray:
    """Membership of the control set (T, K): settled pods if they serve half of it, else all."""
    old = (_STABLE_AGE_S * time_scale <= control.age.T).astype(np.float64)
    requests = control.requests.T
    settled, every = np.add.reduce(requests * old, axis=1), np.add.reduce(requests, axis=1)
    enough = settled >= 0.5 * every
    chosen: FloatArray = np.where(enough[:, None], old, 1.0)
    return chosen


def _youngest(canary: Arm, rows: tuple[int, ...], count: int) -> FloatArray:
    """Age of the youngest pod of each row, NaN before the first: (T, P)."""
    if _each_its_own(rows, count):
        return canary.age.T
    ages = np.full((count, canary.age.shape[1]), np.inf)
    np.minimum.at(ages, list(rows), np.where(np.isnan(canary.age), np.inf, canary.age))
    born = np.zeros_like(ages)
    np.add.at(born, list(rows), ~np.isnan(canary.age))
    return np.where(born > 0, ages, np.nan).T


def _bins(seconds: float, step_s: float) -> int:
    return max(2, round(seconds / step_s))


def sums_over(values: FloatArray, seconds: float, step_s: float) -> FloatArray:
    """Trailing sums over `seconds` (at least two bins), time first, same shape."""
    width = _bins(seconds, step_s)
    sums: FloatArray = values.cumsum(axis=0)
    sums[width:] -= sums[:-width]
    return sums


def _load(
    requests: FloatArray,
    frame: Frame,
    stable: FloatArray,
    step_s: float,
    new: int,
    *,
    compare: bool,
) -> FloatArray:
    """Log load ratio of a pod of each canary row to the median control pod, (T, P).

    0 where unknown, and before bin `new`.
    """
    load = np.zeros_like(requests)
    if not compare or not frame.control.pods:
        return load
    back = max(0, new - _bins(_LOAD_S, step_s))
    ours, theirs = requests[back:], frame.control.requests.T[back:]
    lately, usual = (sums_over(n, _LOAD_S, step_s)[new - back :] for n in (ours, theirs))
    ours, theirs, stable = requests[new:], theirs[new - back :], stable[new:]
    slow = _log_ratio(lately, usual, stable)
    fast = _log_ratio(ours, theirs, stable) - 2 / np.sqrt(np.maximum(ours, 1.0))
    load[new:] = np.where(ours > 0, np.maximum(slow, fast), slow)
    return load


def _log_ratio(ours: FloatArray, theirs: FloatArray, stable: FloatArray) -> FloatArray:
    masked = np.where((stable > 0) & (theirs > 0), theirs, np.nan)
    middle = _middle(masked)
    known = (ours > 0) & ~np.isnan(middle)[:, None]
    ratio = np.where(known, ours, 1.0) / np.where(known, middle[:, None], 1.0)
    logs: FloatArray = np.log(ratio)
    return logs


def _middle(values: FloatArray) -> FloatArray:
    """Median of each row's numbers, NaN where it has none; `nanmedian` takes ten times as long."""
    ordered = np.sort(values, axis=1)
    count = values.shape[1] - np.isnan(values).sum(axis=1)
    rows = np.arange(len(values))
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, count // 2]
    middle: FloatArray = (low + high) / 2
    return middle


def _effective(members: FloatArray, step_s: float) -> FloatArray:
    """(sum n)^2 / sum n^2 of the last 5 min, whole pods, at least 1."""
    recent = sums_over(members, LATELY_S, step_s)
    square = np.add.reduce(recent**2, axis=1)
    pods = np.add.reduce(recent, axis=1) ** 2 / np.maximum(square, 1e-12)
    whole: FloatArray = np.maximum(np.floor(pods + 1e-6), 1.0)
    return whole


def beside(*columns: FloatArray) -> FloatArray:
    """Columns (T,) side by side, (T, columns)."""
    both = np.empty((len(columns[0]), len(columns)))
    for at, column in enumerate(columns):
        both[:, at] = column
    return both


def starving(served: FloatArray) -> NDArray[np.bool_]:
    """Where the control, the first column, serves too little of what both arms do."""
    ours, theirs = served[:, 0], served[:, 1]
    under: NDArray[np.bool_] = (theirs > 0) & (ours < STARVED * (ours + theirs))
    return under
