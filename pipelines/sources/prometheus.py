"""Raw samples from anything that speaks the Prometheus query API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import msgspec
import numpy as np

from detector.errors import SourceError
from detector.selector import format_query
from detector.series import Answer, Query, Series
from detector.signals.packs import Pack, shipped_packs
from pipelines.sources.batches import Batches, Order
from pipelines.sources.catalog import PrometheusCatalog
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.deadline import Deadline
from pipelines.sources.exchange import Exchange
from pipelines.sources.native import Natives, bases_of
from pipelines.sources.refusal import TooMuchError
from pipelines.sources.settings import SourceSettings
from pipelines.sources.spent import Spent
from pipelines.sources.wire import Matrix, Part, decode_matrix, range_selector, subquery

__all__ = ["PrometheusSource"]

T = TypeVar("T")

# A span that is still too much after five halvings is a selector that is too wide.
DEEPEST_SPLIT = 5
SHORTEST_SPAN_S = 60.0
# The worker names the cause at the deadline; its reader waits this much longer to hear it.
GRACE_S = 0.25
# What polls read; histories are long and asked for once, so they go query by query.
TOGETHER_S = 1200.0


@dataclass(frozen=True, slots=True)
class _Ask:
    """One query of one read."""

    query: Query
    deadline: Deadline
    spent: Spent
    step_s: float | None = None

    def text(self, start: float, end: float) -> tuple[str, str]:
        """What is sent: for raw samples, or for the newest one at each step."""
        selector = format_query(self.query)
        if self.step_s is None:
            return range_selector(selector, start, end)
        return subquery(selector, start, end, self.step_s)


class PrometheusSource:
    """`MetricSource` and `MetricCatalog` over the HTTP API, safe to use from many threads.

    At most `budget.max_concurrent` queries are on the wire at once, over all readers. `cost` and
    `skew` are running figures. Close it, or use it in a `with` block. Native histograms that the
    `packs` know (None: the shipped ones) appear as classic ones.
    """

    def __init__(self, settings: SourceSettings, packs: Sequence[Pack] | None = None) -> None:
        self.settings = settings
        self._natives = Natives(bases_of(shipped_packs() if packs is None else packs))
        self.cost = Cost()
        self.skew = Skew()
        self._exchange = Exchange(settings, self.cost, self.skew)
        self._catalog = PrometheusCatalog(settings, self._exchange)
        self._workers = ThreadPoolExecutor(
            settings.budget.max_concurrent, thread_name_prefix="serinus-source"
        )
        self._batches = Batches(self._workers, self, self._exchange.where)

    def __repr__(self) -> str:
        return f"PrometheusSource({self.settings.url!r})"

    def __enter__(self) -> PrometheusSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up waiting queries and close the connections."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._exchange.close()

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Raw samples with `start < time <= end`, one answer per query; see `MetricSource`."""
        return self._asked(queries, start, end, timeout_s, None)

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float,
    ) -> Sequence[Answer]:
        """The newest sample at each multiple of `step_s`; see `MetricOutline`."""
        return self._asked(queries, start, end, timeout_s, step_s)

    def _asked(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        timeout_s: float,
        step_s: float | None,
    ) -> Sequence[Answer]:
        if not end > start or not queries:
            return tuple(Answer(series=()) for _ in queries)
        deadline = Deadline(timeout_s)
        if self._natives.concern(queries) and not self._natives.is_told:
            self.metrics(timeout_s=timeout_s)
        spent = Spent(self.settings.budget, self._exchange.where)
        sent = {query: self._natives.instead(query) for query in queries}
        order = Order(tuple({*sent.values()}), start, end, deadline, spent)
        together = step_s is None and end - start <= TOGETHER_S
        answers = self._batches.read(order) if together else self._each(order, step_s)
        found = dict(zip(order.queries, answers, strict=True))
        return tuple(self._natives.answered(query, found[sent[query]]) for query in queries)

    def _each(self, order: Order, step_s: float | None) -> Sequence[Answer]:
        """Every query by a worker of its own."""
        jobs = [
            self._workers.submit(self._answer, ask, order.start, order.end)
            for ask in _asks(order, step_s)
        ]
        self._await(jobs, order.deadline)
        return [job.result() for job in jobs]

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """Names of all metrics; see `MetricCatalog`."""
        names = self._bounded(lambda: self._catalog.metrics(timeout_s=timeout_s), timeout_s)
        return self._natives.told(names)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Label sets of the series in the span; see `MetricCatalog`."""
        sent = self._sent(queries)
        found = self._bounded(
            lambda: self._catalog.series(sent, start, end, timeout_s=timeout_s), timeout_s
        )
        return self._natives.listed(queries, found)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """Sorted values of one label; see `MetricCatalog`."""
        sent = self._sent(queries)
        found = self._bounded(
            lambda: self._catalog.label_values(label, sent, start, end, timeout_s=timeout_s),
            timeout_s,
        )
        return found if label != "le" else self._natives.edges(queries) or found

    def _sent(self, queries: Sequence[Query]) -> list[Query]:
        """What is asked of the API for queries, each once."""
        return list(dict.fromkeys(map(self._natives.instead, queries)))

    def metadata(self, *, timeout_s: float) -> Mapping[str, str]:
        """Type (`counter`, `gauge`, `histogram`, `unknown`…) by metric name."""
        return self._bounded(lambda: self._catalog.metadata(timeout_s=timeout_s), timeout_s)

    def _bounded(self, call: Callable[[], T], timeout_s: float) -> T:
        """Run in a worker, so that even a name server that hangs cannot hold the caller."""
        job = self._workers.submit(call)
        self._await([job], Deadline(timeout_s))
        return job.result()

    def _await(self, jobs: Sequence[Future[Any]], deadline: Deadline) -> None:
        """Wait for all, or for the first error, which is raised; late ones are given up."""
        left = max(deadline.remaining(), 0.0) + GRACE_S
        done, late = wait(jobs, timeout=left, return_when=FIRST_EXCEPTION)
        for job in late:
            job.cancel()
        for job in done:
            job.result()
        if late:
            raise SourceError(
                f"{self._exchange.where} did not answer {len(late)} of {len(jobs)} queries "
                f"within {deadline.timeout_s:g} s"
            )

    def _answer(self, ask: _Ask, start: float, end: float) -> Answer:
        whole = self.settings.budget.max_span_s if ask.step_s is None else end - start
        pieces = max(int(np.ceil((end - start) / whole)), 1)
        edges = [float(edge) for edge in np.linspace(start, end, pieces + 1)]
        answers = [
            answer for low, high in pairwise(edges) for answer in self._split(ask, low, high, 0)
        ]
        return _joined(answers)

    def _split(self, ask: _Ask, start: float, end: float, depth: int) -> list[Answer]:
        """Halve the span as long as it is too much for the source or for one body."""
        try:
            return [self._once(ask, start, end)]
        except TooMuchError:
            if depth >= DEEPEST_SPLIT or end - start < 2 * SHORTEST_SPAN_S:
                raise
        middle = (start + end) / 2
        return [
            *self._split(ask, start, middle, depth + 1),
            *self._split(ask, middle, end, depth + 1),
        ]

    def _once(self, ask: _Ask, start: float, end: float) -> Answer:
        query, time = ask.text(start, end)
        part = self._matrix(query, time, ask.deadline, reads=1).whole()
        ask.spent.take(ask.query, part)
        return self.parsed(part, start, end)

    def _matrix(self, query: str, time: str, deadline: Deadline, *, reads: int) -> Matrix:
        left_ms = max(int(deadline.remaining() * 1000), 1)
        params = [
            ("query", query),
            ("time", time),
            ("timeout", f"{left_ms}ms"),
            ("limit", str(reads * self.settings.budget.max_series + 1)),
            *self.settings.params.items(),
        ]
        reply = self._exchange.send("POST", "/api/v1/query", params, deadline)
        matrix = decode_matrix(reply.body, self._exchange.where, reply.content_type)
        self.cost.answered(series=len(matrix.labels), samples=matrix.samples)
        return matrix

    # -- as `Batches` reads

    def matrix(
        self, selector: str, start: float, end: float, deadline: Deadline, *, reads: int
    ) -> Matrix:
        """The samples of a selector, asked for once for so many reads."""
        query, time = range_selector(selector, start, end)
        return self._matrix(query, time, deadline, reads=reads)

    def alone(self, order: Order) -> Sequence[Answer]:
        """An order read query by query, its span halved where it is too much."""
        return [self._answer(ask, order.start, order.end) for ask in _asks(order, None)]

    def parsed(self, part: Part, start: float, end: float) -> Answer:
        """Text as samples."""
        try:
            return part.answer(start, end)
        except (msgspec.MsgspecError, ValueError) as error:
            raise SourceError(
                f"{self._exchange.where} sent samples that are not numbers"
            ) from error


def _asks(order: Order, step_s: float | None) -> list[_Ask]:
    return [_Ask(query, order.deadline, order.spent, step_s) for query in order.queries]


def _joined(answers: Sequence[Answer]) -> Answer:
    """Answers of adjoining spans, in order of time, as one."""
    if len(answers) == 1:
        return answers[0]
    parts: dict[frozenset[tuple[str, str]], list[Series]] = {}
    for answer in answers:
        for series in answer.series:
            parts.setdefault(frozenset(series.labels.items()), []).append(series)
    warnings = dict.fromkeys(warning for answer in answers for warning in answer.warnings)
    return Answer(series=tuple(map(_chained, parts.values())), warnings=tuple(warnings))


def _chained(parts: Sequence[Series]) -> Series:
    return Series(
        labels=parts[0].labels,
        times=np.concatenate([part.times for part in parts]),
        values=np.concatenate([part.values for part in parts]),
    )
