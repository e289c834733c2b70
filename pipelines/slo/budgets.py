"""The error budgets of services: counted in a source, kept for a minute, unknown where it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from detector.errors import InputError, SourceError
from detector.slo.budget import Budget, budget_of, unknown_budget
from detector.slo.counts import Flaw
from detector.slo.objective import Counted, Objective
from detector.slo.policy import Spent
from detector.slo.window import span_of
from pipelines.slo.counting import counts_in

__all__ = ["CountedBudgets"]

_FRESH_S = 60.0
# Of less time than this nothing is asked: the answer would not be there.
_LEAST_S = 0.05

Counters = Callable[[Objective, float, float], Counted]


def _own(objective: Objective, as_of: float, timeout_s: float) -> Counted:
    """The counters that an objective names itself."""
    if isinstance(objective.indicator, Counted):
        return objective.indicator
    raise InputError(f"{objective.name} has no counters of its own", field="signal")


@dataclass(slots=True)
class CountedBudgets:
    """`Budgets` by what a source counted; safe for threads.

    `counters` says which counters an objective has (by moment and seconds). A budget, known or
    not, is asked for once a minute, so that a source that hangs costs its time once.
    """

    objectives: Sequence[Objective]
    source: object
    counters: Counters = _own
    monotonic: Callable[[], float] = time.monotonic
    _kept: dict[tuple[str, str, int], tuple[float, Budget]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(
        self, service: str, name: str | None, *, as_of: float, timeout_s: float
    ) -> Sequence[Spent]:
        """As the port says; `name` alone, or all of the service."""
        mine = [o for o in self.objectives if o.service == service and name in (None, o.name)]
        if not mine:
            return [Spent(name=name or service, budget=unknown_budget(Flaw.NO_OBJECTIVE))]
        until = self.monotonic() + timeout_s
        return [Spent(name=o.name, budget=self._fresh(o, as_of, until)) for o in mine]

    def _fresh(self, one: Objective, as_of: float, until: float) -> Budget:
        """What is kept of this minute, else what is counted."""
        key = (one.service, one.name, int(as_of // _FRESH_S))
        with self._lock:
            now = self.monotonic()
            self._kept = {k: v for k, v in self._kept.items() if now - v[0] < _FRESH_S}
            kept = self._kept.get(key) or self._kept.get((*key[:2], key[2] - 1))
        if kept is not None:
            return kept[1]
        left_s = until - self.monotonic()
        if left_s < _LEAST_S:
            return unknown_budget(Flaw.SOURCE_FAILED)
        budget = self._counted(one, as_of, left_s)
        with self._lock:
            self._kept[key] = (self.monotonic(), budget)
        return budget

    def _counted(self, one: Objective, as_of: float, timeout_s: float) -> Budget:
        try:
            begin, end = span_of(one.window, as_of)
            counters = self.counters(one, as_of, timeout_s)
            counts = counts_in(self.source, counters, begin, min(end, as_of), timeout_s=timeout_s)
        except (SourceError, InputError):
            return unknown_budget(Flaw.SOURCE_FAILED)
        return budget_of(counts, one.budget)
