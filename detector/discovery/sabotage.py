"""Plain faults put into a copy of a canary's samples: what any configuration must be able to fail.

Counters stay counters: from the fault's begin on a part of what they rose by is counted elsewhere.
Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.discovery.matching import fits
from detector.gate.presence import pod_of
from detector.selector import matches
from detector.series import Answer, FloatArray, Matcher, Query, Series
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Direction, Kind, Shape

__all__ = ["Sabotage", "sabotaged", "sabotages"]

# Each fault is one that nobody would want to go on with.
_FAILING, _SLOWER, _EVERY_S, _FACTOR, _LINES = 0.2, 3.0, 180.0, 3.0, 2.0
_LINE = {"level": "error", "template": "lt_0000000000000000"}
_WORDS = (
    "500", "5xx", "503", "Internal", "INTERNAL", "Unavailable", "UNAVAILABLE", "13", "14", "2",
    "UNKNOWN", "Unknown", "error", "SERVER_ERROR", "failed", "failure", "true", "0", "fail",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """One fault of one signal, from `since` on (unix seconds), on what `canary` selects.

    Series that know only pods are the canary's by its `pods`.

    `size` is a share of requests for a ratio, a factor for durations and gauges, seconds from one
    event to the next for events, and log lines a second; `words` tell it.
    """

    bound: BoundSignal
    size: float
    since: float
    canary: tuple[Matcher, ...]
    pods: frozenset[str]
    words: str

    def strikes(self, family: Family, series: Series) -> bool:
        """Whether a series is of the canary."""
        if family.joined:
            return pod_of(family, series.labels) in self.pods
        return fits(self.canary, series.labels)


def sabotages(plan: Plan, *, since: float, pods: frozenset[str]) -> Iterator[Sabotage]:
    """A plain fault for each signal of a plan that may fail a rollout, and for no other."""
    for bound in plan.signals:
        if bound.signal.judged:
            size, words = _size(bound)
            yield Sabotage(
                bound=bound, size=size, since=since, canary=plan.canary, pods=pods, words=words
            )


def _size(bound: BoundSignal) -> tuple[float, str]:
    match bound.signal.kind:
        case Kind.RATIO:
            return _FAILING, f"{_FAILING:.0%} of the requests fail"
        case Kind.LATENCY:
            return _SLOWER, f"every request takes {_SLOWER:g} times as long"
        case Kind.EVENTS if bound.apart:
            return _LINES, f"each pod writes {_LINES:g} error lines of a new kind a second"
        case Kind.EVENTS:
            return _EVERY_S, f"a restart every {_EVERY_S / 60:g} minutes on each pod"
        case Kind.RATE | Kind.GAUGE:
            down = bound.signal.direction is Direction.DOWN
            return (1 / _FACTOR if down else _FACTOR), f"{'a third' if down else 'three times'}"


def sabotaged(fault: Sabotage, query: Query, answer: Answer) -> Answer:
    """What the source would have said to `query`, had the fault been there."""
    bound = fault.bound
    families = {bound.total, *bound.also, *((bound.bad_in,) if bound.bad_in else ())}
    touched = [family for family in families if _reads(query, family)]
    if not touched:
        return answer
    family = touched[0]
    ours = [s for s in answer.series if fault.strikes(family, s)]
    theirs = [s for s in answer.series if not fault.strikes(family, s)]
    return replace(answer, series=(*theirs, *_spoiled(fault, family, ours)))


def _reads(query: Query, family: Family) -> bool:
    return query.metric == family.metric and set(family.matchers) <= set(query.matchers)


def _spoiled(fault: Sabotage, family: Family, ours: Sequence[Series]) -> Sequence[Series]:
    match fault.bound.signal.kind:
        case Kind.RATIO:
            return _failing(fault, ours)
        case Kind.LATENCY:
            return _slower(fault, family, ours)
        case Kind.EVENTS if fault.bound.apart:
            return [*ours, *_writing(fault, ours)]
        case Kind.EVENTS:
            return [_restarting(fault, family, series) for series in ours]
        case Kind.RATE | Kind.GAUGE:
            return [_scaled(fault, family, series) for series in ours]


# -- errors


def _failing(fault: Sabotage, ours: Sequence[Series]) -> Sequence[Series]:
    """A share of the good requests is counted as bad ones."""
    bound = fault.bound
    good = [s for s in ours if not fits(bound.bad, s.labels) and not _probes(bound.total, s)]
    moved = {id(s): np.floor(fault.size * _risen(s, fault.since)) for s in good}
    kept = [replace(s, values=s.values - moved[id(s)]) if id(s) in moved else s for s in ours]
    made = [_bad(bound, series, moved[id(series)], fault.since) for series in good]
    return _added(kept, made)


def _probes(family: Family, series: Series) -> bool:
    return any(m.label in series.labels and fits((m,), series.labels) for m in family.health)


def _base(series: Series, since: float) -> FloatArray:
    """From what a counter has risen since a moment: its value then, after a reset zero.

    Until the moment it is the counter itself.
    """
    values, late = series.values, series.times > since
    first = int(np.searchsorted(series.times, since, side="right"))
    held = np.where(late, values[first - 1] if first else values[:1], values)
    resets = np.flatnonzero(late & (np.diff(values, prepend=values[:1]) < 0))
    if resets.size:
        held[resets[0] :] = 0.0
    return held


def _risen(series: Series, since: float) -> FloatArray:
    """What a counter has risen by since a moment, or since it was reset after it."""
    risen: FloatArray = series.values - _base(series, since)
    return risen


def _bad(bound: BoundSignal, series: Series, risen: FloatArray, since: float) -> Series:
    """A series of errors beside a good one; it is born with its first event."""
    labels = {**series.labels, **{m.label: _word(m, series.labels) for m in bound.bad}}
    late = series.times > since
    return Series(labels=labels, times=series.times[late], values=risen[late])


def _word(matcher: Matcher, labels: Mapping[str, str]) -> str:
    """A value of a label that counts as bad: its own, if that does, else a usual one."""
    if matches(matcher, labels):
        return labels.get(matcher.label, "")
    for word in _WORDS:
        if matches(matcher, {matcher.label: word}):
            return word
    return matcher.value


def _added(kept: Sequence[Series], made: Sequence[Series]) -> Sequence[Series]:
    """The series with those that were made; where one is there already it rises by both."""
    out = {frozenset(s.labels.items()): s for s in kept}
    for series in made:
        key = frozenset(series.labels.items())
        held = out.get(key)
        out[key] = series if held is None else _sum(held, series)
    return list(out.values())


def _sum(held: Series, more: Series) -> Series:
    """A counter that also rises by another; between samples the other stands."""
    if not more.times.size:
        return held
    at = np.searchsorted(more.times, held.times, side="right")
    risen = np.concatenate([np.zeros(1), more.values])[at]
    return replace(held, values=held.values + risen)


# -- durations


def _slower(fault: Sabotage, family: Family, ours: Sequence[Series]) -> Sequence[Series]:
    """Each histogram as if every request had taken `size` times as long."""
    groups: dict[frozenset[tuple[str, str]], list[Series]] = {}
    for series in ours:
        own = frozenset((k, v) for k, v in series.labels.items() if k != "le")
        groups.setdefault(own, []).append(series)
    if family.shape is not Shape.BUCKETS:
        return ours
    return [series for group in groups.values() for series in _shifted(fault, group)]


def _shifted(fault: Sabotage, group: Sequence[Series]) -> Iterator[Series]:
    """Counts below an edge become those below `edge / size`, by lines between the edges."""
    ordered = sorted(group, key=_edge)
    edges = np.array([_edge(s) for s in ordered])
    times, finite = ordered[-1].times, np.isfinite(edges)
    risen = np.array([_at(s, _risen(s, fault.since), times) for s in ordered])
    xs = np.concatenate([[0.0], edges[finite]])
    ys = np.vstack([np.zeros(len(times)), risen[finite]])
    for edge, series in zip(edges.tolist(), ordered, strict=True):
        if not np.isfinite(edge) or len(xs) == 1:
            yield series
            continue
        below = np.floor(_between(xs, ys, edge / fault.size))
        values = _at(series, _base(series, fault.since), times) + below
        yield Series(labels=series.labels, times=times, values=values)


def _between(xs: FloatArray, ys: FloatArray, at: float) -> FloatArray:
    """Counts below a duration between the edges `xs`."""
    above = int(np.clip(np.searchsorted(xs, at), 1, len(xs) - 1))
    part = (at - xs[above - 1]) / (xs[above] - xs[above - 1])
    below: FloatArray = ys[above - 1] + part * (ys[above] - ys[above - 1])
    return below


def _edge(series: Series) -> float:
    try:
        return float(series.labels.get("le", "inf"))
    except ValueError:
        return float("inf")


def _at(series: Series, values: FloatArray, times: FloatArray) -> FloatArray:
    """Values of a series at the times of another."""
    at = np.searchsorted(series.times, times, side="right")
    held: FloatArray = np.concatenate([values[:1], values])[at]
    return held


# -- events and gauges


def _restarting(fault: Sabotage, family: Family, series: Series) -> Series:
    late = np.maximum(series.times - fault.since, 0.0)
    count = np.floor(late / fault.size)
    if family.shape is Shape.START_TIME:
        begun = np.where(count > 0, fault.since + count * fault.size, series.values)
        return replace(series, values=begun)
    return replace(series, values=series.values + count)


def _writing(fault: Sabotage, ours: Sequence[Series]) -> Iterator[Series]:
    """A new kind of error line on each pod, where its other lines are counted."""
    longest: dict[str, Series] = {}
    for series in sorted(ours, key=lambda one: len(one.times)):
        longest[pod_of(fault.bound.total, series.labels)] = series
    for series in longest.values():
        lines = np.floor(np.maximum(series.times - fault.since, 0.0) * fault.size)
        labels = {**series.labels, **_LINE, fault.bound.apart: _LINE["template"]}
        yield Series(labels=labels, times=series.times[lines > 0], values=lines[lines > 0])


def _scaled(fault: Sabotage, family: Family, series: Series) -> Series:
    if family.shape is Shape.GAUGE:
        late = series.times > fault.since
        return replace(series, values=np.where(late, series.values * fault.size, series.values))
    return replace(series, values=series.values + (fault.size - 1) * _risen(series, fault.since))
