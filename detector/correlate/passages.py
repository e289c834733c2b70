"""What requests do on their way: spans and lines as evidence about each operation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.correlate.evidence import Calls, Gauge, Kind, Tally
from detector.stream.anomaly import Side

__all__ = ["Line", "Passage", "called", "steps", "times"]

Operation = tuple[str, str]
Step = tuple[str, bool]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One span: ids within a trace store, `parent` "" at the top; unix milliseconds.

    `own_ms` is the time spent in it while none of its children ran, NaN where that is not known.
    """

    span: str
    parent: str
    service: str
    operation: str
    at: int
    own_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One log line, written in a span; `template` names its kind, `grave` an error level."""

    span: str
    template: str
    grave: bool
    at: int


def called(passages: list[Passage]) -> tuple[Calls, ...]:
    """Who calls whom, by spans whose parent is another service's, and how often per request."""
    of = {passage.span: passage.service for passage in passages}
    entered: Counter[str] = Counter()
    edges: Counter[tuple[str, str]] = Counter()
    for passage in passages:
        caller = of.get(passage.parent)
        if caller != passage.service:
            entered[passage.service] += 1
            if caller is not None:
                edges[caller, passage.service] += 1
    return tuple(
        Calls(caller=caller, callee=callee, per_request=count / max(entered[caller], 1))
        for (caller, callee), count in sorted(edges.items())
    )


def steps(
    past: tuple[list[Passage], list[Line]], now: tuple[list[Passage], list[Line]], bin_ms: int
) -> Iterator[Tally]:
    """For every operation seen on both sides: how many of its spans hold which step.

    A step is a kind of line, or a call of an operation. Grave lines that become more harm, other
    steps that become fewer: what should follow no longer does.
    """
    before, after = _walked(*past, bin_ms), _walked(*now, bin_ms)
    for operation in sorted(before.keys() & after.keys()):
        taken_before, taken_after = before[operation], after[operation]
        for step in sorted((taken_before.keys() | taken_after.keys()) - {_ENTERED}):
            yield _tally(operation, step, taken_before, taken_after)


_ENTERED: Step = ("", False)


def _walked(
    passages: list[Passage], lines: list[Line], bin_ms: int
) -> dict[Operation, dict[Step, Counter[int]]]:
    """Spans by bin, of each operation and each step in them; all of them under `_ENTERED`."""
    of = {p.span: p for p in passages}
    held: dict[str, set[Step]] = defaultdict(set)
    for passage in passages:
        if passage.parent in of:
            held[passage.parent].add((f"call of {passage.operation}", False))
    for line in lines:
        held[line.span].add((line.template, line.grave))
    walked: dict[Operation, dict[Step, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for passage in passages:
        taken = walked[passage.service, passage.operation]
        for step in (_ENTERED, *held[passage.span]):
            taken[step][passage.at // bin_ms] += 1
    return walked


def _tally(
    operation: Operation,
    step: Step,
    before: Mapping[Step, Counter[int]],
    after: Mapping[Step, Counter[int]],
) -> Tally:
    past_bins, bins = sorted(before[_ENTERED]), sorted(after[_ENTERED])
    nothing: Counter[int] = Counter()
    text, grave = step
    return Tally(
        service=operation[0],
        name=text,
        kind=Kind.BEHAVIOUR,
        side=Side.ABOVE if grave else Side.BELOW,
        past_events=_counts(before.get(step, nothing), past_bins),
        past_occasions=_counts(before[_ENTERED], past_bins),
        events=_counts(after.get(step, nothing), bins),
        occasions=_counts(after[_ENTERED], bins),
        occasion=operation[1],
    )


def _counts(counted: Counter[int], bins: list[int]) -> Array:
    return np.array([counted[place] for place in bins], dtype=np.float64)


def times(past: list[Passage], now: list[Passage], bin_ms: int) -> Iterator[Gauge]:
    """Median own time of every operation, by bins."""
    before, after = _own_times(past, bin_ms), _own_times(now, bin_ms)
    for service, operation in sorted(before.keys() & after.keys()):
        yield Gauge(
            service=service,
            name=f"own time of {operation}",
            kind=Kind.LATENCY,
            side=Side.ABOVE,
            past=before[service, operation],
            before=np.empty(0),
            during=after[service, operation],
            family="own time",
        )


def _own_times(passages: list[Passage], bin_ms: int) -> dict[Operation, Array]:
    spent: dict[Operation, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for passage in passages:
        if np.isfinite(passage.own_ms):
            mine = spent[passage.service, passage.operation]
            mine[passage.at // bin_ms].append(passage.own_ms)
    return {
        operation: np.array([np.median(of_bin[place]) for place in sorted(of_bin)])
        for operation, of_bin in spent.items()
    }
