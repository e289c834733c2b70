"""A catalogue that is asked for its names once: many services are looked at one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detector.ports import MetricCatalog
from detector.series import Query

__all__ = ["KeptCatalog"]


@dataclass(slots=True)
class KeptCatalog:
    """`MetricCatalog` that keeps the names of metrics; all else is asked each time."""

    catalog: MetricCatalog
    _names: list[frozenset[str]] = field(default_factory=list)

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """See `MetricCatalog`."""
        if not self._names:
            self._names.append(self.catalog.metrics(timeout_s=timeout_s))
        return self._names[0]

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """See `MetricCatalog`."""
        return self.catalog.series(queries, start, end, timeout_s=timeout_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """See `MetricCatalog`."""
        return self.catalog.label_values(label, queries, start, end, timeout_s=timeout_s)
