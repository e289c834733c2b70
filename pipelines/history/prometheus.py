"""History from Prometheus, Thanos or Mimir: range queries in pieces, few at once.

https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError, SourceError
from detector.selector import format_query, parse_selector
from detector.series import Answer, FloatArray, Matcher, MatchOp, Query
from models.stat import Stat
from pipelines.history.port import SeriesId, Span
from pipelines.sources.catalog import PrometheusCatalog
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.deadline import Deadline
from pipelines.sources.exchange import Exchange
from pipelines.sources.refusal import TooMuchError
from pipelines.sources.settings import SourceSettings
from pipelines.sources.wire import decode_matrix

__all__ = ["STEP_WORD", "PrometheusHistory"]

STEP_WORD = "$step"
_RANGE = "/api/v1/query_range"
_METRIC = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)\s*(\{.*\})?\s*", re.DOTALL)
_OVER = {
    Stat.MEAN: "avg_over_time",
    Stat.MAX: "max_over_time",
    Stat.MIN: "min_over_time",
    Stat.LAST: "last_over_time",
    Stat.RATE: "rate",
}
# What servers bound by default: points of a series in one answer. Below it, what a query has to
# look at, at the shortest of usual scrape intervals.
_MOST_POINTS, _MOST_SAMPLES, _SCRAPE_S = 10_000, 20_000_000, 15
# Mimir takes queries up to 16 kB long.
_LONGEST = 12_000
_A_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class _Piece:
    """Steps of the span that one query answers: `first` up to `last`, which is not in it."""

    first: int
    last: int


class PrometheusHistory:
    """`HistorySource` over a metric with matchers, or any expression, of PromQL.

    Of a metric each step is told by `stat`. An expression is taken as it is at the end of each
    step, with `$step` in it the length of a step: `sum by (service) (rate(requests_total[$step]))`.
    Its values are asked for once, and lie in a file until they are read.
    """

    def __init__(
        self,
        settings: SourceSettings,
        query: str,
        stat: Stat = Stat.MEAN,
        *,
        timeout_s: float = 120.0,
    ) -> None:
        self.cost, self.skew = Cost(), Skew()
        self._settings, self._stat, self._timeout_s = settings, stat, timeout_s
        self._text, self._metric = query, _metric_of(query)
        self._exchange = Exchange(settings, self.cost, self.skew)
        self._catalog = PrometheusCatalog(settings, self._exchange)
        self._workers = ThreadPoolExecutor(
            settings.budget.max_concurrent, thread_name_prefix="serinus-history"
        )
        self._held: _Held | None = None

    def close(self) -> None:
        """See `HistorySource`."""
        self._workers.shutdown(wait=True, cancel_futures=True)
        self._exchange.close()
        self._held = None

    def series(self, span: Span) -> Sequence[SeriesId]:
        """See `HistorySource`; of an expression, those that are there at some midnight or now."""
        if self._metric is None:
            step = max(span.step_s, min(_A_DAY_S, span.steps * span.step_s // 2))
            answer = self._asked(self._of_expression(span), span.start_s + step, span.end_s, step)
            return sorted({SeriesId.of(one.labels) for one in answer.series})
        found = self._catalog.series(
            [self._metric], span.start_s, span.end_s, timeout_s=self._timeout_s
        )
        return sorted(map(SeriesId.of, found))

    def read(self, series: Sequence[SeriesId], span: Span) -> FloatArray:
        """See `HistorySource`."""
        if self._metric is not None:
            return self._read_metric(self._metric, series, span)
        if self._held is None or self._held.span != span:
            every = self.series(span)
            values = _on_disk(len(every), span.steps)
            self._fill(self._of_expression(span), every, span, values)
            self._held = _Held(span, {one: row for row, one in enumerate(every)}, values)
        return self._held.read(series)

    def _read_metric(self, metric: Query, series: Sequence[SeriesId], span: Span) -> FloatArray:
        told = np.full((len(series), span.steps), np.nan)
        for some in _short_enough(metric, range(len(series)), series):
            chosen = [series[row] for row in some]
            selector = format_query(_narrowed(metric, chosen))
            text = f"{_OVER[self._stat]}({selector}[{span.step_s}s])"
            part = np.full((len(some), span.steps), np.nan)
            self._fill(text, [_nameless(one) for one in chosen], span, part)
            told[list(some)] = part
        return told

    def _of_expression(self, span: Span) -> str:
        return self._text.replace(STEP_WORD, f"{span.step_s}s")

    def _fill(self, text: str, series: Sequence[SeriesId], span: Span, values: Any) -> None:  # noqa: ANN401 - an array, or one on disk
        """Ask for all pieces, and put what series have into their rows."""
        rows = {one: row for row, one in enumerate(series)}
        jobs = [
            self._workers.submit(self._piece, text, span, piece)
            for piece in _pieces(len(series), span)
        ]
        try:
            for job in jobs:
                for piece, answer in job.result():
                    _put(answer, rows, span, piece, values)
        finally:
            for job in jobs:
                job.cancel()

    def _piece(self, text: str, span: Span, piece: _Piece) -> list[tuple[_Piece, Answer]]:
        """Halve it as long as it is too much for the source or for one body."""
        # A step's end belongs to the next one, so the last millisecond before it is asked for.
        first = span.start_s + (piece.first + 1) * span.step_s - 0.001
        last = span.start_s + piece.last * span.step_s - 0.001
        try:
            return [(piece, self._asked(text, first, last, span.step_s))]
        except TooMuchError:
            if piece.last - piece.first < 2:
                raise
        middle = (piece.first + piece.last) // 2
        return [
            *self._piece(text, span, _Piece(piece.first, middle)),
            *self._piece(text, span, _Piece(middle, piece.last)),
        ]

    def _asked(self, text: str, first: float, last: float, step_s: int) -> Answer:
        params = [
            ("query", text),
            ("start", f"{first:.3f}"),
            ("end", f"{last:.3f}"),
            ("step", str(step_s)),
            ("timeout", f"{self._timeout_s:g}s"),
            *self._settings.params.items(),
        ]
        reply = self._exchange.send("POST", _RANGE, params, Deadline(self._timeout_s))
        where = self._exchange.where
        matrix = decode_matrix(reply.body, where, reply.content_type)
        self.cost.answered(series=len(matrix.labels), samples=matrix.samples)
        if matrix.warnings:
            raise SourceError(f"{where} answers with a part only: {matrix.warnings[0][:300]}")
        try:
            return matrix.answer(first - 1.0, last + 1.0)
        except (msgspec.MsgspecError, ValueError) as error:
            raise SourceError(f"{where} sent samples that are not numbers") from error


@dataclass(frozen=True, slots=True)
class _Held:
    """What an expression was, until it is read."""

    span: Span
    rows: Mapping[SeriesId, int]
    values: NDArray[np.float64]

    def read(self, series: Sequence[SeriesId]) -> FloatArray:
        told = np.full((len(series), self.span.steps), np.nan)
        for place, one in enumerate(series):
            if one in self.rows:
                told[place] = self.values[self.rows[one]]
        return told


def _metric_of(text: str) -> Query | None:
    """A metric with matchers; None for any other expression."""
    found = _METRIC.fullmatch(text)
    if found is None:
        return None
    try:
        return Query(found[1], parse_selector(found[2] or "", field="query"))
    except InputError:
        return None


def _narrowed(metric: Query, series: Sequence[SeriesId]) -> Query:
    """The metric of these series, by the label that tells most of them apart."""
    values: dict[str, set[str]] = {}
    for one in series:
        for label, value in one.labels:
            values.setdefault(label, set()).add(value)
    shared = [name for name in values if all(name in dict(one.labels) for one in series)]
    telling = max(shared, key=lambda name: len(values[name]), default="__name__")
    if telling == "__name__":
        return metric
    either = "|".join(re.escape(value) for value in sorted(values[telling]))
    return Query(metric.metric, (*metric.matchers, Matcher(telling, MatchOp.MATCHES, either)))


def _short_enough(
    metric: Query, rows: range, series: Sequence[SeriesId]
) -> Iterator[Sequence[int]]:
    """Rows in runs whose query servers take."""
    text = format_query(_narrowed(metric, [series[row] for row in rows]))
    if len(text) <= _LONGEST or len(rows) < 2:
        if rows:
            yield rows
        return
    middle = len(rows) // 2
    yield from _short_enough(metric, rows[:middle], series)
    yield from _short_enough(metric, rows[middle:], series)


def _nameless(series: SeriesId) -> SeriesId:
    """What functions over time make of a series: they drop the metric's name."""
    return SeriesId(tuple(pair for pair in series.labels if pair[0] != "__name__"))


