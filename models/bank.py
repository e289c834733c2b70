"""What is kept of counters between batches: a few numbers per series, group and target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.growing import Floats, Ints, grown

__all__ = ["RECENT", "Bank", "Restart", "Tally"]

# Good intervals that tell the recent rate.
RECENT = 12
_GAP_INTERVALS = 4.0


@dataclass(slots=True)
class Tally:
    """How often each thing happened, in scrapes of a target."""

    births: int = 0
    resets: int = 0
    flips: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class Restart:
    """A target restarted between two scrapes (`before` is -inf at its first)."""

    target: int
    before: float
    at: float


class Bank:
    """State of many counters.

    Per series: its target and group (-1 for a clock), time and raw value of the newest sample,
    `since` the first one, the offset of its cleaned cumulative, and, from before a flip, `high` the
    value and `former` the offset. Per target: `row` the newest scrape, `flip` the newest flip,
    rings of recent intervals (`spans`) and of those that counted (`good`), its clock. Per group:
    `grown` in the good intervals, `reset` the newest restart.
    """

    def __init__(self, *, step: float, gap: float) -> None:
        self.step, self.gap, self.wary = step, gap, RECENT * step
        self.tally = Tally()
        self.restarts: list[Restart] = []
        self.count = self.targets = self.groups = 0
        self.target_of: Ints = np.zeros(0, np.int64)
        self.group_of: Ints = np.zeros(0, np.int64)
        self.time: Floats = np.zeros(0)
        self.since: Floats = np.zeros(0)
        self.value: Floats = np.zeros(0)
        self.offset: Floats = np.zeros(0)
        self.high: Floats = np.zeros(0)
        self.former: Floats = np.zeros(0)
        self.row: Floats = np.zeros(0)
        self.flip: Floats = np.zeros(0)
        self.spans: Floats = np.zeros((0, RECENT))
        self.good: Floats = np.zeros((0, RECENT))
        self.clock: Ints = np.zeros(0, np.int64)
        self.groups_of: list[Ints] = []
        self.group_target: Ints = np.zeros(0, np.int64)
        self.grown: Floats = np.zeros((0, RECENT))
        self.reset: Floats = np.zeros(0)
        # The newest of all targets and groups: most batches need look at no other.
        self.last_flip = self.last_reset = -np.inf

    def add_target(self) -> int:
        """A new target with its clock."""
        target = self.targets
        self.targets += 1
        if self.targets > len(self.row):
            self._reserve_targets(max(16, 2 * self.targets))
        self.groups_of.append(np.zeros(0, np.int64))
        self.clock[target] = self.add(target, -1)
        return target

    def add_group(self, target: int) -> int:
        """A new group of a target."""
        group = self.groups
        self.groups += 1
        if self.groups > len(self.reset):
            self._reserve_groups(max(16, 2 * self.groups))
        self.groups_of[target] = np.array([*self.groups_of[target].tolist(), group], np.int64)
        self.group_target[group] = target
        return group

    def add(self, target: int, group: int) -> int:
        """A new series."""
        series = self.count
        self.count += 1
        if self.count > len(self.time):
            self._reserve_series(max(64, 2 * self.count))
        self.target_of[series], self.group_of[series] = target, group
        return series

    def _reserve_targets(self, size: int) -> None:
        self.row = grown(self.row, size, -np.inf)
        self.flip = grown(self.flip, size, -np.inf)
        self.spans = grown(self.spans, size, np.nan)
        self.good = grown(self.good, size, 0.0)
        self.clock = grown(self.clock, size, -1)

    def _reserve_groups(self, size: int) -> None:
        self.group_target = grown(self.group_target, size, 0)
        self.grown = grown(self.grown, size, 0.0)
        self.reset = grown(self.reset, size, -np.inf)

    def _reserve_series(self, size: int) -> None:
        self.target_of = grown(self.target_of, size, 0)
        self.group_of = grown(self.group_of, size, 0)
        self.time = grown(self.time, size, -np.inf)
        self.since = grown(self.since, size, np.inf)
        self.value = grown(self.value, size, 0.0)
        self.offset = grown(self.offset, size, 0.0)
        self.high = grown(self.high, size, np.inf)
        self.former = grown(self.former, size, 0.0)

    def interval(self, targets: list[int], default: float) -> float:
        """Median time between scrapes of some targets, lately."""
        spans = self.spans[targets]
        known = np.sort(spans[~np.isnan(spans)])
        count = len(known)
        return float((known[(count - 1) // 2] + known[count // 2]) / 2) if count else default

    def limit(self, target: int) -> float:
        """Longest interval of a target that is still spread, seconds."""
        return max(self.gap, _GAP_INTERVALS * self.interval([target], 0.0))
