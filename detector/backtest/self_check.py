"""From the courses of placebos to the self-check of a service."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from detector.backtest.course import Course
from detector.gate.aa import (
    ENOUGH,
    TOLERATED,
    AaKind,
    AaResult,
    AaSignal,
    PlaceboKind,
    Scope,
    Tally,
)
from detector.gate.policy import Policy
from detector.gate.promotion import ADVISORY
from detector.gate.version import ENGINE

__all__ = ["Judged", "aa_result", "raised"]

_NEAR = math.log(0.1)
_LIGHT, _HEAVY = 0.67, 1.5
_QUANTILE = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A placebo that was judged to its end."""

    kind: PlaceboKind
    course: Course


def aa_result(judged: Sequence[Judged], *, scope: Scope, policy: Policy, at: float) -> AaResult:
    """The self-check; what could not be judged is left out.

    `policy` is the one that rollouts of the service are judged by. A signal that is only on trial
    counts for its own certificate, not as a false alarm.
    """
    used = [one for one in judged if one.course.is_judged and one.course.closest]
    names = sorted({name for one in used for name in one.course.closest})
    counted = frozenset(name for name in names if _is_judged(name, policy))
    starts = [one.course.rollout.start for one in used] or [at]
    return AaResult(
        scope=scope,
        at=at,
        since=min(starts),
        until=max(starts),
        policy=policy.digest,
        engine=ENGINE,
        kinds=tuple(_kind(kind, used, counted) for kind in PlaceboKind),
        signals=tuple(_signal(name, used, judged=name in counted) for name in names),
        raised=raised([_closest(one.course, counted) for one in used]),
    )


def raised(closest: Sequence[float]) -> float:
    """What multiplies the needed evidence: 1, or where more than one per cent reached it more.

    `closest`: of each placebo the largest log of evidence over needed. Then their quantile of
    99.5 % becomes what is needed. Too few placebos raise nothing: they say nothing of one per cent.
    """
    reached = sum(value >= 0 for value in closest)
    if len(closest) < ENOUGH or reached <= TOLERATED * len(closest):
        return 1.0
    high = float(np.quantile(np.array(closest), _QUANTILE, method="higher"))
    return math.exp(max(high, 0.0))


def _is_judged(name: str, policy: Policy) -> bool:
    """Whether a signal may fail a rollout though no self-check vouches for it."""
    wish = policy.signals.get(name)
    if wish is not None and wish.judged is not None:
        return wish.judged
    return name not in ADVISORY


def _kind(kind: PlaceboKind, used: Sequence[Judged], counted: frozenset[str]) -> AaKind:
    mine = [one.course for one in used if one.kind is kind]
    return AaKind(
        kind=kind,
        placebos=len(mine),
        failed=sum(course.signal in counted for course in mine),
        reached=sum(_closest(course, counted) >= 0 for course in mine),
    )


def _closest(course: Course, counted: frozenset[str]) -> float:
    return max((v for name, v in course.closest.items() if name in counted), default=-math.inf)


def _signal(name: str, used: Sequence[Judged], *, judged: bool) -> AaSignal:
    with_it = [one.course for one in used if name in one.course.closest]
    loads = [_load(course) for course in with_it]
    light, heavy = ([ratio < _LIGHT for ratio in loads], [ratio > _HEAVY for ratio in loads])
    values = [course.closest[name] for course in with_it]
    unequal = [v for v, a, b in zip(values, light, heavy, strict=True) if a or b]
    return AaSignal(
        name=name,
        judged=judged,
        all=_tally(values),
        quantile=float(np.quantile(np.array(values), _QUANTILE, method="higher")),
        unequal=_tally(unequal),
        light=sum(light),
        heavy=sum(heavy),
    )


def _load(course: Course) -> float:
    """The usual load of a canary pod over a control pod's; as heavy where nobody knows."""
    return median([poll.load for poll in course.polls if poll.load is not None] or [1.0])


def _tally(values: Iterable[float]) -> Tally:
    found = list(values)
    return Tally(
        placebos=len(found),
        reached=sum(value >= 0 for value in found),
        near=sum(value > _NEAR for value in found),
    )
