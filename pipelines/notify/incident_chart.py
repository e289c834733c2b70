"""The picture of what broke, for messages: read where its metric is, or left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray

from detector.alerts.brief import IncidentBrief
from detector.errors import NotFoundError, SerinusError
from detector.gate.telling import Notice
from detector.ports import MetricSource
from detector.series import Answer, Matcher, MatchOp, Query, Series
from detector.stream.anomaly import Anomaly, AnomalyKind
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.ports import AnomalyStore
from detector.stream.record import KeptAnomaly
from pipelines.notify.chart import Curve, chart_png

__all__ = ["IncidentCharts", "curve_of"]

Floats = NDArray[np.float64]

# Signs that are looked at for one with a metric, the first one first.
_SIGNS = 3
_BEFORE_S, _LEAST_S, _MOST_S = 3600.0, 1800.0, 6 * 3600.0
# A picture of 640 pixels needs no more, whatever a source gives.
_POINTS = 100_000
# Who forwards samples may add these, which the source itself does not have.
_ADDED = frozenset(
    {"cluster", "environment", "env", "prometheus", "prometheus_replica", "region", "replica"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCharts:
    """PNGs of the metric that left its range first, as a line from an hour before on.

    `anomalies` gives the store once it is open. The source is asked once for each, for
    `timeout_s` at most: a message does not wait for its picture. It has metrics of `tenants`; what
    another pushed under the same names is not what is there.
    """

    anomalies: Callable[[], AnomalyStore]
    source: MetricSource
    tenants: frozenset[str] = frozenset({"default"})
    timeout_s: float = 3.0

    def __call__(self, notice: Notice) -> bytes:
        """Empty where there is nothing to draw, or it cannot be read; never raises for that."""
        brief = notice.incident
        if brief is None or brief.tenant not in self.tenants:
            return b""
        try:
            curve = self._curve(brief)
            return b"" if curve is None else chart_png(curve)
        except (SerinusError, ValueError, ArithmeticError, OSError) as error:
            log = structlog.get_logger("serinus.notify")
            log.info("told without a chart", incident=brief.id, error=str(error))
            return b""

    def _curve(self, brief: IncidentBrief) -> Curve | None:
        kept = next(self._metrics(brief), None)
        if kept is None:
            return None
        anomaly, info = kept.anomaly, kept.series[kept.anomaly.peak.series]
        begin, end = _span(anomaly, brief)
        answers = self.source.read(_queries(info), begin, end, timeout_s=self.timeout_s)
        series = _found(answers)
        return None if series is None else curve_of(anomaly, info, series, until=brief.told_at)

    def _metrics(self, brief: IncidentBrief) -> Iterator[KeptAnomaly]:
        """Signs that are about one metric whose series is known; others tell no line."""
        store = self.anomalies()
        for sign in brief.signs[:_SIGNS]:
            try:
                kept = store.get(brief.tenant, sign.anomaly)
            except NotFoundError:
                continue
            info = kept.series.get(kept.anomaly.peak.series)
            if kept.anomaly.kind is AnomalyKind.METRIC and info is not None and info.name:
                yield kept


def curve_of(anomaly: Anomaly, info: SeriesInfo, series: Series, *, until: int) -> Curve | None:
    """What was seen, with the range that was expected at its worst for as long as it was odd.

    `until` is unix milliseconds, for one that lasts. Counters become rates; None where too few
    samples are left. What a source has of deltas is not known to be the same, so there is no line.
    """
    is_rate = info.kind is SeriesKind.CUMULATIVE
    times, values = series.times[-_POINTS:], series.values[-_POINTS:]
    if is_rate:
        times, values = _rates(times, values)
    if info.kind is SeriesKind.DELTA or not np.isfinite(values).any():
        return None
    at = np.round(1000 * times).astype(np.int64)
    peak, ended = anomaly.peak, anomaly.end
    is_odd = (at >= anomaly.start) & (at <= (until if ended is None else ended))
    return Curve(
        title=f"{anomaly.subject.service}: {anomaly.subject.metric}",
        times=at.tolist(),
        values=values.tolist(),
        low=np.where(is_odd, peak.low, np.nan).tolist(),
        high=np.where(is_odd, peak.high, np.nan).tolist(),
        onset=anomaly.start,
        unit="/s" if is_rate else "",
    )


def _span(anomaly: Anomaly, brief: IncidentBrief) -> tuple[float, float]:
    """Unix seconds: from an hour before, not longer than six; a little after where it is over."""
    begin, told = anomaly.start / 1000 - _BEFORE_S, brief.told_at / 1000
    ended = told if anomaly.end is None else min(told, anomaly.end / 1000 + _LEAST_S)
    end = max(ended, anomaly.start / 1000 + 1.0)
    return max(begin, end - _MOST_S), end


def _queries(info: SeriesInfo) -> tuple[Query, Query]:
    """The very series; and without labels that may have been added on the way."""
    labels = [(name, value) for name, value in info.labels if name != "__name__"]
    own = [(name, value) for name, value in labels if name not in _ADDED]
    return _query(info.name, labels), _query(info.name, own)


def _query(metric: str, labels: Sequence[tuple[str, str]]) -> Query:
    matchers = tuple(Matcher(name, MatchOp.EQUAL, value) for name, value in labels)
    return Query(metric=metric, matchers=matchers)


def _found(answers: Sequence[Answer]) -> Series | None:
    """The only series of the first answer that has one alone: of several none is known to be it."""
    alone = (answer.series[0] for answer in answers if len(answer.series) == 1)
    return next(alone, None)


def _rates(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Per second between neighbours; a counter that fell began at zero."""
    with np.errstate(invalid="ignore", over="ignore"):
        rise = np.diff(values)
        rates: Floats = np.where(rise < 0, values[1:], rise) / np.diff(times)
    return times[1:], rates
