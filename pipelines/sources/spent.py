"""What one read has taken of its budget, over all its queries."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from detector.errors import SourceError
from detector.selector import format_query
from detector.series import Query
from pipelines.sources.settings import Budget
from pipelines.sources.wire import Part

__all__ = ["Spent"]


@dataclass(slots=True)
class Spent:
    """What one `read` has taken of its budget, over all its queries."""

    budget: Budget
    where: str
    samples: int = 0
    series: dict[Query, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, query: Query, part: Part) -> None:
        """Count a reply before it is parsed; `SourceError` when the read is over its budget."""
        with self.lock:
            self.samples += part.samples
            self.series[query] = max(self.series.get(query, 0), len(part.places))
            series = sum(self.series.values())
        if series > self.budget.max_series:
            raise self._over("series", series, self.budget.max_series, query)
        if self.samples > self.budget.max_samples:
            raise self._over("samples", self.samples, self.budget.max_samples, query)

    def _over(self, what: str, found: int, bound: int, query: Query) -> SourceError:
        return SourceError(
            f"{self.where}: one read selects {found:,} {what} or more, {bound:,} are allowed; "
            f"narrow {format_query(query)[:200]} or raise the budget max_{what}",
            code="query_rejected",
            retryable=False,
        )
