"""Discovery with its packs, its source and one deadline over all that it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detector.discovery import discover
from detector.errors import SourceError
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricSource
from detector.series import Answer, Query
from detector.signals.packs import Pack
from detector.signals.plan import Plan
from pipelines.flows.turns import Budget

__all__ = ["BoundCatalog", "BoundSource", "Discovery"]


@dataclass(frozen=True, slots=True)
class Discovery:
    """`Discover` of the gate; `source` weighs stable workloads by their traffic.

    `awaited` says what is not there yet and would be missing in a plan, which is an attempt's for
    good: a `SourceError`, so that the question is answered without one.
    """

    packs: Sequence[Pack]
    source: MetricSource | None = None
    awaited: Callable[[], str] = lambda: ""

    def __call__(
        self,
        catalog: MetricCatalog,
        request: VerdictRequest,
        *,
        start: float,
        end: float,
        timeout_s: float,
    ) -> Plan:
        """The plan of a service; all that is asked for it takes `timeout_s` together."""
        if why := self.awaited():
            raise SourceError(f"our own counters cannot be read: {why}", retryable=True)
        budget = Budget(timeout_s)
        return discover(
            BoundCatalog(catalog, budget),
            self.packs,
            request,
            start=start,
            end=end,
            timeout_s=timeout_s,
            source=None if self.source is None else BoundSource(self.source, budget),
        )


@dataclass(frozen=True, slots=True)
class BoundCatalog:
    """A catalogue whose calls have what is left of the time."""

    catalog: MetricCatalog
    budget: Budget

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        return self.catalog.metrics(timeout_s=min(timeout_s, self.budget.left_s()))

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        left_s = min(timeout_s, self.budget.left_s())
        return self.catalog.series(queries, start, end, timeout_s=left_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        left_s = min(timeout_s, self.budget.left_s())
        return self.catalog.label_values(label, queries, start, end, timeout_s=left_s)


@dataclass(frozen=True, slots=True)
class BoundSource:
    """A source whose reads have what is left of the time."""

    source: MetricSource
    budget: Budget

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        left_s = min(timeout_s, self.budget.left_s())
        return self.source.read(queries, start, end, timeout_s=left_s)
