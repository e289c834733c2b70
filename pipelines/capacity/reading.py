"""Reads resources from a source: which there are, what they used, their limits and their loads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from detector.capacity.packs.schema import Fold
from detector.capacity.report import LeftOut
from detector.capacity.resource import Resource
from detector.errors import SourceError
from detector.series import FloatArray
from pipelines.capacity.building import Measurements, named_of, resource_of
from pipelines.capacity.choosing import Candidate, chosen_of, is_meant, matched
from pipelines.capacity.grid import Grid, Labels, folded, grid_of, rows_of, whole
from pipelines.capacity.ranges import Ranges
from pipelines.capacity.remembering import Remembered
from pipelines.capacity.wanted import Sought, Wanted, sought

__all__ = ["Changed", "Names", "Read", "Reading", "unchanged"]

# A query of 90 days in chunks; and a list of names.
_QUERY_S, _NAMES_S = 120.0, 30.0

Changed = Callable[[str, str, int, int], Sequence[int]]
"""When a service of a namespace was changed, between two unix ms."""


class Names(Protocol):
    """What knows the names of all metrics of a source."""

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """Names of all metrics that the source knows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read at `as_of` (unix seconds), and what was not, with the reasons.

    `owners`: services and teams of all that there is, wanted or not.
    """

    as_of: float
    resources: tuple[Resource, ...]
    left_out: tuple[LeftOut, ...]
    owners: frozenset[tuple[str, str]] = frozenset()


def unchanged(_service: str, _namespace: str, _since: int, _until: int) -> Sequence[int]:
    """Where nobody tells of changes."""
    return ()


@dataclass(slots=True)
class Reading:
    """Reads what is wanted again and again, of which only the newest each time; of one thread."""

    ranges: Ranges
    names: Names
    wanted: Wanted
    changed: Changed = unchanged
    monotonic: Callable[[], float] = time.monotonic
    _remembered: Remembered = field(init=False)
    _until: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._remembered = Remembered(self.ranges)

    def read(self, as_of: float, *, timeout_s: float) -> Read:
        """All resources as of a moment; `SourceError` where the source answers nothing."""
        self._until = self.monotonic() + timeout_s
        grid = grid_of(as_of, self.wanted.days)
        metrics = self.names.metrics(timeout_s=min(_NAMES_S, timeout_s))
        kinds = sought(self.wanted, metrics)
        found, failed = self._candidates(kinds, grid)
        if kinds and len(failed) == len(kinds):
            raise failed[0][1]
        left = [LeftOut(name=one.name, why=str(error)) for one, error in failed]
        named = [named_of(one.sought, one.labels, self.wanted) for one in found]
        mine = [one for one, who in zip(found, named, strict=True) if self.wanted.concerns(who)]
        chosen, beyond = chosen_of(mine, self.wanted.most)
        resources: list[Resource] = []
        for one in kinds:
            its = frozenset(each.labels for each in chosen if each.sought is one)
            if not its:
                continue
            try:
                resources += self._resources(one, its, grid)
            except SourceError as error:
                left.append(LeftOut(name=one.name, why=str(error)))
        self._remembered.forget(frozenset(q for one in kinds for q in _queries(one, grid)))
        return Read(
            as_of=as_of,
            resources=tuple(resources),
            left_out=(*left, *beyond),
            owners=frozenset((who["service"], who["team"]) for who in named),
        )

    def _candidates(
        self, kinds: Sequence[Sought], grid: Grid
    ) -> tuple[list[Candidate], list[tuple[Sought, SourceError]]]:
        """What there is now, and which kinds could not be asked for."""
        found: list[Candidate] = []
        failed: list[tuple[Sought, SourceError]] = []
        for one in kinds:
            try:
                found += self._now(one, grid)
            except SourceError as error:
                failed.append((one, error))
        return found, failed

    def _now(self, one: Sought, grid: Grid) -> list[Candidate]:
        last = Grid(end=grid.end, step_s=grid.step_s, count=1)
        used = self._asked(folded(one.measured.usage, one.measured.hour, grid.step_s), last)
        limits = one.limit if not isinstance(one.limit, str) else self._asked(one.limit, last)
        where = self.wanted.where if one.own is None else ()
        return [
            Candidate(sought=one, labels=labels, used=float(row[0]), limit=_limit(limits, labels))
            for labels, row in used.items()
            if np.isfinite(row[0]) and is_meant(labels, where)
        ]

    def _asked(self, query: str, grid: Grid) -> dict[Labels, FloatArray]:
        """What a query says now."""
        answer = self.ranges.ranged(
            query, grid.end, grid.end, step_s=float(grid.step_s), timeout_s=self._left_s()
        )
        return rows_of(whole(answer), grid)

    def _resources(self, one: Sought, mine: frozenset[Labels], grid: Grid) -> list[Resource]:
        """Those of one kind; without its limit none is told of: it would look endless."""
        usage = self._rows(folded(one.measured.usage, one.measured.hour, grid.step_s), mine, grid)
        limit = self._amounts(one.limit, mine, grid)
        requested = self._amounts(one.requested, mine, grid)
        replicas = (
            {} if one.measured.replicas is None else self._counted(one.measured.replicas, grid)
        )
        driver, driver_name = self._driver(one, mine, grid)
        built = []
        for labels in sorted(mine & usage.keys(), key=sorted):
            read = Measurements(
                usage=usage[labels],
                limit=limit if not isinstance(limit, dict) else matched(limit, labels),
                requested=requested
                if not isinstance(requested, dict)
                else matched(requested, labels),
                driver=matched(driver, labels),
                driver_name=driver_name,
                replicas=_replicas(matched(replicas, labels)),
            )
            built.append(self._built(one, labels, read, grid))
        return built

    def _built(self, one: Sought, labels: Labels, read: Measurements, grid: Grid) -> Resource:
        told = dict(labels)
        service = next((told[name] for name in one.service if told.get(name)), "")
        namespace = next((told[name] for name in one.namespace if told.get(name)), "")
        if one.own is not None:
            service, namespace = one.own.service, one.own.namespace
        changes: Sequence[int] = ()
        if service:
            changes = self.changed(service, namespace, 1000 * grid.start, 1000 * grid.end)
        return resource_of(one, labels, read, grid=grid, wanted=self.wanted, changes=changes)

    def _amounts(
        self, amount: str | float | None, mine: frozenset[Labels], grid: Grid
    ) -> dict[Labels, FloatArray] | float | None:
        """A limit as it is at the end of each bin, or the number that it is."""
        return self._rows(amount, mine, grid) if isinstance(amount, str) else amount

    def _driver(
        self, one: Sought, mine: frozenset[Labels], grid: Grid
    ) -> tuple[dict[Labels, FloatArray], str]:
        """The first load that the resources have; one that cannot be read is none."""
        for driver in one.drivers:
            query = folded(driver.query, Fold.MEAN, grid.step_s)
            try:
                rows = self._rows(query, mine, grid)
            except SourceError:
                continue
            if any(matched(rows, labels) is not None for labels in mine):
                return rows, driver.name
        return {}, ""

    def _rows(self, query: str, mine: frozenset[Labels], grid: Grid) -> dict[Labels, FloatArray]:
        return self._remembered.rows(
            query,
            grid,
            chosen=mine,
            keep=lambda labels: labels in mine or any(labels <= each for each in mine),
            timeout_s=self._left_s(),
        )

    def _counted(self, query: str, grid: Grid) -> dict[Labels, FloatArray]:
        """How many are alike now; where it cannot be read, one."""
        try:
            return self._asked(query, Grid(end=grid.end, step_s=grid.step_s, count=1))
        except SourceError:
            return {}

    def _left_s(self) -> float:
        left = self._until - self.monotonic()
        if left <= 0:
            raise SourceError("the time to read resources is over; `capacity.read_s` is longer")
        return min(_QUERY_S, left)


def _limit(limits: dict[Labels, FloatArray] | float | None, labels: Labels) -> float | None:
    if not isinstance(limits, dict):
        return limits
    row = matched(limits, labels)
    return None if row is None or not row[-1] > 0 else float(row[-1])


def _replicas(row: FloatArray | None) -> int:
    return 1 if row is None or not row[-1] >= 1 else round(float(row[-1]))


def _queries(one: Sought, grid: Grid) -> list[str]:
    """All that is remembered of a kind."""
    said = [folded(one.measured.usage, one.measured.hour, grid.step_s)]
    said += [query for query in (one.limit, one.requested) if isinstance(query, str)]
    return said + [folded(driver.query, Fold.MEAN, grid.step_s) for driver in one.drivers]
