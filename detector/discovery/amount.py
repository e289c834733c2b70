"""How much data feeds a signal: series, pods, samples and what they count, lately."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.discovery.matching import Labels, any_of, fits
from detector.gate.presence import pod_of, scrape_interval
from detector.series import Answer, FloatArray, Matcher, Query, Series
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Shape

__all__ = ["Amount", "Lately", "amount_of", "family_queries", "increase"]

_PODS_ASKED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What was there of a signal over `seconds`.

    `per_second` is what its counters rose by, probes and all; `bad_per_second` of a ratio the bad
    part of it. `interval_s` is the median scrape interval, None with no two samples.
    """

    series: int
    pods: int
    samples: int
    seconds: float
    per_second: float | None = None
    bad_per_second: float | None = None
    interval_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """Raw samples of a plan's families over the last `seconds`, without its probes."""

    seconds: float
    answers: Mapping[Family, Sequence[Series]]

    def series(self, family: Family) -> Sequence[Series]:
        """Those of a family."""
        return self.answers.get(family, ())

    def pods(self, family: Family, arm: Sequence[Matcher]) -> frozenset[str]:
        """Pods of the series that an arm selects."""
        held = (s for s in self.series(family) if fits(arm, s.labels))
        return frozenset(pod_of(family, s.labels) for s in held) - {""}

    @classmethod
    def of(cls, found: Iterable[tuple[Family, Answer]], seconds: float) -> Lately:
        """By family, what several queries found of it."""
        held: dict[Family, list[Series]] = {}
        for family, answer in found:
            kept = [s for s in answer.series if not _is_probe(family, s.labels)]
            held.setdefault(family, []).extend(kept)
        return cls(seconds=seconds, answers=held)


def _is_probe(family: Family, labels: Labels) -> bool:
    return any(m.label in labels and fits((m,), labels) for m in family.health)


def family_queries(plan: Plan, family: Family, pods: Iterable[str]) -> list[Query]:
    """What is read of a family for both arms: by their selectors, or by the names of pods."""
    if family.joined:
        named = sorted(pods)[:_PODS_ASKED]
        among = any_of(family.pod_label, named)
        return [Query(family.metric, (*family.matchers, among))] if named else []
    arms = dict.fromkeys((plan.canary, *plan.control))
    return [Query(family.metric, (*family.matchers, *arm)) for arm in arms]


def amount_of(bound: BoundSignal, lately: Lately) -> Amount:
    """How much there is of a bound signal."""
    held = lately.series(bound.total)
    bad = [s for s in lately.series(bound.bad_in or bound.total) if fits(bound.bad, s.labels)]
    samples = int(sum(s.times.size for s in held))
    counts = _counts(bound.total, held)
    return Amount(
        series=len(held),
        pods=len({pod_of(bound.total, s.labels) for s in held} - {""}),
        samples=samples,
        seconds=lately.seconds,
        per_second=None if counts is None else counts / lately.seconds,
        bad_per_second=sum(map(increase, bad)) / lately.seconds if bound.bad else None,
        interval_s=scrape_interval([Answer(series=tuple(held))]),
    )


def _counts(family: Family, held: Sequence[Series]) -> float | None:
    """What the counters of a family rose by; of a histogram its last bucket alone."""
    match family.shape:
        case Shape.COUNTER:
            return float(sum(map(increase, held)))
        case Shape.BUCKETS:
            return float(sum(map(increase, _whole(held))))
        case _:
            return None


def _whole(held: Sequence[Series]) -> Iterator[Series]:
    return (s for s in held if s.labels.get("le") in {"+Inf", "inf", "Inf", None})


def increase(series: Series) -> float:
    """What a counter rose by; after a reset it counts from zero."""
    values: FloatArray = series.values[np.isfinite(series.values)]
    steps = np.diff(values)
    return float(np.where(steps < 0, values[1:], steps).sum()) if steps.size else 0.0
