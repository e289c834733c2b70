"""Ports: what the domain needs from the world, as Protocols. Adapters live in `pipelines/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from detector.series import Answer, Query

__all__ = ["Clock", "MetricCatalog", "MetricSource"]


class Clock(Protocol):
    """Now, in unix seconds."""

    def __call__(self) -> float:
        """Seconds since the epoch, as the machine believes them."""
        ...


class MetricSource(Protocol):
    """Raw samples by metric and matchers."""

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Raw samples with `start < time <= end` (unix seconds), one answer per query, in order.

        Blocks up to `timeout_s` in total, retries within it, and then raises `SourceError`.
        Stale markers are left out; NaN values are kept; HA duplicates come as separate series.
        """
        ...


class MetricCatalog(Protocol):
    """What exists in the source; used to discover and to bind, never for evidence."""

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """Names of all metrics that the source knows."""
        ...

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Label sets (with `__name__`) of the series that had samples in the span."""
        ...

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """Values of one label over the series that match any of the queries, sorted."""
        ...
