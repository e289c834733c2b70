"""Rollouts of every kind to simulate: what serves when, and what there is to compare with.

`staged(seed, kind, fault)` gives a rollout of `rollout.py` whose pods and weights are those of the
kind, with the weeks before it and the services beside it (`longpast.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.random import Generator

from bench.gate.cohorts import cohorts
from bench.gate.longpast import (
    LONG_S,
    STEP_S,
    Drift,
    World,
    drifting,
    elsewhere,
    rushing,
    weeks_before,
)
from bench.gate.rates import expected
from bench.gate.rollout import HISTORY_S, Fault, Nuisance, Pod, Rollout, Span, draw
from bench.gate.samples import fill

__all__ = ["Design", "Staged", "staged"]

_LENGTH_S = 1500.0
_CALM = (Nuisance.NONE, Nuisance.COLD, Nuisance.WAVES, Nuisance.PAUSES, Nuisance.GAPS)
_LETTERS = list("bcdfghjklmnpqrstvwxz2456789")
_BESIDE = ("cart", "search", "billing")
OLD, NEW = "5d8b7f9c6", "7c9d4f6b8"


class Design(StrEnum):
    """Kinds of rollouts without a control that serves beside the canary, or with a weak one."""

    BLUE_GREEN = "blue/green"
    RECREATE = "recreate"
    ROLLING = "no router"
    FIRST = "first deployment"
    ROLLBACK = "rollback"
    COHORTS = "cohorts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """One rollout on its stage. `since`: seconds from which the canary serves users."""

    seed: int
    design: Design
    rollout: Rollout
    drift: Drift
    since: float
    shaken: tuple[float, float]
    silent: bool = False

    def world(self) -> World:
        """All samples."""
        rng = np.random.default_rng([self.seed, 79])
        if self.design is Design.COHORTS:
            return cohorts(rng, self.rollout, silent=self.silent)
        counters = []
        if self.design is not Design.FIRST:
            counters += weeks_before(rng, self.rollout, self.drift)
        for name in _BESIDE:
            drift = drifting(rng, self.rollout.length)
            counters += elsewhere(rng, self.rollout, name, drift, self.shaken)
        return World(fill(self.rollout, expected(self.rollout)), counters)


def staged(
    seed: int,
    design: Design,
    fault: Fault | None,
    *,
    silent: bool = False,
    incident: bool = False,
    rush: bool = False,
) -> Staged:
    """One rollout of a kind; `silent`: its canary is never sent a request.

    `incident`: the whole cluster fails and slows when the users come to the canary. `rush`: the
    service does so, less, at this time of each working day.
    """
    rng = np.random.default_rng([seed, 80, list(Design).index(design)])
    base = draw(seed, fault, nuisance=Nuisance(rng.choice([n.value for n in _CALM])))
    drift = drifting(rng, _LENGTH_S)
    stable = int(rng.choice([3, 4, 6, 8, 10]))
    plan = _plan(rng, design, stable, base)
    rollout = replace(
        base,
        length=_LENGTH_S,
        pods=plan.pods,
        steps=((0.0, 0.0),) if silent else plan.steps,
        ramp=(0.0, 1.0, 1.0),
        gaps=() if incident else tuple(g for g in base.gaps if g.pod < 0),
        bursts=(),
        fault_at=0.0,
        fault_pod=-1,
        told=False,
    )
    if design is Design.FIRST:
        rollout = replace(rollout, error_rate=float(rng.choice([1e-5, 1e-4, 3e-4])))
    if rush:
        size = float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.15, 0.35))
        drift = rushing(drift, _LENGTH_S, plan.since, size)
    rollout = _drifted(rollout, drift)
    shaken = (0.0, 0.0)
    if incident:
        shaken = (float(rng.uniform(1.5, 3.0)), float(rng.uniform(0.3, 0.8)))
        rollout = _shaken(rollout, plan.since, shaken)
    return Staged(
        seed=seed,
        design=design,
        rollout=rollout,
        drift=drift,
        since=plan.since,
        shaken=shaken,
        silent=silent,
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    pods: tuple[Pod, ...]
    steps: tuple[tuple[float, float], ...]
    since: float


def _plan(rng: Generator, design: Design, stable: int, base: Rollout) -> _Plan:
    """Births, deaths and weights of a kind."""
    forever = _LENGTH_S + 3600.0
    old = [-HISTORY_S - float(rng.uniform(600, 86_400)) for _ in range(stable)]
    sds = (base.tau_latency, base.tau_errors)
    match design:
        case Design.BLUE_GREEN | Design.ROLLBACK:
            switch = float(rng.uniform(120, 420))
            smoke = float(rng.choice([0.0, 0.01, 0.03]))
            gone = forever if rng.random() < 0.5 else switch + 30.0
            pods = _made(rng, OLD, [(b, gone) for b in old], sds, canary=False)
            fresh = [(-float(rng.uniform(5, 60)), forever) for _ in range(stable)]
            pods += _made(rng, NEW, fresh, sds, canary=True)
            return _Plan(pods, ((0.0, smoke), (switch, 1.0)), switch)
        case Design.RECREATE:
            pods = _made(rng, OLD, [(b, 1.0) for b in old], sds, canary=False)
            fresh = [(float(rng.uniform(2, 20)), forever) for _ in range(stable)]
            pods += _made(rng, NEW, fresh, sds, canary=True)
            return _Plan(pods, ((0.0, 1.0),), 20.0)
        case Design.ROLLING:
            return _rolling(rng, stable, old, sds, forever)
        case Design.FIRST | Design.COHORTS:
            fresh = [(-float(rng.uniform(5, 60)), forever) for _ in range(stable)]
            return _Plan(_made(rng, NEW, fresh, sds, canary=True), ((0.0, 1.0),), 0.0)


def _rolling(
    rng: Generator, stable: int, old: Sequence[float], sds: tuple[float, float], forever: float
) -> _Plan:
    """One pod after the other; the share is that of the pods."""
    each = float(rng.uniform(15, 60))
    at = [each * k for k in range(stable)]
    lives = [(b, t + 10.0) for b, t in zip(old, at, strict=True)]
    pods = _made(rng, OLD, lives, sds, canary=False)
    pods += _made(rng, NEW, [(t - 20.0, forever) for t in at], sds, canary=True)
    steps = tuple((t, (k + 1) / stable) for k, t in enumerate(at))
    return _Plan(pods, steps, at[-1])


def _made(
    rng: Generator,
    revision: str,
    lives: Sequence[tuple[float, float]],
    sds: tuple[float, float],
    *,
    canary: bool,
) -> tuple[Pod, ...]:
    return tuple(
        Pod(
            name=f"shop-{revision}-{''.join(rng.choice(_LETTERS, 5))}",
            canary=canary,
            starts=(birth,),
            death=death,
            latency=float(rng.normal(0, sds[0])),
            errors=float(rng.normal(0, sds[1])),
            cpu=0.0,
            share=float(rng.lognormal(0, 0.05)),
            warm=float(rng.uniform(0.7, 1.3)),
        )
        for birth, death in lives
    )


def _drifted(rollout: Rollout, drift: Drift) -> Rollout:
    """With the drift of the service in the two hours before and since."""
    grid = np.arange(-LONG_S, rollout.length + STEP_S, STEP_S)
    near = np.flatnonzero(grid >= -HISTORY_S)
    latency = [Span(float(grid[k]), float(grid[k] + STEP_S), float(drift.latency[k])) for k in near]
    errors = [
        Span(
            float(grid[k]),
            float(grid[k] + STEP_S),
            float(rollout.error_rate * np.expm1(drift.errors[k])),
        )
        for k in near
    ]
    return replace(
        rollout,
        incidents_latency=(*rollout.incidents_latency, *latency),
        incidents_errors=(*rollout.incidents_errors, *errors),
    )


def _shaken(rollout: Rollout, since: float, size: tuple[float, float]) -> Rollout:
    """With an incident of the cluster from `since` on."""
    more = float(rollout.error_rate * np.expm1(size[0]))
    return replace(
        rollout,
        incidents_errors=(*rollout.incidents_errors, Span(since, rollout.length, more)),
        incidents_latency=(*rollout.incidents_latency, Span(since, rollout.length, size[1])),
    )
