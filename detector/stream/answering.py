"""What the stream tells a gate of a service: its half hours, by the series that signals are of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.discovery.matching import fits
from detector.gate.course import TOLD, WIDTH_S, Course, Streamed, course, untold
from detector.gate.memory import scope_of
from detector.series import FloatArray, Matcher
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind
from detector.stream.columns import SeriesInfo
from detector.stream.counting import Cell, Part
from detector.stream.ports import SeriesNames
from detector.stream.tallies import WIDTH_MS, Tallies

__all__ = ["streamed"]

# How far the newest half hour may lie back: a stream that is behind knows less than the source.
_BEHIND_S = 3600.0
_BOTH = frozenset({Part.GOOD, Part.BAD})


class _UntoldError(Exception):
    """Why a signal is not told."""


def streamed(
    tallies: Tallies, series: SeriesNames | Sequence[SeriesInfo], plan: Plan, *, until: float
) -> Streamed:
    """The half hours that ended by `until` (unix seconds), of each signal that a past can tell.

    A signal is told where the stream counts the very series that the plan reads, over all pods;
    `series` are those of the tenant by their ids.
    """
    behind = until - tallies.block * WIDTH_MS / 1000
    if tallies.first == tallies.block:
        return untold(plan, "it has not counted a whole half hour yet")
    if behind > _BEHIND_S:
        return untold(plan, f"it is {behind / 60:.0f} minutes behind")
    return _Telling(tallies=tallies, series=series, plan=plan, until_ms=round(until * 1000)).all()


@dataclass(slots=True, kw_only=True)
class _Telling:
    tallies: Tallies
    series: SeriesNames | Sequence[SeriesInfo]
    plan: Plan
    until_ms: int
    first: int = 0
    courses: list[Course] = field(default_factory=list)
    known: dict[Family, int] = field(default_factory=dict)

    def all(self) -> Streamed:
        signals: dict[str, int] = {}
        why: dict[str, str] = {}
        for bound in self.plan.signals:
            if bound.signal.kind not in TOLD:
                continue
            try:
                signals[bound.signal.name] = self._place(bound)
            except _UntoldError as error:
                why[bound.signal.name] = str(error)
        return Streamed(first=self.first, courses=tuple(self.courses), signals=signals, why=why)

    def _place(self, bound: BoundSignal) -> int:
        """Where the course of a signal is; those of one histogram share theirs."""
        if bound.signal.kind is Kind.RATIO:
            self.courses.append(self._ratio(bound))
            return len(self.courses) - 1
        if bound.total not in self.known:
            self.courses.append(self._latency(bound.total))
            self.known[bound.total] = len(self.courses) - 1
        return self.known[bound.total]

    def _ratio(self, bound: BoundSignal) -> Course:
        cells = self._cells(bound.total)
        total = [n for cell, n in cells.items() if cell.part in _BOTH]
        if bound.bad_in is None:
            self._check_bad(bound.total, bound.bad, cells)
            bad = [n for cell, n in cells.items() if cell.part is Part.BAD]
        else:
            bad = [n for cell, n in cells.items() if cell.part is Part.APART]
        if not total:
            raise _UntoldError("it counts none of its requests")
        return course(np.stack([self._sum(total), self._sum(bad)], axis=1))

    def _latency(self, family: Family) -> Course:
        below: dict[float, list[int]] = {}
        for cell, number in self._cells(family).items():
            below.setdefault(_edge(cell.edge) * family.scale, []).append(number)
        edges = tuple(sorted(edge for edge in below if not math.isnan(edge)))
        if not edges or edges[-1] != math.inf:
            raise _UntoldError("it counts none of its durations")
        return course(np.stack([self._sum(below[edge]) for edge in edges], axis=1), edges)

    def _sum(self, numbers: Sequence[int]) -> FloatArray:
        self.first, blocks = self.tallies.past(numbers, self.until_ms)
        total: FloatArray = blocks.astype(np.float64).sum(axis=1)
        return total

    def _cells(self, family: Family) -> dict[Cell, int]:
        """The cells of the service by a metric; all that is in them is read by the plan."""
        if family.joined:
            raise _UntoldError(f"{family.metric} does not name the service")
        wanted = (*family.matchers, *scope_of(self.plan))
        if not wanted:
            raise _UntoldError("nothing names the service in all of its series")
        groups: dict[tuple[str, ...], list[Cell]] = {}
        for cell in self.tallies.cells:
            if cell.metric == family.metric:
                groups.setdefault(cell.group, []).append(cell)
        found: dict[Cell, int] = {}
        for cells in groups.values():
            numbers = {cell: self.tallies.cells[cell] for cell in cells}
            if self._is_read(frozenset(numbers.values()), wanted):
                found |= numbers
        if not found:
            raise _UntoldError(f"no {family.metric} of the service is pushed to it")
        return found

    def _is_read(self, numbers: frozenset[int], wanted: Sequence[Matcher]) -> bool:
        """Whether a group's series are what the plan reads: all, or none of them."""
        read = {fits(wanted, labels) for _, labels in self._members(numbers)}
        if read == {True, False}:
            raise _UntoldError("it counts other series of the service as well")
        return read == {True}

    def _members(self, numbers: frozenset[int]) -> Iterator[tuple[int, dict[str, str]]]:
        own = self.tallies.members
        for member, series in enumerate(own.series):
            number = int(own.cell[member])
            if number in numbers:
                yield number, dict(self.series[series].labels)

    def _check_bad(self, family: Family, bad: Sequence[Matcher], cells: dict[Cell, int]) -> None:
        """What the stream took for failures is what the plan takes for them."""
        failed = {number for cell, number in cells.items() if cell.part is Part.BAD}
        for number, labels in self._members(frozenset(cells.values())):
            if (number in failed) != fits(bad, labels):
                raise _UntoldError(f"it tells failures of {family.metric} by another label")


def _edge(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


assert WIDTH_S * 1000 == WIDTH_MS
