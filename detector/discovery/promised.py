"""The counters of a bound signal over a whole service: what an objective promises something of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from detector.discovery.matching import literal
from detector.errors import InputError
from detector.series import Matcher, MatchOp, Query
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind
from detector.slo.objective import Counted

__all__ = ["buckets_of", "counters_of", "fast_of"]

Matchers = tuple[Matcher, ...]


def counters_of(plan: Plan, signal: str) -> Counted:
    """All and bad requests of the plan's service, whichever arm; `InputError` says why not."""
    bound, own = _bound(plan, signal), _service(plan)
    if bound.signal.kind is not Kind.RATIO:
        raise InputError(
            f"{signal} counts no bad requests of all; only a ratio does", field="signal"
        )
    _check(bound, own, plan)
    bad = bound.bad_in or bound.total
    return Counted(
        total=_read(bound.total, own, ()), part=_read(bad, own, bound.bad), part_is_good=False
    )


_ALL = "+Inf"
_NEAR = 1e-6


def buckets_of(plan: Plan, signal: str) -> Query:
    """The histogram of the plan's service, whichever arm; `InputError` says why there is none."""
    bound, own = _bound(plan, signal), _service(plan)
    if bound.signal.kind is not Kind.LATENCY:
        raise InputError(f"{signal} is no latency, so that nothing is below", field="below")
    _check(bound, own, plan)
    return _read(bound.total, own, ())


def fast_of(plan: Plan, signal: str, below: float, edges: Sequence[Mapping[str, str]]) -> Counted:
    """All requests and those that took `below` seconds at most.

    `edges` are the label sets of `buckets_of` now. A bucket has to end there in each histogram,
    else it would be a guess how many took less; `InputError` names the nearest that all have.
    """
    family = _bound(plan, signal).total
    ends: dict[frozenset[tuple[str, str]], dict[str, float]] = {}
    for labels in edges:
        end = _end(labels.get("le", "")) * family.scale
        one = frozenset((k, v) for k, v in labels.items() if k != "le")
        ends.setdefault(one, {})[labels.get("le", "")] = end
    common = set.intersection(*(set(held.values()) for held in ends.values())) if ends else set()
    if not any(_is_near(end, below) for end in common):
        raise InputError(_nearest(plan, signal, below, common), field="below")
    spelled = {le for held in ends.values() for le, end in held.items() if _is_near(end, below)}
    asked = buckets_of(plan, signal)
    return Counted(
        total=_with(asked, Matcher("le", MatchOp.EQUAL, _ALL)),
        part=_with(asked, Matcher("le", MatchOp.MATCHES, "|".join(map(literal, sorted(spelled))))),
        part_is_good=True,
    )


def _with(asked: Query, matcher: Matcher) -> Query:
    return Query(asked.metric, (*asked.matchers, matcher))


def _end(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _is_near(end: float, below: float) -> bool:
    return abs(end - below) <= _NEAR * below


def _nearest(plan: Plan, signal: str, below: float, common: set[float]) -> str:
    """Which edges there are on both sides of it."""
    finite = sorted(end for end in common if math.isfinite(end))
    less, more = [e for e in finite if e < below][-1:], [e for e in finite if e > below][:1]
    there = " and ".join(f"{end:g}" for end in (*less, *more)) or "none"
    return (
        f"{signal} of {plan.service} has no bucket that ends at {below:g} s in all of its"
        f" histograms; the nearest are {there}: promise one of these, or add the bucket"
    )


# Probes are nobody's requests, and are left out where the series are read.
_NOT = {
    MatchOp.EQUAL: MatchOp.NOT_EQUAL,
    MatchOp.NOT_EQUAL: MatchOp.EQUAL,
    MatchOp.MATCHES: MatchOp.NOT_MATCHES,
    MatchOp.NOT_MATCHES: MatchOp.MATCHES,
}


def _read(family: Family, own: Matchers, more: Matchers) -> Query:
    served = tuple(Matcher(m.label, _NOT[m.op], m.value) for m in family.health)
    return Query(family.metric, (*family.matchers, *own, *more, *served))


def _why(plan: Plan, signal: str) -> str:
    told = (missing.why for missing in plan.missing if missing.name == signal)
    notes = " ".join(plan.notes) or "discovery knows no such signal"
    return next(told, notes)


def _service(plan: Plan) -> Matchers:
    """What all arms have in common: the service, and where it is."""
    arms = [set(arm) for arm in plan.control]
    return tuple(m for m in plan.canary if arms and all(m in arm for arm in arms))


def _bound(plan: Plan, signal: str) -> BoundSignal:
    bound = next((one for one in plan.signals if one.signal.name == signal), None)
    if bound is None:
        raise InputError(
            f"{signal} of {plan.service} is not bound: {_why(plan, signal)}", field="signal"
        )
    return bound


def _check(bound: BoundSignal, own: Matchers, plan: Plan) -> None:
    name = bound.signal.name
    families = (bound.total, bound.bad_in or bound.total)
    if bound.also or not own or any(family.joined for family in families):
        raise InputError(
            f"{name} of {plan.service} is not counted by one selector over the whole service; write"
            " its counters as an OpenSLO indicator",
            field="signal",
        )
