"""A bound signal as PromQL that a person can paste; the gate itself reads raw samples."""

from __future__ import annotations

from dataclasses import dataclass, replace

from detector.discovery.matching import any_of, equal
from detector.gate.talk import GRAVE
from detector.selector import format_query
from detector.series import Matcher, Query
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Kind, Shape

__all__ = ["Arm", "expression", "selector_of"]

_QUANTILES = {"latency": "0.5", "tail95": "0.95", "tail99": "0.99"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What selects an arm, and its pods, by which series are found that know nothing else."""

    matchers: tuple[Matcher, ...]
    pods: frozenset[str]

    def matching(self, *more: Matcher) -> Arm:
        """The part of it that also satisfies other matchers."""
        return Arm(matchers=(*self.matchers, *more), pods=self.pods)


def selector_of(family: Family, arm: Arm) -> str:
    """What is read of a family for an arm."""
    own = (any_of(family.pod_label, arm.pods),) if family.joined else arm.matchers
    return format_query(Query(family.metric, (*family.matchers, *own)))


def expression(bound: BoundSignal, arm: Arm) -> str:
    """PromQL that shows the signal of one arm, over five minutes."""
    total = _summed(bound.total, arm)
    match bound.signal.kind:
        case Kind.RATIO:
            bad = bound.bad_in or bound.total
            return f"{_summed(bad, arm.matching(*bound.bad))} / {total}"
        case Kind.LATENCY:
            return _quantile(bound, arm)
        case Kind.EVENTS if bound.apart:
            grave = (*bound.total.matchers, equal(bound.apart, ""), any_of("level", GRAVE))
            return _summed(replace(bound.total, matchers=grave), arm)
        case Kind.EVENTS:
            return " + ".join(_events(family, arm) for family in (bound.total, *bound.also))
        case Kind.RATE | Kind.GAUGE:
            return f"{total} / {_summed(bound.load, arm)}" if bound.load else total


def _rate(family: Family, arm: Arm) -> str:
    told = selector_of(family, arm)
    return told if family.shape is Shape.GAUGE else f"rate({told}[5m])"


def _summed(family: Family, arm: Arm) -> str:
    how = "avg" if family.shape is Shape.GAUGE else "sum"
    return f"{how}({_rate(family, arm)})"


def _quantile(bound: BoundSignal, arm: Arm) -> str:
    quantile = _QUANTILES.get(bound.signal.name, "0.5")
    if bound.total.shape is not Shape.BUCKETS:
        return f"histogram_quantile({quantile}, {_summed(bound.total, arm)})"
    return f"histogram_quantile({quantile}, sum by (le) ({_rate(bound.total, arm)}))"


def _events(family: Family, arm: Arm) -> str:
    how = "changes" if family.shape is Shape.START_TIME else "increase"
    return f"sum({how}({selector_of(family, arm)}[1h]))"
