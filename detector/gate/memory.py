"""What a service did at other times: when to look, and what was counted between two looks.

Counters are looked at in thin slices of raw samples; what grew between two slices is an amount.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.gate.course import Streamed
from detector.gate.presence import pod_of, revision_keys
from detector.selector import matches
from detector.series import Answer, FloatArray, Matcher
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind

__all__ = [
    "Amount",
    "Look",
    "Memory",
    "Moment",
    "Then",
    "amount_between",
    "families_of",
    "look_of",
    "moments",
    "scope_of",
]

_HOUR_S, _DAY_S, _WEEK_S = 3600.0, 86_400.0, 604_800.0
BEFORE_S, LATELY_S, AFTER_S = 7200.0, 1800.0, 1800.0
_WEEKS = (1, 2, 3, 4)
_DAYS = (1, 2, 3, 4, 5, 6)
_HOURS = (3, 6, 9, 12, 15, 18, 21)
# Labels that tell the copies of one series apart that a highly available source keeps.
_REPLICA = frozenset({"replica", "prometheus_replica", "prometheus"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time at which the same comparison is made: `at` unix seconds, whole `weeks` back or 0.

    `is_same_hour`: whole days back, at the attempt's own time of day.
    """

    at: float
    weeks: int = 0
    is_same_hour: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What was counted in a span. `counts`: exposure and events by signal.

    `below`: by signal the requests up to each edge (seconds, ascending, the last one inf).
    """

    counts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    below: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    def histogram(self, name: str, edges: FloatArray) -> FloatArray | None:
        """Requests per bucket of these finite edges, None where one of them was not counted."""
        told = self.below.get(name, ())
        if not told:
            return None
        where, sums = np.array(told).T
        at = np.minimum(np.searchsorted(where, edges * (1 - 1e-9)), len(where) - 1)
        if not np.allclose(where[at], edges):
            return None
        cumulative = np.maximum.accumulate(np.append(sums[at], sums[-1]))
        return np.maximum(np.diff(cumulative, prepend=0.0), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """The comparison at a past moment: two hours before it, half an hour from it on.

    `lately`: the last half hour of those before. `changed`: another revision came in the meantime,
    so that it tells nothing of quiet times.
    """

    moment: Moment
    before: Amount
    lately: Amount = field(default_factory=Amount)
    after: Amount
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """All that is remembered of a service for one attempt; `at` is the attempt's start.

    `stream`: what the stream tells of it, None where there is none.
    """

    at: float
    then: tuple[Then, ...] = ()
    stream: Streamed | None = None

    @property
    def weeks(self) -> tuple[Then, ...]:
        """Those of the same hour of the week that saw requests, newest first."""
        return tuple(t for t in self.then if t.moment.weeks and _served(t.after))

    @property
    def span_s(self) -> float:
        """How far back requests were seen; two hours at least, which are always asked for."""
        served = (self.at - t.moment.at for t in self.then if _served(t.after))
        return max(served, default=BEFORE_S)


def _served(amount: Amount) -> bool:
    return any(n > 0 for n, _ in amount.counts.values())


def moments(start: float, scale: float) -> tuple[Moment, ...]:
    """When to look: the same hour of the last weeks, of the last days, and the day before."""
    weeks = [Moment(at=start - k * _WEEK_S * scale, weeks=k, is_same_hour=True) for k in _WEEKS]
    days = [Moment(at=start - k * _DAY_S * scale, is_same_hour=True) for k in _DAYS]
    return (*weeks, *days, *(Moment(at=start - k * _HOUR_S * scale) for k in _HOURS))


def scope_of(plan: Plan) -> tuple[Matcher, ...]:
    """What all series of the service have in common, whichever revision they are of."""
    arms = [plan.canary, *plan.control]
    return tuple(m for m in arms[0] if all(m in other for other in arms[1:]))


def families_of(plan: Plan) -> tuple[Family, ...]:
    """The families that are looked at: requests, and what ratios and latencies are made of."""
    found = [plan.requests]
    for bound in plan.signals:
        if bound.signal.kind is Kind.RATIO:
            found += [bound.total, bound.bad_in or bound.total]
        if bound.signal.kind is Kind.LATENCY:
            found.append(bound.total)
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Look:
    """The last values of all series of some families at one time, by family and label set."""

    values: Mapping[Family, Mapping[frozenset[tuple[str, str]], float]]

    def pods(self, family: Family) -> frozenset[str]:
        """Names of the pods that show the family."""
        return frozenset(pod_of(family, dict(key)) for key in self.values.get(family, {}))

    def revisions(self, family: Family) -> frozenset[str]:
        """What the pods are revisions of."""
        told = (dict(key) for key in self.values.get(family, {}))
        return frozenset(
            k for labels in told for k in revision_keys(pod_of(family, labels), labels)
        )


def look_of(answers: Mapping[Family, Sequence[Answer]]) -> Look:
    """The newest finite value of each series; of an HA pair's copies the larger."""
    return Look({family: dict(_newest(family, found)) for family, found in answers.items()})


def _newest(
    family: Family, answers: Sequence[Answer]
) -> Iterator[tuple[frozenset[tuple[str, str]], float]]:
    held: dict[frozenset[tuple[str, str]], float] = {}
    for series in (s for answer in answers for s in answer.series):
        value = float(series.values[-1]) if len(series.values) else math.nan
        if not math.isfinite(value) or any(matches(m, series.labels) for m in family.health):
            continue
        key = frozenset((k, v) for k, v in series.labels.items() if k not in _REPLICA)
        held[key] = max(held.get(key, 0.0), value)
    yield from held.items()


def amount_between(plan: Plan, first: Look, second: Look) -> Amount:
    """What grew from one look to the next.

    A series that is new counts from zero: its pod, or its first event, is. One that fell was
    reset, and has counted its present value since.
    """
    counts: dict[str, tuple[float, float]] = {}
    below: dict[str, tuple[tuple[float, float], ...]] = {}
    for bound in plan.signals:
        if bound.signal.kind is Kind.RATIO:
            counts[bound.signal.name] = _ratio(bound, first, second)
        if bound.signal.kind is Kind.LATENCY:
            below[bound.signal.name] = _cumulative(bound.total, first, second)
    return Amount(counts=counts, below=below)


def _grown(family: Family, first: Look, second: Look) -> Iterator[tuple[Mapping[str, str], float]]:
    old = first.values.get(family, {})
    for key, value in second.values.get(family, {}).items():
        before = old.get(key, 0.0)
        yield dict(key), value - before if value >= before else value


def _ratio(bound: BoundSignal, first: Look, second: Look) -> tuple[float, float]:
    total = sum(grown for _, grown in _grown(bound.total, first, second))
    bad = sum(
        grown
        for labels, grown in _grown(bound.bad_in or bound.total, first, second)
        if all(matches(m, labels) for m in bound.bad)
    )
    return total, bad


def _cumulative(family: Family, first: Look, second: Look) -> tuple[tuple[float, float], ...]:
    sums: dict[float, float] = {}
    for labels, grown in _grown(family, first, second):
        edge = _edge(labels.get("le", "")) * family.scale
        if not math.isnan(edge):
            sums[edge] = sums.get(edge, 0.0) + grown
    return tuple(sorted(sums.items())) if math.inf in sums else ()


def _edge(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
