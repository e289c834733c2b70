"""Queries of PromQL over long spans: in chunks that the source bears, one at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from detector.errors import ConfigError, SourceError
from detector.series import Answer, Series
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.deadline import Deadline
from pipelines.sources.exchange import Exchange
from pipelines.sources.refusal import TooMuchError
from pipelines.sources.settings import SourceSettings
from pipelines.sources.wire import decode_matrix

__all__ = ["PrometheusRanges", "Ranges", "open_ranges"]

# Values of one series in one answer: Prometheus refuses over 11,000, and a week of hours is enough
# for a request to be worth its while.
_CHUNK = 7 * 24
_DEEPEST_SPLIT = 6
# Beside what the gate asks: it must never wait for a report.
_CONCURRENT = 1


class Ranges(Protocol):
    """What answers queries over a span."""

    def ranged(
        self, query: str, start: float, end: float, *, step_s: float, timeout_s: float
    ) -> Answer:
        """The query's value at `start` and every `step_s` after it up to `end` (unix seconds).

        Series are without a name; where there is no value there is no sample. `SourceError`.
        """
        ...


class PrometheusRanges:
    """`Ranges` of anything that speaks the Prometheus query API; safe for threads."""

    def __init__(self, settings: SourceSettings) -> None:
        budget = replace(settings.budget, max_concurrent=_CONCURRENT)
        self._settings = replace(settings, budget=budget)
        self.cost, self.skew = Cost(), Skew()
        self._exchange = Exchange(self._settings, self.cost, self.skew)

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def ranged(
        self, query: str, start: float, end: float, *, step_s: float, timeout_s: float
    ) -> Answer:
        """See `Ranges`; `timeout_s` bounds all of it together."""
        deadline = Deadline(timeout_s)
        steps = math.floor((end - start) / step_s)
        answers = []
        for first in range(0, steps + 1, _CHUNK):
            last = min(first + _CHUNK - 1, steps)
            answers += self._split(query, (start, step_s), (first, last), deadline, 0)
        return _joined(answers)

    def _split(
        self,
        query: str,
        grid: tuple[float, float],
        steps: tuple[int, int],
        deadline: Deadline,
        depth: int,
    ) -> list[Answer]:
        """Halve the span as long as it is too much for the source or for one body."""
        try:
            return [self._once(query, grid, steps, deadline)]
        except TooMuchError:
            first, last = steps
            if depth >= _DEEPEST_SPLIT or first == last:
                raise
        middle = (first + last) // 2
        return [
            *self._split(query, grid, (first, middle), deadline, depth + 1),
            *self._split(query, grid, (middle + 1, last), deadline, depth + 1),
        ]

    def _once(
        self, query: str, grid: tuple[float, float], steps: tuple[int, int], deadline: Deadline
    ) -> Answer:
        left_s = deadline.remaining()
        if left_s <= 0:
            raise SourceError(
                f"{self._exchange.where} did not answer within {deadline.timeout_s:g} s"
            )
        (origin, step_s), (first, last) = grid, steps
        start, end = origin + first * step_s, origin + last * step_s
        params = [
            ("query", query),
            ("start", f"{start:.3f}"),
            ("end", f"{end:.3f}"),
            ("step", f"{step_s:g}"),
            ("timeout", f"{max(int(left_s * 1000), 1)}ms"),
            *self._settings.params.items(),
        ]
        reply = self._exchange.send("POST", "/api/v1/query_range", params, deadline)
        matrix = decode_matrix(reply.body, self._exchange.where, reply.content_type)
        self.cost.answered(series=len(matrix.labels), samples=matrix.samples)
        if len(matrix.labels) > self._settings.budget.max_series:
            raise SourceError(
                f"{self._exchange.where}: a query gives over "
                f"{self._settings.budget.max_series:,} series; narrow it",
                code="query_rejected",
                retryable=False,
            )
        return matrix.answer(start - step_s / 2, end + step_s / 2)


def open_ranges(settings: SourceSettings) -> PrometheusRanges:
    """What answers queries for capacity; `ConfigError` for a source that knows no PromQL."""
    if settings.kind != "prometheus":
        raise ConfigError(f"capacity needs a source that speaks PromQL; {settings.kind!r} does not")
    return PrometheusRanges(settings)


def _joined(answers: Sequence[Answer]) -> Answer:
    """Answers of adjoining spans, in order of time, as one."""
    if len(answers) == 1:
        return answers[0]
    parts: dict[frozenset[tuple[str, str]], list[Series]] = {}
    for answer in answers:
        for series in answer.series:
            parts.setdefault(frozenset(series.labels.items()), []).append(series)
    warnings = dict.fromkeys(said for answer in answers for said in answer.warnings)
    return Answer(series=tuple(map(_chained, parts.values())), warnings=tuple(warnings))


def _chained(parts: Sequence[Series]) -> Series:
    return Series(
        labels=parts[0].labels,
        times=np.concatenate([part.times for part in parts]),
        values=np.concatenate([part.values for part in parts]),
    )
