"""The self-test: a service's own recent samples, with and without a fault, through the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from detector.discovery.sabotage import Sabotage, sabotaged, sabotages
from detector.discovery.trial import SelfTest, Tried, tried
from detector.errors import SerinusError
from detector.gate.backtest import Course, PastRollout
from detector.gate.policy import Policy
from detector.gate.presence import pod_of
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricSource
from detector.series import Answer, Query
from detector.signals.plan import Plan
from detector.signals.signal import Kind
from pipelines.flows.backtest import Past, play

__all__ = ["Workbench", "self_test"]

_LENGTH_S = 1500.0
_EVERY_S = 60.0


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

    Each copy is asked each minute as a controller would; the source is read once.
    """
    scale = policy.time_scale
    begin, minutes = bench.now - bench.length_s * scale, bench.length_s / 60
    held = _Copy(bench.source)
    try:
        pods = _pods(bench, plan, begin)
        if not pods or not plan.control:
            why = _nobody(plan, pods)
            return SelfTest(minutes=minutes, healthy=None, faults=(), problem=why)
        run = _Run(bench=bench, plan=plan, policy=policy, request=request, begin=begin)
        healthy = run.of(held, signal=None, words="no fault")
        faults = [
            run.of(_Spoiled(held, one), signal=one.bound.signal.name, words=one.words)
            for one in _plain(plan, begin, pods)
        ]
    except SerinusError as error:
        return SelfTest(minutes=minutes, healthy=None, faults=(), problem=str(error))
    return SelfTest(minutes=minutes, healthy=healthy, faults=tuple(faults))


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


def _pods(bench: Workbench, plan: Plan, begin: float) -> frozenset[str]:
    family = plan.requests
    if not family.metric:
        return frozenset()
    query = Query(family.metric, (*family.matchers, *plan.canary))
    (answer,) = bench.source.read([query], begin, bench.now, timeout_s=bench.timeout_s)
    return frozenset(pod_of(family, s.labels) for s in answer.series)


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
