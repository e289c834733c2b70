"""What a service did before, and how others are, read in thin slices of raw samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from detector.discovery.matching import any_of, merged
from detector.gate.design import Elsewhere
from detector.gate.elsewhere import has_moved, naming, picked, requests_of, surroundings, worsened
from detector.gate.memory import (
    AFTER_S,
    BEFORE_S,
    LATELY_S,
    Amount,
    Look,
    Memory,
    Moment,
    Then,
    amount_between,
    families_of,
    look_of,
    moments,
    scope_of,
)
from detector.ports import MetricCatalog, MetricSource
from detector.series import Answer, Matcher, Query
from detector.signals.plan import Family, Plan

__all__ = ["Bystanders", "Remembering"]

Left = Callable[[], float]
_SLICE_S, _SLICE_INTERVALS = 60.0, 4.0
# An incident of three minutes is a third of ten, and all of two.
_LATELY_S, _NEWEST_S, _EVERY_S = 600.0, 120.0, 60.0
_WATCHED, _ENOUGH = 3, 200.0
_CATALOG_S = 600.0


@dataclass(slots=True, kw_only=True)
class Slices:
    """Looks at the series of some matchers, each time once; what was read survives an error."""

    plan: Plan
    width: float
    looks: dict[float, Look] = field(default_factory=dict)

    def at(self, source: MetricSource, at: float, scope: tuple[Matcher, ...], left_s: Left) -> Look:
        """The look at a time."""
        if at not in self.looks:
            self.looks[at] = self._read(source, at, scope, left_s)
        return self.looks[at]

    def _read(
        self, source: MetricSource, at: float, scope: tuple[Matcher, ...], left_s: Left
    ) -> Look:
        families = families_of(self.plan)
        plain = [family for family in families if not family.joined]
        found = self._ask(source, dict.fromkeys(plain, scope), at, left_s)
        joined = [family for family in families if family.joined]
        pods = _looked(found).pods(self.plan.requests) - {""} if joined else frozenset()
        if pods:
            named = {f: (any_of(f.pod_label, pods),) for f in joined}
            found |= self._ask(source, named, at, left_s)
        return _looked(found)

    def _ask(
        self,
        source: MetricSource,
        scopes: Mapping[Family, tuple[Matcher, ...]],
        at: float,
        left_s: Left,
    ) -> dict[Family, Answer]:
        queries = [Query(f.metric, merged(f.matchers, scope)) for f, scope in scopes.items()]
        answers = source.read(queries, at - self.width, at, timeout_s=left_s())
        return dict(zip(scopes, answers, strict=True))


def _looked(found: Mapping[Family, Answer]) -> Look:
    return look_of({family: (answer,) for family, answer in found.items()})


def slices_of(plan: Plan, interval: float, scale: float) -> Slices:
    """Slices wide enough to hold a sample of every series."""
    return Slices(plan=plan, width=max(_SLICE_S * scale, _SLICE_INTERVALS * interval))


@dataclass(slots=True, kw_only=True)
class Remembering:
    """Reads the memory of a service; `start` is that of the attempt, `scale` of its clock."""

    plan: Plan
    start: float
    scale: float
    slices: Slices

    def memory(self, source: MetricSource, left_s: Left) -> Memory:
        """The memory; `SourceError` where it cannot be read now."""
        found = [self._then(source, moment, left_s) for moment in moments(self.start, self.scale)]
        return Memory(at=self.start, then=tuple(found))

    def _then(self, source: MetricSource, moment: Moment, left_s: Left) -> Then:
        edges = (-BEFORE_S, -LATELY_S, 0.0, AFTER_S)
        scope = scope_of(self.plan)
        first, late, middle, last = (
            self.slices.at(source, moment.at + edge * self.scale, scope, left_s) for edge in edges
        )
        family = self.plan.requests
        return Then(
            moment=moment,
            before=amount_between(self.plan, first, middle),
            lately=amount_between(self.plan, late, middle),
            after=amount_between(self.plan, middle, last),
            changed=not last.revisions(family) <= first.revisions(family),
        )


@dataclass(slots=True, kw_only=True)
class Bystanders:
    """Watches a few other services of the cluster by the metrics of this one."""

    plan: Plan
    start: float
    scale: float
    interval: float
    names: tuple[str, ...] | None = None
    before: dict[str, Amount] = field(default_factory=dict)
    seen_at: float = float("-inf")

    def is_due(self, now: float) -> bool:
        """Whether the last look is a minute old."""
        return now - self.seen_at >= _EVERY_S * self.scale

    def look(
        self, source: MetricSource, catalog: MetricCatalog, now: float, left_s: Left
    ) -> Elsewhere:
        """How they are; `SourceError` where that cannot be read now."""
        label = naming(self.plan)
        if self.names is None:
            self.names = () if label is None else self._names(catalog, label, now, left_s)
            self._choose(source, label, left_s)
        self.seen_at = now
        if not self.names or label is None:
            return Elsewhere(at=now)
        lately, newest = (
            self._amounts(source, label, (now - seconds * self.scale, now), left_s)
            for seconds in (_LATELY_S, _NEWEST_S)
        )
        moved = [n for n in self.names if has_moved(self.before[n], lately[n])]
        up = {
            n: [worsened(self.before[n], told[n]) for told in (lately, newest)] for n in self.names
        }
        errors, latency = zip(*(pair for both in up.values() for pair in both), strict=True)
        return Elsewhere(
            at=now,
            services=self.names,
            moved=tuple(moved),
            worse=tuple(n for n, both in up.items() if any(map(any, both))),
            errors_up=max(errors),
            latency_up=max(latency),
        )

    def _names(
        self, catalog: MetricCatalog, label: Matcher, now: float, left_s: Left
    ) -> tuple[str, ...]:
        family = self.plan.requests
        query = Query(family.metric, merged(family.matchers, surroundings(self.plan)))
        since = now - _CATALOG_S * self.scale
        told = catalog.label_values(label.label, [query], since, now, timeout_s=left_s())
        return picked(self.plan, told)

    def _choose(self, source: MetricSource, label: Matcher | None, left_s: Left) -> None:
        """Keep those with most requests before the start, and what they did then."""
        if not self.names or label is None:
            return
        span = (self.start - BEFORE_S * self.scale, self.start)
        told = self._amounts(source, label, span, left_s)
        busy = [name for name in self.names if requests_of(told[name]) >= _ENOUGH]
        busy.sort(key=lambda name: requests_of(told[name]), reverse=True)
        self.names = tuple(busy[:_WATCHED])
        self.before = {name: told[name] for name in self.names}

    def _amounts(
        self, source: MetricSource, label: Matcher, span: tuple[float, float], left_s: Left
    ) -> dict[str, Amount]:
        """What each of the services counted in a span."""
        scope = merged(surroundings(self.plan), (any_of(label.label, self.names or ()),))
        plan = _plainly(self.plan)
        slices = slices_of(plan, self.interval, self.scale)
        first, last = (slices.at(source, at, scope, left_s) for at in span)
        return {
            name: amount_between(plan, _only(first, label, name), _only(last, label, name))
            for name in self.names or ()
        }


def _plainly(plan: Plan) -> Plan:
    """Without signals whose series do not name the service."""
    kept = (b for b in plan.signals if not b.total.joined)
    return replace(plan, signals=tuple(b for b in kept if b.bad_in is None or not b.bad_in.joined))


def _only(look: Look, label: Matcher, name: str) -> Look:
    def of(
        keys: Iterable[tuple[frozenset[tuple[str, str]], float]],
    ) -> dict[frozenset[tuple[str, str]], float]:
        return {key: value for key, value in keys if (label.label, name) in key}

    return Look({family: of(values.items()) for family, values in look.values.items()})
