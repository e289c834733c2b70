"""What is bound to a service, for people: each signal with its query, its data and its doubts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from detector.discovery.amount import Amount, Lately, amount_of
from detector.discovery.expression import Arm, expression, selector_of
from detector.gate.presence import pod_of
from detector.series import Series
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Unit

__all__ = ["Binding", "Confidence", "bindings"]

# Fewer requests a second than this, over all pods, decide little within half an hour.
_THIN_PER_S = 1.0
_EDGES_ENOUGH = 4
# Edges in the wrong unit: no work is measured from a second to more than an hour, as jobs are, and
# none in milliseconds ends below twenty of them.
_SLOW_LOW_S, _SLOW_HIGH_S, _FAST_HIGH_S = 1.0, 4000.0, 0.02
_MILLI = 0.001


class Confidence(StrEnum):
    """How sure it is that the query measures what the signal's name says."""

    SURE = "sure"
    LIKELY = "likely"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One bound signal. `queries` are read raw; `expression` shows the canary's in PromQL."""

    name: str
    kind: Kind
    pack: str
    unit: str
    stands_for: Unit
    required: bool
    judged: bool
    queries: tuple[str, ...]
    expression: str
    amount: Amount
    confidence: Confidence
    doubts: tuple[str, ...]


def bindings(plan: Plan, lately: Lately) -> tuple[Binding, ...]:
    """Every bound signal of a plan, in its order, with what was there of it lately."""
    arms = [
        Arm(matchers=told, pods=lately.pods(plan.requests, told))
        for told in (plan.canary, *plan.control)
    ]
    return tuple(_binding(arms, bound, lately) for bound in plan.signals)


def _binding(arms: Sequence[Arm], bound: BoundSignal, lately: Lately) -> Binding:
    amount = amount_of(bound, lately)
    grave = tuple(_grave(bound, amount, lately))
    light = tuple(_light(arms, bound, amount))
    confidence = Confidence.DOUBTFUL if grave else Confidence.LIKELY if light else Confidence.SURE
    return Binding(
        name=bound.signal.name,
        kind=bound.signal.kind,
        pack=bound.pack,
        unit=bound.signal.unit,
        stands_for=bound.unit,
        required=bound.signal.required,
        judged=bound.signal.judged,
        queries=tuple(_queries(arms, bound)),
        expression=expression(bound, arms[0]),
        amount=amount,
        confidence=confidence,
        doubts=(*grave, *light),
    )


def _queries(arms: Sequence[Arm], bound: BoundSignal) -> Iterator[str]:
    families = [bound.total, *bound.also]
    families += [family for family in (bound.bad_in, bound.load) if family is not None]
    told: dict[str, None] = {}
    for family in families:
        for arm in arms:
            told[selector_of(family, arm)] = None
    yield from told


def _grave(bound: BoundSignal, amount: Amount, lately: Lately) -> Iterator[str]:
    """What makes a binding doubtful."""
    if not amount.samples:
        yield f"{bound.total.metric} has no sample of the service now"
        return
    held = lately.series(bound.total)
    if bound.signal.kind is Kind.RATIO:
        yield from _twice(bound.total, held)
    if bound.total.shape is Shape.BUCKETS:
        yield from _edges(bound.total, held)


def _twice(family: Family, held: Sequence[Series]) -> Iterator[str]:
    """Two scrape jobs that count the same requests: each request counts double."""
    seen: dict[tuple[str, frozenset[tuple[str, str]]], set[str]] = {}
    for series in held:
        own = {k: v for k, v in series.labels.items() if k not in {"job", "instance", "endpoint"}}
        key = (pod_of(family, series.labels), frozenset(own.items()))
        seen.setdefault(key, set()).add(series.labels.get("job", ""))
    jobs = sorted({job for told in seen.values() if len(told) > 1 for job in told})
    if jobs:
        yield f"the jobs {', '.join(jobs)} scrape the same pods: each request is counted twice"


def _edges(family: Family, held: Sequence[Series]) -> Iterator[str]:
    by_pod: dict[str, set[float]] = {}
    for series in held:
        by_pod.setdefault(pod_of(family, series.labels), set()).add(_edge(series.labels.get("le")))
    every = {frozenset(edges) for edges in by_pod.values()}
    common = sorted(e for e in set.intersection(*by_pod.values()) if e < float("inf"))
    if len(every) > 1:
        yield f"pods have different buckets; {len(common)} edges are common to all"
    if len(common) < _EDGES_ENOUGH:
        yield f"{len(common)} finite edges in common; latency needs {_EDGES_ENOUGH}"
    yield from _unit(family, [edge * family.scale for edge in common])


def _unit(family: Family, edges: Sequence[float]) -> Iterator[str]:
    """Whether the edges fit the unit that the metric's name says."""
    if not edges:
        return
    told = f"the edges of {family.metric} reach from {edges[0]:g} s to {edges[-1]:g} s"
    if edges[0] >= _SLOW_LOW_S and edges[-1] > _SLOW_HIGH_S:
        yield f"{told}: is it in milliseconds, under a name in seconds?"
    elif edges[-1] < _FAST_HIGH_S and family.scale == _MILLI:
        yield f"{told}: is it in seconds, under a name in milliseconds?"


def _edge(text: str | None) -> float:
    try:
        return float(text or "inf")
    except ValueError:
        return float("inf")


def _light(arms: Sequence[Arm], bound: BoundSignal, amount: Amount) -> Iterator[str]:
    """What leaves a binding likely."""
    if bound.total.joined:
        yield f"{bound.total.metric} is told apart by the names of pods in {bound.total.pod_label}"
    if bound.unit is not Unit.POD:
        yield f"a series stands for a {bound.unit.value}, not for a pod"
    thin = amount.per_second is not None and amount.per_second < _THIN_PER_S
    if thin and bound.signal.kind in {Kind.RATIO, Kind.LATENCY}:
        yield f"{amount.per_second:.2g} requests/s: half an hour decides little"
    if len(arms) == 1:
        yield "there is no control"
