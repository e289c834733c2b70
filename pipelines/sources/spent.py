"""What one read has taken of its budget, over all its queries."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from detector.errors import SourceError
from pipelines.sources.settings import Budget
from pipelines.sources.wire import Matrix

__all__ = ["Spent"]


@dataclass(slots=True)
class Spent:
    """What one `read` has taken of its budget, over all its queries."""

    budget: Budget
    where: str
    samples: int = 0
    series: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, selector: str, matrix: Matrix) -> None:
        """Count a reply before it is parsed; `SourceError` when the read is over its budget."""
        with self.lock:
            self.samples += matrix.samples
            self.series[selector] = max(self.series.get(selector, 0), len(matrix.elements))
            series = sum(self.series.values())
        if series > self.budget.max_series:
            raise self._over("series", series, self.budget.max_series, selector)
        if self.samples > self.budget.max_samples:
            raise self._over("samples", self.samples, self.budget.max_samples, selector)

    def _over(self, what: str, found: int, bound: int, selector: str) -> SourceError:
        return SourceError(
            f"{self.where}: one read selects {found:,} {what} or more, {bound:,} are allowed; "
            f"narrow {selector[:200]} or raise the budget max_{what}",
            code="query_rejected",
            retryable=False,
        )
