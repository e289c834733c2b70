"""Other services of the cluster: the guard against taking an incident for a release, or back."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

import numpy as np

from detector.gate.memory import Amount, scope_of
from detector.series import Matcher, MatchOp
from detector.signals.plan import Plan
from models.sequential.before import Contrasts, count_contrasts, pooled_rate, scale_contrasts
from models.sequential.rows import ROWS, RowName

__all__ = ["has_moved", "naming", "picked", "requests_of", "surroundings", "worsened"]

_ASKED = 12
_WHERE = frozenset({"cluster", "namespace", "container", "endpoint", "port", "job"})
# sd of ten minutes of any service against its own two hours before, in health: as a judgement.
_COUNT_SD, _SCALE_SD, _SDS = 0.25, 0.08, 3.0
_EPS0 = 5e-4
_NONE = Contrasts(np.zeros(0), np.zeros(0))


def naming(plan: Plan) -> Matcher | None:
    """The matcher that names the service among all of its kind; None where none does."""
    equal = [m for m in scope_of(plan) if m.op is MatchOp.EQUAL and m.value]
    named = [m for m in equal if m.value == plan.service]
    return next(iter(named or (m for m in equal if m.label not in _WHERE)), None)


def surroundings(plan: Plan) -> tuple[Matcher, ...]:
    """What another service of the same cluster has in common with this one."""
    return tuple(m for m in scope_of(plan) if "cluster" in m.label)


def picked(plan: Plan, names: Iterable[str]) -> tuple[str, ...]:
    """A few other services, the same ones each time: by a hash, which favours none."""
    own = naming(plan)
    others = {name for name in names if name and (own is None or name != own.value)}
    return tuple(sorted(others, key=_digest)[:_ASKED])


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def requests_of(amount: Amount) -> float:
    """How many requests an amount counts."""
    return max((n for n, _ in amount.counts.values()), default=0.0)


def worsened(before: Amount, now: Amount) -> tuple[float, float]:
    """By how much errors and latency of a service got worse (logs), 0 where that may be chance."""
    errors = (_up(_counts_off(before, now, name), _COUNT_SD) for name in before.counts)
    latency = (_up(_scale_off(before, now, name), _SCALE_SD) for name in before.below)
    return max(errors, default=0.0), max(latency, default=0.0)


def _up(found: Contrasts, sd: float) -> float:
    """The largest effect that is worse beyond chance."""
    sds = np.sqrt(found.variance + sd**2)
    return float(found.effect[found.effect > _SDS * sds].max(initial=0.0))


def has_moved(before: Amount, now: Amount) -> bool:
    """Whether errors or latency of a service are not what they were, either way."""
    counts = (_is_off(_counts_off(before, now, name), _COUNT_SD) for name in before.counts)
    scales = (_is_off(_scale_off(before, now, name), _SCALE_SD) for name in before.below)
    return any(counts) or any(scales)


def _is_off(found: Contrasts, sd: float) -> bool:
    return bool(np.any(np.abs(found.effect) > _SDS * np.sqrt(found.variance + sd**2)))


def _counts_off(before: Amount, now: Amount, name: str) -> Contrasts:
    n, x = (np.array([v]) for v in before.counts[name])
    reference = np.array([pooled_rate(n, x, np.ones(1))])
    return count_contrasts(np.array([now.counts.get(name, (0.0, 0.0))]), reference, _EPS0)


def _scale_off(before: Amount, now: Amount, name: str) -> Contrasts:
    edges = np.array([edge for edge, _ in before.below[name] if math.isfinite(edge)])
    if len(edges) < 2:
        return _NONE
    then, lately = (a.histogram(name, edges) for a in (before, now))
    if then is None or lately is None:
        return _NONE
    return scale_contrasts(lately[None], then[None], edges, ROWS[RowName.LATENCY].grid)
