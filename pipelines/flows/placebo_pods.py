"""Pods of a service over weeks: who lived when, found by thin looks and read where it matters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detector.backtest.placebos import Life
from detector.discovery.workloads import prefix_of
from detector.errors import InputError
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricOutline, MetricSource
from detector.series import Matcher, MatchOp, Query
from detector.signals.plan import Plan
from detector.signals.signal import Unit
from pipelines.flows.locate import Discover

__all__ = ["Pods", "pods_of_service"]

_LATELY_S = 600.0
_STEP_S = 900.0
# At a look the newest sample counts that is no older than this.
_AGE_S = 300.0
_TIMEOUT_S = 60.0
_NOBODY = "__none__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    """How the pods of a service are told apart: `query` selects their requests."""

    query: Query
    label: str
    plan: Plan

    def lives(
        self, source: MetricSource, *, since: float, until: float, timeout_s: float
    ) -> list[Life]:
        """All pods between two moments, unix seconds, by first sample.

        A look each quarter of an hour tells who is there; the samples in between are read where
        somebody came. Who came and went between two looks is not seen. When a pod went is known to
        a quarter of an hour, and told as the last moment at which it surely was there.
        """
        if not isinstance(source, MetricOutline):
            text = "this metric source has no outline of the past: its pods cannot be followed"
            raise InputError(text, field="source")
        (answer,) = source.outline([self.query], since, until, step_s=_STEP_S, timeout_s=timeout_s)
        seen: dict[str, tuple[float, float]] = {}
        for one in answer.series:
            pod, times = one.labels.get(self.label), one.times
            if pod and len(times):
                known = seen.get(pod, (math.inf, -math.inf))
                seen[pod] = min(known[0], float(times[0])), max(known[1], float(times[-1]))
        born = self._born(source, seen, timeout_s)
        newest = max((last for _, last in seen.values()), default=until)
        lives = [
            Life(
                pod=pod,
                revision=prefix_of(pod) or pod,
                born=born.get(pod, -math.inf),
                gone=math.inf if last == newest else last - _AGE_S,
            )
            for pod, (_, last) in seen.items()
        ]
        return sorted(lives, key=lambda life: (life.born, life.pod))

    def _born(
        self, source: MetricSource, seen: Mapping[str, tuple[float, float]], timeout_s: float
    ) -> dict[str, float]:
        """First samples of all who were not there at the first look."""
        looks = sorted({first for first, _ in seen.values()})
        born: dict[str, float] = {}
        for at in looks[1:]:
            new = sorted(pod for pod, (first, _) in seen.items() if first == at)
            born |= self._first(source, new, at - _STEP_S - _AGE_S, at, timeout_s)
        return born

    def _first(
        self, source: MetricSource, pods: Sequence[str], start: float, end: float, timeout_s: float
    ) -> dict[str, float]:
        names = Matcher(self.label, MatchOp.MATCHES, "|".join(pods))
        asked = replace(self.query, matchers=(*self.query.matchers, names))
        (answer,) = source.read([asked], start, end, timeout_s=timeout_s)
        born: dict[str, float] = {}
        for one in answer.series:
            if len(one.times):
                pod = one.labels[self.label]
                born[pod] = min(born.get(pod, math.inf), float(one.times[0]))
        return born


def pods_of_service(
    request: VerdictRequest, catalog: MetricCatalog, discover: Discover, *, now: float
) -> Pods:
    """How to ask for the pods of a service; `InputError` where its series do not tell them."""
    asked = replace(request, canary=f'{{{_NOBODY}="nothing"}}', control=None, as_of=None)
    plan = discover(catalog, asked, start=now - _LATELY_S, end=now, timeout_s=_TIMEOUT_S)
    if not plan.requests.metric or not plan.signals:
        notes = " ".join(note for note in plan.notes if _NOBODY not in note)
        text = f"nothing is known to be judged of {request.service}: {notes}"
        raise InputError(text.strip(": "), field="service")
    if plan.unit is not Unit.POD:
        raise InputError(
            f"the series of {request.service} do not tell its pods apart ({plan.unit.value}), so"
            " that none of them can be called a canary",
            field="service",
        )
    label = plan.requests.pod_label
    arm = plan.control[0] if plan.control else plan.canary
    matchers = tuple(m for m in arm if m.label not in {label, _NOBODY})
    query = Query(plan.requests.metric, (*plan.requests.matchers, *matchers))
    return Pods(query=query, label=label, plan=plan)
