"""Counters of objectives that name a signal and no query: looked up by discovery."""

from __future__ import annotations

from dataclasses import dataclass

from detector.discovery.promised import buckets_of, counters_of, fast_of
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog
from detector.slo.objective import Counted, Objective
from pipelines.flows.locate import Discover

__all__ = ["BoundCounters"]

_LATELY_S = 600.0
# The canary of nobody: an objective is of the service as a whole.
_NOBODY = '{__none__="nothing"}'


@dataclass(frozen=True, slots=True)
class BoundCounters:
    """`Counters`: those that an objective names, else those of the signal that it names."""

    discover: Discover
    catalog: MetricCatalog

    def __call__(self, objective: Objective, as_of: float, timeout_s: float) -> Counted:
        """As of a moment; `InputError` where the signal is not bound, `SourceError`."""
        told = objective.indicator
        if isinstance(told, Counted):
            return told
        request = VerdictRequest(
            service=objective.service, namespace=told.namespace or None, canary=_NOBODY
        )
        start = as_of - _LATELY_S
        plan = self.discover(self.catalog, request, start=start, end=as_of, timeout_s=timeout_s)
        if told.below is None:
            return counters_of(plan, told.signal)
        asked = [buckets_of(plan, told.signal)]
        edges = self.catalog.series(asked, start, as_of, timeout_s=timeout_s)
        return fast_of(plan, told.signal, told.below, edges)
