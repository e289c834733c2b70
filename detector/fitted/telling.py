"""An anomaly of a service as people hear of it: its metrics, each with its share in that."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from detector.stream.anomaly import (
    Anomaly,
    AnomalyKind,
    Contribution,
    Happened,
    MetricNote,
    Side,
    Subject,
)
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.excursion import Sample

if TYPE_CHECKING:
    from detector.fitted.unit import Row

__all__ = ["METRIC", "MOST_METRICS", "named", "number_of", "series_of", "told"]

# In place of a metric, of what is of all metrics of a service.
METRIC = "service_model"
# Metrics of a service that have numbers of their own.
MOST_METRICS = 256
_KEPT, _LEAST = 10, 0.02


def series_of(number: int, metric: int) -> int:
    """The number of a metric of a service, which no series has.

    >>> series_of(2, 3), number_of(series_of(2, 3))
    (-516, 2)
    """
    return -1 - (number * MOST_METRICS + metric)


def number_of(series: int) -> int:
    """The service of such a number."""
    return (-1 - series) // MOST_METRICS


def told(happened: Happened, number: int, row: Row) -> Happened:
    """What happened to a service, by its worst row: the metrics with the largest shares first."""
    peak = happened.anomaly.peak
    rows = list(_shares(row))
    every = tuple(_contribution(peak, number, at, row) for at in rows)
    anomaly = replace(
        happened.anomaly,
        kind=AnomalyKind.SERVICE,
        contributions=every,
        metrics=tuple(MetricNote(metric=row.metrics[at], share=row.share[at]) for at in rows),
        members=len(rows),
        live=len(row.metrics),
    )
    return replace(happened, anomaly=anomaly)


def named(anomaly: Anomaly) -> dict[int, SeriesInfo]:
    """What the numbers of its contributions stand for."""
    pairs = zip(anomaly.contributions, anomaly.metrics, strict=False)
    return {one.series: _named(anomaly.subject, note.metric) for one, note in pairs}


def _named(subject: Subject, metric: str) -> SeriesInfo:
    labels = {
        "__name__": metric,
        "cluster": subject.cluster,
        "namespace": subject.namespace,
        "service": subject.service,
    }
    told = tuple((label, value) for label, value in labels.items() if value)
    return SeriesInfo(labels=told, kind=SeriesKind.GAUGE)


def _shares(row: Row) -> Iterator[int]:
    """Metrics that are there, by their shares; those that add next to nothing only if none does."""
    those = range(min(len(row.metrics), MOST_METRICS))
    there = [at for at in those if math.isfinite(row.value[at])]
    ranked = sorted(there, key=lambda at: (-row.share[at], at))[:_KEPT]
    yield from [at for at in ranked if row.share[at] >= _LEAST] or ranked[:1]


def _contribution(peak: Contribution, number: int, at: int, row: Row) -> Contribution:
    """A metric at the worst row; it lasts as long as the anomaly of its service."""
    low, high = row.usual[at] - row.reach[at], row.usual[at] + row.reach[at]
    own = replace(
        peak,
        series=series_of(number, at),
        value=row.value[at],
        expected=row.usual[at],
        low=low,
        high=high,
    )
    return replace(own, excess=_excess(own))


def _excess(own: Contribution) -> float:
    """How many widths of its own range a metric is outside of it: 0 where only the whole is odd."""
    sample = Sample(
        series=own.series,
        at=own.peak_at,
        value=own.value,
        expected=own.expected,
        low=own.low,
        high=own.high,
        surprise=own.surprise,
        p_value=1.0,
        side=Side.ABOVE,
    )
    return sample.excess
