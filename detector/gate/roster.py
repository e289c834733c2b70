"""Who is who: every series of an attempt's families as a pod's child, classified once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from detector.gate.cells import Cells
from detector.gate.cohort import Users, group_of
from detector.gate.roles import roles_of
from detector.gate.talk import GRAVE, Talk
from detector.selector import matches
from detector.signals.plan import ArmName, Family, Plan
from detector.signals.signal import Shape, Unit
from models.counters import Counters
from models.gauges import Gauges

__all__ = ["DROPPED", "Cell", "Entry", "Pod", "Roster"]

DROPPED = -1
# Labels that tell the copies of one series apart that a highly available source keeps.
_REPLICA = ("replica", "prometheus_replica", "prometheus")
# Labels that tell what is scraped at once; for joined metrics the scraper is a mere witness.
_SCRAPED = ("instance", "job", "endpoint")
_TARGET = ("cluster", "namespace", "pod", "container")
_Key = tuple[object, ...]


@dataclass(slots=True)
class Pod:
    """A pod of an arm; `born` is its first sample of the requests family (inf before it).

    `started`: its first container start (-inf before all data, NaN unknown); `starts`: pairs of
    when a start was known and when it was, as far as later bins need them; `told`: whether a start
    time metric said so.
    """

    name: str
    arm: ArmName
    born: float = np.inf
    newest: float = -np.inf
    started: float = np.nan
    starts: list[tuple[float, float]] = field(default_factory=list)
    told: bool = False


class Cell(NamedTuple):
    """What one row of the retained bins is: counts of a family, told apart by `part`.

    `part`: for counters one flag per signal that calls the series bad; for buckets the upper
    edge; for log lines of one level its name; for clocks None.
    """

    pod: int
    family: int
    part: tuple[bool, ...] | float | str | None


class Entry(NamedTuple):
    """How a series is kept: `counter`, `gauge` or `start` number, -1 where it is none."""

    pod: int
    family: int
    target: int
    counter: int = DROPPED
    gauge: int = DROPPED
    start: int = DROPPED


class Roster:
    """Pods, targets and cells by their labels; grows as series appear."""

    def __init__(self, plan: Plan, counters: Counters, gauges: Gauges, *, first: int) -> None:
        self.plan, self.counters, self.gauges = plan, counters, gauges
        self.roles = roles_of(plan)
        self.index = {role.family: at for at, role in enumerate(self.roles)}
        self.pods: list[Pod] = []
        self.pod_at: dict[str, int] = {}
        self.entries: list[Entry] = []
        self.counts = Cells(first=first, fill=0.0)
        self.levels = Cells(first=first, fill=np.nan)
        self.cells: list[Cell] = []
        self.level_cells: list[Cell] = []
        self.histograms: dict[_Key, list[tuple[float, int]]] = {}
        self.additions: list[tuple[str, int, int]] = []
        self.gauge_of: list[tuple[str, int, int]] = []
        self.twins: dict[_Key, list[tuple[str, int]]] = {}
        self.gauge_twins: dict[_Key, list[tuple[str, int]]] = {}
        self.talk = Talk(first=first)
        self.starts = 0
        self.dropped: dict[str, int] = {}
        self.users = Users()
        self.version = 0
        self._known: list[dict[str, int]] = [{} for _ in self.roles]
        self._cell_at: dict[Cell, int] = {}
        self._level_at: dict[Cell, int] = {}
        self._targets: dict[_Key, int] = {}
        self._groups: dict[tuple[int, int], int] = {}
        # Targets of histograms, whose buckets are mostly all of a pod's series.
        self._bucketed: dict[_Key, int] = {}

    def place(self, family: int, arm: ArmName | None, labels: Mapping[str, str]) -> int:
        """Number of a series, `DROPPED` where it does not count."""
        key = _canonical(labels)
        known = self._known[family].get(key)
        if known is None:
            known = self._known[family][key] = self._admit(family, arm, labels, key)
        elif arm is ArmName.CANARY and known != DROPPED and self.plan.unit is Unit.POD:
            self._claim(self.entries[known].pod)
        return known

    def _claim(self, pod: int) -> None:
        """A pod that the canary's selector matches is never control."""
        if self.pods[pod].arm is not ArmName.CANARY:
            self.pods[pod].arm = ArmName.CANARY
            self.version += 1

    def _admit(self, family: int, arm: ArmName | None, labels: Mapping[str, str], name: str) -> int:
        told, apart = self.roles[family].family, self.roles[family].apart
        if apart and labels.get(apart):
            if labels.get("level") not in GRAVE:
                return DROPPED
            if not self.talk.admits(labels[apart]):
                return self._drop("templates_left_out")
        if any(matches(matcher, labels) for matcher in told.health):
            return self._drop("health_checks")
        pod = self._pod(told, arm, labels)
        if pod is None:
            return self._drop("no_pod")
        entry = self._entry(family, pod, labels, name)
        if entry is None:
            return self._drop("bad_buckets")
        self.version += 1
        self.entries.append(entry)
        return len(self.entries) - 1

    def _drop(self, why: str) -> int:
        self.dropped[why] = self.dropped.get(why, 0) + 1
        return DROPPED

    def _pod(self, family: Family, arm: ArmName | None, labels: Mapping[str, str]) -> int | None:
        name = labels.get(family.pod_label, "")
        for label in family.pod_fallback:
            name = name or labels.get(label, "")
        if self.plan.unit is not Unit.POD:
            name = "" if arm is None else arm.value
        elif self.plan.cohort is not None:
            name = self._group(arm, labels.get(family.pod_label, ""))
        if not name or (arm is None and name not in self.pod_at):
            return None
        if name not in self.pod_at:
            assert arm is not None
            self.pod_at[name] = len(self.pods)
            self.pods.append(Pod(name, arm))
        pod = self.pod_at[name]
        if arm is ArmName.CANARY:
            self._claim(pod)
        return pod

    def _group(self, arm: ArmName | None, user: str) -> str:
        """The group of a user; a series that names none, or no side, has no place."""
        if arm is None or not user:
            return ""
        self.users.meet(arm, user)
        return group_of(arm, user)

    def _entry(self, family: int, pod: int, labels: Mapping[str, str], name: str) -> Entry | None:
        match self.roles[family].family.shape:
            case Shape.COUNTER if self.roles[family].apart:
                return self._lines(family, pod, labels, name)
            case Shape.COUNTER:
                target = self._target(family, pod, labels)
                flags = tuple(
                    all(matches(m, labels) for m in bad) for _, bad in self.roles[family].bad
                )
                counter = self._counter(family, target, Cell(pod, family, flags), name)
                return Entry(pod, family, target, counter=counter)
            case Shape.BUCKETS:
                return self._bucket(family, pod, labels, name)
            case Shape.GAUGE:
                return self._gauge(family, pod, labels, name)
            case Shape.START_TIME:
                return self._start(family, pod, labels, name)

    def _lines(self, family: int, pod: int, labels: Mapping[str, str], name: str) -> Entry:
        """Lines of one template have cells of their own, lines of all templates one per level."""
        target = self._target(family, pod, labels)
        template, level = labels.get(self.roles[family].apart), labels.get("level", "")
        group = self._group_of(target, family, pod, name)
        counter = self.counters.add_series(group)
        if template:
            self.talk.add(name, counter, pod, template)
        else:
            part: tuple[bool, ...] | str = () if level in GRAVE else level
            self.additions.append((name, counter, self._cell(Cell(pod, family, part))))
        return Entry(pod, family, target, counter=counter)

    def _target(self, family: int, pod: int, labels: Mapping[str, str], own: str = "") -> int:
        """The target of a series; copies of it that other replicas scrape are its twins."""
        joined = self.roles[family].family.joined
        kept, scraped, replica = (
            tuple([labels.get(label, "") for label in group])
            for group in (_TARGET, _SCRAPED, _REPLICA)
        )
        one = (pod, family, own, kept) if joined else (pod, DROPPED, own, kept, scraped)
        key = (one, scraped, replica)
        beside = self.roles[family].beside
        if beside is not None:
            # In one scrape with the counter that it adds to: then its birth is its first event.
            known = self._targets.get(((pod, self.index[beside], own, kept), scraped, replica))
            if known is not None:
                return known
        target = self._targets.get(key)
        if target is None:
            target = self._targets[key] = self.counters.add_target()
            self.twins.setdefault(one, []).append((repr((scraped, replica)), target))
        return target

    def _counter(self, family: int, target: int, cell: Cell, name: str) -> int:
        counter = self.counters.add_series(self._group_of(target, family, cell.pod, name))
        self.additions.append((name, counter, self._cell(cell)))
        return counter

    def _group_of(self, target: int, family: int, pod: int, name: str) -> int:
        """The group of a family at a target; with it comes the cell of its clock."""
        group = self._groups.get((target, family))
        if group is None:
            group = self._groups[(target, family)] = self.counters.add_group(target)
            clock = self._cell(Cell(pod, family, None))
            self.additions.append((name, self.counters.clock(target), clock))
        return group

    def _cell(self, cell: Cell) -> int:
        at = self._cell_at.get(cell)
        if at is None:
            at = self._cell_at[cell] = self.counts.add()
            self.cells.append(cell)
        return at

    def _bucket(self, family: int, pod: int, labels: Mapping[str, str], name: str) -> Entry | None:
        try:
            edge = float(labels.get("le", "nan"))
        except ValueError:
            edge = np.nan
        if np.isnan(edge):
            return None
        edge *= self.roles[family].family.scale
        key = (family, pod, frozenset([pair for pair in labels.items() if pair[0] != "le"]))
        target = self._bucketed.get(key)
        if target is None:
            target = self._bucketed[key] = self._target(family, pod, labels)
        counter = self._counter(family, target, Cell(pod, family, edge), name)
        self.histograms.setdefault(key, []).append((edge, counter))
        return Entry(pod, family, target, counter=counter)

    def _gauge(self, family: int, pod: int, labels: Mapping[str, str], name: str) -> Entry:
        cell = Cell(pod, family, None)
        at = self._level_at.get(cell)
        if at is None:
            at = self._level_at[cell] = self.levels.add()
            self.level_cells.append(cell)
        gauge = self.gauges.add_series()
        self.gauge_of.append((name, gauge, at))
        hidden = {*_REPLICA, *(_SCRAPED if self.roles[family].family.joined else ())}
        rest = frozenset((k, v) for k, v in labels.items() if k not in hidden)
        self.gauge_twins.setdefault((family, pod, rest), []).append((name, gauge))
        return Entry(pod, family, DROPPED, gauge=gauge)

    def _start(self, family: int, pod: int, labels: Mapping[str, str], name: str) -> Entry:
        """A start time also counts its changes, as restarts, where a signal reads it so."""
        counter = DROPPED
        if self.roles[family].events:
            alone = self._target(family, pod, labels, own=name)
            counter = self._counter(family, alone, Cell(pod, family, ()), name)
        self.starts += 1
        target = DROPPED
        if not self.roles[family].family.joined:
            target = self._target(family, pod, labels)
        return Entry(pod, family, target, counter=counter, start=self.starts - 1)


def _canonical(labels: Mapping[str, str]) -> str:
    return "\x00".join([f"{name}\x01{value}" for name, value in sorted(labels.items())])