def _pieces(count: int, span: Span) -> list[_Piece]:
    """As few as servers can answer within their bounds."""
    at_once = _MOST_SAMPLES * _SCRAPE_S // (max(count, 1) * span.step_s)
    size = max(1, min(at_once, _MOST_POINTS))
    firsts = range(0, span.steps, size)
    return [_Piece(first, min(first + size, span.steps)) for first in firsts]


def _put(
    answer: Answer,
    rows: Mapping[SeriesId, int],
    span: Span,
    piece: _Piece,
    values: NDArray[np.float64],
) -> None:
    """What is not finite, or of no series that is asked for, is left out."""
    for one in answer.series:
        series = SeriesId.of(one.labels)
        row = rows.get(series, rows.get(_nameless(series)))
        at = np.round((one.times - span.start_s) / span.step_s).astype(np.int64) - 1
        good = np.isfinite(one.values) & (at >= piece.first) & (at < piece.last)
        if row is not None:
            values[row, at[good]] = one.values[good]


def _on_disk(rows: int, steps: int) -> NDArray[np.float64]:
    """Room for values in a file without a name."""
    if not rows:
        return np.zeros((0, steps))
    with tempfile.TemporaryFile(prefix="serinus-history-") as file:
        room: NDArray[np.float64] = np.memmap(file, np.float64, "w+", shape=(rows, steps))
    room[:] = np.nan
    return room
