"""The self-test: a service's own recent samples, with and without a fault, through the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from detector.backtest.course import Course, PastRollout
from detector.discovery.rehearsal import placebo_arms
from detector.discovery.sabotage import Sabotage, sabotaged, sabotages
from detector.discovery.trial import SelfTest, Tried, tried
from detector.errors import SerinusError
from detector.gate.policy import Policy
from detector.gate.presence import pod_of
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricSource
from detector.selector import parse_selector
from detector.series import Answer, Matcher, Query
from detector.signals.plan import Plan
from detector.signals.signal import Kind, Unit
from pipelines.flows.backtest import Past, play

__all__ = ["Workbench", "self_test"]

_LENGTH_S = 1500.0
_EVERY_S = 60.0
# Of the test's time a canary has to have been there: less is too short to find what it must.
_OLD = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Where a configuration is tried: a source, and how much of its past (seconds) until `now`."""

    source: MetricSource
    catalog: MetricCatalog
    now: float
    length_s: float = _LENGTH_S
    timeout_s: float = 30.0


def self_test(bench: Workbench, plan: Plan, policy: Policy, request: VerdictRequest) -> SelfTest:
    """The plan under a policy on copies of its newest samples: one healthy, one for each fault.

    Each copy is asked each minute as a controller would; the source is read once. A canary that is
    too young to be judged within its life leaves its part to pods of the control.
    """
    length_s = bench.length_s * policy.time_scale
    held, begin = _Copy(bench.source), bench.now - length_s
    try:
        ours, first = _seen(bench, plan, plan.canary, begin)
        if not ours or not plan.control:
            why = _nobody(plan, ours)
            return SelfTest(minutes=length_s / 60, healthy=None, faults=(), problem=why)
        stable = _stable(bench, plan, begin) if bench.now - first < _OLD * length_s else None
        plan, ours, begin = stable or (plan, ours, _later(begin, first))
        run = _Run(bench=bench, plan=plan, policy=policy, request=request, begin=begin)
        healthy = run.of(held, signal=None, words="no fault")
        faults = [
            run.of(_Spoiled(held, one), signal=one.bound.signal.name, words=one.words)
            for one in _plain(plan, begin, ours)
        ]
    except SerinusError as error:
        return SelfTest(minutes=length_s / 60, healthy=None, faults=(), problem=str(error))
    minutes = round((bench.now - begin) / 60, 1)
    return SelfTest(minutes=minutes, healthy=healthy, faults=tuple(faults))


def _later(begin: float, first: float) -> float:
    """The canary's first sample, where that is more than a scrape or two after the begin."""
    return first if first > begin + _EVERY_S else begin


def _stable(
    bench: Workbench, plan: Plan, begin: float
) -> tuple[Plan, frozenset[str], float] | None:
    """The plan with pods of the control in the canary's place; None where they are too few."""
    if plan.unit is not Unit.POD or len(plan.control) != 1:
        return None
    (control,) = plan.control
    pods, _ = _seen(bench, plan, control, begin)
    arms = placebo_arms(pods, plan.requests.pod_label)
    if arms is None:
        return None
    ours, theirs = (parse_selector(one) for one in (arms.canary, arms.control))
    changed = replace(plan, canary=(*control, *ours), control=((*control, *theirs),))
    chosen, _ = _seen(bench, changed, changed.canary, begin)
    return changed, chosen, begin


def _plain(plan: Plan, since: float, pods: frozenset[str]) -> list[Sabotage]:
    """One fault for each family of durations: its tails get slower with it."""
    seen: set[object] = set()
    out = []
    for fault in sabotages(plan, since=since, pods=pods):
        kind = fault.bound.signal.kind
        key = (kind, fault.bound.total) if kind is Kind.LATENCY else fault.bound.signal.name
        if key not in seen:
            seen.add(key)
            out.append(fault)
    return out


def _nobody(plan: Plan, pods: frozenset[str]) -> str:
    if not pods:
        notes = " ".join(plan.notes)
        return f"no pod of the canary has had a sample since the test's begin. {notes}".strip()
    return "there is no control to compare with"


def _seen(
    bench: Workbench, plan: Plan, arm: Sequence[Matcher], begin: float
) -> tuple[frozenset[str], float]:
    """The pods of an arm since the test's begin, and its first sample."""
    family = plan.requests
    if not family.metric:
        return frozenset(), bench.now
    query = Query(family.metric, (*family.matchers, *arm))
    (answer,) = bench.source.read([query], begin, bench.now, timeout_s=bench.timeout_s)
    held = [series for series in answer.series if series.times.size]
    first = min((float(series.times[0]) for series in held), default=bench.now)
    return frozenset(pod_of(family, series.labels) for series in held), first


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    bench: Workbench
    plan: Plan
    policy: Policy
    request: VerdictRequest
    begin: float

    def of(self, source: MetricSource, *, signal: str | None, words: str) -> Tried:
        """What the gate says of one copy, minute by minute."""
        course = self._course(source)
        return tried(course, signal=signal, words=words, since=self.begin)

    def _course(self, source: MetricSource) -> Course:
        request = VerdictRequest(
            service=self.request.service,
            canary=self.request.canary,
            control=self.request.control,
            namespace=self.request.namespace,
            cluster=self.request.cluster,
            started_at=datetime.fromtimestamp(self.begin, UTC),
            policy=self.policy,
        )
        rollout = PastRollout(request=request, start=self.begin, end=self.bench.now)
        past = Past(source=source, catalog=self.bench.catalog, discover=_Fixed(self.plan))
        every_s = _EVERY_S * self.policy.time_scale
        return play(rollout, past, policy=self.policy, every_s=every_s)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """`Discover` that has discovered already."""

    plan: Plan

    def __call__(
        self,
        catalog: MetricCatalog,
        request: VerdictRequest,
        *,
        start: float,
        end: float,
        timeout_s: float,
    ) -> Plan:
        """The plan that is tried."""
        del catalog, request, start, end, timeout_s
        return self.plan


@dataclass(slots=True)
class _Copy:
    """A source whose answers are kept, so that all copies are of the same samples."""

    source: MetricSource
    kept: dict[tuple[Query, float, float], Answer] = field(default_factory=dict)

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """See `MetricSource`."""
        new = [q for q in dict.fromkeys(queries) if (q, start, end) not in self.kept]
        if new:
            answers = self.source.read(new, start, end, timeout_s=timeout_s)
            fresh: Mapping[Query, Answer] = dict(zip(new, answers, strict=True))
            self.kept.update({(query, start, end): fresh[query] for query in new})
        return tuple(self.kept[query, start, end] for query in queries)


@dataclass(frozen=True, slots=True)
class _Spoiled:
    """The same with a fault in it."""

    held: _Copy
    fault: Sabotage

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """See `MetricSource`."""
        answers = self.held.read(queries, start, end, timeout_s=timeout_s)
        return tuple(
            sabotaged(self.fault, query, answer)
            for query, answer in zip(queries, answers, strict=True)
        )
