"""One rollout of a world: who served what, and the truth about every series that tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from bench.gate.worlds import World
from detector.series import FloatArray

__all__ = [
    "CANARY",
    "CONTROL",
    "LENGTH_S",
    "NOBODY",
    "Fault",
    "Labels",
    "Scene",
    "Series",
    "Traffic",
]

CANARY, CONTROL, NOBODY = "canary", "control", "nobody"
Labels = dict[str, str]

STEP_S, HISTORY_S, LENGTH_S = 30.0, 3600.0, 1500.0
_RPS, _ERRORS = 30.0, 0.004
_SHAPE = 2.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with the canary; `silent`: it serves nobody but probes."""

    name: str
    errors: float = _ERRORS
    slower: float = 1.0
    restarts: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series with the truth about it: whose it is, and what it counts of theirs.

    `role`: `good`, `bad`, `bucket`, `count`, `sum`, a signal's name, or empty for a distractor.
    """

    labels: Labels
    times: FloatArray
    values: FloatArray
    arm: str = NOBODY
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What was served at the times of its scrapes, cumulative."""

    arm: str
    times: FloatArray
    good: FloatArray
    failed: FloatArray
    slower: float
    median_s: float

    @property
    def count(self) -> int:
        return len(self.times)

    def below(self, edge: float, bad: bool | None) -> FloatArray:
        """Requests that took at most `edge` seconds: the good, the failed, or (None) both."""
        total = {True: self.failed, False: self.good, None: self.good + self.failed}[bad]
        if np.isinf(edge):
            return total
        share = 1 / (1 + (max(edge, 1e-9) / (self.median_s * self.slower)) ** -_SHAPE)
        below: FloatArray = np.floor(total * share)
        return below


@dataclass(slots=True)
class Scene:
    """One rollout in a namespace of its own, from an hour before its `start` (unix seconds)."""

    world: World
    fault: Fault
    namespace: str
    start: float
    rng: Generator
    series: list[Series] = field(default_factory=list)

    def told(self, where: Mapping[str, str]) -> dict[str, str]:
        """Patterns with the namespace of the rollout in place of that of the golden texts."""
        return {label: text.replace("shop", self.namespace) for label, text in where.items()}

    def served(self, arm: str, pods: float = 1.0) -> Traffic:
        """The traffic of some pods of an arm; a canary begins with the rollout."""
        is_new = arm == CANARY
        begin = self.start if is_new else self.start - HISTORY_S
        end = self.start + LENGTH_S
        times = np.arange(begin + self.rng.uniform(0, STEP_S), end, STEP_S).round(3)
        requests = self.rng.poisson(_RPS * pods * STEP_S, len(times))
        failed = self.rng.binomial(requests, self.fault.errors if is_new else _ERRORS)
        return Traffic(
            arm=arm,
            times=times,
            good=np.cumsum(requests - failed).astype(float),
            failed=np.cumsum(failed).astype(float),
            slower=self.fault.slower if is_new else 1.0,
            median_s=self.world.median_s,
        )
