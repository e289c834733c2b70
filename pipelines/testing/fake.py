"""A source in memory that fails by script."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from detector.errors import SourceError
from detector.series import Answer, Query
from pipelines.sources.memory import MemorySource

__all__ = ["FakeSource", "Fault", "RecordedRead"]


class Fault(StrEnum):
    """How a `FakeSource` fails. `slow` fails at once as if the whole time-out had passed."""

    NONE = "none"
    DOWN = "down"
    SLOW = "slow"
    REJECTED = "rejected"
    WARNINGS = "warnings"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRead:
    """One call of `FakeSource.read`."""

    queries: tuple[Query, ...]
    start: float
    end: float
    timeout_s: float


class FakeSource:
    """`MetricSource` and `MetricCatalog` from memory, with faults by script.

    Put samples into `store`. `script(Fault.DOWN, Fault.NONE)` fails the next call and answers the
    one after; when the script has run out, `fault` says what happens. `reads` records the calls.
    """

    def __init__(self, store: MemorySource | None = None, *, fault: Fault = Fault.NONE) -> None:
        self.store = MemorySource() if store is None else store
        self.fault = fault
        self.reads: list[RecordedRead] = []
        self._script: deque[Fault] = deque()

    def script(self, *faults: Fault) -> None:
        """What happens at the next calls, in order; added to what is still to come."""
        self._script.extend(faults)

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Answer from memory, or fail as scripted; see `MetricSource`."""
        call = RecordedRead(queries=tuple(queries), start=start, end=end, timeout_s=timeout_s)
        self.reads.append(call)
        fault = self._next(timeout_s)
        answers = self.store.read(queries, start, end, timeout_s=timeout_s)
        return tuple(_spoiled(answer, fault) for answer in answers)

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float,
    ) -> Sequence[Answer]:
        """The newest sample at each step; see `MetricOutline`."""
        fault = self._next(timeout_s)
        answers = self.store.outline(queries, start, end, step_s=step_s, timeout_s=timeout_s)
        return tuple(_spoiled(answer, fault) for answer in answers)

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """Names of all metrics; see `MetricCatalog`."""
        self._next(timeout_s)
        return self.store.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Label sets in the span; see `MetricCatalog`."""
        self._next(timeout_s)
        return self.store.series(queries, start, end, timeout_s=timeout_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """Sorted values of one label; see `MetricCatalog`."""
        self._next(timeout_s)
        return self.store.label_values(label, queries, start, end, timeout_s=timeout_s)

    def _next(self, timeout_s: float) -> Fault:
        """The fault of this call; raises when it is one that leaves no answer."""
        fault = self._script.popleft() if self._script else self.fault
        match fault:
            case Fault.DOWN:
                raise SourceError("cannot connect to the fake source: it was told to be down")
            case Fault.SLOW:
                raise SourceError(f"the fake source did not answer whole within {timeout_s:g} s")
            case Fault.REJECTED:
                raise SourceError(
                    "the fake source rejected the query", code="query_rejected", retryable=False
                )
        return fault


def _spoiled(answer: Answer, fault: Fault) -> Answer:
    """`warnings` warns of missing series; `partial` also leaves every other one out."""
    warnings = (*answer.warnings, "the fake source was told to warn")
    match fault:
        case Fault.WARNINGS:
            return Answer(series=answer.series, warnings=warnings)
        case Fault.PARTIAL:
            return Answer(series=answer.series[::2], warnings=warnings)
    return answer
